public import Wire

/// A message that is the body of a frame, and thereby says what the frame is.
public protocol FrameBody: WireEncodable {
    /// The kind of every frame with this body.
    static var frameKind: FrameKind { get }
    /// The flags of every frame with this body.
    static var frameFlags: FrameFlags { get }
}

extension FrameBody {
    /// No flags.
    @inlinable public static var frameFlags: FrameFlags { [] }
}

extension Hello: FrameBody {
    @inlinable public static var frameKind: FrameKind { .hello }
}

extension Welcome: FrameBody {
    @inlinable public static var frameKind: FrameKind { .welcome }
}

extension Open: FrameBody {
    @inlinable public static var frameKind: FrameKind { .open }
}

extension Message: FrameBody {
    @inlinable public static var frameKind: FrameKind { .message }
}

extension Close: FrameBody {
    @inlinable public static var frameKind: FrameKind { .close }
    @inlinable public static var frameFlags: FrameFlags { .end }
}

extension Credit: FrameBody {
    @inlinable public static var frameKind: FrameKind { .credit }
}

extension Cancel: FrameBody {
    @inlinable public static var frameKind: FrameKind { .cancel }
}

extension Ping: FrameBody {
    @inlinable public static var frameKind: FrameKind { .ping }
}

extension Pong: FrameBody {
    @inlinable public static var frameKind: FrameKind { .pong }
}

extension GoAway: FrameBody {
    @inlinable public static var frameKind: FrameKind { .goAway }
}

/// A `Message` whose payload is encoded where it goes, without bytes of its own in between.
public struct MessageCarrying<Payload: WireEncodable>: FrameBody {
    /// The state's revision.
    public var sequence: UInt64
    /// The journal position it reflects.
    public var position: UInt64
    /// Whether to forget what this stream said before: a snapshot begins.
    public var reset: Bool
    /// The response message.
    public var payload: Payload

    /// One response of a stream.
    @inlinable public init(_ payload: Payload, sequence: UInt64, position: UInt64, reset: Bool = false) {
        self.sequence = sequence
        self.position = position
        self.reset = reset
        self.payload = payload
    }

    @inlinable public static var frameKind: FrameKind { Message.frameKind }

    @inlinable public func encode(to writer: inout WireWriter) {
        Message(sequence: sequence, position: position, reset: reset).encode(to: &writer)
        writer.bytes(4, encoding: payload)
    }
}

/// The `Close` of a unary call that succeeded, whose payload is encoded where it goes.
public struct CloseCarrying<Payload: WireEncodable>: FrameBody {
    /// The journal position it reflects.
    public var position: UInt64
    /// The response message.
    public var payload: Payload

    /// The response of a unary call.
    @inlinable public init(_ payload: Payload, position: UInt64) {
        self.position = position
        self.payload = payload
    }

    @inlinable public static var frameKind: FrameKind { Close.frameKind }
    @inlinable public static var frameFlags: FrameFlags { Close.frameFlags }

    @inlinable public func encode(to writer: inout WireWriter) {
        Close(position: position).encode(to: &writer)
        writer.bytes(7, encoding: payload)
    }
}

extension FrameHeader {
    /// What the frame is.
    @inlinable public var frameKind: FrameKind { FrameKind(rawValue: Int32(kind)) }
}

extension [UInt8] {
    /// Appends one whole frame with this body. Frames appended one after another make one WebSocket message.
    @inlinable public mutating func appendFrame<Body: FrameBody>(_ body: Body, callID: UInt32) {
        appendFrame(kind: UInt8(Body.frameKind.rawValue), flags: Body.frameFlags, callID: callID, body: body)
    }
}
