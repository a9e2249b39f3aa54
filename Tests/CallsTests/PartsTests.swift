import Testing

@testable import Calls

// The small parts, each against the plainest model of itself.

@Suite struct PartsTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `a bucket gives what a bucket that is refilled each millisecond gives`(seed: UInt64) {
        var random = Seeded(seed)
        let perSecond = [1, 7, 10, 250, 1_000, 64_000].randomElement(using: &random)!
        let burst = Int.random(in: 1...50, using: &random)
        let limit = RateLimit(perSecond: UInt32(perSecond), burst: UInt32(burst))
        let interval = 1_000_000_000 / perSecond
        var bucket = TokenBucket()
        var level = burst * interval  // nanoseconds' worth of tokens
        var now: UInt64 = 1_000
        for _ in 0..<500 {
            let passed = Int.random(in: 0...3, using: &random) * Int.random(in: 0...200, using: &random)
            now += UInt64(passed)
            level = min(burst * interval, level + passed * 1_000_000)
            let count = Int.random(in: 1...4, using: &random)
            let wait = bucket.take(count, of: limit, now: now)
            #expect((wait == 0) == (level >= count * interval), "seed \(seed)")
            if wait == 0 {
                level -= count * interval
            } else {
                #expect(wait == UInt64((count * interval - level + 999_999) / 1_000_000), "seed \(seed)")
            }
        }
    }

    @Test func `an unlimited bucket gives everything at any time`() {
        var bucket = TokenBucket()
        for now in [0, 1, 1 << 40] as [UInt64] {
            for _ in 0..<10 {
                let wait = bucket.take(100_000_000, of: .unlimited, now: now)
                #expect(wait == 0)
            }
        }
    }

    private struct Entry: CallEntry, Equatable {
        let id: UInt32
        var deadline: UInt64
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `a table of calls does what a dictionary does`(seed: UInt64) {
        var random = Seeded(seed)
        var table = CallTable<Entry>()
        var model: [UInt32: UInt64] = [:]
        var lastID: UInt32 = 0
        for _ in 0..<400 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                lastID += UInt32.random(in: 1...3, using: &random)
                let deadline = random.chance(30) ? UInt64.max : UInt64.random(in: 1...100, using: &random)
                table.append(Entry(id: lastID, deadline: deadline))
                model[lastID] = deadline
            case 2:
                let id = UInt32.random(in: 0...lastID + 1, using: &random)
                let index = table.index(of: id)
                #expect((index != nil) == (model[id] != nil), "seed \(seed)")
                if let index { table.remove(at: index) }
                model[id] = nil
            case 3:
                guard let id = model.keys.sorted().randomElement(using: &random) else { continue }
                table.clearDeadline(table.index(of: id)!)
                model[id] = .max
            default:
                let now = UInt64.random(in: 0...100, using: &random)
                var expired: [UInt32] = []
                while let index = table.nextExpired(above: expired.last ?? 0, now: now) {
                    expired.append(table[index].id)
                }
                let expected = model.filter { $0.value <= now }.keys.sorted()
                #expect(expired == expected, "seed \(seed)")
                for id in expected { model[id] = .max }
            }
            #expect(table.count == model.count, "seed \(seed)")
            #expect(table.all.map(\.id) == model.keys.sorted(), "seed \(seed)")
            #expect(table.earliestDeadline == model.values.min() ?? .max, "seed \(seed)")
        }
    }
}
