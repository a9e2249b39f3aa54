import Testing

@testable import Journal

/// Against three real servers.
@Suite(.serialized) struct `A shared journal` {
    @Test func `two writers hear the same entries in the same order, each once`() throws {
        let settings = try options(SharedCluster.get(), stream: freshName())
        let a = try Writer(settings)
        let b = try Writer(settings)
        #expect(a.journal.isShared)
        #expect(a.journal.epoch == b.journal.epoch)
        for round in 0..<20 {
            a.append(1, (round * 10 + 1)...(round * 10 + 10))
            b.append(2, (round * 10 + 1)...(round * 10 + 10))
        }
        a.ear.wait(for: 400)
        b.ear.wait(for: 400)
        #expect(a.ear.entries == b.ear.entries)
        #expect(a.ear.entries.map(\.position) == Array(1...400))
        #expect(applied(a.ear.entries) == [1: Array(1...200), 2: Array(1...200)])
        #expect(a.ear.heard.first == .caughtUp(position: 0))
        #expect(a.journal.lastPosition == 400)
        #expect(a.journal.statistics.entries == 200)
        let times = a.ear.entries.map(\.timeMilliseconds)
        #expect(times.allSatisfy { $0 > 1_600_000_000_000 })
        #expect(times == times.sorted())
        a.journal.close()
        b.journal.close()
    }

    @Test func `what was there is heard first, from any position, then what comes`() throws {
        let settings = try options(SharedCluster.get(), stream: freshName())
        let a = try Writer(settings)
        a.append(1, 1...50)
        a.ear.wait(for: 50)
        a.journal.close()
        let b = try Writer(settings, from: 21)
        b.ear.waitUntilCaughtUp()
        #expect(b.journal.epoch == a.journal.epoch)
        #expect(b.ear.entries.map(\.position) == Array(21...50))
        #expect(b.ear.heard.last == .caughtUp(position: 50))
        b.append(2, 1...1)
        b.ear.wait(for: 51)
        #expect(try b.journal.entries(from: 49).map(\.position) == [49, 50, 51])
        #expect(try b.journal.entries(from: 1, limit: JournalReadLimit(entriesMax: 1)).map(\.position) == [1])
        #expect(try b.journal.entries(from: 52) == [])
        #expect(try b.journal.entries(from: 1) == a.ear.entries + b.ear.entries.suffix(1))
        #expect(throws: JournalError.beyondEnd(position: 60, lastPosition: 51)) { try Writer(settings, from: 60) }
        b.journal.close()
    }

    @Test func `entries of every size up to the largest come back as they were`() throws {
        let a = try Writer(options(SharedCluster.get(), stream: freshName()))
        let sizes = [0, 1, 100, 65_536, JournalLimits.payloadBytesMax]
        for size in sizes { a.journal.append(payload(size, length: size)) }
        a.ear.wait(for: UInt64(sizes.count))
        #expect(a.ear.entries.map(\.payload.count) == sizes)
        #expect(a.ear.entries.map(\.payload) == sizes.map { payload($0, length: $0) })
        a.journal.close()
    }

    @Test func `what is queued when it closes is committed`() throws {
        let settings = try options(SharedCluster.get(), stream: freshName())
        let a = try Writer(settings)
        a.append(1, 1...30)
        a.journal.close()
        let b = try Writer(settings)
        b.ear.waitUntilCaughtUp()
        #expect(applied(b.ear.entries) == [1: Array(1...30)])
        b.journal.close()
        b.journal.close()
        #expect(throws: JournalError.closed) { try b.journal.entries(from: 1) }
    }

    @Test func `two that create it at once agree on one`() throws {
        let settings = try options(SharedCluster.get(), stream: freshName())
        let epochs = Monitor<[Result<JournalEpoch, JournalError>]>([])
        for index in 0..<4 {
            JournalThread.start(name: "creator \(index)") {
                let result: Result<JournalEpoch, JournalError>
                do throws(JournalError) {
                    let journal = try JetStreamJournal(settings)
                    journal.close()
                    result = .success(journal.epoch)
                } catch {
                    result = .failure(error)
                }
                epochs.update { $0.append(result) }
            }
        }
        let made = epochs.wait { $0.count == 4 ? $0 : nil }
        let first = try made[0].get()
        for result in made { #expect(try result.get() == first) }
    }

    @Test func `a copy that the stream took twice, past its window, is two entries with one effect`() throws {
        let settings = try options(SharedCluster.get(), stream: freshName())
        let a = try Writer(settings)
        a.append(1, 1...1)
        a.ear.wait(for: 1)
        let link = JetStreamLink(settings)
        try link.store(settings.subject, id: "other-1-0", tagged(1, 1), within: 5_000)
        // Within the window the same id is answered as known, and is no entry.
        try link.store(settings.subject, id: "other-1-0", tagged(1, 1), within: 5_000)
        a.append(1, 2...2)
        a.ear.wait(for: 3)
        #expect(a.ear.entries.count == 3)
        #expect(applied(a.ear.entries) == [1: [1, 2]])
        link.close()
        a.journal.close()
    }
}
