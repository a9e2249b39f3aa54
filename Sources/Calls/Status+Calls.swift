import UsherAPI

// The ends that calls have by the rules of calls themselves, whatever the method.

extension Status {
    /// Done.
    public static let ok = Status(code: .ok)

    /// The end of a call whose client has cancelled it.
    ///
    /// - Parameter mayHaveHappened: whether a command had been submitted, so that it may be, or have been, carried out.
    public static func cancelled(mayHaveHappened: Bool = false) -> Status {
        Status(
            .cancelledByCaller, "The call was cancelled.",
            details: mayHaveHappened ? ErrorDetails(mayHaveHappened: true) : nil)
    }

    /// Time ran out.
    ///
    /// - Parameter mayHaveHappened: as above.
    public static func deadlineExceeded(mayHaveHappened: Bool) -> Status {
        mayHaveHappened
            ? Status(
                .deadlinePassed, "Time ran out; the command may have been carried out. Repeat its request id to know.",
                details: ErrorDetails(mayHaveHappened: true))
            : Status(.deadlinePassed, "Time ran out before the call was done.")
    }

    static var notStarted: Status {
        Status(.notStarted, "This connection takes no further calls; use another.")
    }

    static func rateLimited(retryAfterMilliseconds: UInt64) -> Status {
        Status(
            .rateLimited, "Calls are opened too fast.",
            details: ErrorDetails(retryAfterMs: UInt32(clamping: retryAfterMilliseconds)))
    }

    static func tooManyCalls(limit: Int) -> Status {
        Status(
            .tooManyCalls, "Too many calls of this connection are running.",
            details: ErrorDetails(limit: UInt64(limit)))
    }

    static func metadataTooLarge(limit: Int) -> Status {
        Status(.metadataTooLarge, "The metadata is too large.", details: ErrorDetails(limit: UInt64(limit)))
    }

    static var metadataInvalid: Status {
        Status(
            .metadataInvalid,
            "A metadata key is made of a-z, 0-9, '-', '_' and '.'; its value is UTF-8 unless the key ends in '-bin'.")
    }

    static func answerTooLarge(limit: Int) -> Status {
        Status(.internalError, "The answer is larger than a frame.", details: ErrorDetails(limit: UInt64(limit)))
    }
}
