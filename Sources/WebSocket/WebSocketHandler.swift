/// Whether a message is text (UTF-8, already checked) or binary.
public enum MessageKind: UInt8, Sendable {
    // The opcodes of RFC 6455 section 5.2.
    case text = 1
    case binary = 2
}

/// Takes what a `WebSocket` received.
///
/// All spans are borrowed for the call. `socket` is the connection itself, lent so that an answer may be sent
/// or the connection closed at once (the caller's own copy is being accessed meanwhile); `output` is the sink
/// given to `receive`.
public protocol WebSocketHandler: ~Copyable {
    /// A whole message, unmasked, inflated and, if text, checked to be UTF-8.
    mutating func message(_ kind: MessageKind, _ payload: RawSpan, socket: inout WebSocket, output: inout [UInt8])

    /// The connection is over: the peer's Close frame came (also as the answer to our own), or a fault. Called at
    /// most once; a transport that ends without a Close frame (1006) is the caller's to notice.
    ///
    /// The answering Close frame, if one is due, is already in `output`; flush it and close the transport
    /// (a client may wait for the server to do so first).
    ///
    /// - Parameters:
    ///   - code: the peer's code, `.noStatus` if its Close frame had none; for a fault, the fault's code.
    ///   - fault: what the peer did wrong; nil if it sent a proper Close frame.
    mutating func closed(code: WebSocketCloseCode, reason: String, fault: WebSocketFault?)

    /// A ping came; its pong is already in `output`. For counting; does nothing by default.
    mutating func ping(_ payload: RawSpan)

    /// A pong came, asked for or not. Does nothing by default.
    mutating func pong(_ payload: RawSpan)
}

extension WebSocketHandler where Self: ~Copyable {
    public mutating func ping(_ payload: RawSpan) {}
    public mutating func pong(_ payload: RawSpan) {}
}

/// The bounds of one connection's messages.
public struct WebSocketLimits: Sendable, Equatable {
    /// The largest message taken, in bytes after inflating; one more is refused with 1009.
    public var maxMessageBytes: Int
    /// The most frames that may carry one message, empty ones counted; one more is refused with 1009.
    public var maxFragments: Int

    /// The defaults are those of the protocol: 64 KiB in 64 fragments.
    public init(maxMessageBytes: Int = 64 << 10, maxFragments: Int = 64) {
        self.maxMessageBytes = maxMessageBytes
        self.maxFragments = maxFragments
    }
}
