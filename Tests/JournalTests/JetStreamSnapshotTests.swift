import Testing

@testable import Journal

@Suite(.serialized) struct `Snapshots of a shared journal` {
    private func snapshot(_ position: UInt64, byteCount: Int = 300_000) -> JournalSnapshot {
        JournalSnapshot(
            position: position, digest: payload(Int(position), length: 8), bytes: payload(Int(position), length: byteCount))
    }

    /// A journal of so many entries.
    private func writer(_ count: Int) throws -> (Writer, JetStreamOptions) {
        let settings = try options(SharedCluster.get(), stream: freshName())
        let writer = try Writer(settings)
        writer.append(1, 1...count)
        writer.ear.wait(for: UInt64(count))
        return (writer, settings)
    }

    @Test func `of any size come back as they were saved, on any instance`() throws {
        let (a, settings) = try writer(10)
        #expect(try a.journal.latestSnapshot() == JournalSnapshotLookup(snapshot: nil))
        for (position, size) in [(3, 0), (5, 1), (7, JetStreamStore.chunkBytesMax), (9, 1_300_000)] as [(UInt64, Int)] {
            try a.journal.save(snapshot(position, byteCount: size))
            let b = try JetStreamJournal(settings)
            #expect(try b.latestSnapshot() == JournalSnapshotLookup(snapshot: snapshot(position, byteCount: size)))
            b.close()
        }
        #expect(try a.journal.latestSnapshot(below: 9).snapshot?.position == 7)
        #expect(try a.journal.latestSnapshot(below: 7).snapshot == nil)
        a.journal.close()
    }

    @Test func `the journal is trimmed behind the older of two, and says so to whoever asks for more`() throws {
        let (a, settings) = try writer(100)
        try a.journal.save(snapshot(40))
        #expect(try a.journal.entries(from: 1).count == 100)
        #expect(a.journal.firstPosition == 1)
        try a.journal.save(snapshot(80))
        #expect(a.journal.firstPosition == 41)
        #expect(try a.journal.entries(from: 41).map(\.position) == Array(41...100))
        #expect(throws: JournalError.trimmed(position: 40, firstPosition: 41)) { try a.journal.entries(from: 40) }
        // Whoever starts later starts from a snapshot.
        let b = try JetStreamJournal(settings)
        #expect(b.firstPosition == 41)
        #expect(throws: JournalError.trimmed(position: 1, firstPosition: 41)) { try b.start(from: 1) { _ in } }
        let ear = Ear()
        try b.start(from: 81, deliver: ear.deliver)
        ear.waitUntilCaughtUp()
        #expect(ear.entries.map(\.position) == Array(81...100))
        b.close()
        a.append(1, 101...102)
        a.ear.wait(for: 102)
        try a.journal.save(snapshot(101))
        #expect(a.journal.firstPosition == 81)
        let store = JetStreamStore(settings)
        #expect(try store.snapshotPlaces().whole.map(\.position) == [101, 80])
        #expect(try store.info(of: settings.stream)?.deleted == 0)
        store.link.close()
        a.journal.close()
    }

    @Test func `saved by two at once, one is enough, and one that differs is an alarm`() throws {
        let (a, settings) = try writer(10)
        let b = try JetStreamJournal(settings)
        let outcomes = Monitor<[JournalError?]>([])
        a.journal.saveSnapshot(snapshot(5)) { error in outcomes.update { $0.append(error) } }
        b.saveSnapshot(snapshot(5)) { error in outcomes.update { $0.append(error) } }
        #expect(outcomes.wait { $0.count == 2 ? $0 : nil } == [nil, nil])
        try b.save(snapshot(5))
        #expect(try a.journal.latestSnapshot().snapshot == snapshot(5))
        let other = JournalSnapshot(position: 5, digest: [1], bytes: [2])
        #expect(throws: JournalError.self) { try b.save(other) }
        b.close()
        a.journal.close()
    }

    @Test func `where the newest is damaged the one before is used, and it is said; leavings are not seen`() throws {
        let (a, settings) = try writer(30)
        try a.journal.save(snapshot(10, byteCount: 700_000))
        try a.journal.save(snapshot(20, byteCount: 700_000))
        let store = JetStreamStore(settings)
        let newest = try #require(try store.snapshotPlaces().whole.first)
        // A chunk's newest message counts: this one is not what the manifest says.
        let subject = "\(settings.snapshotSubjects).20.\(newest.maker).1"
        try store.link.store(subject, id: "damage", [1, 2, 3], within: 5_000)
        // A maker that died before its manifest.
        try store.link.store("\(settings.snapshotSubjects).25.dead.0", id: "leaving", [1], within: 5_000)
        #expect(
            try a.journal.latestSnapshot()
                == JournalSnapshotLookup(snapshot: snapshot(10, byteCount: 700_000), damagedPositions: [20]))
        try a.journal.save(snapshot(26))
        try a.journal.save(snapshot(28))
        #expect(try store.snapshotPlaces().leavings == [])
        store.link.close()
        a.journal.close()
    }
}
