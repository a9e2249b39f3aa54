// A field on the wire (https://protobuf.dev/programming-guides/encoding/):
//
//     ┌──────────────────────────────┬───────────────────────────────────────────┐
//     │ tag, varint:                 │ value, by wire type:                      │
//     │   field number << 3          │   0  varint, 1…10 bytes, 7 bits each,     │
//     │   | wire type                │      least significant first              │
//     │                              │   1  8 bytes, little-endian               │
//     │ number 1 … 2²⁹−1             │   2  length (varint), then so many bytes  │
//     │                              │   3  fields up to the 4 of that number    │
//     │                              │   5  4 bytes, little-endian               │
//     └──────────────────────────────┴───────────────────────────────────────────┘

/// How a value lies on the wire. It says where the value ends, not what it means.
public enum WireType: UInt8, Sendable {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case startGroup = 3
    case endGroup = 4
    case fixed32 = 5
}

/// The tag of one field: what a reader sees before the value.
public struct Field: Equatable, Sendable {
    /// As it stands on the wire. The lower three bits are one of the six types.
    @usableFromInline let tag: UInt32

    /// Which field of the message, from 1 to ``numberMax``.
    @inlinable @inline(__always) public var number: Int { Int(tag &>> 3) }
    /// How the value that follows is laid out.
    @inlinable public var type: WireType { WireType(rawValue: UInt8(truncatingIfNeeded: tag & 7)) ?? .endGroup }

    /// The largest field number protobuf allows.
    public static let numberMax = 1 << 29 - 1

    /// A tag with the given number and wire type.
    @inlinable @inline(__always) public init(number: Int, type: WireType) {
        tag = UInt32(truncatingIfNeeded: number) &<< 3 | UInt32(type.rawValue)
    }

    /// The tag as it stands on the wire, of one of the six types.
    @inlinable @inline(__always) init(tag: UInt32) { self.tag = tag }

    /// Whether the value is of the type. (Less work than asking for the type.)
    @inlinable @inline(__always) func has(_ type: WireType) -> Bool { tag & 7 == UInt32(type.rawValue) }
}
