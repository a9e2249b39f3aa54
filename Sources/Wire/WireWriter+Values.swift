// Typed values, for `encode(to:)`: one call for each kind of proto3 field, which writes tag and value, or nothing if
// the value is the default.

extension WireWriter {
    /// A `uint32`.
    @inlinable @inline(__always) public mutating func uint32(_ number: Int, _ value: UInt32) {
        uint64(number, UInt64(value))
    }

    /// A `uint64`.
    @inlinable @inline(__always) public mutating func uint64(_ number: Int, _ value: UInt64) {
        guard value != 0 else { return }
        tag(number, .varint, value)
    }

    /// A `fixed64`.
    @inlinable @inline(__always) public mutating func fixed64(_ number: Int, _ value: UInt64) {
        guard value != 0 else { return }
        tag(number, .fixed64)
        fixed64(value)
    }

    /// A `bool`.
    @inlinable @inline(__always) public mutating func bool(_ number: Int, _ value: Bool) {
        uint64(number, value ? 1 : 0)
    }

    /// An enum. Negative numbers take ten bytes, as in protobuf.
    @inlinable @inline(__always) public mutating func enumeration(_ number: Int, _ value: some WireEnum) {
        uint64(number, value.signExtended)
    }

    /// A `string`.
    @inlinable @inline(__always) public mutating func string(_ number: Int, _ value: String) {
        guard !value.isEmpty else { return }
        string(number, present: value)
    }

    /// A `string` of a oneof, which is written even when empty.
    @inlinable @inline(__always) public mutating func string(_ number: Int, present value: String) {
        tag(number, .lengthDelimited, UInt64(value.utf8.count))
        // Safe: the pointer does not leave the closure.
        let isWritten: Void? = unsafe value.utf8.withContiguousStorageIfAvailable { bytes in
            unsafe raw(UnsafeRawBufferPointer(bytes))
        }
        if isWritten == nil { raw(value.utf8Span.span.rawSpan) }  // never, but for strings bridged from elsewhere
    }

    /// A `bytes`.
    @inlinable @inline(__always) public mutating func bytes(_ number: Int, _ value: [UInt8]) {
        bytes(number, value.rawSpan)
    }

    /// A `bytes`, borrowed.
    @inlinable @inline(__always) public mutating func bytes(_ number: Int, _ value: RawSpan) {
        guard !value.isEmpty else { return }
        lengthDelimited(number, value)
    }

    /// A `bytes` that holds a message, encoded in place.
    @inlinable @inline(__always) public mutating func bytes(_ number: Int, encoding value: some WireEncodable) {
        let start = length
        tag(number, .lengthDelimited)
        // Tag and length are taken back if the message turns out empty.
        if nested(value) == 0 { remove(length - start) }
    }

    /// A submessage, if there is one. An empty one is written, as its tag and the length 0.
    @inlinable @inline(__always) public mutating func message<Value: WireMessage>(_ number: Int, _ value: Value?) {
        guard let value else { return }
        tag(number, .lengthDelimited)
        nested(value)
    }

    /// A `repeated` message.
    @inlinable @inline(__always) public mutating func messages<Value: WireMessage>(_ number: Int, _ values: [Value]) {
        for value in values { message(number, value) }
    }

    /// A `repeated uint32`, packed.
    @inlinable @inline(__always) public mutating func uint32s(_ number: Int, _ values: [UInt32]) {
        packed(number, values) { UInt64($0) }
    }

    /// A `repeated uint64`, packed.
    @inlinable @inline(__always) public mutating func uint64s(_ number: Int, _ values: [UInt64]) {
        packed(number, values) { $0 }
    }

    /// A `repeated` enum, packed.
    @inlinable @inline(__always) public mutating func enumerations<Value: WireEnum>(_ number: Int, _ values: [Value]) {
        packed(number, values) { $0.signExtended }
    }

    @inlinable mutating func packed<Value>(_ number: Int, _ values: [Value], _ asVarint: (Value) -> UInt64) {
        guard !values.isEmpty else { return }
        tag(number, .lengthDelimited, UInt64(values.reduce(0) { $0 + WireWriter.varintSize(asVarint($1)) }))
        for value in values { varint(asVarint(value)) }
    }

    @inlinable mutating func lengthDelimited(_ number: Int, _ value: RawSpan) {
        tag(number, .lengthDelimited, UInt64(value.byteCount))
        raw(value)
    }
}

extension WireEnum {
    /// The number as protobuf writes it: an int32 sign-extended to 64 bits.
    @inlinable var signExtended: UInt64 { UInt64(bitPattern: Int64(rawValue)) }
}
