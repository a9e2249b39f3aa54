import Testing

@testable import Journal

@Suite(.serialized) struct `A moved journal` {
    let folder = TemporaryFolder()
    private let load = JournalLoad(
        epoch: .random(),
        snapshot: JournalSnapshot(position: 5_000, digest: payload(1, length: 8), bytes: payload(2, length: 700_000)),
        timeMilliseconds: 4_000_000_000_000)

    /// It has the epoch, the snapshot and nothing before, and goes on at the next position.
    private func expectGoesOn(_ journal: any Journal) throws {
        #expect(journal.epoch == load.epoch)
        #expect(journal.firstPosition == 5_001)
        #expect(journal.lastPosition == 5_000)
        #expect(try journal.latestSnapshot() == JournalSnapshotLookup(snapshot: load.snapshot))
        #expect(throws: JournalError.trimmed(position: 5_000, firstPosition: 5_001)) { try journal.entries(from: 5_000) }
        #expect(try journal.entries(from: 5_001) == [])
        #expect(throws: JournalError.trimmed(position: 1, firstPosition: 5_001)) { try journal.start(from: 1) { _ in } }
        let ear = Ear()
        try journal.start(from: 5_001, deliver: ear.deliver)
        ear.waitUntilCaughtUp()  // what is appended before that may be heard before it
        for number in 1...10 { journal.append(payload(number)) }
        ear.wait(for: 5_010)
        #expect(ear.heard.first == .caughtUp(position: 5_000))
        #expect(ear.entries.map(\.position) == Array(5_001...5_010))
        try journal.save(JournalSnapshot(position: 5_005, digest: [1], bytes: [2]))
        journal.close()
    }

    @Test func `goes on in a file, which says where it begins`() throws {
        try JournalMove.write(load, toFile: folder("a"))
        #expect(folder.names == ["a"])
        try expectGoesOn(try SQLiteJournal(path: folder("a")))
        let journal = try SQLiteJournal(path: folder("a"))
        #expect(journal.firstPosition == 5_001)
        #expect(journal.lastPosition == 5_010)
        let entries = try journal.entries(from: 5_001)
        #expect(entries.map(\.payload) == (1...10).map { payload($0) })
        // Time does not go back behind what was moved.
        #expect(entries.allSatisfy { $0.timeMilliseconds >= load.timeMilliseconds })
        journal.close()
        let reader = try JournalReader(path: folder("a"))
        #expect(try reader.verify() == 10)
        #expect(throws: JournalError.trimmed(position: 5_000, firstPosition: 5_001)) { try reader.seek(to: 5_000) }
        reader.close()
        // The first entry is bound to the base.
        tamper(folder("a"), "UPDATE meta SET value = 4999 WHERE name = 'base'")
        let tampered = try JournalReader(path: folder("a"))
        #expect(throws: JournalError.self) { try tampered.verify() }
        tampered.close()
    }

    @Test func `does not overwrite a file, and leaves the old one under another name`() throws {
        try makeJournal(folder("a"), [payload(1)])
        #expect(throws: JournalError.self) { try JournalMove.write(load, toFile: folder("a")) }
        #expect(try contents(folder("a")) == [payload(1)])
        #expect(try JournalMove.retire(file: folder("a")) == folder("a.moved"))
        #expect(folder.names == ["a.moved"])
        #expect(try contents(folder("a.moved")) == [payload(1)])
    }

    @Test func `goes on in a stream, and is closed where it was`() throws {
        let settings = try options(SharedCluster.get(), stream: freshName())
        try JournalMove.write(load, to: settings)
        #expect(throws: JournalError.self) { try JournalMove.write(load, to: settings) }
        try expectGoesOn(try JetStreamJournal(settings))
        let reader = try JetStreamReader(settings)
        #expect(try reader.verify() == 10)
        #expect(try reader.next() == nil)
        try reader.seek(to: 5_004)
        #expect(try reader.next()?.payload == payload(4))
        #expect(try reader.snapshots().map(\.position) == [5_005, 5_000])
        #expect(try reader.isQuiet(milliseconds: 50))
        reader.close()
        try JournalMove.retire(settings, movedTo: "elsewhere")
        do throws(JournalError) {
            _ = try JetStreamJournal(settings)
            Issue.record("opened")
        } catch {
            #expect("\(error)".contains("it was moved to elsewhere"))
        }
    }

    @Test func `one that was not moved to the end is refused`() throws {
        let settings = try options(SharedCluster.get(), stream: freshName())
        let store = JetStreamStore(settings)
        try store.create(.journal(settings, epoch: load.epoch, firstPosition: 9, closed: "a move to it has not ended"))
        #expect(throws: JournalError.moved(journal: settings.description, detail: "a move to it has not ended")) {
            try JetStreamJournal(settings)
        }
        store.link.close()
    }
}
