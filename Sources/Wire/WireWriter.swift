// Writing, in two passes over one description: `encode(to:)` runs once into a writer that only counts and once into
// one with exactly that much room. Size and bytes cannot disagree, and memory is asked for once.
//
// Bytes are canonical, equal to what protobuf's deterministic serialisation gives, if `encode(to:)` writes fields in
// ascending order of number: defaults are left out, repeated numbers are packed, varints are the shortest.
//
// A nested message's length stands before it but is known after it. So one byte is left for the length, and where the
// message turns out longer than 127 bytes it is moved up. Both passes are linear, however deep messages nest, and what
// is written never passes the room, since a length that is still to grow only makes it less.

/// A sink for the fields of one message.
public struct WireWriter: ~Copyable, ~Escapable {
    @usableFromInline var room: OutputRawSpan
    @usableFromInline var counted = 0
    @usableFromInline let countsOnly: Bool

    /// A writer that counts what it is given and keeps nothing.
    @_lifetime(immortal)
    @inlinable init() {
        room = OutputRawSpan()
        countsOnly = true
    }

    /// A writer that fills `room`, whose capacity must suffice.
    @_lifetime(copy room)
    @inlinable init(_ room: consuming OutputRawSpan) {
        self.room = room
        countsOnly = false
    }

    // MARK: Pieces

    @inlinable @inline(__always) mutating func tag(_ number: Int, _ type: WireType) {
        varint(Field(number: number, type: type).tag)
    }

    /// The shortest varint, seven bits a byte, the least significant first.
    @inlinable @inline(__always) mutating func varint(_ value: UInt64) {
        if countsOnly {
            counted += WireWriter.varintSize(value)
        } else if value < 0x80 {  // nearly always
            room.append(UInt8(truncatingIfNeeded: value))
        } else {
            longVarint(value)
        }
    }

    @usableFromInline mutating func longVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            room.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        room.append(UInt8(truncatingIfNeeded: rest))
    }

    /// The number of bytes of a varint: one for each seven bits begun, at least one. (9/64 is near enough to 1/7.)
    @inlinable static func varintSize(_ value: UInt64) -> Int {
        ((64 - (value | 1).leadingZeroBitCount) * 9 + 64) / 64
    }

    @inlinable mutating func fixed64(_ value: UInt64) {
        if countsOnly {
            counted += 8
        } else {
            // Safe: an integer has no padding; the span checks its room.
            unsafe room.append(value.littleEndian, as: UInt64.self)
        }
    }

    @inlinable mutating func raw(_ bytes: RawSpan) {
        if countsOnly {
            counted += bytes.byteCount
            return
        }
        // Safe: both closures use their pointers only while they run; the room is checked before the copy.
        unsafe bytes.withUnsafeBytes { source in
            unsafe room.withUnsafeMutableBytes { room, filled in
                precondition(source.count <= room.count - filled, "no room for what was counted")
                unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled...]).copyMemory(from: source)
                filled += source.count
            }
        }
    }

    // MARK: Nesting

    /// Writes length and bytes of `value`; returns its size.
    @inlinable @discardableResult
    mutating func nested(_ value: some WireEncodable) -> Int {
        if countsOnly {
            let start = counted
            value.encode(to: &self)
            let size = counted - start
            counted += WireWriter.varintSize(UInt64(size))
            return size
        }
        let start = room.byteCount
        room.append(0)
        value.encode(to: &self)
        let size = room.byteCount - start - 1
        if size < 0x80 {
            // Safe: the byte at `start` was appended above.
            unsafe room.withUnsafeMutableBytes { room, _ in unsafe room[start] = UInt8(truncatingIfNeeded: size) }
        } else {
            setLongLength(size, at: start)
        }
        return size
    }

    /// Takes back what was written last.
    @inlinable mutating func remove(_ byteCount: Int) {
        if countsOnly { counted -= byteCount } else { room.removeLast(byteCount) }
    }

    /// Moves the last `size` bytes up, for one byte was left for their length and it needs more, and writes the length.
    @usableFromInline mutating func setLongLength(_ size: Int, at start: Int) {
        let lengthByteCount = WireWriter.varintSize(UInt64(size))
        for _ in 1..<lengthByteCount { room.append(0) }
        // Safe: all ranges lie within what is filled, which has just grown; the copy allows them to overlap.
        unsafe room.withUnsafeMutableBytes { room, _ in
            let body = unsafe UnsafeRawBufferPointer(rebasing: room[(start + 1)..<(start + 1 + size)])
            unsafe UnsafeMutableRawBufferPointer(rebasing: room[(start + lengthByteCount)...]).copyMemory(from: body)
            for index in 0..<lengthByteCount {
                let more: UInt8 = index < lengthByteCount - 1 ? 0x80 : 0
                unsafe room[start + index] = UInt8(truncatingIfNeeded: size >> (7 * index)) & 0x7F | more
            }
        }
    }
}
