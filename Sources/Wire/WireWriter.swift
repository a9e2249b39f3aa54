// Writing, in two passes over one description: `encode(to:)` runs once into a writer that only counts and once into
// one with exactly that much room. Size and bytes cannot disagree, and nothing is moved or grown on the way.
//
// Bytes are canonical, equal to what protobuf's deterministic serialisation gives, if `encode(to:)` writes fields in
// ascending order of number: defaults are left out here, repeated numbers are packed here, varints are the shortest.

/// A sink for the fields of one message.
public struct WireWriter: ~Copyable, ~Escapable {
    var room: OutputRawSpan
    var counted = 0
    let countsOnly: Bool

    /// A writer that counts what it is given and keeps nothing.
    @_lifetime(immortal)
    init() {
        room = OutputRawSpan()
        countsOnly = true
    }

    /// A writer that fills `room`, whose capacity must suffice.
    @_lifetime(copy room)
    init(_ room: consuming OutputRawSpan) {
        self.room = room
        countsOnly = false
    }

    // MARK: Pieces

    mutating func byte(_ byte: UInt8) {
        if countsOnly { counted += 1 } else { room.append(byte) }
    }

    /// The shortest varint, seven bits a byte, the least significant first.
    mutating func varint(_ value: UInt64) {
        if countsOnly {
            counted += WireWriter.varintSize(value)
            return
        }
        var rest = value
        while rest >= 0x80 {
            room.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        room.append(UInt8(rest))
    }

    /// The number of bytes of a varint: one for each seven bits begun, at least one.
    static func varintSize(_ value: UInt64) -> Int {
        (63 - (value | 1).leadingZeroBitCount) / 7 + 1
    }

    mutating func tag(_ number: Int, _ type: WireType) {
        varint(Field(number: number, type: type).tag)
    }

    mutating func littleEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        // Safe: an integer has no padding; the span checks its room.
        if countsOnly {
            counted += MemoryLayout<Value>.size
        } else {
            unsafe room.append(value.littleEndian, as: Value.self)
        }
    }

    mutating func raw(_ bytes: RawSpan) {
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
}
