import Testing

@testable import Reactor

struct TimerWheelTests {
    /// Everything that fires up to `now`.
    private func fired(_ wheel: inout TimerWheel<Int>, upTo now: UInt64, budget: Int = .max) -> [Int] {
        var left = budget
        var found: [Int] = []
        while let payload = wheel.popDue(now: now, budget: &left) { found.append(payload) }
        return found
    }

    @Test(
        arguments: [
            0, 1, 2, 255, 256, 257, 511, 512, 16_383, 16_384, 16_640, 1_048_575, 1_048_576, 67_108_864, 90_000_000, 400_000_000,
        ] as [UInt64])
    func `a timer fires in its millisecond, neither before nor after`(delay: UInt64) {
        for start in [0, 1, 100, 255, 256, 1_000_003, 1_048_575] as [UInt64] {
            var wheel = TimerWheel<Int>(now: start)
            _ = wheel.schedule(at: start + delay, 1)
            if delay > 0 {
                let early = fired(&wheel, upTo: start + delay - 1)
                #expect(early.isEmpty, "start \(start)")
            }
            let due = fired(&wheel, upTo: start + delay)
            #expect(due == [1], "start \(start)")
            let left = wheel.count
            #expect(left == 0)
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `random timers, cancellations and moves fire as in a sorted list`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var now = UInt64.random(in: 0...3_000_000, using: &random)
        var wheel = TimerWheel<Int>(now: now)
        var model: [Int: (deadline: UInt64, token: TimerToken)] = [:]
        var nextPayload = 0
        let spans: [UInt64] = [3, 300, 20_000, 2_000_000, 100_000_000]
        for _ in 0..<400 {
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let deadline = now + .random(in: 0...spans.randomElement(using: &random)!, using: &random)
                model[nextPayload] = (deadline, wheel.schedule(at: deadline, nextPayload))
                nextPayload += 1
            }
            if let victim = model.keys.sorted().randomElement(using: &random), Bool.random(using: &random) {
                let entry = model[victim]!
                if Bool.random(using: &random) {
                    let cancelled = wheel.cancel(entry.token)
                    #expect(cancelled)
                    let again = wheel.cancel(entry.token)
                    #expect(!again)
                    model[victim] = nil
                } else {
                    let deadline = now + .random(in: 0...spans.randomElement(using: &random)!, using: &random)
                    let moved = wheel.reschedule(entry.token, at: deadline)
                    #expect(moved)
                    model[victim]!.deadline = deadline
                }
            }
            let earliest = model.values.map(\.deadline).min()
            if let earliest, let wakeUp = wheel.nextWakeUp { #expect(wakeUp <= max(earliest, now + 1), "seed \(seed)") }
            let armed = wheel.nextWakeUp != nil
            #expect(armed == !model.isEmpty)
            now += .random(in: 0...spans.randomElement(using: &random)!, using: &random) / 4
            var order: [UInt64] = []
            // A small budget each time: what is due comes out in several calls.
            var previous = -1
            while previous != order.count {
                previous = order.count
                for _ in 0..<50 {
                    for payload in fired(&wheel, upTo: now, budget: 3) {
                        let entry = model.removeValue(forKey: payload)
                        #expect(entry != nil, "seed \(seed)")
                        order.append(entry?.deadline ?? 0)
                    }
                }
            }
            #expect(order.allSatisfy { $0 <= now })
            // A timer placed in a millisecond already fired moves to the next: those may be one apart.
            #expect(zip(order, order.dropFirst()).allSatisfy { $0 <= $1 + 1 }, "seed \(seed)")
            #expect(model.values.allSatisfy { $0.deadline > now || $0.deadline + 1 > now }, "seed \(seed)")
        }
    }

    @Test func `timers of one millisecond fire in the order they were scheduled`() {
        var wheel = TimerWheel<Int>(now: 10)
        for payload in 0..<50 { _ = wheel.schedule(at: 20, payload) }
        let order = fired(&wheel, upTo: 20)
        #expect(order == Array(0..<50))
    }

    @Test func `a timer that schedules itself at once does not keep a call busy`() {
        var wheel = TimerWheel<Int>(now: 5)
        _ = wheel.schedule(at: 5, 0)
        var budget = 1000
        var count = 0
        while wheel.popDue(now: 5, budget: &budget) != nil {
            count += 1
            _ = wheel.schedule(at: 5, count)
        }
        #expect(count == 1)
    }

    @Test func `the budget bounds one call, cascades included, and nothing is lost`() {
        var wheel = TimerWheel<Int>(now: 0)
        for payload in 0..<1000 { _ = wheel.schedule(at: 30_000, payload) }
        var calls = 0
        var total = 0
        while total < 1000, calls < 10_000 {
            total += fired(&wheel, upTo: 30_000, budget: 10).count
            calls += 1
        }
        #expect(total == 1000)
        #expect(calls >= 200, "each timer costs one firing and at least one cascade")
    }

    @Test func `a token of a fired timer names nobody, even when its place is used again`() {
        var wheel = TimerWheel<Int>(now: 0)
        let old = wheel.schedule(at: 1, 1)
        _ = fired(&wheel, upTo: 1)
        _ = wheel.schedule(at: 2, 2)
        let cancelled = wheel.cancel(old)
        #expect(!cancelled)
        let cancelledNone = wheel.cancel(.none)
        #expect(!cancelledNone)
        let due = fired(&wheel, upTo: 2)
        #expect(due == [2])
    }
}
