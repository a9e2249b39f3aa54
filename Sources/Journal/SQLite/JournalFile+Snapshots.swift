// Snapshots may be large, so they are written, read and dropped a part at a time, between the commits of entries.
// The row in `snapshots` is written last: parts without one are leavings of a crash or of a dropped snapshot.

/// A snapshot's row.
struct SnapshotRow: Equatable {
    let position: UInt64
    let digest: [UInt8]
    let firstPart: Int64
    let partCount: Int64
    let byteCount: Int64
    let checksum: UInt32

    /// The checksum of what comes before the bytes.
    static func checksum(position: UInt64, digest: [UInt8]) -> Checksum {
        var sum = Checksum()
        sum.add(position)
        sum.add(UInt32(digest.count))
        sum.add(digest)
        return sum
    }
}

extension JournalFile {
    /// Bytes of one part: so much is written beside a round of entries, at most.
    static let partBytesMax = 128 * 1_024

    /// An id above all parts, also those of snapshots whose parts are lost.
    func nextPart() throws(JournalError) -> Int64 {
        let parts = try connection.integer("SELECT coalesce(max(id), 0) FROM snapshot_parts") ?? 0
        let rows = try connection.integer("SELECT coalesce(max(first_part + part_count), 1) FROM snapshots") ?? 1
        return max(parts + 1, rows)
    }

    func writePart(_ id: Int64, _ bytes: ArraySlice<UInt8>) throws(JournalError) {
        let insert = try connection.prepare("INSERT INTO snapshot_parts (id, bytes) VALUES (?1, ?2)")
        insert.bind(1, id)
        try insert.run(blobAt: 2, bytes)
    }

    /// Make the snapshot whose parts are written count, and the oldest ones not.
    func writeRow(_ row: SnapshotRow) throws(JournalError) {
        try connection.transaction { () throws(JournalError) in
            let insert = try connection.prepare("INSERT OR REPLACE INTO snapshots VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            insert.bind(1, Int64(row.position))
            insert.bind(3, row.firstPart)
            insert.bind(4, row.partCount)
            insert.bind(5, row.byteCount)
            insert.bind(6, Int64(row.checksum))
            try insert.run(blobAt: 2, row.digest[...])
            try connection.execute(
                """
                DELETE FROM snapshots WHERE position NOT IN
                    (SELECT position FROM snapshots ORDER BY position DESC LIMIT \(JournalLimits.snapshotsKept))
                """)
        }
    }

    /// Rows below `position`, newest first.
    func snapshotRows(below position: UInt64 = .max) throws(JournalError) -> [SnapshotRow] {
        let select = try connection.prepare(
            """
            SELECT position, digest, first_part, part_count, byte_count, checksum FROM snapshots
            WHERE position < ?1 ORDER BY position DESC
            """)
        defer { select.reset() }
        select.bind(1, Int64(clamping: position))
        var rows: [SnapshotRow] = []
        while try select.step() {
            rows.append(
                SnapshotRow(
                    position: UInt64(clamping: select.integer(0)), digest: select.bytes(1),
                    firstPart: select.integer(2), partCount: select.integer(3), byteCount: select.integer(4),
                    checksum: UInt32(truncatingIfNeeded: select.integer(5))))
        }
        return rows
    }

    /// `nil` where the part is missing.
    func readPart(_ id: Int64) throws(JournalError) -> [UInt8]? {
        let select = try connection.prepare("SELECT bytes FROM snapshot_parts WHERE id = ?1")
        defer { select.reset() }
        select.bind(1, id)
        return try select.step() ? select.bytes(0) : nil
    }

    /// Parts of no snapshot.
    func orphanParts() throws(JournalError) -> [Int64] {
        let select = try connection.prepare(
            """
            SELECT id FROM snapshot_parts WHERE NOT EXISTS
                (SELECT 1 FROM snapshots WHERE id BETWEEN first_part AND first_part + part_count - 1)
            ORDER BY id
            """)
        defer { select.reset() }
        var ids: [Int64] = []
        while try select.step() { ids.append(select.integer(0)) }
        return ids
    }

    func dropPart(_ id: Int64) throws(JournalError) {
        let delete = try connection.prepare("DELETE FROM snapshot_parts WHERE id = ?1")
        delete.bind(1, id)
        try delete.run()
    }
}

/// Reading the newest whole snapshot, a part a step. (A class: a copied value would copy its bytes at each step.)
final class SnapshotLoad {
    private var rows: ArraySlice<SnapshotRow>
    private var bytes: [UInt8] = []
    private var sum: Checksum
    private var nextPart: Int64 = 0
    private var damaged: [UInt64] = []

    init(from file: JournalFile, below position: UInt64) throws(JournalError) {
        rows = try file.snapshotRows(below: position)[...]
        sum = Checksum()
        startRow()
    }

    /// The result, once there is one.
    func step(_ file: JournalFile) throws(JournalError) -> JournalSnapshotLookup? {
        guard let row = rows.first else {
            return JournalSnapshotLookup(snapshot: nil, damagedPositions: damaged)
        }
        if nextPart < row.partCount {
            guard let part = try readPart(row.firstPart + nextPart, of: file) else {
                skipRow()
                return nil
            }
            sum.add(part)
            bytes += part
            nextPart += 1
            return nil
        }
        guard sum.value == row.checksum, bytes.count == row.byteCount else {
            skipRow()
            return nil
        }
        return JournalSnapshotLookup(
            snapshot: JournalSnapshot(position: row.position, digest: row.digest, bytes: bytes),
            damagedPositions: damaged)
    }

    /// `nil` where the part is missing or its page is damaged: the snapshot before may be whole.
    private func readPart(_ id: Int64, of file: JournalFile) throws(JournalError) -> [UInt8]? {
        do throws(JournalError) {
            return try file.readPart(id)
        } catch {
            guard case .corruptFile = error else { throw error }
            return nil
        }
    }

    private func skipRow() {
        damaged.append(rows.removeFirst().position)
        startRow()
    }

    private func startRow() {
        guard let row = rows.first else { return }
        sum = SnapshotRow.checksum(position: row.position, digest: row.digest)
        bytes = []
        nextPart = 0
    }
}

/// Writing a snapshot, a part a step.
final class SnapshotSave {
    let snapshot: JournalSnapshot
    private let firstPart: Int64
    private var partCount: Int64 = 0
    private var byteCount = 0
    private var sum: Checksum

    init(_ snapshot: JournalSnapshot, to file: JournalFile) throws(JournalError) {
        self.snapshot = snapshot
        firstPart = try file.nextPart()
        sum = SnapshotRow.checksum(position: snapshot.position, digest: snapshot.digest)
    }

    /// Whether it is whole and durable now.
    func step(_ file: JournalFile) throws(JournalError) -> Bool {
        let bytes = snapshot.bytes
        guard byteCount < bytes.count else {
            try file.writeRow(
                SnapshotRow(
                    position: snapshot.position, digest: snapshot.digest, firstPart: firstPart, partCount: partCount,
                    byteCount: Int64(byteCount), checksum: sum.value))
            return true
        }
        let part = bytes[byteCount..<min(byteCount + JournalFile.partBytesMax, bytes.count)]
        try file.writePart(firstPart + partCount, part)
        sum.add(part)
        byteCount += part.count
        partCount += 1
        return false
    }
}
