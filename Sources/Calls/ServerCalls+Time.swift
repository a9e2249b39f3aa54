import UsherAPI

// Two clocks' worth of deadlines: those of calls want a fine timer, those of the connection a coarse one.

extension ServerCalls {
    /// When the next call runs out of time, in monotonic milliseconds; nil: none does.
    public var nextCallDeadline: UInt64? {
        phase == .closed || running.earliestDeadline == .max ? nil : running.earliestDeadline
    }

    /// When the next ping is due or silence has lasted too long (before HELLO: when HELLO is overdue); nil once closed.
    public var nextLivenessDeadline: UInt64? {
        switch phase {
        case .awaitingHello: timer
        case .closed: nil
        case .greeting, .open, .goingAway: min(timer, silentAt)
        }
    }

    /// Does what is due by `now`: answers calls past their deadline, pings, or finds the connection dead.
    ///
    /// Due is what is at or before `now`. Harmless at any other time.
    /// - Throws: `helloOverdue`, `silent`; the machine has ended then.
    public mutating func expire<Handler: ServerCallsHandler & ~Copyable>(
        now: UInt64, output: inout [UInt8], handler: inout Handler
    ) throws(ConnectionViolation) {
        switch phase {
        case .closed:
            return
        case .awaitingHello:
            guard now < timer else {
                phase = .closed
                throw .helloOverdue
            }
        case .greeting, .open, .goingAway:
            guard now < silentAt else {
                phase = .closed
                throw .silent
            }
            expireCalls(now: now, output: &output, handler: &handler)
            if phase != .closed, now >= timer { ping(now: now, output: &output) }
        }
    }

    private var silentAt: UInt64 { lastHeard + 2 * limits.pingMilliseconds }

    private mutating func expireCalls<Handler: ServerCallsHandler & ~Copyable>(
        now: UInt64, output: inout [UInt8], handler: inout Handler
    ) {
        var id: UInt32 = 0
        while phase != .closed, let index = running.nextExpired(above: id, now: now) {
            let call = running[index]
            id = call.id
            running.update(index) { $0.state.insert(.answered) }
            let mayHaveHappened = call.state.contains(.submitted)
            output.appendClose(id, .deadlineExceeded(mayHaveHappened: mayHaveHappened))
            handler.expired(CallID(id), in: &self, output: &output)
        }
    }

    private mutating func ping(now: UInt64, output: inout [UInt8]) {
        pingNumber &+= 1
        pingSentAt = now
        output.appendFrame(Ping(data: UInt64(pingNumber)), callID: 0)
        timer += limits.pingMilliseconds
        if timer <= now { timer = now + limits.pingMilliseconds }  // intervals that were missed are not made up
    }
}
