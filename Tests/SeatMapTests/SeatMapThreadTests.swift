import Glibc
import SeatMap
import Synchronization
import Testing

// Threads fighting for few seats. Issues are counted on the threads and checked after they have ended. The suite also runs
// under `swift test --sanitize=thread --filter SeatMapTests`, where plain numbers guarded by claims check the memory order, too.

/// Counts what the threads of a test saw.
private final class Counts: Sendable {
    let winners = Atomic(0), seatsWon = Atomic(0), wrong = Atomic(0), loopsDone = Atomic(0)
    func fail() { wrong.add(1, ordering: .relaxed) }
    var failures: Int { wrong.load(ordering: .relaxed) }
}

/// Claims on their way from the loops to the sequencer.
private final class Commands: Sendable {
    private let claims = Mutex<[Claim]>([])
    func put(_ claim: Claim) { claims.withLock { $0.append(claim) } }
    func takeAll() -> [Claim] {
        claims.withLock { claims in
            let all = claims
            claims = []
            return all
        }
    }
}

@Suite(.serialized) struct SeatMapThreadTests {
    @Test func `of all who claim one seat in a round exactly one wins`() {
        let threads = 4, rounds = 1500
        let shard = SeatShard(seatCount: 1), barrier = Barrier(threads), counts = Counts()
        onThreads(threads) { thread in
            for round in 0..<rounds {
                barrier.wait()
                let result = shard.claim(0, by: ClaimID(loop: thread, ticket: UInt32(round)))
                switch result {
                case .claimed: counts.winners.add(1, ordering: .relaxed)
                case .contended: break
                case .taken, .invalid: counts.fail()
                }
                barrier.wait()
                if thread == 0, counts.winners.exchange(0, ordering: .relaxed) != 1 { counts.fail() }
                barrier.wait()
                if case .claimed(let claim) = result, shard.undo(claim) != 1 { counts.fail() }
            }
        }
        #expect(counts.failures == 0)
        #expect(shard.state(of: 0).claimant == nil)
    }

    @Test func `of overlapping wishes for several seats somebody wins every round, and winners share no seat`() {
        let threads = 4, rounds = 1500, seats = 6
        let shard = SeatShard(seatCount: seats), barrier = Barrier(threads), counts = Counts()
        let owners = PlainNumbers(count: seats)
        onThreads(threads) { thread in
            var random = SeededGenerator(seed: UInt64(thread))
            for round in 0..<rounds {
                let wish = Array((0..<UInt16(seats)).shuffled(using: &random).prefix(Int.random(in: 2...4, using: &random)))
                barrier.wait()
                let result = shard.claim(wish, by: ClaimID(loop: thread, ticket: UInt32(round)))
                if case .claimed(let claim) = result {
                    counts.winners.add(1, ordering: .relaxed)
                    // Two winners with one seat would both add here, and race.
                    for claimed in claim.seats { owners[Int(claimed.seat)] += 1 }
                }
                barrier.wait()
                if thread == 0 {
                    if counts.winners.exchange(0, ordering: .relaxed) == 0 { counts.fail() }
                    for seat in 0..<seats {
                        if owners[seat] > 1 { counts.fail() }
                        // Seats of losers are free again: nothing leaks.
                        if (owners[seat] == 1) != (shard.state(of: seat).claimant != nil) { counts.fail() }
                        owners[seat] = 0
                    }
                }
                barrier.wait()
                if case .claimed(let claim) = result, shard.undo(claim) != claim.seats.count { counts.fail() }
            }
        }
        #expect(counts.failures == 0)
    }

    @Test func `a claim excludes all others from its seats and hands them over whole`() {
        let threads = 4, rounds = 6000, seats = 3
        let shard = SeatShard(seatCount: seats), counts = Counts()
        let guarded = PlainNumbers(count: seats)
        onThreads(threads) { thread in
            var random = SeededGenerator(seed: UInt64(thread + 100))
            for round in 0..<rounds {
                let id = ClaimID(loop: thread, ticket: UInt32(round))
                var won: Claim?
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    if case .claimed(let claim) = shard.claim(UInt16.random(in: 0..<3, using: &random), by: id) { won = claim }
                case 1:
                    if case .claimed(let claim) = shard.claim([2, 0], by: id) { won = claim }
                default:
                    if case .claimed(let claim, _) = shard.claimBest(count: 2, allowsScattered: true, by: id) { won = claim }
                }
                guard let won else { continue }
                // Alone with these seats: what the last claimant added is seen, since its undo released and our claim acquired.
                for claimed in won.seats { guarded[Int(claimed.seat)] += 1 }
                counts.seatsWon.add(won.seats.count, ordering: .relaxed)
                if shard.undo(won) != won.seats.count { counts.fail() }
            }
        }
        #expect(counts.failures == 0)
        #expect((0..<seats).reduce(0) { $0 + guarded[$1] } == counts.seatsWon.load(ordering: .relaxed))
        #expect(counts.seatsWon.load(ordering: .relaxed) > 0)
        for seat in 0..<seats { #expect(shard.state(of: seat).claimant == nil) }
    }

    @Test func `loops, sequencer and another instance's holds leave the truth in the words and no claim behind`() {
        let loops = 3, rounds = 6000, seats = 5
        let shard = SeatShard(seatCount: seats), counts = Counts(), commands = Commands()
        let decided = Atomic(0)
        onThreads(loops + 1) { thread in
            var random = SeededGenerator(seed: UInt64(thread + 200))
            guard thread == loops else {
                for round in 0..<rounds {
                    let id = ClaimID(loop: thread, ticket: UInt32(round))
                    var wish: [UInt16] = [UInt16.random(in: 0..<UInt16(seats), using: &random)]
                    if Bool.random(using: &random) { wish.append((wish[0] + 1) % UInt16(seats)) }
                    guard case .claimed(let claim) = shard.claim(wish, by: id) else { continue }
                    if Bool.random(using: &random) { commands.put(claim) } else { shard.undo(claim) }
                }
                counts.loopsDone.add(1, ordering: .acquiringAndReleasing)
                return
            }
            // The sequencer: its own truth decides, as the state machine does.
            var truth = [UInt32](repeating: 0, count: seats)  // 0: free
            var revision: UInt32 = 0
            while true {
                let isLast = counts.loopsDone.load(ordering: .acquiring) == loops
                let batch = commands.takeAll()
                for claim in batch {
                    revision += 1
                    if claim.seats.allSatisfy({ truth[Int($0.seat)] == 0 }) {
                        for claimed in claim.seats {
                            truth[Int(claimed.seat)] = revision
                            shard.publish(Int(claimed.seat), .held, holder: revision)
                        }
                        decided.add(1, ordering: .relaxed)
                    }
                    shard.settle(claim)
                }
                revision += 1
                let seat = Int.random(in: 0..<seats, using: &random)
                // Half the seats are released at once; the rest becomes another instance's, whatever claims there are.
                truth[seat] = truth[seat] == 0 && Bool.random(using: &random) ? revision : 0
                shard.publish(seat, truth[seat] == 0 ? .available : .held, holder: truth[seat])
                for seat in 0..<seats where shard.state(of: seat).holder ?? 0 != truth[seat] { counts.fail() }
                if shard.freeCount != truth.count(where: { $0 == 0 }) { counts.fail() }
                if isLast, batch.isEmpty { break }
                sched_yield()
            }
        }
        #expect(counts.failures == 0)
        #expect(decided.load(ordering: .relaxed) > 0)
        for seat in 0..<seats { #expect(shard.state(of: seat).claimant == nil) }
    }
}
