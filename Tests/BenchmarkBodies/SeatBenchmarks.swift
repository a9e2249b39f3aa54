// Claims on seats: one compare-and-swap each, alone and fought over by two threads.

internal import SeatMap

extension Benchmark {
    /// Claims on the published image of the seats.
    public static var seats: [Benchmark] { [claim, lose, claimBest, contention(threads: 1), contention(threads: 2)] }

    private static var claim: Benchmark {
        Benchmark(
            "claim a seat", sizes: [50, 1_000, 50_000], of: "seats", testSize: 50, allocationsMax: 0,
            aimPerSecond: 10_000_000
        ) { size in
            let shard = SeatShard(seatCount: size)
            let rounds = max(1, 50_000 / size)
            var claims: [Claim] = []
            claims.reserveCapacity(size)
            return Prepared(operations: rounds * size, expecting: rounds * size) {
                claims.forEach { shard.undo($0) }
                claims.removeAll(keepingCapacity: true)
            } run: {
                var claimed = 0
                for round in 1...rounds {
                    for seat in 0..<size {
                        guard case .claimed(let claim) = shard.claim(UInt16(seat), by: ClaimID(loop: 0, ticket: UInt32(seat)))
                        else { return -1 }
                        claimed += 1
                        if round < rounds { shard.undo(claim) } else { claims.append(claim) }
                    }
                }
                return claimed
            }
        }
    }

    private static var lose: Benchmark {
        Benchmark(
            "be turned away from a sold seat", sizes: [50], of: "seats", testSize: 50, allocationsMax: 0
        ) { size in
            let shard = SeatShard(seatCount: size)
            for seat in 0..<size { shard.publish(seat, .sold, holder: 1) }
            return Prepared(operations: 2_000 * size, expecting: 2_000 * size) {
                var taken = 0
                for _ in 0..<2_000 {
                    for seat in 0..<size {
                        if case .taken = shard.claim(UInt16(seat), by: ClaimID(loop: 0, ticket: 1)) { taken += 1 }
                    }
                }
                return taken
            }
        }
    }

    private static var claimBest: Benchmark {
        Benchmark(
            "claim the best seat of a half-sold house", sizes: [50, 1_000, 50_000], of: "seats", testSize: 50, allocationsMax: 0
        ) { size in
            let shard = SeatShard(seatCount: size)
            for seat in 0..<size / 2 { shard.publish(seat, .sold, holder: 1) }
            let rounds = max(1, 1_000_000 / size)
            return Prepared(operations: rounds, expecting: rounds) {
                var claimed = 0
                for _ in 0..<rounds {
                    guard
                        case .claimed(let claim, _) = shard.claimBest(
                            count: 1, allowsScattered: true, by: ClaimID(loop: 0, ticket: 1))
                    else { return -1 }
                    claimed += shard.undo(claim)
                }
                return claimed
            }
        }
    }

    /// Everybody wants the same fifty seats: each thread claims them in turn, and gives back what it got.
    private static func contention(threads: Int) -> Benchmark {
        Benchmark(
            "claim and undo among \(threads == 1 ? "1 thread" : "\(threads) threads")", sizes: [50], of: "seats",
            testSize: 50
        ) { size in
            let shard = SeatShard(seatCount: size)
            let attempts = 500_000
            return Prepared(operations: attempts * threads, threads: threads, expecting: attempts * threads + size) {
                let got = inParallel(threads: threads) { thread in
                    var answered = 0
                    for attempt in 0..<attempts {
                        let id = ClaimID(loop: thread, ticket: UInt32(truncatingIfNeeded: attempt))
                        switch shard.claim(UInt16(attempt % size), by: id) {
                        case .claimed(let claim): answered += shard.undo(claim)
                        case .contended: answered += 1
                        case .taken, .invalid: break
                        }
                    }
                    return answered
                }
                // Each attempt was won and given back, or lost; and all seats are free again.
                return got + (0..<size).count { shard.state(of: $0).claimant == nil }
            }
        }
    }
}
