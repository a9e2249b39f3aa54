import Testing

@testable import Journal

@Suite struct Snapshots {
    let folder = TemporaryFolder()

    func snapshot(_ position: UInt64, byteCount: Int = 300_000) -> JournalSnapshot {
        JournalSnapshot(
            position: position, digest: payload(Int(position), length: 32),
            bytes: payload(Int(position), length: byteCount))
    }

    /// A closed journal of 10 entries with `snapshots`.
    func make(_ snapshots: [JournalSnapshot]) throws {
        let journal = try SQLiteJournal(path: folder("a"))
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        for number in 1...10 { journal.append(payload(number)) }
        ear.wait(for: 10)
        for snapshot in snapshots { try journal.save(snapshot) }
        journal.close()
    }

    @Test(arguments: [0, 1, JournalFile.partBytesMax, JournalFile.partBytesMax + 1, 1_000_000])
    func `a snapshot of any size comes back as it was saved`(byteCount: Int) throws {
        let saved = snapshot(7, byteCount: byteCount)
        try make([saved])
        let journal = try SQLiteJournal(path: folder("a"))
        #expect(try journal.latestSnapshot() == JournalSnapshotLookup(snapshot: saved))
        #expect(try journal.latestSnapshot(below: 7).snapshot == nil)
    }

    @Test func `the last two are kept, and the parts of others go`() throws {
        try make([snapshot(2), snapshot(4), snapshot(6), snapshot(8)])
        let file = try JournalFile(path: folder("a"), options: JournalFileOptions())
        #expect(try file.snapshotRows().map(\.position) == [8, 6])
        let journal: SQLiteJournal
        do {
            file.abandon()
            journal = try SQLiteJournal(path: folder("a"))
        }
        #expect(try journal.latestSnapshot().snapshot == snapshot(8))
        #expect(try journal.latestSnapshot(below: 8).snapshot == snapshot(6))
        #expect(try journal.latestSnapshot(below: 6).snapshot == nil)
        // What close interrupted, opening finishes; requests are served after it.
        journal.close()
        let reader = try JournalFile(path: folder("a"), options: JournalFileOptions(access: .inspect))
        #expect(try reader.orphanParts() == [])
        #expect(try reader.connection.integer("SELECT count(*) FROM snapshot_parts") == 6)
    }

    static let damages = [
        "UPDATE snapshot_parts SET bytes = zeroblob(length(bytes)) WHERE id = (SELECT max(id) FROM snapshot_parts)",
        "DELETE FROM snapshot_parts WHERE id = (SELECT max(id) FROM snapshot_parts)",
        "DELETE FROM snapshot_parts WHERE id = (SELECT max(first_part) FROM snapshots)",
        "UPDATE snapshots SET digest = x'00' WHERE position = 8",
        "UPDATE snapshots SET byte_count = byte_count + 1 WHERE position = 8",
        "UPDATE snapshots SET part_count = part_count - 1 WHERE position = 8",
        "UPDATE snapshots SET position = 9 WHERE position = 8",
    ]

    @Test(arguments: damages)
    func `where the newest is damaged the one before is used, and it is said`(damage: String) throws {
        try make([snapshot(6), snapshot(8)])
        tamper(folder("a"), damage)
        let journal = try SQLiteJournal(path: folder("a"))
        let lookup = try journal.latestSnapshot()
        #expect(lookup.snapshot == snapshot(6))
        #expect(lookup.damagedPositions == [damage.contains("position = 9") ? 9 : 8])
        journal.close()
        let reader = try JournalReader(path: folder("a"))
        #expect(throws: JournalError.self) { try reader.verify() }
        reader.close()
    }

    @Test func `entries are committed while a snapshot is being saved`() throws {
        let journal = try SQLiteJournal(path: folder("a"))
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        journal.append(payload(1))
        ear.wait(for: 1)
        let order = Monitor<[String]>([])
        journal.saveSnapshot(snapshot(1, byteCount: 100 * JournalFile.partBytesMax)) { error in
            order.update { $0.append("saved \(error.map { "\($0)" } ?? "")") }
        }
        journal.append(payload(2))
        ear.wait(for: 2)
        order.update { $0.append("committed") }
        order.wait { $0.count == 2 ? () : nil }
        #expect(order.read { $0 } == ["committed", "saved "])
        #expect(try journal.latestSnapshot().snapshot?.bytes.count == 100 * JournalFile.partBytesMax)
    }

    @Test func `a save cut short by close leaves the former snapshots, and its parts go at the next opening`() throws {
        try make([snapshot(6)])
        var journal = try SQLiteJournal(path: folder("a"))
        let outcome = Monitor<[JournalError?]>([])
        journal.saveSnapshot(snapshot(8, byteCount: 100 * JournalFile.partBytesMax)) { error in
            outcome.update { $0.append(error) }
        }
        journal.close()
        #expect(outcome.read { $0 } == [.closed])
        journal = try SQLiteJournal(path: folder("a"))
        #expect(try journal.latestSnapshot().snapshot == snapshot(6))
        journal.close()
        let reader = try JournalFile(path: folder("a"), options: JournalFileOptions(access: .inspect))
        #expect(try reader.orphanParts() == [])
    }

    @Test func `a reader lists snapshots, verifies everything and changes nothing`() throws {
        try make([snapshot(6), snapshot(8)])
        let bytes = readBytes(folder("a"))
        let reader = try JournalReader(path: folder("a"))
        #expect(try reader.snapshots().map(\.position) == [8, 6])
        #expect(try reader.snapshots().map(\.byteCount) == [300_000, 300_000])
        #expect(try reader.verify() == 10)
        try reader.seek(to: 9)
        #expect(try reader.next()?.position == 9)
        #expect(try reader.next()?.position == 10)
        #expect(try reader.next() == nil)
        #expect(throws: JournalError.beyondEnd(position: 12, lastPosition: 10)) { try reader.seek(to: 12) }
        reader.close()
        #expect(readBytes(folder("a")) == bytes)
        #expect(folder.names == ["a"])
    }
}
