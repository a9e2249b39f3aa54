import CZlib

// CRC-32 (the one of zlib), chained: an entry's checksum covers the checksum of the entry before, so that a missing,
// reordered, altered or foreign entry is found where it stands.
//
//     checksum(0) = crc32("usher journal", epoch high u64, epoch low u64)
//     checksum(n) = crc32(checksum(n-1) u32, position u64, time u64, payload)        all little-endian
//
// A journal that begins after a base position has there, in place of checksum(0),
//
//     checksum(base) = crc32("usher journal", epoch high u64, epoch low u64, base u64)

struct Checksum {
    private(set) var value: UInt32 = 0

    mutating func add(_ integer: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: integer.littleEndian) { bytes in unsafe add(bytes) }
    }

    mutating func add(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { bytes in unsafe add(bytes) }
    }

    mutating func add(_ bytes: ArraySlice<UInt8>) {
        unsafe bytes.withUnsafeBytes { bytes in unsafe add(bytes) }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, unsafe !bytes.isEmpty else { return }  // crc32_z(…, NULL, 0) is a reset
        value = unsafe UInt32(truncatingIfNeeded: crc32_z(uLong(value), start, bytes.count))
    }
}

/// The end of a checked run of entries: what the next one has to follow.
struct JournalChain: Equatable {
    private(set) var position: UInt64
    private(set) var timeMilliseconds: UInt64
    private(set) var checksum: UInt32

    /// The chain of an empty journal, which begins after `base`.
    init(epoch: JournalEpoch, base: UInt64 = 0, timeMilliseconds time: UInt64 = 0) {
        var sum = Checksum()
        sum.add(Array("usher journal".utf8))
        sum.add(epoch.high)
        sum.add(epoch.low)
        if base > 0 { sum.add(base) }
        position = base
        timeMilliseconds = time
        checksum = sum.value
    }

    /// The chain after an entry that is taken on trust.
    init(position: UInt64, timeMilliseconds: UInt64, checksum: UInt32) {
        self.position = position
        self.timeMilliseconds = timeMilliseconds
        self.checksum = checksum
    }

    /// The chain with one more entry.
    func extended(timeMilliseconds: UInt64, payload: [UInt8]) -> JournalChain {
        var sum = Checksum()
        sum.add(checksum)
        sum.add(position + 1)
        sum.add(timeMilliseconds)
        sum.add(payload)
        return JournalChain(position: position + 1, timeMilliseconds: timeMilliseconds, checksum: sum.value)
    }

    /// Move over `entry`, found with `checksum` beside it.
    ///
    /// - Throws: `corruptEntry` where it is not the one that was written after the last; the chain is unchanged.
    mutating func advance(
        over entry: JournalEntry, checksum found: UInt32, path: String
    ) throws(JournalError) {
        guard entry.position == position + 1 else {
            throw .corruptEntry(
                path: path, position: position + 1,
                detail: "the entry is missing, the next one found is \(entry.position)")
        }
        let next = extended(timeMilliseconds: entry.timeMilliseconds, payload: entry.payload)
        guard next.checksum == found else {
            throw .corruptEntry(
                path: path, position: entry.position,
                detail: "its checksum is \(found), computed over what is stored \(next.checksum)")
        }
        guard entry.timeMilliseconds >= timeMilliseconds else {
            throw .corruptEntry(
                path: path, position: entry.position,
                detail: "its time \(entry.timeMilliseconds) is before \(timeMilliseconds), the time of the entry before")
        }
        self = next
    }
}
