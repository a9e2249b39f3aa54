// Reading, field by field, over bytes that are only borrowed. Nothing here allocates but `string()`.
//
// Invariants
//   1. 0 ≤ position ≤ end ≤ input.byteCount. `end` is the end of the innermost message being read; entering a nested
//      one moves it down, leaving restores it, so positions in errors count from the outermost start.
//   2. Each call either consumes one whole tag or value or throws. After a throw the reader is of no use.
//   3. What is accepted is what protobuf's own parsers accept; Tests/conformance holds us to it.

/// A cursor over the fields of one message.
///
/// Call ``nextField()`` until it is nil, and for each field take its value with the call that fits its wire type, or
/// ``skip(_:)``. Taking a value with another call than the wire type asks for reads something else; the typed calls
/// of `WireReader+Values.swift` check it.
public struct WireReader: ~Copyable, ~Escapable {
    /// How deep messages and groups may nest, the outermost not counted. Protobuf's own default.
    public static let depthMax = 100

    @usableFromInline let input: RawSpan
    @usableFromInline var end: Int
    @usableFromInline var depthLeft = WireReader.depthMax

    /// Bytes consumed so far, counted from the start of the outermost message.
    @inlinable public var position: Int { offset }

    @usableFromInline var offset = 0

    /// A reader at the start of `bytes`, which hold exactly one message.
    @_lifetime(copy bytes)
    @inlinable public init(_ bytes: RawSpan) {
        input = bytes
        end = bytes.byteCount
    }

    /// Whether the message has been read to its end.
    @inlinable public var isAtEnd: Bool { position == end }

    /// The next tag, or nil at the end of the message. The value follows.
    ///
    /// - Throws: `truncated`, `overlongVarint`, `invalidFieldNumber`, `invalidWireType`; `unmatchedEndGroup`, since
    ///   the ends of groups are consumed with their starts, by ``skip(_:)``.
    @inlinable @inline(__always) public mutating func nextField() throws(WireError) -> Field? {
        if isAtEnd { return nil }
        // Nearly always: a number up to 15, and a type that a value can have by itself.
        let first = byte(at: offset)
        if 0x08..<0x80 ~= first, let type = WireType(rawValue: first & 7), type != .endGroup {
            offset &+= 1
            return Field(number: Int(first >> 3), type: type)
        }
        return try longField()
    }

    /// As ``nextField()``, for any tag; there are bytes left.
    @usableFromInline mutating func longField() throws(WireError) -> Field {
        let start = position
        let field = try tag()
        guard field.type != .endGroup else { throw .unmatchedEndGroup(at: start) }
        return field
    }

    // MARK: Values

    /// A varint: any integer, Boolean or enum value. Bits above the 64th are dropped, as protobuf does.
    @inlinable @inline(__always) public mutating func varint() throws(WireError) -> UInt64 {
        try varint(bytesMax: 10)
    }

    /// Four little-endian bytes.
    @inlinable public mutating func fixed32() throws(WireError) -> UInt32 {
        let start = try advance(by: 4)
        // Safe: any four bytes are a UInt32, and the span checks the offset.
        return UInt32(littleEndian: unsafe input.unsafeLoadUnaligned(fromByteOffset: start, as: UInt32.self))
    }

    /// Eight little-endian bytes.
    @inlinable public mutating func fixed64() throws(WireError) -> UInt64 {
        let start = try advance(by: 8)
        // Safe: any eight bytes are a UInt64, and the span checks the offset.
        return UInt64(littleEndian: unsafe input.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self))
    }

    /// The bytes of a length-delimited value, borrowed from the message.
    ///
    /// - Throws: `lengthPastEnd` when they reach past the enclosing message.
    @_lifetime(copy self)
    @inlinable public mutating func bytes() throws(WireError) -> RawSpan {
        let range = try lengthDelimited()
        return input.extracting(range)
    }

    /// A length-delimited value as text, borrowed: `bytes()` that are UTF-8.
    ///
    /// - Throws: `invalidUTF8`, at the first byte of the text.
    @_lifetime(copy self)
    public mutating func text() throws(WireError) -> UTF8Span {
        let range = try lengthDelimited()
        do {
            return try UTF8Span(validating: input.extracting(range).codeUnits)
        } catch {
            throw .invalidUTF8(at: range.lowerBound)
        }
    }

    /// A length-delimited value as text, copied.
    ///
    /// - Throws: as ``text()``.
    public mutating func string() throws(WireError) -> String {
        String(copying: try text())
    }

    // MARK: Skipping

    /// Passes over the value of a field nobody knows; groups with all they hold.
    ///
    /// - Throws: as the calls above; `unmatchedEndGroup` and `nestedTooDeep` for groups.
    public mutating func skip(_ field: Field) throws(WireError) {
        switch field.type {
        case .varint: _ = try varint()
        case .fixed32: _ = try advance(by: 4)
        case .fixed64: _ = try advance(by: 8)
        case .lengthDelimited: _ = try lengthDelimited()
        case .startGroup: try skipGroup(field.number)
        case .endGroup: throw .unmatchedEndGroup(at: position)
        }
    }

    private mutating func skipGroup(_ number: Int) throws(WireError) {
        try descend()
        while true {
            let start = position
            guard !isAtEnd else { throw .truncated(at: start) }
            let field = try tag()
            if field.type == .endGroup {
                guard field.number == number else { throw .unmatchedEndGroup(at: start) }
                depthLeft += 1
                return
            }
            try skip(field)
        }
    }

    // MARK: Nesting

    /// What to return to after a nested message.
    public struct Outer {
        @usableFromInline var end: Int

        @inlinable init(end: Int) { self.end = end }
    }

    /// Narrows the reader to the length-delimited message that follows, until ``leaveMessage(_:)``.
    ///
    /// - Throws: `lengthPastEnd`; `nestedTooDeep`.
    @inlinable @inline(__always) public mutating func enterMessage() throws(WireError) -> Outer {
        try descend()
        return try enter()
    }

    /// Widens the reader again to the enclosing message. The nested one must have been read to its end.
    @inlinable @inline(__always) public mutating func leaveMessage(_ outer: Outer) {
        depthLeft += 1
        leave(outer)
    }

    /// As ``enterMessage()``, for a value that cannot nest.
    @inlinable @inline(__always) mutating func enter() throws(WireError) -> Outer {
        let range = try lengthDelimited()
        let outer = Outer(end: end)
        offset = range.lowerBound
        end = range.upperBound
        return outer
    }

    @inlinable @inline(__always) mutating func leave(_ outer: Outer) {
        precondition(isAtEnd, "a nested value was left before its end")
        end = outer.end
    }

    @inlinable @inline(__always) mutating func descend() throws(WireError) {
        guard depthLeft > 0 else { throw .nestedTooDeep(at: position) }
        depthLeft -= 1
    }

    // MARK: Pieces

    @inlinable mutating func tag() throws(WireError) -> Field {
        let start = position
        let tag = try varint(bytesMax: 5)
        guard let type = WireType(rawValue: UInt8(tag & 7)) else { throw .invalidWireType(at: start) }
        guard 1...UInt64(Field.numberMax) ~= tag >> 3 else { throw .invalidFieldNumber(at: start) }
        return Field(number: Int(tag >> 3), type: type)
    }

    @inlinable @inline(__always) mutating func varint(bytesMax: Int) throws(WireError) -> UInt64 {
        if offset < end, case let first = byte(at: offset), first < 0x80 {  // nearly always
            offset &+= 1
            return UInt64(first)
        }
        return try longVarint(bytesMax: bytesMax)
    }

    /// A varint of any size. One of up to eight bytes, where the input has eight, is taken as a whole: the first byte
    /// without the upper bit ends it, and seven bits of each byte up to there are pushed together.
    @usableFromInline mutating func longVarint(bytesMax: Int) throws(WireError) -> UInt64 {
        if input.byteCount &- offset >= 8 {
            // Safe: the input has eight bytes from here on, and any eight bytes are a UInt64.
            let bytes = UInt64(littleEndian: unsafe input.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
            let ends = ~bytes & 0x8080_8080_8080_8080
            let size = ends.trailingZeroBitCount / 8 + 1
            if ends != 0, size <= bytesMax, size <= end &- offset {
                offset &+= size
                // All ones up to the upper bit of the last byte.
                var value = bytes & (ends ^ (ends &- 1)) & 0x7F7F_7F7F_7F7F_7F7F
                value = value & 0x7F_007F_007F_007F | (value & 0x7F00_7F00_7F00_7F00) >> 1
                value = value & 0x3FFF_0000_3FFF | (value & 0x3FFF_0000_3FFF_0000) >> 2
                return value & 0xFFF_FFFF | (value & 0xFFF_FFFF_0000_0000) >> 4
            }
        }
        return try varintByBytes(bytesMax: bytesMax)
    }

    private mutating func varintByBytes(bytesMax: Int) throws(WireError) -> UInt64 {
        let start = position
        guard start < end else { throw .truncated(at: start) }
        var value: UInt64 = 0
        for index in 0..<bytesMax {
            guard start + index < end else { throw .truncated(at: start) }
            let next = byte(at: start + index)
            value |= UInt64(next & 0x7F) << (7 * index)
            if next < 0x80 {
                offset = start + index + 1
                return value
            }
        }
        throw .overlongVarint(at: start)
    }

    /// Consumes a length and the bytes it announces; their range.
    @inlinable @inline(__always) mutating func lengthDelimited() throws(WireError) -> Range<Int> {
        let start = offset
        let length = try varint(bytesMax: 5)
        guard length <= UInt64(bitPattern: Int64(end &- offset)) else { throw .lengthPastEnd(at: start) }
        let valueStart = offset
        offset &+= Int(truncatingIfNeeded: length)
        return unsafe Range(uncheckedBounds: (valueStart, offset))
    }

    @inlinable mutating func advance(by count: Int) throws(WireError) -> Int {
        let start = position
        guard end - start >= count else { throw .truncated(at: start) }
        offset += count
        return start
    }

    @inlinable @inline(__always) func byte(at offset: Int) -> UInt8 {
        // Safe: any byte is a UInt8, and every caller has compared the offset with `end` (invariant 1).
        unsafe input.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }
}
