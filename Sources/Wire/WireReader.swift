// Reading, field by field, over bytes that are only borrowed. Nothing here allocates but `string()`.
//
// Invariants
//   1. 0 ≤ position ≤ end ≤ input.byteCount. `end` is the end of the message being read. What is nested is read by a
//      reader of its own over the same input, so positions in errors count from the outermost start.
//   2. Each call either consumes one whole tag or value or throws. After a throw the reader is of no use.
//   3. What is accepted is what protobuf's own parsers accept; Tests/conformance holds us to it.
//
// A reader is used where it was made: a message takes the one it is read from as its own, and every call that is made for
// each field is inlined. So position and end live in registers; what is rare is done by a reader set apart for it, since a
// call that takes a reader's address would make it live in memory, and each field wait for the one before.

/// A cursor over the fields of one message.
///
/// Call ``nextField()`` until it is nil, and for each field take its value with the call that fits its wire type, or
/// ``skip(_:)``. Taking a value with another call than the wire type asks for reads something else; the typed calls
/// of `WireReader+Values.swift` check it.
public struct WireReader: ~Copyable, ~Escapable {
    /// How deep messages and groups may nest, the outermost not counted. Protobuf's own default.
    public static let depthMax = 100

    @usableFromInline let input: RawSpan
    @usableFromInline var offset: Int
    @usableFromInline let end: Int
    @usableFromInline var depthLeft: Int

    /// Bytes consumed so far, counted from the start of the outermost message.
    @inlinable public var position: Int { offset }

    /// A reader of a part of the input; 0 ≤ start ≤ end ≤ input.byteCount.
    @_lifetime(copy input)
    @inlinable @inline(__always) init(_ input: RawSpan, from start: Int, to end: Int, depthLeft: Int) {
        self.input = input
        self.end = end
        self.depthLeft = depthLeft
        offset = start
    }

    /// A reader at the start of `bytes`, which hold exactly one message.
    @_lifetime(copy bytes)
    @inlinable public init(_ bytes: RawSpan) {
        self.init(bytes, from: 0, to: bytes.byteCount, depthLeft: WireReader.depthMax)
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
        let first = UInt32(byte(at: offset))
        if 0x08..<0x80 ~= first, WireReader.valueTypes &>> (first & 7) & 1 != 0 {
            offset &+= 1
            return Field(tag: first)
        }
        var apart = apart(from: offset, to: end, depthLeft: depthLeft)
        let field = try apart.longField()
        offset = apart.offset
        return field
    }

    /// Of each wire type whether a value can have it: all but 4, and 6 and 7 are none.
    @inlinable @inline(__always) static var valueTypes: UInt32 { 0b10_1111 }

    /// As ``nextField()``, for any tag; there are bytes left.
    @usableFromInline @inline(never) mutating func longField() throws(WireError) -> Field {
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
        // Safe: invariant 1.
        return unsafe input.extracting(unchecked: range)
    }

    /// A length-delimited value as text, borrowed: `bytes()` that are UTF-8.
    ///
    /// - Throws: `invalidUTF8`, at the first byte of the text.
    @_lifetime(copy self)
    @inlinable @inline(__always) public mutating func text() throws(WireError) -> UTF8Span {
        let range = try lengthDelimited()
        // Safe: invariant 1.
        guard let text = UTF8Span(utf8: unsafe input.extracting(unchecked: range)) else {
            throw .invalidUTF8(at: range.lowerBound)
        }
        return text
    }

    /// A length-delimited value as text, copied.
    ///
    /// - Throws: as ``text()``.
    @inlinable @inline(__always) public mutating func string() throws(WireError) -> String {
        String(copying: try text())
    }

    /// A reader over the length-delimited message that follows, which this one passes.
    ///
    /// - Throws: `lengthPastEnd`; `nestedTooDeep`.
    @_lifetime(copy self)
    @inlinable @inline(__always) public mutating func message() throws(WireError) -> WireReader {
        guard depthLeft > 0 else { throw .nestedTooDeep(at: position) }
        let range = try lengthDelimited()
        return apart(from: range.lowerBound, to: range.upperBound, depthLeft: depthLeft &- 1)
    }

    // MARK: Skipping

    /// Passes over the value of a field nobody knows; groups with all they hold.
    ///
    /// - Throws: as the calls above; `unmatchedEndGroup` and `nestedTooDeep` for groups.
    @inlinable @inline(__always) public mutating func skip(_ field: Field) throws(WireError) {
        var apart = apart(from: offset, to: end, depthLeft: depthLeft)
        try apart.pass(field)
        offset = apart.offset
    }

    @usableFromInline @inline(never) mutating func pass(_ field: Field) throws(WireError) {
        switch field.type {
        case .varint: _ = try varint()
        case .fixed32: _ = try advance(by: 4)
        case .fixed64: _ = try advance(by: 8)
        case .lengthDelimited: _ = try lengthDelimited()
        case .startGroup: try passGroup(field.number)
        case .endGroup: throw .unmatchedEndGroup(at: position)
        }
    }

    private mutating func passGroup(_ number: Int) throws(WireError) {
        guard depthLeft > 0 else { throw .nestedTooDeep(at: position) }
        depthLeft -= 1
        while true {
            let start = position
            guard !isAtEnd else { throw .truncated(at: start) }
            let field = try tag()
            if field.type == .endGroup {
                guard field.number == number else { throw .unmatchedEndGroup(at: start) }
                depthLeft += 1
                return
            }
            try pass(field)
        }
    }

    // MARK: Pieces

    /// Another reader of the same input, for what is nested and for what is rare; 0 ≤ start ≤ end ≤ the input's size.
    @_lifetime(copy self)
    @inlinable @inline(__always) func apart(from start: Int, to end: Int, depthLeft: Int) -> WireReader {
        WireReader(input, from: start, to: end, depthLeft: depthLeft)
    }

    @inlinable mutating func tag() throws(WireError) -> Field {
        let start = position
        let tag = try varint(bytesMax: 5)
        guard tag & 7 <= 5 else { throw .invalidWireType(at: start) }
        guard 1...UInt64(Field.numberMax) ~= tag >> 3 else { throw .invalidFieldNumber(at: start) }
        return Field(tag: UInt32(truncatingIfNeeded: tag))
    }

    @inlinable @inline(__always) mutating func varint(bytesMax: Int) throws(WireError) -> UInt64 {
        if offset < end, case let first = byte(at: offset), first < 0x80 {  // nearly always
            offset &+= 1
            return UInt64(first)
        }
        // One of up to eight bytes, where the input has eight, is taken as a whole: the first byte without the upper bit
        // ends it, and seven bits of each byte up to there are pushed together.
        if input.byteCount &- offset >= 8 {
            // Safe: the input has eight bytes from here on, and any eight bytes are a UInt64.
            let bytes = UInt64(littleEndian: unsafe input.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
            let ends = ~bytes & 0x8080_8080_8080_8080
            if ends != 0 {
                let size = ends.trailingZeroBitCount &>> 3 &+ 1
                if size <= bytesMax, size <= end &- offset {
                    offset &+= size
                    return WireReader.pushTogether(bytes & (ends ^ (ends &- 1)) & 0x7F7F_7F7F_7F7F_7F7F)
                }
            }
        }
        var apart = apart(from: offset, to: end, depthLeft: depthLeft)
        let value = try apart.varintByBytes(bytesMax: bytesMax)
        offset = apart.offset
        return value
    }

    /// The lower seven bits of each byte, one behind the other; the upper ones must be 0. What stands higher by n bits than
    /// it should is taken off and put back n bits lower: of two bytes, then of two pairs, then of two fours.
    @inlinable @inline(__always) static func pushTogether(_ bytes: UInt64) -> UInt64 {
        let pairs = bytes &- (bytes & 0x7F00_7F00_7F00_7F00) &>> 1
        let fours = pairs &- (pairs & 0x3FFF_0000_3FFF_0000) &>> 2 &* 3
        return fours &- (fours & 0xFFF_FFFF_0000_0000) &>> 4 &* 15
    }

    @usableFromInline @inline(never) mutating func varintByBytes(bytesMax: Int) throws(WireError) -> UInt64 {
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
