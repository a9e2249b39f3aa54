import BoxOffice
import Foundation
import Sequencer
import Testing
import UsherAPI

@testable import Server

/// A line that drains, looked at on the tick as a loop looks at it, with some of those who wait.
private struct DrainingLine {
    struct Person {
        let place: Int
        var shown = ShownProspect()
        var updates = 0
        /// The longest time for which the position shown was off by a hundredth or more.
        var longestOff: UInt64 = 0
        /// Since when it has been.
        var offSince: UInt64?
    }

    let count: Int
    let policy: AdmissionPolicy
    private(set) var people: [Person]
    private(set) var served: [Person] = []
    private(set) var line = LineView(.new)
    private(set) var now: UInt64 = 0
    private var admitted = 0

    /// - Parameter places: of the people who are looked at.
    init(_ count: Int, policy: AdmissionPolicy, places: [Int]) {
        self.count = count
        self.policy = policy
        line.apply(.state(line: 0, .open), at: 0)
        for number in 1...UInt64(count) { line.apply(.joined(line: 0, joinNumber: number, token: number), at: 0) }
        people = places.sorted().map { Person(place: $0) }
        for index in people.indices { tell(index) }
    }

    var isEmpty: Bool { admitted == count }

    /// A tick later, with so many admitted in between.
    mutating func tick(admitting batch: Int) {
        now += PushPolicy.tickMilliseconds
        for place in (admitted + 1)..<(min(admitted + batch, count) + 1) {
            line.apply(.admitted(line: 0, place: UInt64(place), token: UInt64(place)), at: now - 1)
        }
        admitted = min(admitted + batch, count)
        line.advance(to: now)
        while let first = people.first, first.place <= admitted { served.append(people.removeFirst()) }
        for index in people.indices {
            let shown = people[index].shown
            let prospect = prospect(index)
            if !shown.isQuiet(position: prospect.position, now: now), shown.isOutdated(by: prospect, now: now) { tell(index) }
            watch(index)
        }
    }

    private func prospect(_ index: Int) -> Prospect { line.prospect(ofPlace: people[index].place, policy: policy) }

    private mutating func tell(_ index: Int) {
        people[index].shown.show(prospect(index), now: now)
        people[index].updates += 1
    }

    /// What the person sees after the tick's update, if there was one.
    private mutating func watch(_ index: Int) {
        let shown = people[index].shown.prospect.position
        let position = line.position(ofPlace: people[index].place)
        guard PushPolicy.isWorthTelling(position: position, shown: shown) else {
            people[index].offSince = nil
            return
        }
        // The change may have come right after the tick before.
        let since = people[index].offSince ?? now - PushPolicy.tickMilliseconds
        people[index].offSince = since
        people[index].longestOff = max(people[index].longestOff, now - since)
        #expect(position > PushPolicy.nearHead, "near the head nothing waits longer than the tick")
    }
}

@Suite struct `a line that drains` {
    /// One fan's messages at a steady rate: one a tick for the last second, then ten each time the wait is e times as long,
    /// one in two seconds up to 200 s, and a hundred each time the wait is e times as long.
    static func steadyBound(place: Int, perSecond: Double) -> Double {
        let wait = Double(place) / perSecond
        var messages = Double(PushPolicy.nearHead) + min(wait, 1) * 10
        if wait > 1 { messages += 10 * log(min(wait, 20)) }
        if wait > 20 { messages += (min(wait, 200) - 20) / 2 }
        if wait > 200 { messages += 100 * log(wait / 200) }
        return min(messages, Double(place) + 10)
    }

    struct Pace: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let batch: Int
        let ticks: Int

        var perSecond: Double { Double(batch) * 10 / Double(ticks) }

        init(_ name: String, batch: Int, eachTicks ticks: Int) {
            testDescription = name
            self.batch = batch
            self.ticks = ticks
        }
    }

    @Test(arguments: [
        Pace("one a second", batch: 1, eachTicks: 10), Pace("20 each 300 ms", batch: 20, eachTicks: 3),
        Pace("100 each second", batch: 100, eachTicks: 10), Pace("100 each tick", batch: 100, eachTicks: 1),
    ])
    func `of 10,000 costs few messages, and nobody sees an old position for long`(pace: Pace) {
        // Each stands for the 500 up to it.
        var line = DrainingLine(
            10_000, policy: AdmissionPolicy(batch: UInt32(pace.batch), intervalMs: UInt32(pace.ticks * 100)),
            places: Array(stride(from: 500, through: 10_000, by: 500)))
        var tick = 0
        while !line.isEmpty {
            line.tick(admitting: tick % pace.ticks == 0 ? pace.batch : 0)
            tick += 1
        }
        #expect(line.served.count == 20)
        for person in line.served {
            let bound = Self.steadyBound(place: person.place, perSecond: pace.perSecond)
            // Half as many again for estimates that change while the rate is being found out.
            #expect(Double(person.updates) <= bound * 1.5 + 10, "place \(person.place): \(person.updates), \(bound)")
            #expect(
                person.longestOff <= PushPolicy.longestQuiet + PushPolicy.tickMilliseconds,
                "place \(person.place) saw an old position for \(person.longestOff) ms")
        }
        let total = line.served.reduce(0) { $0 + $1.updates } * 500
        // Every change to everybody would be 50 million, and O(n log n) is 10,000 times some hundreds.
        #expect(total <= 10_000 * 600, "\(total)")
        print("\(pace.testDescription): \(total / 10_000) messages a fan")
    }

    @Test func `ten times as long costs each of its last the same number of messages more, not ten times as many`() {
        let last = [1_000, 10_000, 100_000, 1_000_000].map { Self.steadyBound(place: $0, perSecond: 1) }
        #expect(last[2] - last[1] < 240 && last[3] - last[2] < 240, "\(last)")
    }

    @Test(
        arguments: [
            (position: 1, wait: 0, quiet: 0), (20, 600_000, 0), (21, 600_000, 2_000), (100, 900, 90), (100, 9_000, 900),
            (5_000, 20_100, 2_000), (5_000, 3_600_000, 2_000),
        ] as [(position: UInt64, wait: UInt64, quiet: UInt64)])
    func `a tenth of the wait is quiet, at most two seconds, and nothing near the head`(
        position: UInt64, wait: UInt64, quiet: UInt64
    ) {
        #expect(PushPolicy.quiet(position: position, estimate: Estimate(lowMs: wait * 3 / 4, highMs: wait * 3 / 2)) == quiet)
    }

    @Test(arguments: [(20, 0), (21, 210), (150, 1_500), (200, 2_000), (1 << 60, 2_000)] as [(position: UInt64, quiet: UInt64)])
    func `without an estimate the position says how long`(position: UInt64, quiet: UInt64) {
        #expect(PushPolicy.quiet(position: position, estimate: nil) == quiet)
    }
}
