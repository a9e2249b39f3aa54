import Client
import Testing

/// SplitMix64 (Steele, Lea, Flood, 2014), for repeatable randomness.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

struct BackoffTests {
    @Test(arguments: [UInt64(1), 42, 4711])
    func `waits double up to the longest, each between half and the whole`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var backoff = Backoff.reconnecting
        for whole in [1, 2, 4, 8, 16, 32, 60, 60, 60].map({ UInt64($0) * 1000 }) {
            let wait = backoff.next(using: &random)
            #expect(wait >= whole / 2 && wait <= whole, "seed \(seed), wait \(backoff.count)")
        }
    }

    @Test func `those who failed together come back apart`() {
        var random = SeededGenerator(seed: 7)
        let waits = (0..<1000).map { _ in
            var backoff = Backoff.reconnecting
            return backoff.next(using: &random)
        }
        // Spread over the half second: each tenth of it gets its share.
        for tenth in 0..<10 {
            let start = 500 + UInt64(tenth) * 50
            #expect(waits.count { $0 >= start && $0 < start + 50 } > 50)
        }
    }

    @Test func `the same seed gives the same waits`() {
        func waits(_ seed: UInt64) -> [UInt64] {
            var random = SeededGenerator(seed: seed)
            var backoff = Backoff.repeating
            return (0..<20).map { _ in backoff.next(using: &random) }
        }
        #expect(waits(3) == waits(3))
        #expect(waits(3) != waits(4))
    }

    @Test func `a reset begins again, and a thousand failures overflow nothing`() {
        var random = SeededGenerator(seed: 1)
        var backoff = Backoff.repeating
        for _ in 0..<1000 { #expect(backoff.next(using: &random) <= 10_000) }
        backoff.reset()
        #expect(backoff.next(using: &random) <= 100)
    }
}
