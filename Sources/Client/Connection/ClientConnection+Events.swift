internal import Calls
public import Reactor
internal import UsherAPI
internal import Wire

// From the transport up to the handler.

extension ClientConnection: ConnectionHandler {
    public func connected(_ connection: Connection) {
        guard let upgrade, end == nil else { return }
        connection.write(upgrade.request)
        arm(at: hub.loop.now + hub.limits.upgradeMilliseconds)
    }

    public func received(_ connection: Connection, _ bytes: consuming MutableRawSpan) {
        var bytes = bytes
        guard let upgrade else {
            receive(&bytes)
            return
        }
        guard end == nil else { return }
        switch upgrade.take(bytes.bytes) {
        case .needMore:
            break
        case .failed(let end):
            self.end = end
            connection.close()
        case .done(let consumed):
            begin(upgrade)
            if consumed < bytes.byteCount {
                var rest = bytes._mutatingExtracting(droppingFirst: consumed)
                receive(&rest)
            }
        }
    }

    public func closed(_ connection: Connection, _ cause: CloseCause) {
        hub.loop.cancel(timer)
        timer = .none
        transport = nil
        upgrade = nil
        calls.shut()
        pending = []
        guard let handler else { return }
        self.handler = nil
        handler.ended(self, end ?? .transport(cause))
    }

    /// The WebSocket stands: HELLO goes out.
    private func begin(_ upgrade: Upgrade) {
        state.insert(.upgraded)
        stream = SocketStream(messageBytes: hub.limits.messageBytes, maskSecret: upgrade.maskSecret)
        self.upgrade = nil
        state.insert(.upgraded)
        let now = hub.loop.now
        withFrames { calls, frames in
            calls.hello(upgrade.hello.message, now: now, output: &frames)
        }
        timerAt = .max
        arm()
    }

    // MARK: Bytes

    private func receive(_ bytes: inout MutableRawSpan) {
        guard state.contains(.upgraded) else { return }
        calls.heard(now: hub.loop.now)
        state.insert(.receiving)
        // Empty unless the socket itself answers, with a pong or a Close frame.
        var answers: [UInt8] = []
        stream?.receive(&bytes, deflate: hub.deflate, output: &answers, for: self)
        state.remove(.receiving)
        if !answers.isEmpty { transport?.write(answers) }
        flush()
    }

    /// A whole message has come.
    func take(_ message: RawSpan) {
        let now = hub.loop.now
        withMachine { (calls, frames, events) throws(ConnectionViolation) in
            try calls.receive(message, now: now, output: &frames, handler: &events)
        }
    }

    /// The WebSocket is over: the server closed it, or broke its rules.
    func socketClosed(_ code: UInt16, reason: String, isFault: Bool) {
        end = end ?? (isFault ? .webSocketFault(reason) : .closed(CloseCode(rawValue: code), reason: reason))
        calls.shut()
        state.insert(.closing)
    }

    /// The server cannot be talked to any further.
    func failed(_ end: ConnectionEnd, closeCode: UInt16, reason: String) {
        guard self.end == nil else { return }
        self.end = end
        beginClosing(CloseCode(rawValue: closeCode), reason)
    }

    // MARK: The machine of calls

    /// Lets the machine work, while it, and its output, can be reached by handlers in the middle of it: for each event
    /// they are put back where they belong.
    private func withMachine(
        _ body: (inout ClientCalls, inout [UInt8], inout CallEvents) throws(ConnectionViolation) -> Void
    ) {
        var machine = ClientCalls(limits: hub.calls, now: 0)  // holds the place of the real one
        var output = frames.capacity == 0 ? hub.borrowFrames() : frames
        frames = []
        swap(&machine, &calls)
        var events = CallEvents(connection: self)
        var violation: ConnectionViolation?
        do throws(ConnectionViolation) {
            try body(&machine, &output, &events)
        } catch {
            violation = error
        }
        swap(&machine, &calls)
        frames = output
        if let violation {
            failed(.violation(violation), closeCode: violation.closeCode.rawValue, reason: violation.reason)
        }
        if let roundTrip {
            self.roundTrip = nil
            handler?.pong(self, roundTripMilliseconds: roundTrip)
        }
    }
}

extension ClientConnection: TimerTarget {
    public func timerFired(_ tag: Int) {
        timer = .none
        timerAt = .max
        guard transport != nil, end == nil else { return }
        guard state.contains(.upgraded) else {
            end = .upgradeOverdue
            transport?.abort()
            return
        }
        let now = hub.loop.now
        state.insert(.receiving)
        withMachine { (calls, frames, events) throws(ConnectionViolation) in
            try calls.expire(now: now, output: &frames, handler: &events)
        }
        state.remove(.receiving)
        flush()
    }
}

extension ClientConnection: TurnTarget {
    public func turnEnded() {
        state.remove(.dirty)
        flush()
    }
}

extension ClientConnection {
    /// Puts this turn's frames into WebSocket messages and gives them to the transport; closes it if that was asked for.
    func flush() {
        if let transport, state.contains(.upgraded) {
            if !frames.isEmpty {
                let messageBytes = calls.messageBytes
                transport.withOutput { output in
                    var start = 0
                    while start < frames.count {
                        let rest = frames.rawSpan.extracting(droppingFirst: start)
                        let count = rest.wholeFrames(within: messageBytes)
                        stream?.send(rest.extracting(first: count), to: &output)
                        start += count
                    }
                }
            }
            if let closing = closeFrame {
                closeFrame = nil
                transport.withOutput { stream?.close(closing.code, reason: closing.reason, to: &$0) }
            }
        }
        if frames.capacity > 0 {
            hub.giveBack(frames: frames)
            frames = []
        }
        if state.contains(.closing) { transport?.close() } else if state.contains(.upgraded) { arm() }
    }

    /// Nothing more is taken in or opened; the Close frame goes out with the next flush.
    func beginClosing(_ code: CloseCode, _ reason: String) {
        calls.shut()
        state.insert(.closing)
        closeFrame = (code.rawValue, reason)
        markDirty()
    }
}

/// Hands the machine's events on, with the machine where it belongs.
private struct CallEvents: ClientCallsHandler {
    let connection: ClientConnection

    /// Puts machine and output in place for the time of `body`.
    private func inPlace(_ calls: inout ClientCalls, _ output: inout [UInt8], _ body: () -> Void) {
        swap(&calls, &connection.calls)
        swap(&output, &connection.frames)
        body()
        swap(&output, &connection.frames)
        swap(&calls, &connection.calls)
    }

    mutating func welcome(_ welcome: Welcome, in calls: inout ClientCalls, output: inout [UInt8]) {
        inPlace(&calls, &output) {
            connection.state.insert(.welcomed)
            connection.handler?.welcomed(connection, welcome)
        }
    }

    mutating func message(
        _ call: CallID, _ message: MessageView, in calls: inout ClientCalls, output: inout [UInt8]
    ) {
        inPlace(&calls, &output) { connection.tell(call, message) }
    }

    mutating func closed(_ call: CallID, _ close: CloseView, in calls: inout ClientCalls, output: inout [UInt8]) {
        inPlace(&calls, &output) { connection.tell(call, close) }
    }

    mutating func goAway(_ goAway: GoAway, in calls: inout ClientCalls, output: inout [UInt8]) {
        inPlace(&calls, &output) { connection.handler?.goingAway(connection, goAway) }
    }

    mutating func pong(roundTripMilliseconds: UInt64) {
        // The one event that comes without the machine: told once it is back.
        connection.roundTrip = roundTripMilliseconds
    }
}
