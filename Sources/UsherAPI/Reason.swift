// The words of `reasons` in protocol/errors.json; a test holds the two together.

/// Why a call ended as it did: a stable word, beside the status code and finer than it.
///
/// On the wire a reason is text, so that words of later versions pass through.
public enum Reason: String, CaseIterable, Sendable {
    /// The request is not the message that the method takes.
    case malformedRequest = "MALFORMED_REQUEST"
    /// A field of the request has a value that is never allowed; the message names it and what is allowed.
    case invalidField = "INVALID_FIELD"
    /// A metadata key has characters it may not have, or a value is not UTF-8 or not of its form.
    case metadataInvalid = "METADATA_INVALID"
    /// A command needs a request id that is not the nil UUID.
    case requestIDMissing = "REQUEST_ID_MISSING"
    /// This request id was used for another command. Make a new one.
    case requestIDReused = "REQUEST_ID_REUSED"
    /// The performance has no such seats; the details name them.
    case unknownSeat = "UNKNOWN_SEAT"
    /// The caller sent CANCEL. A command may have been carried out nevertheless.
    case cancelledByCaller = "CANCELLED_BY_CALLER"
    /// The time given ran out. A command may have been carried out: repeat its request id to know.
    case deadlinePassed = "DEADLINE_PASSED"
    /// This server has no such method.
    case unknownMethod = "UNKNOWN_METHOD"
    /// Keys and values of the call pass the limit told in WELCOME.
    case metadataTooLarge = "METADATA_TOO_LARGE"
    /// As many calls of this connection run as the limit allows. Wait for one to end.
    case tooManyCalls = "TOO_MANY_CALLS"
    /// Too many calls in too short a time.
    case rateLimited = "RATE_LIMITED"
    /// As many outcomes are remembered for this user as the limit allows. Paying, releasing and leaving still work.
    case tooManyRequestIDs = "TOO_MANY_REQUEST_IDS"
    /// The server did not begin the work. Safe to repeat.
    case notStarted = "NOT_STARTED"
    /// The instance lost track of the command, which may have been carried out: repeat its request id to know.
    case outcomeUnknown = "OUTCOME_UNKNOWN"
    /// The instance has not yet applied the journal position that the call asks for.
    case notCaughtUp = "NOT_CAUGHT_UP"
    /// The journal cannot be written at present. Another instance may be able to.
    case journalUnavailable = "JOURNAL_UNAVAILABLE"
    /// The instance shuts down: the reason of GOAWAY. As the end of a call it is reserved.
    case shuttingDown = "SHUTTING_DOWN"
    /// The server broke a promise of its own; its log says more. A command may have been carried out.
    case internalError = "INTERNAL_ERROR"
    /// The call needs to know who calls: send an identity in HELLO, by Session/Authenticate or as metadata.
    case identityMissing = "IDENTITY_MISSING"
    /// The identity is not one that this server accepts.
    case identityInvalid = "IDENTITY_INVALID"
    /// The identity has expired. Get a new one and authenticate; the place in line is kept.
    case identityExpired = "IDENTITY_EXPIRED"
    /// The call is for operators.
    case operatorsOnly = "OPERATORS_ONLY"
    /// The account or reservation is another user's.
    case notYours = "NOT_YOURS"
    /// The call needs a queue token of the concert: join its line.
    case tokenMissing = "TOKEN_MISSING"
    /// The queue token is not one of this sale's, or not this user's.
    case tokenInvalid = "TOKEN_INVALID"
    /// It is not your turn yet. The line's stream tells when it is.
    case tokenWaiting = "TOKEN_WAITING"
    /// The queue token has ended. Join again for a new place.
    case tokenEnded = "TOKEN_ENDED"
    /// There is no such concert.
    case unknownConcert = "UNKNOWN_CONCERT"
    /// The user has no place in this line. Join it.
    case unknownToken = "UNKNOWN_TOKEN"
    /// The line takes no joins yet; the details say from when.
    case lineScheduled = "LINE_SCHEDULED"
    /// The line takes no more joins.
    case lineDraining = "LINE_DRAINING"
    /// The line is closed.
    case lineClosed = "LINE_CLOSED"
    /// There is no such performance.
    case unknownPerformance = "UNKNOWN_PERFORMANCE"
    /// The performance has begun; nothing of it can be held, paid or cancelled any more.
    case performanceStarted = "PERFORMANCE_STARTED"
    /// Somebody else holds or owns a seat asked for; the details name the seats that clash. Choose others.
    case seatTaken = "SEAT_TAKEN"
    /// Another request is just claiming a seat asked for. In a moment it is taken or free.
    case seatContended = "SEAT_CONTENDED"
    /// The performance has seats left, but not as many as asked for. Ask for fewer.
    case notEnoughSeats = "NOT_ENOUGH_SEATS"
    /// No seat is available. Holds that run out may free some: watch the seats.
    case soldOut = "SOLD_OUT"
    /// The user would hold or own more seats of the performance than one user may.
    case tooManySeats = "TOO_MANY_SEATS"
    /// The active time is over; open holds can still be paid, new ones cannot be made.
    case activeTimeOver = "ACTIVE_TIME_OVER"
    /// There is no such reservation.
    case unknownReservation = "UNKNOWN_RESERVATION"
    /// The reservation is no longer HELD: paid, released or cancelled.
    case reservationNotHeld = "RESERVATION_NOT_HELD"
    /// The hold ran out before it was paid; its seats are free again.
    case holdExpired = "HOLD_EXPIRED"
    /// Only a PAID reservation can be cancelled.
    case reservationNotPaid = "RESERVATION_NOT_PAID"
    /// The time until which a paid reservation can be cancelled has passed.
    case tooLateToCancel = "TOO_LATE_TO_CANCEL"
    /// The balance is short; the details say of how much. The hold stays: charge the account, then pay.
    case insufficientBalance = "INSUFFICIENT_BALANCE"
    /// The amount is 0 or above what can be charged at once.
    case amountOutOfRange = "AMOUNT_OUT_OF_RANGE"
    /// The balance would pass its maximum.
    case balanceOutOfRange = "BALANCE_OUT_OF_RANGE"
    /// The line is not in a state from which it can go there.
    case lineState = "LINE_STATE"
    /// A setting can no longer be changed; the message names it.
    case settingFixed = "SETTING_FIXED"
    /// The sale has as many of these as it can have.
    case limitReached = "LIMIT_REACHED"

    /// Whether and how a client may try again.
    public enum Retry: String, Sendable {
        /// The same call will fail again.
        case never
        /// Once something has changed; the request id stays good.
        case afterChange = "after_change"
        /// After a while, with the same request id.
        case afterDelay = "after_delay"
        /// At once, with the same request id, to learn what became of the first attempt.
        case sameRequestID = "same_request_id"
        /// With a new request id, since the outcome is remembered under this one.
        case newRequestID = "new_request_id"
    }

    /// The status code that goes with this reason, always the same.
    public var code: StatusCode {
        switch self {
        case .malformedRequest, .invalidField, .metadataInvalid, .requestIDMissing, .requestIDReused,
            .unknownSeat:
            .invalidArgument
        case .cancelledByCaller:
            .cancelled
        case .deadlinePassed:
            .deadlineExceeded
        case .unknownMethod:
            .unimplemented
        case .metadataTooLarge, .tooManyCalls, .rateLimited, .tooManyRequestIDs, .limitReached:
            .resourceExhausted
        case .notStarted, .outcomeUnknown, .notCaughtUp, .journalUnavailable, .shuttingDown:
            .unavailable
        case .internalError:
            .internal
        case .identityMissing, .identityInvalid, .identityExpired, .tokenMissing, .tokenInvalid:
            .unauthenticated
        case .operatorsOnly, .notYours, .tokenWaiting, .tokenEnded:
            .permissionDenied
        case .unknownConcert, .unknownToken, .unknownPerformance, .unknownReservation:
            .notFound
        case .lineScheduled, .lineDraining, .lineClosed, .performanceStarted, .notEnoughSeats, .soldOut,
            .activeTimeOver, .reservationNotHeld, .holdExpired, .reservationNotPaid, .tooLateToCancel,
            .insufficientBalance, .lineState, .settingFixed:
            .failedPrecondition
        case .seatTaken, .seatContended:
            .aborted
        case .tooManySeats:
            .alreadyExists
        case .amountOutOfRange, .balanceOutOfRange:
            .outOfRange
        }
    }

    /// Whether and how a client may try again.
    public var retry: Retry {
        switch self {
        case .malformedRequest, .invalidField, .metadataInvalid, .requestIDMissing, .requestIDReused,
            .unknownSeat, .unknownMethod, .metadataTooLarge, .identityMissing, .identityInvalid, .operatorsOnly,
            .notYours, .tokenInvalid, .unknownConcert, .lineDraining, .lineClosed, .unknownPerformance,
            .performanceStarted, .tooManySeats, .activeTimeOver, .unknownReservation, .reservationNotHeld,
            .holdExpired, .reservationNotPaid, .tooLateToCancel, .amountOutOfRange, .settingFixed, .limitReached:
            .never
        case .cancelledByCaller, .deadlinePassed, .outcomeUnknown, .internalError:
            .sameRequestID
        case .tooManyCalls, .rateLimited, .tooManyRequestIDs, .notStarted, .notCaughtUp, .journalUnavailable,
            .shuttingDown, .seatContended:
            .afterDelay
        case .identityExpired, .tokenMissing, .tokenWaiting, .tokenEnded, .unknownToken, .lineScheduled:
            .afterChange
        case .seatTaken, .notEnoughSeats, .soldOut, .insufficientBalance, .balanceOutOfRange, .lineState:
            .newRequestID
        }
    }
}

extension Close {
    /// The end of a call for a catalogued reason.
    public init(_ reason: Reason, _ message: String, details: ErrorDetails? = nil) {
        self.init(code: reason.code, reason: reason.rawValue, message: message, details: details)
    }

    /// The reason, if it is one this version knows.
    public var knownReason: Reason? { Reason(rawValue: reason) }
}
