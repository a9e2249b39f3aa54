import Testing

@testable import Journal

/// An outbox whose calls can stand in an expectation, which takes no mutating ones.
private final class Box {
    private var outbox = Outbox()

    var count: Int { outbox.count }
    func append(_ payload: [UInt8], now: UInt64) { outbox.append(payload, now: now) }
    func publishes(now: UInt64) -> [Outbox.Publish] { outbox.publishes(now: now) }
    func deadline(now: UInt64) -> UInt64? { outbox.deadline(now: now) }
    func troubledFor(now: UInt64) -> UInt64? { outbox.troubledFor(now: now) }
    func age(now: UInt64) -> UInt64? { outbox.age(now: now) }
    func stored(_ id: AppendID, at position: UInt64, now: UInt64) { outbox.stored(id, at: position, now: now) }
    func refused(_ id: AppendID, now: UInt64) { outbox.refused(id, now: now) }
    func reconnected(now: UInt64) { outbox.reconnected(now: now) }
    @discardableResult func heard(_ id: AppendID, now: UInt64) -> Bool { outbox.heard(id, now: now) }
    func passed(_ position: UInt64) { outbox.passed(position) }
}

@Suite struct Outboxes {
    private func outbox(_ count: Int) -> Box {
        let outbox = Box()
        for number in 0..<count { outbox.append([UInt8(number + 1)], now: 0) }
        return outbox
    }

    private func id(_ number: UInt64, _ generation: UInt64 = 0) -> AppendID { AppendID(number: number, generation: generation) }

    @Test func `so many are in flight, and each that is stored makes room for the next`() {
        let outbox = outbox(6)
        #expect(outbox.publishes(now: 1).map(\.id) == [id(1), id(2), id(3), id(4)])
        #expect(outbox.publishes(now: 1) == [])
        outbox.stored(id(2), at: 12, now: 2)
        #expect(outbox.publishes(now: 2).map(\.id) == [id(5)])
        #expect(outbox.count == 6)
        #expect(outbox.publishes(now: 2) == [])
        outbox.stored(id(1), at: 11, now: 2)
        #expect(outbox.publishes(now: 2).map(\.payload) == [[6]])
    }

    @Test func `an append is done when it is heard in its turn, acknowledged or not`() {
        let outbox = outbox(2)
        _ = outbox.publishes(now: 1)
        #expect(outbox.heard(id(1), now: 5))
        #expect(outbox.count == 1)
        #expect(outbox.heard(id(2), now: 6))
        #expect(outbox.count == 0)
        #expect(outbox.deadline(now: 6) == nil)
        #expect(outbox.troubledFor(now: 900) == nil)
        // A copy past the stream's memory is nobody's.
        #expect(!outbox.heard(id(1), now: 7))
    }

    @Test func `after a refusal one message probes from the oldest on, 20 ms later`() {
        let outbox = outbox(4)
        _ = outbox.publishes(now: 100)
        outbox.stored(id(2), at: 8, now: 101)
        outbox.refused(id(1), now: 110)
        outbox.refused(id(3), now: 111)
        #expect(outbox.publishes(now: 129) == [])
        #expect(outbox.deadline(now: 129) == 130)
        #expect(outbox.publishes(now: 130).map(\.id) == [id(1)])
        #expect(outbox.publishes(now: 131) == [])
        outbox.stored(id(1), at: 9, now: 132)
        #expect(outbox.publishes(now: 132).map(\.id) == [id(3), id(4)])
    }

    @Test func `without an answer for 500 ms everything unanswered is sent again`() {
        let outbox = outbox(2)
        _ = outbox.publishes(now: 0)
        #expect(outbox.deadline(now: 0) == 500)
        #expect(outbox.publishes(now: 499) == [])
        #expect(outbox.publishes(now: 500).map(\.id) == [id(1)])
        outbox.stored(id(1), at: 3, now: 501)
        #expect(outbox.publishes(now: 501).map(\.id) == [id(2)])
    }

    @Test func `what was stored too early is sent again under a new generation, once those before it are stored`() {
        let outbox = outbox(3)
        _ = outbox.publishes(now: 0)
        outbox.stored(id(2), at: 7, now: 2)
        #expect(!outbox.heard(id(2), now: 3))
        // What came before it was sent before it: it is lost.
        #expect(outbox.publishes(now: 3).map(\.id) == [id(1)])
        #expect(outbox.publishes(now: 4) == [])
        #expect(outbox.deadline(now: 4) == 503)
        outbox.stored(id(1), at: 8, now: 30)
        #expect(outbox.publishes(now: 30).map(\.id) == [id(2, 1), id(3)])
        #expect(outbox.heard(id(1), now: 31))
        #expect(!outbox.heard(id(1), now: 32))
        #expect(outbox.heard(id(2, 1), now: 33))
        #expect(outbox.heard(id(3), now: 34))
        #expect(outbox.count == 0)
    }

    /// A stream that takes everything but the first: however often it answers, nothing is stored in vain more than once.
    @Test func `while the first does not get through the others are not stored again and again`() {
        let outbox = outbox(4)
        var stored = 0
        for now in 0..<500 as Range<UInt64> {
            for publish in outbox.publishes(now: now) where publish.id.number > 1 {
                stored += 1
                outbox.stored(publish.id, at: UInt64(stored), now: now)
                outbox.heard(publish.id, now: now)
            }
        }
        #expect(stored == 3)
    }

    @Test func `an older copy that comes early again asks for nothing, and one that comes in its turn counts`() {
        let outbox = outbox(2)
        _ = outbox.publishes(now: 0)
        outbox.heard(id(2), now: 1)
        outbox.heard(id(2), now: 2)
        _ = outbox.publishes(now: 3)
        outbox.heard(id(1), now: 4)
        #expect(outbox.heard(id(2), now: 5))
        #expect(outbox.count == 0)
    }

    @Test func `what was acknowledged at a position that was read past is sent again`() {
        let outbox = outbox(2)
        _ = outbox.publishes(now: 0)
        outbox.stored(id(1), at: 41, now: 1)
        outbox.passed(41)
        #expect(outbox.publishes(now: 1) == [])
        outbox.passed(42)
        #expect(outbox.publishes(now: 1).map(\.id) == [id(1, 1)])
    }

    @Test func `on another connection everything that is not stored is sent again, the oldest first`() {
        let outbox = outbox(3)
        _ = outbox.publishes(now: 0)
        outbox.stored(id(1), at: 5, now: 1)
        outbox.reconnected(now: 10)
        #expect(outbox.publishes(now: 10).map(\.id) == [id(2)])
        outbox.stored(id(2), at: 6, now: 11)
        #expect(outbox.publishes(now: 11).map(\.id) == [id(3)])
    }

    @Test func `trouble counts from the last success, or from when there was something to store`() {
        let outbox = outbox(0)
        outbox.append([1], now: 1_000)
        #expect(outbox.troubledFor(now: 1_400) == 400)
        _ = outbox.publishes(now: 1_000)
        outbox.append([2], now: 1_450)
        #expect(outbox.troubledFor(now: 1_500) == 500)
        outbox.stored(id(1), at: 1, now: 1_500)
        #expect(outbox.troubledFor(now: 1_600) == 100)
        outbox.stored(id(2), at: 2, now: 1_600)
        #expect(outbox.troubledFor(now: 9_000) == nil)
        #expect(outbox.age(now: 9_000) == 8_000)
    }

    /// A stream that loses, refuses, delays, stores out of order and forgets ids, and a reader that takes only a writer's next
    /// number: everything arrives there once and in order.
    @Test(arguments: 0..<40) func `whatever the stream does, everything is applied once and in order`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var outbox = Outbox()
        var log: [AppendID] = []
        var stored: Set<AppendID> = []
        var arriving: [(at: UInt64, id: AppendID)] = []
        var answers: [(at: UInt64, id: AppendID, position: UInt64?)] = []
        var heard = 0
        var applied: [UInt64] = []
        var now: UInt64 = 0
        var appended = 0
        func chance(_ percent: Int, _ random: inout SeededGenerator) -> Bool {
            Int.random(in: 0..<100, using: &random) < percent
        }
        while applied.count < 60, now < 200_000 {
            now += 1
            if appended < 60, chance(20, &random) {
                appended += 1
                outbox.append([UInt8(appended)], now: now)
            }
            for publish in outbox.publishes(now: now) where !chance(15, &random) {
                arriving.append((now + .random(in: 1...30, using: &random), publish.id))
            }
            for message in arriving where message.at == now {
                let answerAt = now + .random(in: 1...20, using: &random)
                if chance(10, &random) {
                    answers.append((answerAt, message.id, nil))
                } else if stored.contains(message.id), !chance(10, &random) {
                    if !chance(10, &random) {
                        answers.append((answerAt, message.id, UInt64(log.lastIndex(of: message.id)!) + 1))
                    }
                } else {
                    log.append(message.id)
                    stored.insert(message.id)
                    if !chance(10, &random) { answers.append((answerAt, message.id, UInt64(log.count))) }
                }
            }
            for answer in answers where answer.at == now {
                if let position = answer.position {
                    outbox.stored(answer.id, at: position, now: now)
                } else {
                    outbox.refused(answer.id, now: now)
                }
            }
            arriving.removeAll { $0.at <= now }
            answers.removeAll { $0.at <= now }
            if chance(1, &random) { outbox.reconnected(now: now) }
            while heard < log.count, chance(50, &random) {
                let id = log[heard]
                heard += 1
                if id.number == UInt64(applied.count) + 1 { applied.append(id.number) }
                outbox.heard(id, now: now)
                outbox.passed(UInt64(heard) + 1)
            }
        }
        #expect(applied == Array(1...60), "seed \(seed)")
        #expect(outbox.count == 0, "seed \(seed)")
    }
}
