import BoxOffice
import Sequencer
import Testing
import UsherAPI

@testable import Server

@Suite struct `an admission rate` {
    @Test func `is admissions a second since the first of the last minute`() {
        var rate = AdmissionRate()
        #expect(rate.perSecond == nil)
        rate.admitted(1, at: 1_800_000_000_000)
        #expect(rate.perSecond == nil, "one is no measurement")
        rate.admitted(9, at: 1_800_000_000_900)
        #expect(rate.perSecond == 10)
        rate.admitted(10, at: 1_800_000_003_000)
        #expect(rate.perSecond == 5)
    }

    @Test func `forgets what is older than a minute`() {
        var rate = AdmissionRate()
        for second in 0..<60 as Range<UInt64> { rate.admitted(2, at: second * 1000) }
        #expect(rate.perSecond == 2)
        rate.advance(to: 89_000)
        #expect(rate.perSecond == 1)
        rate.advance(to: 119_000)
        #expect(rate.perSecond == nil)
        rate.admitted(60, at: 1_000_000)
        #expect(rate.perSecond == 1, "after a long pause the whole minute counts")
    }

    @Test func `takes no harm from time that goes back`() {
        var rate = AdmissionRate()
        rate.admitted(2, at: 90_000)
        rate.admitted(2, at: 10_000)
        rate.advance(to: 0)
        #expect(rate.perSecond == 4)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `equals a naive count`(seed: UInt64) {
        var random = Seeded(seed)
        var rate = AdmissionRate()
        var all: [(second: UInt64, count: Int)] = []
        var time: UInt64 = 5_000_000
        for _ in 0..<400 {
            time += .random(in: 0...9_000, using: &random)
            let count = Int.random(in: 0...3, using: &random)
            rate.admitted(count, at: time)
            all.append((time / 1000, count))
            let total = all.filter { $0.second + 60 > time / 1000 }.reduce(0) { $0 + $1.count }
            let window = min(60, time / 1000 - all[0].second + 1)
            #expect(rate.perSecond == (total >= 2 ? Double(total) / Double(window) : nil), "seed \(seed), time \(time)")
        }
    }

    @Test func `gives a range around the wait, or none`() throws {
        var rate = AdmissionRate()
        #expect(rate.estimate(position: 100, turnstile: nil) == nil)
        let byPace = try #require(rate.estimate(position: 100, turnstile: 2))
        #expect(byPace == (37_500, 76_000))
        rate.admitted(10, at: 0)
        let measured = try #require(rate.estimate(position: 100, turnstile: 2))
        #expect(measured == (7_500, 16_000), "what is measured rules over the pace")
        #expect(rate.estimate(position: 1 << 40, turnstile: nil) == nil, "a wait of centuries is no estimate")
        #expect(AdmissionRate().estimate(position: .max, turnstile: 0.0001) == nil)
        #expect(AdmissionRate().estimate(position: 1, turnstile: 0) == nil)
    }
}

@Suite struct `what is worth pushing` {
    @Test(
        arguments: [
            (shown: 5, position: 5, told: false), (5, 4, true), (20, 19, true), (21, 20, true), (99, 98, true),
            (150, 149, true),
            (199, 198, true),
            (200, 199, false), (200, 198, true), (1_000, 991, false), (1_000, 990, true), (1_000, 1_010, true),
            (1_000, 1_009, false),
            (100_000, 99_001, false), (100_000, 99_000, true), (100_000, 20, true), (5_000, 20, true), (0, 0, false),
            (0, 50_000, true),
            (50_000, 0, true),
        ] as [(shown: UInt64, position: UInt64, told: Bool)])
    func `every change near the head, one of a hundredth further back`(shown: UInt64, position: UInt64, told: Bool) {
        #expect(PushPolicy.isWorthTelling(position: position, shown: shown) == told)
    }

    /// Updates that one person gets who starts at a position and moves up one by one to the head.
    private func updates(from start: UInt64) -> Int {
        var shown = start
        var count = 0
        var position = start
        while position > 1 {
            position -= 1
            if PushPolicy.isWorthTelling(position: position, shown: shown) {
                shown = position
                count += 1
            }
        }
        return count
    }

    @Test(
        arguments: [
            (shown: nil, estimate: nil, elapsed: 0, told: false), (nil, 60_000, 0, true), (60_000, nil, 60_000, true),
            (60_000, 60_000, 0, false),
            // The client counts down by itself.
            (60_000, 40_000, 20_000, false), (60_000, 60_000, 20_000, true), (60_000, 20_000, 20_000, true),
            // A tenth off is good enough, and two seconds always are.
            (100_000, 82_000, 10_000, false), (100_000, 81_000, 10_000, true), (100_000, 99_000, 10_000, false),
            (5_000, 1_000, 2_500, false), (10_000, 2_000, 5_000, true),
        ] as [(shown: UInt64?, estimate: UInt64?, elapsed: UInt64, told: Bool)])
    func `an estimate that is off by more than a tenth`(shown: UInt64?, estimate: UInt64?, elapsed: UInt64, told: Bool) {
        let isTold = PushPolicy.isWorthTelling(
            estimate.map { Estimate(lowMs: $0 / 2, highMs: $0) }, shown: shown.map { Estimate(lowMs: $0 / 2, highMs: $0) },
            elapsedMilliseconds: elapsed)
        #expect(isTold == told)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a slow teller's uneven pace does not tell everybody at each admission`(seed: UInt64) {
        var random = Seeded(seed)
        let count: UInt64 = 1_000
        var line = LineView(.new)
        line.apply(.state(line: 0, .open), at: 0)
        for number in 1...count { line.apply(.joined(line: 0, joinNumber: number, token: number), at: 0) }
        struct Shown {
            var position: UInt64
            var estimate: Estimate?
            var at: UInt64 = 0
            var updates = 0
        }
        var people: [Int: Shown] = [:]
        for place in [200, 400, 600, 800, 1_000] { people[place] = Shown(position: UInt64(place)) }
        var time: UInt64 = 0
        var finished: [(place: Int, updates: Int)] = []
        // About six a minute, looked at once a second.
        for place in 1...count {
            let next = time + .random(in: 1_000...19_000, using: &random)
            while time < next {
                time += 1_000
                line.advance(to: time)
                look(at: time)
            }
            line.apply(.admitted(line: 0, place: place, token: place), at: time)
            if let ended = people.removeValue(forKey: Int(place)) { finished.append((Int(place), ended.updates)) }
            look(at: time)
        }
        func look(at time: UInt64) {
            for (place, shown) in people {
                let position = line.position(ofPlace: place)
                let estimate = line.estimate(position: position, policy: nil)
                guard
                    PushPolicy.isWorthTelling(position: position, shown: shown.position)
                        || PushPolicy.isWorthTelling(estimate, shown: shown.estimate, elapsedMilliseconds: time - shown.at)
                else { continue }
                people[place] = Shown(position: position, estimate: estimate, at: time, updates: shown.updates + 1)
            }
        }
        for (place, updates) in finished {
            #expect(updates < 2 * self.updates(from: UInt64(place)) + 100, "seed \(seed): place \(place)")
        }
        #expect(finished.count == 5)
    }

    @Test(
        arguments: [
            (deadline: 0, now: 100, ending: false), (160_000, 100_000, true), (160_001, 100_000, false),
            (90_000, 100_000, true),
        ] as [(deadline: UInt64, now: UInt64, ending: Bool)])
    func `what ends within a minute is announced`(deadline: UInt64, now: UInt64, ending: Bool) {
        #expect(PushPolicy.isEnding(deadline: deadline, now: now, whole: 600_000, most: 60_000) == ending)
    }

    @Test func `of something short, the last fifth is announced`() {
        #expect(PushPolicy.isEnding(deadline: 2_000, now: 0, whole: 10_000, most: 60_000))
        #expect(!PushPolicy.isEnding(deadline: 2_001, now: 0, whole: 10_000, most: 60_000))
    }
}
