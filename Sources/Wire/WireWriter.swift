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
//   2. 0 ≤ capacity, and `room` has so many bytes, which live as long as the writer.

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
        varint(UInt64(Field(number: number, type: type).tag))
    }

    /// A tag and the varint that follows it: a value, or a length.
    @inlinable @inline(__always) mutating func tag(_ number: Int, _ type: WireType, _ value: UInt64) {
        let tag = Field(number: number, type: type).tag
        if number < 16, value < 0x80, length &+ 2 <= capacity {  // nearly always: a byte each
            let bytes = UInt16(truncatingIfNeeded: tag) | UInt16(truncatingIfNeeded: value) &<< 8
            // Safe: two bytes fit, and the store need not be aligned.
            unsafe room.storeBytes(of: bytes.littleEndian, toByteOffset: length, as: UInt16.self)
            length &+= 2
        } else {
            length = unsafe WireWriter.put(tag, value, room, length, capacity)
        }
    }

    /// The shortest varint, seven bits a byte, the least significant first.
    @inlinable @inline(__always) mutating func varint(_ value: UInt64) {
        if value < 0x80, length < capacity {  // nearly always
            // Safe: invariant 2.
            unsafe room.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: length, as: UInt8.self)
            length &+= 1
        } else {
            length = unsafe WireWriter.put(value, room, length, capacity)
        }
    }

    /// Writes a tag and a varint at `length` of `room`, as far as they fit; the length then. (No call on a writer: one
    /// whose address nobody takes lives in registers.)
    @usableFromInline @inline(never) static func put(
        _ tag: UInt32, _ value: UInt64, _ room: UnsafeMutableRawPointer, _ length: Int, _ capacity: Int
    ) -> Int {
        // Safe: the same room.
        unsafe put(value, room, put(UInt64(tag), room, length, capacity), capacity)
    }

    /// Writes a varint at `length` of `room`, if it fits; the length then.
    @usableFromInline static func put(
        _ value: UInt64, _ room: UnsafeMutableRawPointer, _ length: Int, _ capacity: Int
    ) -> Int {
        // No varint is longer than ten bytes, so that its size matters only near the end.
        guard length &+ 10 <= capacity || length &+ varintSize(value) <= capacity else { return length &+ varintSize(value) }
        var rest = value
        var end = length
        while rest >= 0x80 {
            // Safe: it fits, and another byte follows.
            unsafe room.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: end, as: UInt8.self)
            rest &>>= 7
            end &+= 1
        }
        // Safe: the last byte of what fits.
        unsafe room.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: end, as: UInt8.self)
        return end &+ 1
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

    @inlinable @inline(__always) mutating func raw(_ bytes: RawSpan) {
        // Safe: the pointer does not leave the closure.
        unsafe bytes.withUnsafeBytes { bytes in unsafe raw(bytes) }
    }

    @inlinable @inline(__always) mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count <= capacity &- length, let start = bytes.baseAddress {
            // Safe: so many bytes fit, and nobody reads the room that is being written.
            unsafe (room + length).copyMemory(from: start, byteCount: bytes.count)
        }
        length += bytes.count
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
        // Safe: so many bytes were just made room for.
        _ = unsafe WireWriter.put(UInt64(size), room, start, start + lengthByteCount)
    }
}
