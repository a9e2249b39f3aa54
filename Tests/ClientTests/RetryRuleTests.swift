import Calls
import Client
import Testing
import UsherAPI

struct RetryRuleTests {
    /// What is done about every reason there is; a new one has to be entered here.
    static func expected(_ reason: Reason) -> RetryRule {
        switch reason {
        case .notStarted, .rateLimited, .tooManyCalls, .seatContended, .notCaughtUp, .tooManyRequestIDs:
            .again(afterMilliseconds: 0, mayHaveBegun: false)
        case .journalUnavailable, .shuttingDown, .outcomeUnknown, .internalError:
            .again(afterMilliseconds: 0, mayHaveBegun: true)
        default: .giveUp
        }
    }

    @Test(arguments: Reason.allCases)
    func `every reason is repeated or not as the catalogue says`(reason: Reason) {
        #expect(RetryRule.decide(Status(reason, ""), repeats: 0) == Self.expected(reason))
        switch reason.retry {
        case .never, .afterChange, .newRequestID: #expect(Self.expected(reason) == .giveUp)
        case .afterDelay: #expect(Self.expected(reason) != .giveUp)
        case .sameRequestID: break
        }
    }

    @Test func `the server's delay is kept, unless the caller's time is over before`() {
        let status = Status(.rateLimited, "", details: ErrorDetails(retryAfterMs: 500))
        #expect(
            RetryRule.decide(status, repeats: 0, millisecondsLeft: 501) == .again(afterMilliseconds: 500, mayHaveBegun: false))
        #expect(RetryRule.decide(status, repeats: 0, millisecondsLeft: 500) == .giveUp)
        #expect(RetryRule.decide(status, repeats: 0) == .again(afterMilliseconds: 500, mayHaveBegun: false))
    }

    @Test func `repeats have an end`() {
        let status = Status(.notStarted, "")
        #expect(RetryRule.decide(status, repeats: 9) != .giveUp)
        #expect(RetryRule.decide(status, repeats: 10) == .giveUp)
        #expect(RetryRule.decide(Status(.internalError, ""), repeats: 1) != .giveUp)
        #expect(RetryRule.decide(Status(.internalError, ""), repeats: 2) == .giveUp)
    }

    @Test func `an instance that is behind is asked again for as long as there is time`() {
        let status = Status(.notCaughtUp, "", details: ErrorDetails(retryAfterMs: 50))
        #expect(
            RetryRule.decide(status, repeats: 1_000, millisecondsLeft: 51)
                == .again(afterMilliseconds: 50, mayHaveBegun: false))
        #expect(RetryRule.decide(status, repeats: 1_000, millisecondsLeft: 50) == .giveUp)
    }

    @Test func `a word of a later version goes by its status code`() {
        #expect(
            RetryRule.decide(Status(code: .unavailable, reason: "NEW_WORD"), repeats: 0)
                == .again(afterMilliseconds: 0, mayHaveBegun: true))
        for code in [StatusCode.aborted, .internal, .unknown, .resourceExhausted, .failedPrecondition] {
            #expect(RetryRule.decide(Status(code: code, reason: "NEW_WORD"), repeats: 0) == .giveUp)
        }
    }

    @Test(arguments: [
        (CloseCode.silent, CloseCode.Advice.reconnectWithBackoff), (.malformedFrame, .doNotReconnect),
        (.identityRefused, .doNotReconnect), (.shuttingDown, .reconnectAtOnce), (.normal, .reconnectWithBackoff),
        (.goingAway, .reconnectWithBackoff),
    ])
    func `a close code says whether to come back`(code: CloseCode, advice: CloseCode.Advice) {
        #expect(ConnectionEnd.closed(code, reason: "").advice == advice)
    }

    @Test func `a full server is tried again, a wrong one is not`() {
        #expect(ConnectionEnd.upgradeRefused(httpStatus: 503, retryAfterMilliseconds: 2000).advice == .reconnectWithBackoff)
        #expect(ConnectionEnd.upgradeRefused(httpStatus: 503, retryAfterMilliseconds: 2000).retryAfterMilliseconds == 2000)
        #expect(ConnectionEnd.upgradeRefused(httpStatus: 404, retryAfterMilliseconds: nil).advice == .doNotReconnect)
        #expect(ConnectionEnd.notUsher("").advice == .doNotReconnect)
        #expect(ConnectionEnd.violation(.silent).advice == .reconnectWithBackoff)
        #expect(ConnectionEnd.violation(.welcomeRepeated).advice == .doNotReconnect)
    }
}
