// A WebSocket message holds one or more whole frames, and nothing else:
//
//      0        1                          5                          9
//      ┌────────┬──────────────────────────┬──────────────────────────┬───────────────
//      │ kind 5 │ length of the body, u32  │ call id, u32 (0: the     │ body: one proto3
//      │ flag 3 │ big-endian               │ connection itself), BE   │ message
//      └────────┴──────────────────────────┴──────────────────────────┴───────────────
//        7…3 2…0  bits of the first byte: the kind is the upper five, the flags the lower three

/// What may be set in a frame's first byte beside its kind.
public struct FrameFlags: OptionSet, Sendable, Hashable {
    /// The three bits as they stand in the first byte of a frame.
    public let rawValue: UInt8

    /// The flags of the three lowest bits of `rawValue`.
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0b111 }

    /// Whoever does not know the frame's kind skips it. Without this flag an unknown kind closes the connection.
    public static let ignorable = FrameFlags(rawValue: 0b001)
    /// The last frame of its call.
    public static let end = FrameFlags(rawValue: 0b010)
    /// Not used yet. Must be 0.
    public static let reserved = FrameFlags(rawValue: 0b100)
}

/// The nine bytes in front of every body.
public struct FrameHeader: Equatable, Sendable {
    /// What the body is, 0 to 31.
    public var kind: UInt8
    /// Flags of this frame.
    public var flags: FrameFlags
    /// The number of bytes that follow the header.
    public var bodyByteCount: UInt32
    /// The call the frame belongs to; 0 for the connection itself.
    public var callID: UInt32

    /// The number of bytes of every header.
    public static let byteCount = 9

    /// A header; `kind` must be below 32.
    public init(kind: UInt8, flags: FrameFlags = [], bodyByteCount: UInt32 = 0, callID: UInt32 = 0) {
        precondition(kind < 32, "a frame's kind has five bits")
        self.kind = kind
        self.flags = flags
        self.bodyByteCount = bodyByteCount
        self.callID = callID
    }

    /// The header at the start of `bytes`, which must hold at least nine.
    init(_ bytes: RawSpan) {
        // Safe: any bytes are integers, and the span checks the offsets.
        let first = unsafe bytes.unsafeLoad(as: UInt8.self)
        kind = first >> 3
        flags = FrameFlags(rawValue: first)
        bodyByteCount = UInt32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt32.self))
        callID = UInt32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 5, as: UInt32.self))
    }

    /// Appends the nine bytes to `output`.
    public func append(to output: inout [UInt8]) {
        output.append(addingCapacity: FrameHeader.byteCount) { room in
            room.append(kind << 3 | flags.rawValue)
            for shift in stride(from: 24, through: 0, by: -8) { room.append(UInt8(truncatingIfNeeded: bodyByteCount >> shift)) }
            for shift in stride(from: 24, through: 0, by: -8) { room.append(UInt8(truncatingIfNeeded: callID >> shift)) }
        }
    }

    /// Sets the length in the header that begins at `start` of `output`.
    @usableFromInline static func setBodyByteCount(_ byteCount: UInt32, in output: inout [UInt8], at start: Int) {
        for index in 0..<4 { output[start + 1 + index] = UInt8(truncatingIfNeeded: byteCount >> UInt32(24 - 8 * index)) }
    }
}

extension [UInt8] {
    /// Appends one whole frame: the header, with its length, and `body`.
    ///
    /// Several frames appended to the same array make one WebSocket message.
    @inlinable public mutating func appendFrame(
        kind: UInt8, flags: FrameFlags = [], callID: UInt32, body: some WireEncodable
    ) {
        let start = count
        FrameHeader(kind: kind, flags: flags, callID: callID).append(to: &self)
        FrameHeader.setBodyByteCount(UInt32(append(message: body)), in: &self, at: start)
    }
}
