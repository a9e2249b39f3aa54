// Sending. Everything is appended to the caller's sink, whole frames only, never fragmented. After a Close
// frame nothing is appended any more, and the functions say so by returning false.

extension WebSocket {
    /// Appends one message.
    ///
    /// - Parameters:
    ///   - payload: for `.text` the caller vouches that it is UTF-8.
    ///   - deflate: the loop's context; the message is compressed if that was negotiated and makes it smaller.
    /// - Returns: false, with nothing appended, once a Close frame has been sent or the connection has ended.
    @discardableResult
    public mutating func send(
        _ kind: MessageKind, _ payload: RawSpan, deflate: DeflateContext? = nil, to output: inout [UInt8]
    ) -> Bool {
        guard phase == .open else { return false }
        if sendWindowBits != 0, let deflate, let count = deflate.deflate(payload, windowBits: sendWindowBits) {
            let deflated = deflate.deflated
            append(Opcode(kind), isCompressed: true, deflated.raw.extracting(0..<count), to: &output)
        } else {
            append(Opcode(kind), payload, to: &output)
        }
        return true
    }

    /// Appends the header of a message whose `payloadBytes` the caller writes itself right behind, uncompressed.
    ///
    /// For servers only, since a client's payload has to be masked.
    /// - Returns: as `send`; on false the payload must not be written.
    public mutating func begin(_ kind: MessageKind, payloadBytes: Int, to output: inout [UInt8]) -> Bool {
        precondition(keys == nil && payloadBytes >= 0)
        guard phase == .open else { return false }
        WebSocketFrameHeader.append(Opcode(kind), payloadBytes: payloadBytes, to: &output)
        return true
    }

    /// Appends a message that was framed beforehand for many connections. For servers only.
    ///
    /// - Returns: as `send`.
    @discardableResult
    public mutating func send(_ frame: PreparedFrame, to output: inout [UInt8]) -> Bool {
        guard phase == .open else { return false }
        output.append(bytes(of: frame).raw)
        return true
    }

    /// The encoding of a prepared frame that this connection's peer understands: the shared array itself, for
    /// callers that write it without copying. They have to look at `isOpen` first.
    public func bytes(of frame: PreparedFrame) -> [UInt8] {
        precondition(keys == nil)
        guard let deflated = frame.deflated, sendWindowBits != 0,
            frame.payloadBytes <= 1 << Int(sendWindowBits) || sendWindowBits == 15
        else { return frame.plain }
        return deflated
    }

    /// Appends a ping with a payload of at most 125 bytes.
    ///
    /// - Returns: as `send`.
    @discardableResult
    public mutating func ping(_ payload: RawSpan, to output: inout [UInt8]) -> Bool {
        precondition(payload.byteCount <= WebSocketFrameHeader.controlPayloadBytesMax)
        guard phase == .open else { return false }
        append(.ping, payload, to: &output)
        return true
    }

    /// Starts the closing handshake: appends a Close frame, after which nothing more is sent, and drops what
    /// was received of an incomplete message. Wait a bounded time for `closed` before closing the transport.
    ///
    /// - Parameters:
    ///   - code: one that `mayBeSent`, or `.noStatus` for a frame without a code.
    ///   - reason: cut to 123 bytes at a character's end; left out with `.noStatus`.
    /// - Returns: as `send`.
    @discardableResult
    public mutating func close(_ code: WebSocketCloseCode, reason: String = "", to output: inout [UInt8]) -> Bool {
        precondition(code.mayBeSent || code == .noStatus)
        guard phase == .open else { return false }
        appendClose(code == .noStatus ? nil : code, reason: reason, to: &output)
        phase = .closeSent
        buffer = []
        return true
    }

    /// Frames one message for any number of server connections.
    ///
    /// - Parameter deflate: if given, a compressed encoding is prepared too where it is smaller.
    public static func encode(_ kind: MessageKind, _ payload: RawSpan, deflate: DeflateContext? = nil) -> PreparedFrame {
        var plain: [UInt8] = []
        plain.reserveCapacity(payload.byteCount + 10)
        WebSocketFrameHeader.append(Opcode(kind), payloadBytes: payload.byteCount, to: &plain)
        plain.append(payload)

        var deflated: [UInt8]?
        if let deflate, let count = deflate.deflate(payload, windowBits: 15) {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(count + 10)
            WebSocketFrameHeader.append(Opcode(kind), isCompressed: true, payloadBytes: count, to: &bytes)
            bytes.append(contentsOf: deflate.deflated.prefix(count))
            deflated = bytes
        }
        return PreparedFrame(plain: plain, deflated: deflated, payloadBytes: payload.byteCount)
    }

    func append(_ opcode: Opcode, isCompressed: Bool = false, _ payload: RawSpan, to output: inout [UInt8]) {
        let key = keys?.keys.next()
        WebSocketFrameHeader.append(
            opcode, isCompressed: isCompressed, payloadBytes: payload.byteCount, maskingKey: key, to: &output)
        let start = output.count
        output.append(payload)
        if let key {
            output.mask(start..<output.count, with: key)
        }
    }

    /// Appends a Close frame: its code and reason, or neither.
    func appendClose(_ code: WebSocketCloseCode?, reason: String, to output: inout [UInt8]) {
        var payload: [UInt8] = []
        if let code {
            payload.append(UInt8(code.rawValue >> 8))
            payload.append(UInt8(code.rawValue & 0xff))
            for character in reason.unicodeScalars {
                let encoded = UTF8.encode(character)!
                guard payload.count + encoded.count <= WebSocketFrameHeader.controlPayloadBytesMax else { break }
                payload.append(contentsOf: encoded)
            }
        }
        append(.close, payload.raw, to: &output)
    }
}

/// A server's message framed once, immutable and shared by the connections it goes to.
public struct PreparedFrame: Sendable {
    /// The uncompressed frame, which every peer understands.
    public let plain: [UInt8]
    /// The compressed frame (made with a 32 KiB window), if it is smaller.
    public let deflated: [UInt8]?
    /// The size of the message itself.
    public let payloadBytes: Int
}

extension Opcode {
    init(_ kind: MessageKind) {
        switch kind {
        case .text: self = .text
        case .binary: self = .binary
        }
    }
}

extension [UInt8] {
    fileprivate mutating func mask(_ range: Range<Int>, with key: UInt32) {
        var elements = mutableSpan
        // Safe: the same view of bytes as bytes as in Bytes.swift.
        var bytes = unsafe elements.mutableBytes
        _ = bytes.mask(range, with: key)
    }
}
