public import Calls
internal import UsherAPI

/// Whether a call that was refused is repeated without asking the caller.
///
/// Repeating is safe: a command carries its request id, and what has none changes nothing. It is done where the
/// refusal is about the server's moment and not about the request:
///
///     the reason's retry      repeated
///     never, after_change     no
///     new_request_id          no: the outcome stands
///     after_delay             yes, no sooner than the server says; NOT_CAUGHT_UP for as long as there is time
///     same_request_id         OUTCOME_UNKNOWN yes, INTERNAL_ERROR twice; DEADLINE_PASSED and CANCELLED_BY_CALLER no,
///                             since this side has given up
///     a word of a later version   UNAVAILABLE yes, any other code no
public enum RetryRule: Equatable, Sendable {
    /// The refusal stands.
    case giveUp
    /// Once more, after at least so long (and after this client's own backoff).
    ///
    /// `mayHaveBegun` tells whether the server may have begun the work: only then the repeat counts as another attempt,
    /// which lets the journal alone decide it.
    case again(afterMilliseconds: UInt64, mayHaveBegun: Bool)

    /// What to do about `status`.
    ///
    /// - Parameters:
    ///   - repeats: how often the call was repeated already.
    ///   - repeatsMax: how often it may be.
    ///   - millisecondsLeft: until the caller's time is over; nil: never. What could only be answered later is given up.
    public static func decide(
        _ status: Status, repeats: Int, repeatsMax: Int = 10, millisecondsLeft: UInt64? = nil
    ) -> RetryRule {
        // To be behind is a matter of milliseconds, and the caller's time is the bound.
        guard repeats < repeatsMax || status.reason == Reason.notCaughtUp.rawValue else { return .giveUp }
        let delay = UInt64(status.details?.retryAfterMs ?? 0)
        if let millisecondsLeft, delay >= millisecondsLeft { return .giveUp }
        guard let reason = Reason(rawValue: status.reason) else {
            return status.code == .unavailable ? .again(afterMilliseconds: delay, mayHaveBegun: true) : .giveUp
        }
        switch reason.retry {
        case .never, .afterChange, .newRequestID:
            return .giveUp
        case .afterDelay:
            return .again(afterMilliseconds: delay, mayHaveBegun: !reason.isBeforeTheWork)
        case .sameRequestID:
            switch reason {
            case .outcomeUnknown: return .again(afterMilliseconds: delay, mayHaveBegun: true)
            case .internalError where repeats < 2: return .again(afterMilliseconds: delay, mayHaveBegun: true)
            default: return .giveUp
            }
        }
    }
}

extension Reason {
    /// Refusals that come before any work: nothing of the command has reached the journal.
    fileprivate var isBeforeTheWork: Bool {
        switch self {
        case .notStarted, .rateLimited, .tooManyCalls, .seatContended, .notCaughtUp, .tooManyRequestIDs: true
        default: false
        }
    }
}
