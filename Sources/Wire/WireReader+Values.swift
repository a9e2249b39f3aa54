// Typed values, for `merge(from:)`: one call for each kind of proto3 field. Each takes the tag just read and the place
// for the value. As protobuf has it, a field that arrives with another wire type than its own is an unknown field and
// is skipped; a scalar that comes again replaces, a message merges, a repeated field appends, packed or not.

extension WireReader {
    /// A `uint32`. Higher bits are dropped.
    @inlinable @inline(__always) public mutating func uint32(_ field: Field, _ value: inout UInt32) throws(WireError) {
        guard field.has(.varint) else { return try skip(field) }
        value = UInt32(truncatingIfNeeded: try varint())
    }

    /// A `uint64`.
    @inlinable @inline(__always) public mutating func uint64(_ field: Field, _ value: inout UInt64) throws(WireError) {
        guard field.has(.varint) else { return try skip(field) }
        value = try varint()
    }

    /// A `fixed64`.
    @inlinable @inline(__always) public mutating func fixed64(_ field: Field, _ value: inout UInt64) throws(WireError) {
        guard field.has(.fixed64) else { return try skip(field) }
        value = try fixed64()
    }

    /// A `bool`: anything but 0 is true.
    @inlinable @inline(__always) public mutating func bool(_ field: Field, _ value: inout Bool) throws(WireError) {
        guard field.has(.varint) else { return try skip(field) }
        value = try varint() != 0
    }

    /// An enum. Higher bits are dropped.
    @inlinable @inline(__always) public mutating func enumeration<Value: WireEnum>(_ field: Field, _ value: inout Value)
        throws(WireError)
    {
        guard field.has(.varint) else { return try skip(field) }
        value = Value(rawValue: Int32(truncatingIfNeeded: try varint()))
    }

    /// A `string`.
    @inlinable @inline(__always) public mutating func string(_ field: Field, _ value: inout String) throws(WireError) {
        guard field.has(.lengthDelimited) else { return try skip(field) }
        value = try string()
    }

    /// A `string` of a oneof, where present and empty differ. Stays nil if the field is skipped.
    @inlinable @inline(__always) public mutating func string(_ field: Field, _ value: inout String?) throws(WireError) {
        guard field.has(.lengthDelimited) else { return try skip(field) }
        value = try string()
    }

    /// A `bytes`, copied.
    @inlinable @inline(__always) public mutating func bytes(_ field: Field, _ value: inout [UInt8]) throws(WireError) {
        guard field.has(.lengthDelimited) else { return try skip(field) }
        value = [UInt8](copying: try bytes())
    }

    /// A submessage, merged into the one that is there.
    @inlinable @inline(__always) public mutating func message<Value: WireMessage>(_ field: Field, _ value: inout Value?)
        throws(WireError)
    {
        guard field.has(.lengthDelimited) else { return try skip(field) }
        var merged = value ?? Value()
        value = nil  // so that `merged` alone owns its arrays and appends in place
        try nested(&merged)
        value = merged
    }

    /// A `repeated` message: one more.
    @inlinable @inline(__always) public mutating func messages<Value: WireMessage>(_ field: Field, _ values: inout [Value])
        throws(WireError)
    {
        guard field.has(.lengthDelimited) else { return try skip(field) }
        let start = offset
        var value = Value()
        try nested(&value)
        // Room for those that follow, if they are as long and there are no others; not much, lest short ones claim much.
        if values.isEmpty { values.reserveCapacity(Swift.min((end &- offset) / (offset &- start &+ 1) + 1, 64)) }
        values.append(value)
    }

    /// A `repeated uint32`.
    @inlinable @inline(__always) public mutating func uint32s(_ field: Field, _ values: inout [UInt32]) throws(WireError) {
        try repeated(field) { values.append(UInt32(truncatingIfNeeded: $0)) }
    }

    /// A `repeated uint64`.
    @inlinable @inline(__always) public mutating func uint64s(_ field: Field, _ values: inout [UInt64]) throws(WireError) {
        try repeated(field) { values.append($0) }
    }

    /// A `repeated` enum.
    @inlinable @inline(__always) public mutating func enumerations<Value: WireEnum>(_ field: Field, _ values: inout [Value])
        throws(WireError)
    {
        try repeated(field) { values.append(Value(rawValue: Int32(truncatingIfNeeded: $0))) }
    }

    @inlinable @inline(__always) mutating func repeated(_ field: Field, _ append: (UInt64) -> Void) throws(WireError) {
        switch field.type {
        case .varint:
            append(try varint())
        case .lengthDelimited:
            let range = try lengthDelimited()
            var values = apart(from: range.lowerBound, to: range.upperBound, depthLeft: depthLeft)
            while !values.isAtEnd { append(try values.varint()) }
        default:
            try skip(field)
        }
    }

    @inlinable @inline(__always) mutating func nested(_ value: inout some WireMessage) throws(WireError) {
        try value.merge(from: try message())
    }
}
