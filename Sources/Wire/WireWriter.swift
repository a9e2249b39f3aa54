// Writing, in one pass where the room suffices. `encode(to:)` runs into whatever room there is; what does not fit any
// more is only counted. So the first pass gives the bytes, or the size that a second pass gets exactly. A buffer that is
// kept soon has the room for all that goes into it.
//
// Bytes are canonical, equal to what protobuf's deterministic serialisation gives, if `encode(to:)` writes fields in
// ascending order of number: defaults are left out, repeated numbers are packed, varints are the shortest.
//
// A nested message's length stands before it but is known after it. So one byte is left for the length, and where the
// message turns out longer than 127 bytes it is moved up. Both passes are linear, however deep messages nest.
//
// Invariants
//   1. `length` counts every byte given so far, written or not. It is all there is to know: a piece is written if it
//      ends within `capacity`, and since `length` only grows, nothing is written behind a piece that was not. (`remove`
//      takes back what came last, so that what stands before it is as it was.)
//   2. 0 ≤ capacity, and `room` has so many bytes, which live as long as the writer. Bytes between `length` and
//      `capacity` mean nothing: a varint is stored with eight bytes where there are eight.

/// A sink for the fields of one message.
@safe public struct WireWriter: ~Copyable, ~Escapable {
    /// Not read or written while `capacity` is 0.
    @usableFromInline let room: UnsafeMutableRawPointer
    @usableFromInline let capacity: Int
    @usableFromInline var length = 0

    /// A writer that fills `room` and counts what goes past it. The room has to outlive it: no caller but `append` below.
    @_lifetime(immortal)
    @inlinable init(_ room: UnsafeMutableRawPointer, capacity: Int) {
        unsafe self.room = room
        self.capacity = capacity
    }

    // MARK: Pieces

    @inlinable @inline(__always) mutating func tag(_ number: Int, _ type: WireType) {
        varint(Field(number: number, type: type).tag)
    }

    /// The shortest varint, seven bits a byte, the least significant first.
    @inlinable @inline(__always) mutating func varint(_ value: UInt64) {
        if value < 0x80, length < capacity {  // nearly always
            // Safe: invariant 2.
            unsafe room.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: length, as: UInt8.self)
            length &+= 1
        } else {
            longVarint(value)
        }
    }

    /// A varint of any size. Up to 56 bits are spread over eight bytes at once and stored whole.
    @usableFromInline mutating func longVarint(_ value: UInt64) {
        let size = WireWriter.varintSize(value)
        if size <= 8, length &+ 8 <= capacity {
            var bytes = value & 0xFFF_FFFF | (value & 0xFF_FFFF_F000_0000) << 4
            bytes = bytes & 0x3FFF_0000_3FFF | (bytes & 0xFFF_C000_0FFF_C000) << 2
            bytes = bytes & 0x7F_007F_007F_007F | (bytes & 0x3F80_3F80_3F80_3F80) << 1
            let more: UInt64 = 0x8080_8080_8080_8080 & (1 << UInt64(8 * (size - 1)) - 1)
            // Safe: eight bytes fit, just above.
            unsafe room.storeBytes(of: (bytes | more).littleEndian, toByteOffset: length, as: UInt64.self)
        } else if length &+ size <= capacity {
            putVarint(value, size, at: length)
        }
        length &+= size
    }

    /// A varint of this size byte by byte; the room suffices.
    @usableFromInline func putVarint(_ value: UInt64, _ size: Int, at start: Int) {
        for index in 0..<size {
            let more: UInt8 = index < size - 1 ? 0x80 : 0
            let byte = UInt8(truncatingIfNeeded: value >> UInt64(7 * index)) & 0x7F | more
            // Safe: the caller has compared with the capacity.
            unsafe room.storeBytes(of: byte, toByteOffset: start + index, as: UInt8.self)
        }
    }

    /// The number of bytes of a varint: one for each seven bits begun, at least one. (9/64 is near enough to 1/7.)
    @inlinable @inline(__always) static func varintSize(_ value: UInt64) -> Int {
        ((64 &- (value | 1).leadingZeroBitCount) &* 9 &+ 64) &>> 6
    }

    @inlinable @inline(__always) mutating func fixed64(_ value: UInt64) {
        if length &+ 8 <= capacity {
            // Safe: eight bytes fit; the store need not be aligned.
            unsafe room.storeBytes(of: value.littleEndian, toByteOffset: length, as: UInt64.self)
        }
        length &+= 8
    }

    @inlinable mutating func raw(_ bytes: RawSpan) {
        let count = bytes.byteCount
        if count <= capacity &- length {
            unsafe bytes.withUnsafeBytes { source in
                guard let start = source.baseAddress else { return }
                // Safe: so many bytes fit, and a span never overlaps with room that is being written.
                unsafe (room + length).copyMemory(from: start, byteCount: count)
            }
        }
        length += count
    }

    // MARK: Nesting

    /// Writes length and bytes of `value`; returns its size.
    @inlinable @discardableResult
    mutating func nested(_ value: some WireEncodable) -> Int {
        let start = length
        length &+= 1
        value.encode(to: &self)
        let size = length &- start &- 1
        if size < 0x80, start < capacity {
            // Safe: the byte that was left for it.
            unsafe room.storeBytes(of: UInt8(truncatingIfNeeded: size), toByteOffset: start, as: UInt8.self)
        } else {
            setLongLength(size, at: start)
        }
        return size
    }

    /// Takes back what was written last.
    @inlinable mutating func remove(_ byteCount: Int) { length -= byteCount }

    /// Moves the last `size` bytes up, for one byte was left for their length and it needs more, and writes the length.
    @usableFromInline mutating func setLongLength(_ size: Int, at start: Int) {
        let lengthByteCount = WireWriter.varintSize(UInt64(size))
        length = start + lengthByteCount + size
        guard length <= capacity else { return }
        // Safe: all ends within the capacity; the copy allows the ranges to overlap.
        unsafe (room + start + lengthByteCount).copyMemory(from: room + start + 1, byteCount: size)
        putVarint(UInt64(size), lengthByteCount, at: start)
    }
}
