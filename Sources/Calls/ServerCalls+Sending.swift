public import UsherAPI
public import Wire

/// What became of a message for a stream. Only `sent` has appended anything.
public enum SendResult: Equatable, Sendable {
    /// It is in the output, and one credit is spent.
    case sent
    /// No credit: keep the latest state; the handler hears `credited` when it can be sent.
    case noCredit
    /// Nobody waits for it: the call has ended, is answered or cancelled, or the connection is closed.
    case ended
    /// It is larger than a frame may be: send it in parts.
    case tooLarge
}

/// A MESSAGE that is encoded once for many streams; immutable, so it can be shared between threads.
public struct PreparedMessage: Sendable {
    /// The frame's body. The header, which differs in the call id, goes in front for each connection.
    public let body: [UInt8]

    /// A message whose payload is encoded here.
    public init(sequence: UInt64, position: UInt64, reset: Bool = false, payload: some WireEncodable) {
        body = MessageCarrying(payload, sequence: sequence, position: position, reset: reset).encoded()
    }

    /// A message whose payload is encoded already.
    public init(sequence: UInt64, position: UInt64, reset: Bool = false, encoded payload: RawSpan) {
        var body: [UInt8] = []
        body.appendBody(Message(sequence: sequence, position: position, reset: reset), payload: payload)
        self.body = body
    }
}

extension ServerCalls {
    // MARK: The connection

    /// Answers HELLO. Call it once, from the handler's `hello`.
    ///
    /// Limits and ping interval of WELCOME are filled in from ``limits``.
    /// - Parameter pingFraction: a random part, 0 to 1, of an interval until the first ping, so that the pings of a
    ///   stampede's connections spread out.
    public mutating func welcome(_ welcome: Welcome, pingFraction: Double, output: inout [UInt8]) {
        precondition(phase == .greeting, "WELCOME answers HELLO, once")
        var welcome = welcome
        welcome.pingIntervalMs = UInt32(clamping: limits.pingMilliseconds)
        welcome.limits = limits.told
        output.appendFrame(welcome, callID: 0)
        phase = .open
        timer = lastHeard + UInt64(Double(limits.pingMilliseconds) * min(max(pingFraction, 0), 1))
    }

    /// Tells the client to go elsewhere: no further call is taken in (each is answered NOT_STARTED), those that run go
    /// on. `lastCall` is filled in. Only the first one counts.
    public mutating func goAway(_ goAway: GoAway, output: inout [UInt8]) {
        guard phase == .open else { return }
        var goAway = goAway
        goAway.lastCall = highestCall
        output.appendFrame(goAway, callID: 0)
        phase = .goingAway
    }

    // MARK: Streams

    /// Whether a message of this call's stream would be sent now.
    public func canSend(_ call: CallID) -> Bool {
        guard phase != .closed, let index = running.index(of: call.rawValue) else { return false }
        return running[index].credit > 0 && running[index].isWanted
    }

    /// Whether the call runs and its client still waits for it: it was neither cancelled nor answered at its deadline.
    public func isWanted(_ call: CallID) -> Bool {
        guard phase != .closed, let index = running.index(of: call.rawValue) else { return false }
        return running[index].isWanted
    }

    /// Sends one message of a stream.
    @discardableResult
    public mutating func message(
        _ call: CallID, sequence: UInt64, position: UInt64, reset: Bool = false, payload: some WireEncodable,
        output: inout [UInt8]
    ) -> SendResult {
        let message = MessageCarrying(payload, sequence: sequence, position: position, reset: reset)
        return send(call, &output) { $0.appendFrame(message, callID: call.rawValue) }
    }

    /// Sends one message of a stream, whose payload is encoded already.
    @discardableResult
    public mutating func message(
        _ call: CallID, sequence: UInt64, position: UInt64, reset: Bool = false, encoded payload: RawSpan,
        output: inout [UInt8]
    ) -> SendResult {
        let message = Message(sequence: sequence, position: position, reset: reset)
        return send(call, &output) { $0.appendFrame(message, payload: payload, callID: call.rawValue) }
    }

    /// Sends a message that goes to many streams: nine bytes of its own and the shared body.
    @discardableResult
    public mutating func message(_ call: CallID, _ prepared: PreparedMessage, output: inout [UInt8]) -> SendResult {
        send(call, &output) { output in
            FrameHeader(
                kind: UInt8(FrameKind.message.rawValue), bodyByteCount: UInt32(prepared.body.count),
                callID: call.rawValue
            ).append(to: &output)
            output.append(contentsOf: prepared.body)
        }
    }

    /// Lets a MESSAGE be appended if it may be, and spends the credit unless it turns out too large.
    private mutating func send(
        _ call: CallID, _ output: inout [UInt8], _ append: (inout [UInt8]) -> Void
    ) -> SendResult {
        guard phase != .closed, let index = running.index(of: call.rawValue), running[index].isWanted else {
            return .ended
        }
        guard running[index].credit > 0 else { return .noCredit }
        let start = output.count
        append(&output)
        guard output.count - start <= limits.messageBytes else {
            output.removeSubrange(start...)
            return .tooLarge
        }
        running.update(index) { $0.credit -= 1 }
        return .sent
    }

    // MARK: Ends

    /// Notes that the call has become a command that can no longer be stopped: past its deadline the client is told
    /// that it may have happened.
    public mutating func submitted(_ call: CallID) {
        guard let index = running.index(of: call.rawValue) else { return }
        running.update(index) { $0.state.insert(.submitted) }
    }

    /// Ends a call: its handler runs no longer, and the client gets its CLOSE unless it has had it.
    ///
    /// Returns whether CLOSE was appended: not for a call that has ended or was answered at its deadline, nor once the
    /// connection is closed. A CLOSE larger than a frame is replaced by one with INTERNAL.
    @discardableResult
    public mutating func close(
        _ call: CallID, _ status: Status, position: UInt64 = 0, trailers: [Metadata] = [], output: inout [UInt8]
    ) -> Bool {
        end(call, position, &output) {
            $0.appendFrame(Close(status, position: position, trailers: trailers), callID: call.rawValue)
        }
    }

    /// Ends a unary call with its response, in one frame. Otherwise as ``close(_:_:position:trailers:output:)``.
    @discardableResult
    public mutating func reply(
        _ call: CallID, _ response: some WireEncodable, position: UInt64 = 0, output: inout [UInt8]
    ) -> Bool {
        end(call, position, &output) {
            $0.appendFrame(CloseCarrying(response, position: position), callID: call.rawValue)
        }
    }

    /// Ends a unary call with a response that is encoded already.
    @discardableResult
    public mutating func reply(
        _ call: CallID, encoded response: RawSpan, position: UInt64 = 0, output: inout [UInt8]
    ) -> Bool {
        end(call, position, &output) {
            $0.appendFrame(Close(position: position), payload: response, callID: call.rawValue)
        }
    }

    /// Takes the call out of the table and, if its client still waits, lets CLOSE be appended.
    private mutating func end(
        _ call: CallID, _ position: UInt64, _ output: inout [UInt8], _ append: (inout [UInt8]) -> Void
    ) -> Bool {
        guard let index = running.index(of: call.rawValue) else { return false }
        let isAnswered = running[index].state.contains(.answered)
        running.remove(at: index)
        guard !isAnswered, phase != .closed else { return false }
        let start = output.count
        append(&output)
        if output.count - start > limits.messageBytes {
            output.removeSubrange(start...)
            output.appendClose(call.rawValue, .answerTooLarge(limit: limits.frameBytes), position: position)
        }
        return true
    }
}

extension [UInt8] {
    /// Appends the CLOSE of a call that ends by the rules of calls themselves.
    mutating func appendClose(_ callID: UInt32, _ status: Status, position: UInt64 = 0) {
        appendFrame(Close(status, position: position, trailers: []), callID: callID)
    }
}

extension Close {
    fileprivate init(_ status: Status, position: UInt64, trailers: [Metadata]) {
        self.init(
            code: status.code, reason: status.reason, message: status.message, details: status.details,
            trailers: trailers, position: position)
    }
}
