// Typed values, for `encode(to:)`: one call for each kind of proto3 field, which writes tag and value, or nothing if
// the value is the default.

extension WireWriter {
    /// A `uint32`.
    public mutating func uint32(_ number: Int, _ value: UInt32) {
        uint64(number, UInt64(value))
    }

    /// A `uint64`.
    public mutating func uint64(_ number: Int, _ value: UInt64) {
        guard value != 0 else { return }
        tag(number, .varint)
        varint(value)
    }

    /// A `fixed64`.
    public mutating func fixed64(_ number: Int, _ value: UInt64) {
        guard value != 0 else { return }
        tag(number, .fixed64)
        littleEndian(value)
    }

    /// A `bool`.
    public mutating func bool(_ number: Int, _ value: Bool) {
        uint64(number, value ? 1 : 0)
    }

    /// An enum. Negative numbers take ten bytes, as in protobuf.
    public mutating func enumeration(_ number: Int, _ value: some WireEnum) {
        uint64(number, value.signExtended)
    }

    /// A `string`.
    public mutating func string(_ number: Int, _ value: String) {
        guard !value.isEmpty else { return }
        string(number, present: value)
    }

    /// A `string` of a oneof, which is written even when empty.
    public mutating func string(_ number: Int, present value: String) {
        lengthDelimited(number, value.utf8Span.span.rawSpan)
    }

    /// A `bytes`.
    public mutating func bytes(_ number: Int, _ value: [UInt8]) {
        bytes(number, value.rawSpan)
    }

    /// A `bytes`, borrowed.
    public mutating func bytes(_ number: Int, _ value: RawSpan) {
        guard !value.isEmpty else { return }
        lengthDelimited(number, value)
    }

    /// A `bytes` that holds a message, encoded in place.
    public mutating func bytes(_ number: Int, encoding value: some WireEncodable) {
        let size = value.encodedSize
        if size > 0 { nested(number, value, size) }
    }

    /// A submessage, if there is one. An empty one is written, as the two bytes of its tag and length.
    public mutating func message<Value: WireMessage>(_ number: Int, _ value: Value?) {
        if let value { nested(number, value, value.encodedSize) }
    }

    /// A `repeated` message.
    public mutating func messages<Value: WireMessage>(_ number: Int, _ values: [Value]) {
        for value in values { message(number, value) }
    }

    /// A `repeated uint32`, packed.
    public mutating func uint32s(_ number: Int, _ values: [UInt32]) {
        packed(number, values) { UInt64($0) }
    }

    /// A `repeated uint64`, packed.
    public mutating func uint64s(_ number: Int, _ values: [UInt64]) {
        packed(number, values) { $0 }
    }

    /// A `repeated` enum, packed.
    public mutating func enumerations<Value: WireEnum>(_ number: Int, _ values: [Value]) {
        packed(number, values) { $0.signExtended }
    }

    private mutating func packed<Value>(_ number: Int, _ values: [Value], _ asVarint: (Value) -> UInt64) {
        guard !values.isEmpty else { return }
        tag(number, .lengthDelimited)
        varint(UInt64(values.reduce(0) { $0 + WireWriter.varintSize(asVarint($1)) }))
        for value in values { varint(asVarint(value)) }
    }

    private mutating func nested(_ number: Int, _ value: some WireEncodable, _ size: Int) {
        tag(number, .lengthDelimited)
        varint(UInt64(size))
        if countsOnly { counted += size } else { value.encode(to: &self) }
    }

    private mutating func lengthDelimited(_ number: Int, _ value: RawSpan) {
        tag(number, .lengthDelimited)
        varint(UInt64(value.byteCount))
        raw(value)
    }
}

extension WireEnum {
    /// The number as protobuf writes it: an int32 sign-extended to 64 bits.
    fileprivate var signExtended: UInt64 { UInt64(bitPattern: Int64(rawValue)) }
}
