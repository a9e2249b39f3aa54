import UsherAPI
import Wire

extension ServerCalls {
    /// Takes in one WebSocket message; its events happen and its answers are appended before this returns.
    ///
    /// Ends the machine, and throws, when the message breaks the protocol; the frames before the offending one have
    /// had their effect. Does nothing once closed.
    public mutating func receive<Handler: ServerCallsHandler & ~Copyable>(
        _ message: RawSpan, now: UInt64, output: inout [UInt8], handler: inout Handler
    ) throws(ConnectionViolation) {
        guard phase != .closed else { return }
        do throws(ConnectionViolation) {
            lastHeard = now
            var frames = FrameReader(message, bodyBytesMax: limits.frameBytes)
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

    /// Counts what comes outside frames and calls: the socket's bytes, and those that a compressed message unfolds to; the
    /// WebSocket's own pings and pongs; proofs of identity that were found to be false.
    ///
    /// - Throws: `tooMany`; the machine has ended then. Nothing once closed.
    public mutating func count(_ kind: ConnectionViolation.FloodKind, _ amount: Int = 1, now: UInt64)
        throws(ConnectionViolation)
    {
        guard phase != .closed else { return }
        let wait =
            switch kind {
            case .bytes: bytes.take(amount, of: limits.bytes, now: now)
            case .opens: refusals.take(amount, of: limits.refusals, now: now)
            case .cancels: cancels.take(amount, of: limits.cancels, now: now)
            case .pings: pings.take(amount, of: limits.pings, now: now)
            case .falseProofs: falseProofs.take(amount, of: limits.falseProofs, now: now)
            }
        guard wait == 0 else {
            phase = .closed
            throw .tooMany(kind)
        }
    }

    private mutating func receive<Handler: ServerCallsHandler & ~Copyable>(
        _ frame: Frame, output: inout [UInt8], handler: inout Handler
    ) throws(ConnectionViolation) {
        let kind = frame.kind
        guard kind == .hello || phase != .awaitingHello else { throw .helloExpected }
        switch kind {
        case .hello:
            try frame.check(.connection)
            guard phase == .awaitingHello else { throw .helloRepeated }
            let hello = try frame.decoded(Hello.self)
            phase = .greeting
            handler.hello(hello, in: &self, output: &output)
            precondition(phase != .greeting, "HELLO is answered in place")
        case .open:
            try opened(frame, output: &output, handler: &handler)
        case .credit:
            let id = try frame.check(.call)
            let credit = try frame.decoded(Credit.self)
            guard id <= highestCall else { throw .callNeverOpened(kind) }
            credited(id, by: credit.messages, output: &output, handler: &handler)
        case .cancel:
            let id = try frame.check(.call)
            _ = try frame.decoded(Cancel.self)
            guard id <= highestCall else { throw .callNeverOpened(kind) }
            guard cancels.take(of: limits.cancels, now: lastHeard) == 0 else { throw .tooMany(.cancels) }
            cancelled(id, output: &output, handler: &handler)
        case .ping:
            try frame.check(.connection)
            let ping = try frame.decoded(Ping.self)
            guard pings.take(of: limits.pings, now: lastHeard) == 0 else { throw .tooMany(.pings) }
            output.appendFrame(Pong(data: ping.data), callID: 0)
        case .pong:
            try frame.check(.connection)
            let pong = try frame.decoded(Pong.self)
            guard let sentAt = pingSentAt, pong.data == UInt64(pingNumber) else { return }  // nobody's, or an old one's
            pingSentAt = nil
            handler.pong(roundTripMilliseconds: lastHeard - sentAt)
        case .welcome, .message, .close, .goAway:
            throw .wrongDirection(kind)
        case .unspecified, .unrecognized:
            guard frame.header.flags.contains(.ignorable) else { throw .unknownKind(frame.header.kind) }
        }
    }

    // MARK: Calls

    private mutating func opened<Handler: ServerCallsHandler & ~Copyable>(
        _ frame: Frame, output: inout [UInt8], handler: inout Handler
    ) throws(ConnectionViolation) {
        let id = try frame.check(.call)
        guard id > highestCall else { throw .callIDNotAbove(highest: highestCall) }
        let open: OpenView
        do throws(WireError) {
            open = try OpenView(frame.body)
        } catch {
            throw .body(.open, error)
        }
        highestCall = id
        if let refusal = refusal(of: open) {
            guard refusals.take(of: limits.refusals, now: lastHeard) == 0 else { throw .tooMany(.opens) }
            output.appendClose(id, refusal)
            return
        }
        let deadline = open.timeoutMs == 0 ? nil : lastHeard + UInt64(open.timeoutMs)
        running.append(ServerCall(id: id, credit: open.credit, deadline: deadline ?? .max))
        handler.opened(CallID(id), open, deadline: deadline, in: &self, output: &output)
    }

    /// Why a call is answered without its handler; nil if it is not.
    private mutating func refusal(of open: OpenView) -> Status? {
        guard phase == .open else { return .notStarted }
        let wait = opens.take(of: limits.opens, now: lastHeard)
        guard wait == 0 else { return .rateLimited(retryAfterMilliseconds: wait) }
        guard running.count < limits.runningCalls else { return .tooManyCalls(limit: limits.runningCalls) }
        guard open.metadataByteCount <= limits.metadataBytes else {
            return .metadataTooLarge(limit: limits.metadataBytes)
        }
        guard open.isMetadataValid else { return .metadataInvalid }
        return nil
    }

    private mutating func credited<Handler: ServerCallsHandler & ~Copyable>(
        _ id: UInt32, by messages: UInt32, output: inout [UInt8], handler: inout Handler
    ) {
        guard messages > 0, let index = running.index(of: id) else { return }
        let before = running[index]
        running.update(index) { $0.credit = before.credit.addingSaturated(messages) }
        guard before.credit == 0, before.isWanted else { return }
        handler.credited(CallID(id), in: &self, output: &output)
    }

    private mutating func cancelled<Handler: ServerCallsHandler & ~Copyable>(
        _ id: UInt32, output: inout [UInt8], handler: inout Handler
    ) {
        guard let index = running.index(of: id), running[index].isWanted else {
            return
        }
        running.update(index) { $0.state.insert(.cancelled) }
        handler.cancelled(CallID(id), in: &self, output: &output)
    }
}

extension UInt32 {
    func addingSaturated(_ other: UInt32) -> UInt32 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
