// Refusals: the reason, the numbers that belong to it, and the sentence for people.
//
// All reasons the state machine gives are made here and nowhere else.

public import UsherAPI

/// Why a command was refused. Nothing changed.
public struct Refusal: Error, Equatable, Sendable {
    /// The stable word.
    public let reason: Reason
    /// Seats, amounts, limits, times: what the client needs to do better.
    public let details: ErrorDetails
    /// What was wrong and what is allowed.
    public let message: String

    /// The status code of the reason.
    public var code: StatusCode { reason.code }

    init(_ reason: Reason, _ message: String, _ details: ErrorDetails = ErrorDetails()) {
        self.reason = reason
        self.details = details
        self.message = message
    }

    /// Whether a repeat of the request id gets this refusal again. Where the catalogue lets a client try the same id
    /// once something has changed, or later, the id stays good.
    var isRemembered: Bool {
        switch reason.retry {
        case .never, .newRequestID: reason != .requestIDMissing && reason != .requestIDReused && reason != .identityMissing
        case .afterChange, .afterDelay, .sameRequestID: false
        }
    }
}

// MARK: - The command itself

extension Refusal {
    static var malformed: Refusal { Refusal(.malformedRequest, "The command has no contents.") }
    static var identityMissing: Refusal { Refusal(.identityMissing, "The command names no user.") }
    static var operatorRequired: Refusal { Refusal(.operatorsOnly, "The command is for operators and names none.") }
    static var requestIdMissing: Refusal { Refusal(.requestIDMissing, "A command needs a request id that is not nil.") }
    static var requestIdReused: Refusal {
        Refusal(.requestIDReused, "This request id was used for another command; make a new one for each command.")
    }
    static func requestIdsExhausted(retryAfter: UInt64) -> Refusal {
        Refusal(
            .tooManyRequestIDs,
            "\(SaleLimits.requestIds) commands in 24 hours are remembered for a user, no more; "
                + "paying, releasing and leaving still work.",
            ErrorDetails(retryAfterMs: UInt32(clamping: retryAfter), limit: UInt64(SaleLimits.requestIds)))
    }
    static func tableFull(_ what: String, limit: Int) -> Refusal {
        Refusal(.limitReached, "There are \(limit) \(what) already, which is the most.", ErrorDetails(limit: UInt64(limit)))
    }
}

// MARK: - Line and token

extension Refusal {
    static var concertUnknown: Refusal { Refusal(.unknownConcert, "There is no such concert.") }
    static var notInLine: Refusal { Refusal(.unknownToken, "You have no place in this line; join it first.") }
    static func lineScheduled(opens: UInt64) -> Refusal {
        Refusal(
            .lineScheduled,
            opens == 0
                ? "The line is not open yet; when it opens is not known yet."
                : "The line is not open yet; it opens at the time given.",
            ErrorDetails(opensMs: opens))
    }
    static var lineDraining: Refusal {
        Refusal(.lineDraining, "The line takes no more joins; those who wait are still admitted.")
    }
    static var lineClosed: Refusal { Refusal(.lineClosed, "The line is closed.") }
    static var tokenMissing: Refusal {
        Refusal(.tokenMissing, "The call needs an active queue token; join the concert's line.")
    }
    static var tokenInvalid: Refusal { Refusal(.tokenInvalid, "There is no such queue token.") }
    static var tokenForeign: Refusal { Refusal(.tokenInvalid, "The queue token is another user's; use your own.") }
    static var tokenOtherConcert: Refusal {
        Refusal(.tokenMissing, "The queue token is of another concert; join this concert's line.")
    }
    static func tokenWaiting(position: Int) -> Refusal {
        Refusal(
            .tokenWaiting,
            position == 0 ? "It is not your turn yet." : "It is not your turn yet; you are number \(position) in line.",
            ErrorDetails(queuePosition: UInt64(clamping: position)))
    }
    static func tokenEnded(_ reason: EndReason) -> Refusal {
        let why =
            switch reason {
            case .paid: "You have paid, which ended your turn."
            case .left: "You have left the line."
            case .expired: "Your time ran out."
            case .absent: "You were away for too long."
            case .closed: "The line was closed."
            case .unspecified, .unrecognized: "Your turn is over."
            }
        return Refusal(.tokenEnded, why + " Join again for a new place.", ErrorDetails(endReason: reason))
    }
    static var activeTimeOver: Refusal {
        Refusal(.activeTimeOver, "Your time to hold seats is over; what you hold can still be paid.")
    }
}

// MARK: - Seats and reservations

extension Refusal {
    static var performanceUnknown: Refusal { Refusal(.unknownPerformance, "There is no such performance.") }
    static var performanceStarted: Refusal {
        Refusal(.performanceStarted, "The performance has started; it sells no more seats.")
    }
    static func seatsInvalid(_ what: String) -> Refusal {
        Refusal(
            .invalidField, "\(what) Name 1 to \(SaleLimits.seatsPerHold) different seats, or say how many.",
            ErrorDetails(limit: UInt64(SaleLimits.seatsPerHold)))
    }
    static func seatsUnknown(_ seats: [UInt32], seatCount: Int) -> Refusal {
        Refusal(
            .unknownSeat, "The performance has seats 1 to \(seatCount).", ErrorDetails(seats: seats, limit: UInt64(seatCount)))
    }
    static func seatsTaken(_ seats: [UInt32]) -> Refusal {
        Refusal(.seatTaken, "Somebody else has these seats; choose others.", ErrorDetails(seats: seats))
    }
    static func tooManySeats(limit: Int) -> Refusal {
        Refusal(
            .tooManySeats, "One user may hold and own \(limit) seats of a performance at most.",
            ErrorDetails(limit: UInt64(limit)))
    }
    static var soldOut: Refusal { Refusal(.soldOut, "No seat is available; holds that run out may free some.") }
    static func notEnoughSeats(left: Int) -> Refusal {
        Refusal(.notEnoughSeats, "Only \(left) seats are left; ask for fewer.", ErrorDetails(limit: UInt64(left)))
    }
    static var reservationUnknown: Refusal { Refusal(.unknownReservation, "There is no such reservation.") }
    static var reservationForeign: Refusal { Refusal(.notYours, "The reservation is another user's.") }
    static var holdExpired: Refusal { Refusal(.holdExpired, "The hold ran out before it was paid; its seats are free again.") }
    static func notHeld(_ state: ReservationState) -> Refusal {
        let now =
            switch state {
            case .paid: "paid"
            case .released: "released"
            case .cancelled: "cancelled"
            case .expired: "expired"
            case .held, .unspecified, .unrecognized: "not held"
            }
        return Refusal(.reservationNotHeld, "Only a held reservation can be paid or released; this one is \(now).")
    }
    static var notPaid: Refusal { Refusal(.reservationNotPaid, "Only a paid reservation can be cancelled.") }
    static func cancelTooLate(until: UInt64) -> Refusal {
        Refusal(
            .tooLateToCancel, "The reservation could be cancelled until the time given in limit.", ErrorDetails(limit: until))
    }
}

// MARK: - Money

extension Refusal {
    static func amountInvalid(limit: UInt64) -> Refusal {
        Refusal(.amountOutOfRange, "The amount must be 1 to \(limit).", ErrorDetails(limit: limit))
    }
    static func balanceTooLarge(limit: UInt64) -> Refusal {
        Refusal(.balanceOutOfRange, "The balance may not pass \(limit).", ErrorDetails(limit: limit))
    }
    static func insufficientBalance(missing: UInt64) -> Refusal {
        Refusal(
            .insufficientBalance, "The balance is short of \(missing); charge the account, then pay. The hold stays.",
            ErrorDetails(missingAmount: missing))
    }
}

// MARK: - Operators

extension Refusal {
    static func settingsInvalid(_ what: String) -> Refusal { Refusal(.invalidField, what) }
    static func settingFixed(_ what: String) -> Refusal { Refusal(.settingFixed, what) }
    static func lineTransition(from state: LineState, _ what: String) -> Refusal {
        Refusal(.lineState, "The line is \(state), from which it cannot \(what).")
    }
}
