import UsherAPI
import Wire

extension ClientCalls {
    /// Takes in one WebSocket message; its events happen, and pongs and credit are appended, before this returns.
    ///
    /// Ends the machine, and throws, when the message breaks the protocol; the frames before the offending one have
    /// had their effect. Does nothing once closed.
    public mutating func receive<Handler: ClientCallsHandler & ~Copyable>(
        _ message: RawSpan, now: UInt64, output: inout [UInt8], handler: inout Handler
    ) throws(ConnectionViolation) {
        guard phase != .closed else { return }
        lastHeard = now
        do throws(ConnectionViolation) {
            var frames = FrameReader(message, bodyBytesMax: frameBytes)
            while phase != .closed, let frame = try frames.nextFrame() {
                try receive(frame, output: &output, handler: &handler)
            }
        } catch {
            phase = .closed
            throw error
        }
    }

    /// Notes that bytes came, though not yet a whole message.
    public mutating func heard(now: UInt64) { lastHeard = now }

    private mutating func receive<Handler: ClientCallsHandler & ~Copyable>(
        _ frame: Frame, output: inout [UInt8], handler: inout Handler
    ) throws(ConnectionViolation) {
        let kind = frame.kind
        guard kind == .welcome || phase > .greeting else { throw .welcomeExpected }
        switch kind {
        case .welcome:
            try frame.check(.connection)
            guard phase != .idle else { throw .welcomeExpected }
            guard phase == .greeting else { throw .welcomeRepeated }
            let welcome = try frame.decoded(Welcome.self)
            adopt(welcome)
            handler.welcome(welcome, in: &self, output: &output)
        case .message:
            try message(frame, output: &output, handler: &handler)
        case .close:
            try closed(frame, output: &output, handler: &handler)
        case .goAway:
            try frame.check(.connection)
            let goAway = try frame.decoded(GoAway.self)
            phase = .goingAway
            lastCall = min(lastCall, goAway.lastCall)
            handler.goAway(goAway, in: &self, output: &output)
        case .ping:
            try frame.check(.connection)
            output.appendFrame(Pong(data: try frame.decoded(Ping.self).data), callID: 0)
        case .pong:
            try frame.check(.connection)
            let pong = try frame.decoded(Pong.self)
            guard let sentAt = pingSentAt, pong.data == UInt64(pingNumber) else { return }  // nobody's, or an old one's
            pingSentAt = nil
            handler.pong(roundTripMilliseconds: lastHeard - sentAt)
        case .hello, .open, .credit, .cancel:
            throw .wrongDirection(kind)
        case .unspecified, .unrecognized:
            guard frame.header.flags.contains(.ignorable) else { throw .unknownKind(frame.header.kind) }
        }
    }

    /// Takes over what the server tells; 0 leaves the default, since nothing could work with it.
    private mutating func adopt(_ welcome: Welcome) {
        phase = .open
        welcomeDeadline = .max
        if welcome.epoch != epoch {
            epoch = welcome.epoch
            position = 0  // positions of another journal mean nothing
        }
        if welcome.pingIntervalMs > 0 { pingMilliseconds = UInt64(welcome.pingIntervalMs) }
        guard let limits = welcome.limits else { return }
        if limits.frameBytes > 0 { frameBytes = Int(limits.frameBytes) }
        if limits.runningCalls > 0 { runningCallsMax = Int(limits.runningCalls) }
    }

    // MARK: Calls

    private mutating func message<Handler: ClientCallsHandler & ~Copyable>(
        _ frame: Frame, output: inout [UInt8], handler: inout Handler
    ) throws(ConnectionViolation) {
        let index = try callIndex(frame)
        let message: MessageView
        do throws(WireError) {
            message = try MessageView(frame.body)
        } catch {
            throw .body(.message, error)
        }
        guard running[index].credit > 0 else { throw .creditExceeded }
        running.update(index) {
            $0.credit -= 1
            $0.consumed = $0.consumed.addingSaturated(1)
            $0.lastSequence = message.sequence
        }
        position = max(position, message.position)
        guard running[index].isWanted else { return }
        let call = CallID(running[index].id)
        handler.message(call, message, in: &self, output: &output)
        replenish(call, output: &output)
    }

    /// Gives back what was consumed, once that is half the window: at worst every second message costs a CREDIT of
    /// twelve bytes, and the server is never without credit while less than half a window is on its way.
    private mutating func replenish(_ call: CallID, output: inout [UInt8]) {
        guard let index = running.index(of: call.rawValue) else { return }
        let stream = running[index]
        guard stream.state.contains(.replenishes), stream.consumed >= stream.window - stream.window / 2 else { return }
        running.update(index) { $0.consumed = 0 }
        credit(call, messages: stream.consumed, output: &output)
    }

    private mutating func closed<Handler: ClientCallsHandler & ~Copyable>(
        _ frame: Frame, output: inout [UInt8], handler: inout Handler
    ) throws(ConnectionViolation) {
        let index = try callIndex(frame)
        let close: CloseView
        do throws(WireError) {
            close = try CloseView(frame.body)
        } catch {
            throw .body(.close, error)
        }
        let isEnded = running[index].state.contains(.ended)
        let call = CallID(running[index].id)
        running.remove(at: index)
        position = max(position, close.position)
        if !isEnded { handler.closed(call, close, in: &self, output: &output) }
    }

    /// Where the call of a MESSAGE or CLOSE is.
    private func callIndex(_ frame: Frame) throws(ConnectionViolation) -> Int {
        let id = try frame.check(.call)
        guard id <= highestCall else { throw .callNeverOpened(frame.kind) }
        guard let index = running.index(of: id) else { throw .callEnded(frame.kind) }
        return index
    }
}
