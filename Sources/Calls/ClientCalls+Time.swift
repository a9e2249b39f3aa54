import UsherAPI

extension ClientCalls {
    /// When the next call runs out of time, in monotonic milliseconds; nil: none does.
    public var nextCallDeadline: UInt64? {
        phase == .closed || running.earliestDeadline == .max ? nil : running.earliestDeadline
    }

    /// When the server is dead unless something is heard (before WELCOME: when WELCOME is overdue); nil: not waiting.
    public var nextLivenessDeadline: UInt64? {
        switch phase {
        case .idle, .closed: nil
        case .greeting: welcomeDeadline
        case .open, .goingAway: lastHeard + 2 * pingMilliseconds
        }
    }

    /// Does what is due by `now`: gives up calls past their deadline, or finds the connection dead.
    ///
    /// A call that is given up ends here with DEADLINE_EXCEEDED, which for one with a request id says that it may have
    /// happened. The server, which knows the deadline, is not told.
    /// - Throws: `welcomeOverdue`, `silent`; the machine has ended then.
    public mutating func expire<Handler: ClientCallsHandler & ~Copyable>(
        now: UInt64, output: inout [UInt8], handler: inout Handler
    ) throws(ConnectionViolation) {
        if let deadline = nextLivenessDeadline, deadline <= now {
            let violation: ConnectionViolation = phase == .greeting ? .welcomeOverdue : .silent
            phase = .closed
            throw violation
        }
        var id: UInt32 = 0
        while phase != .closed, let index = running.nextExpired(above: id, now: now) {
            let call = running[index]
            id = call.id
            running.update(index) { $0.state.insert(.ended) }
            let status = Status.deadlineExceeded(mayHaveHappened: call.requestID != nil)
            handler.closed(CallID(id), CloseView(status), in: &self, output: &output)
        }
    }
}
