import Glibc
import Testing

@testable import Journal

@Suite struct `SQLite journal` {
    let folder = TemporaryFolder()

    @Test func `entries come back in append order, with positions from 1 and what was appended`() throws {
        let journal = try SQLiteJournal(path: folder("a"))
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        let payloads = (0..<200).map { payload($0, length: $0 * 97 % 9_000) }
        for payload in payloads { journal.append(payload) }
        ear.wait(for: 200)
        #expect(ear.entries.map(\.position) == Array(1...200))
        #expect(ear.entries.map(\.payload) == payloads)
        #expect(ear.heard.first == .caughtUp(position: 0))
        #expect(journal.lastPosition == 200)
        #expect(try journal.entries(from: 51, limit: JournalReadLimit(entriesMax: 3)).map(\.position) == [51, 52, 53])
        #expect(try journal.entries(from: 201).isEmpty)
    }

    @Test func `what queues while a commit is under way becomes one commit`() throws {
        let journal = try SQLiteJournal(path: folder("a"))
        let gate = Monitor(false)
        let ear = Ear()
        let deliver = ear.deliver
        try journal.start(from: 1) { event in
            deliver(event)
            // The journal's thread stands here, as it would in a slow disk.
            if case .committed(let entries) = event, entries[0].position == 1 { gate.wait { $0 ? () : nil } }
        }
        journal.append(payload(0))
        ear.wait(for: 1)
        for number in 1...500 { journal.append(payload(number)) }
        gate.update { $0 = true }
        ear.wait(for: 501)
        #expect(journal.statistics.commits == 2)
        #expect(journal.statistics.entries == 501)
        let committed = ear.heard.filter { if case .committed = $0 { true } else { false } }
        #expect(committed.count == 2)
    }

    @Test func `a reopened journal has the same epoch, replays from any position, then goes on`() throws {
        try makeJournal(folder("a"), (1...30).map { payload($0) })
        let epoch = try JournalReader(path: folder("a")).epoch
        for first in [1, 2, 17, 30, 31] as [UInt64] {
            let journal = try SQLiteJournal(path: folder("a"))
            let last = journal.lastPosition
            #expect(journal.epoch == epoch)
            let ear = Ear()
            try journal.start(from: first, deliver: ear.deliver)
            journal.append(payload(0))
            ear.wait(for: last + 1)
            ear.waitUntilCaughtUp()
            #expect(ear.entries.map(\.position) == Array(first...last + 1))
            journal.close()
        }
        #expect(folder.names == ["a"], "a clean close leaves the one file")
    }

    @Test func `a start above the end is refused`() throws {
        try makeJournal(folder("a"), [payload(1)])
        let journal = try SQLiteJournal(path: folder("a"))
        #expect(throws: JournalError.beyondEnd(position: 3, lastPosition: 1)) {
            try journal.start(from: 3) { _ in }
        }
    }

    @Test func `close commits what is queued, and after it appends are ignored and reads refused`() throws {
        let journal = try SQLiteJournal(path: folder("a"))
        try journal.start(from: 1) { _ in }
        for number in 1...100 { journal.append(payload(number)) }
        journal.close()
        journal.close()
        journal.append(payload(0))
        #expect(throws: JournalError.closed) { try journal.entries(from: 1) }
        #expect(throws: JournalError.closed) { try journal.latestSnapshot() }
        #expect(try contents(folder("a")) == (1...100).map { payload($0) })
    }

    @Test func `close from within an event returns, and the files are closed after it`() throws {
        let journal = try SQLiteJournal(path: folder("a"))
        let closed = Monitor(false)
        try journal.start(from: 1) { [weak journal] event in
            guard case .committed = event else { return }
            journal?.close()
            closed.update { $0 = true }
        }
        journal.append(payload(1))
        closed.wait { $0 ? () : nil }
        journal.close()
        #expect(try contents(folder("a")) == [payload(1)])
    }

    @Test(arguments: [5_000, 1_000_000] as [UInt64])
    func `time goes with the elapsed clock and never back`(wallAfterRestart: UInt64) throws {
        let clock = HandClock(wall: 100_000, elapsed: 7)
        var journal = try SQLiteJournal(
            path: folder("a"), clock: clock.clock, file: JournalFileOptions(), checkpoints: CheckpointPolicy())
        var ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        journal.append([])
        ear.wait(for: 1)
        clock.elapse(250)
        clock.set(wall: 1)  // set while running: no matter
        journal.append([])
        ear.wait(for: 2)
        journal.close()
        #expect(ear.entries.map(\.timeMilliseconds) == [100_000, 100_250])

        clock.set(wall: wallAfterRestart)
        journal = try SQLiteJournal(
            path: folder("a"), clock: clock.clock, file: JournalFileOptions(), checkpoints: CheckpointPolicy())
        ear = Ear()
        try journal.start(from: 3, deliver: ear.deliver)
        journal.append([])
        ear.wait(for: 3)
        #expect(ear.entries.map(\.timeMilliseconds) == [max(100_250, wallAfterRestart)])
    }

    @Test func `a full disk ends the journal, and everything acknowledged is there on reopening`() throws {
        var options = JournalFileOptions()
        options.pagesMax = 60
        let journal = try SQLiteJournal(
            path: folder("a"), clock: .system, file: options, checkpoints: CheckpointPolicy())
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        var number = 0
        while !ear.heard.contains(.failed(.diskFull(path: folder("a")))) {
            number += 1
            try #require(number < 100)
            journal.append(payload(number, length: 10_000))
            ear.wait(for: UInt64(number))
        }
        journal.append(payload(0))  // ignored
        let acknowledged = ear.entries
        #expect(acknowledged.count > 5)
        #expect(throws: JournalError.diskFull(path: folder("a"))) { try journal.entries(from: 1) }
        journal.close()
        #expect(try contents(folder("a")) == acknowledged.map(\.payload))
        #expect(ear.heard.last == .failed(.diskFull(path: folder("a"))))
    }

    @Test func `the log is moved into the file before it grows past its bound`() throws {
        let journal = try SQLiteJournal(
            path: folder("a"), clock: .system, file: JournalFileOptions(),
            checkpoints: CheckpointPolicy(pagesMax: 20, quietPagesMin: .max))
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        for number in 1...100 as ClosedRange<UInt64> {
            journal.append(payload(1, length: 5_000))
            ear.wait(for: number)
        }
        journal.close()
        #expect(journal.statistics.checkpoints >= 10)
        #expect(journal.statistics.logPages < 30)
    }

    @Test func `a quiet moment moves the log`() throws {
        let journal = try SQLiteJournal(
            path: folder("a"), clock: .system, file: JournalFileOptions(),
            checkpoints: CheckpointPolicy(pagesMax: .max, quietPagesMin: 1, quietMilliseconds: 1))
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        journal.append(payload(1))
        ear.wait(for: 1)
        while journal.statistics.checkpoints == 0 { sched_yield() }
        #expect(journal.statistics.logPages == 0)
    }
}
