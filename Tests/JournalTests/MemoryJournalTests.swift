import Testing

@testable import Journal

@Suite struct `Memory journal` {
    @Test func `appends made within an event join the next round`() throws {
        let journal = MemoryJournal()
        let ear = Ear()
        let deliver = ear.deliver
        try journal.start(from: 1) { event in
            deliver(event)
            if case .committed(let entries) = event, entries[0].position == 1 {
                for number in 2...4 { journal.append(payload(number)) }
            }
        }
        journal.append(payload(1))
        #expect(ear.entries.map(\.payload) == (1...4).map { payload($0) })
        #expect(ear.heard.count == 3, "caught up, the first, the three together")
        #expect(journal.statistics.commits == 2)
        journal.crash()
    }

    @Test func `pumped, each round commits everything queued`() throws {
        let journal = MemoryJournal(rounds: .pumped)
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        for number in 1...5 { journal.append(payload(number)) }
        #expect(ear.heard.isEmpty)
        #expect(journal.pump())
        #expect(ear.heard == [.caughtUp(position: 0)])
        #expect(journal.pump())
        #expect(ear.entries.count == 5)
        #expect(journal.statistics.commits == 1)
        #expect(!journal.pump())
    }

    @Test func `writers of one log hear the entries of all in one order`() throws {
        let log = MemoryLog()
        let journals = (0..<3).map { _ in MemoryJournal(log: log, rounds: .pumped) }
        let ears = journals.map { _ in Ear() }
        for (journal, ear) in zip(journals, ears) { try journal.start(from: 1, deliver: ear.deliver) }
        var generator = SeededGenerator(seed: 7)
        for number in 0..<300 {
            journals.randomElement(using: &generator)!.append(payload(number))
            journals.randomElement(using: &generator)!.pump()
        }
        while journals.map({ $0.pump() }).contains(true) {}
        #expect(log.entries.map(\.position) == Array(1...300))
        for ear in ears { #expect(ear.entries == log.entries) }
    }

    @Test func `time stamps go up over writers whose clocks differ, and over restarts`() throws {
        let log = MemoryLog()
        let ahead = HandClock(wall: 9_000)
        let behind = HandClock(wall: 1_000)
        let first = MemoryJournal(log: log, clock: ahead.clock)
        let second = MemoryJournal(log: log, clock: behind.clock)
        try first.start(from: 1) { _ in }
        try second.start(from: 1) { _ in }
        first.append([])
        second.append([])
        ahead.elapse(10)
        first.append([])
        let third = MemoryJournal(log: log, clock: behind.clock)
        try third.start(from: 1) { _ in }
        behind.elapse(5)
        third.append([])
        #expect(log.entries.map(\.timeMilliseconds) == [9_000, 9_000, 9_010, 9_015])
    }

    @Test(
        arguments: [
            (.fail(.diskFull(path: "disk")), 1), (.failUnheard(.diskFull(path: "disk")), 3),
        ] as [(MemoryJournal.Fate, Int)])
    func `a failed commit ends the journal; whether it is in the log is for the reopening to see`(
        fate: MemoryJournal.Fate, durable: Int
    ) throws {
        let log = MemoryLog()
        let journal = MemoryJournal(log: log, rounds: .pumped) { $0.count > 1 ? fate : .commit }
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        journal.append(payload(1))
        while journal.pump() {}
        journal.append(payload(2))
        journal.append(payload(3))
        while journal.pump() {}
        #expect(ear.heard.last == .failed(.diskFull(path: "disk")))
        #expect(ear.entries.count == 1)
        journal.append(payload(4))
        #expect(!journal.pump())
        #expect(throws: JournalError.diskFull(path: "disk")) { try journal.latestSnapshot() }
        #expect(log.entries.count == durable)

        let next = MemoryJournal(log: log)
        let nextEar = Ear()
        try next.start(from: 1, deliver: nextEar.deliver)
        #expect(nextEar.entries == log.entries)
        #expect(nextEar.heard.last == .caughtUp(position: UInt64(durable)))
    }

    @Test func `a delayed round gathers what comes meanwhile`() throws {
        let held = Monitor(true)
        let journal = MemoryJournal { _ in held.read { $0 } ? .delay : .commit }
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        for number in 1...3 { journal.append(payload(number)) }
        #expect(ear.entries.isEmpty)
        #expect(journal.queuedCount == 3)
        held.update { $0 = false }
        #expect(journal.pump())
        #expect(ear.entries.count == 3)
        #expect(journal.statistics.commits == 1)
    }

    @Test func `a crash loses what is queued and nothing else`() throws {
        let log = MemoryLog()
        let journal = MemoryJournal(log: log, rounds: .pumped)
        try journal.start(from: 1) { _ in }
        journal.append(payload(1))
        while journal.pump() {}
        journal.append(payload(2))
        journal.crash()
        #expect(log.entries.map(\.payload) == [payload(1)])
    }

    @Test(arguments: [MemoryJournal.Rounds.immediate, .pumped])
    func `close commits what is queued, also when called from within an event`(rounds: MemoryJournal.Rounds) throws {
        let log = MemoryLog()
        let journal = MemoryJournal(log: log, rounds: rounds)
        try journal.start(from: 1) { event in
            guard case .committed(let entries) = event, entries[0].position == 1 else { return }
            journal.append(payload(2))
            journal.close()
        }
        journal.append(payload(1))
        journal.close()
        #expect(log.entries.map(\.payload) == [payload(1), payload(2)])
        journal.append(payload(3))
        #expect(throws: JournalError.closed) { try journal.entries(from: 1) }
    }

    @Test func `replay comes in slices, then the news`() throws {
        let log = MemoryLog()
        log.append((0..<3_000).map { payload($0) }, timeMilliseconds: 1)
        let journal = MemoryJournal(log: log)
        let ear = Ear()
        try journal.start(from: 501, deliver: ear.deliver)
        journal.append(payload(9))
        #expect(ear.entries.map(\.position) == Array(501...3_001))
        #expect(ear.heard.count == 5, "three slices, caught up, one more")
        #expect(throws: JournalError.beyondEnd(position: 3_003, lastPosition: 3_001)) {
            try MemoryJournal(log: log).start(from: 3_003) { _ in }
        }
    }

    @Test func `snapshots are kept in the log, the last two`() throws {
        let log = MemoryLog()
        let journal = MemoryJournal(log: log)
        try journal.start(from: 1) { _ in }
        for number in 1...5 { journal.append(payload(number)) }
        for position in 1...3 as ClosedRange<UInt64> {
            try journal.save(JournalSnapshot(position: position, digest: [1], bytes: payload(Int(position))))
        }
        #expect(log.snapshots.map(\.position) == [2, 3])
        #expect(try MemoryJournal(log: log).latestSnapshot(below: 3).snapshot?.position == 2)
        #expect(try journal.entries(from: 2, limit: JournalReadLimit(entriesMax: 2)).map(\.position) == [2, 3])
    }
}
