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
    /// Which field of the message, from 1 to ``numberMax``.
    public var number: Int
    /// How the value that follows is laid out.
    public var type: WireType

    /// The largest field number protobuf allows.
    public static let numberMax = 1 << 29 - 1

    /// A tag with the given number and wire type.
    @inlinable public init(number: Int, type: WireType) {
        self.number = number
        self.type = type
    }

    /// The tag as the number that is written as a varint.
    @inlinable var tag: UInt64 { UInt64(number) << 3 | UInt64(type.rawValue) }
}
