import SeatMap
import Testing

/// The claim, or a recorded failure.
func claimed(_ result: ClaimResult) throws -> Claim {
    guard case .claimed(let claim) = result else {
        Issue.record("not claimed: \(result)")
        throw NotClaimed()
    }
    return claim
}
struct NotClaimed: Error {}

@Suite struct SeatShardTests {
    let first = ClaimID(loop: 0, ticket: 1)
    let second = ClaimID(loop: 255, ticket: 0xFF_FFFF)

    @Test(arguments: [1, 2, 50, 65_535]) func `a new shard has every seat available`(count: Int) {
        let shard = SeatShard(seatCount: count)
        #expect((0..<count).allSatisfy { shard.state(of: $0).state == .available })
        #expect(shard.freeCount == count)
        #expect(shard.state(of: count - 1).version == 0)
    }

    @Test func `a claim reads as available, names its claimant, and moves the version by one`() throws {
        let shard = SeatShard(seatCount: 3)
        let claim = try claimed(shard.claim(1, by: second))
        #expect(claim.id == second)
        #expect(claim.seats.map(\.seat) == [1])
        let word = shard.state(of: 1)
        #expect(word.state == .available)
        #expect(word.claimant == second)
        #expect(word.claimant?.loop == 255)
        #expect(word.claimant?.ticket == 0xFF_FFFF)
        #expect(word.holder == nil)
        #expect(word.version == 1)
        #expect(shard.freeCount == 3)
        #expect(shard.undo(claim) == 1)
        #expect(shard.state(of: 1).claimant == nil)
        #expect(shard.state(of: 1).version == 2)
    }

    @Test func `a ticket counts by its lower 24 bits`() {
        #expect(ClaimID(loop: 3, ticket: 0x0100_0007) == ClaimID(loop: 3, ticket: 7))
        #expect(ClaimID(loop: 3, ticket: 7) != ClaimID(loop: 4, ticket: 7))
    }

    @Test func `held and sold are published with their holder and counted`() {
        let shard = SeatShard(seatCount: 2)
        #expect(shard.publish(0, .held, holder: .max))
        #expect(shard.state(of: 0).state == .held)
        #expect(shard.state(of: 0).holder == .max)
        #expect(shard.freeCount == 1)
        #expect(!shard.publish(0, .held, holder: .max))
        #expect(shard.state(of: 0).version == 1)
        #expect(shard.publish(0, .held, holder: 5))
        #expect(shard.publish(0, .sold, holder: 5))
        #expect(shard.freeCount == 1)
        #expect(shard.publish(0, .available))
        #expect(!shard.publish(0, .available))
        #expect(shard.state(of: 0).holder == nil)
        #expect(shard.freeCount == 2)
    }

    @Test func `a seat clashes as taken with a hold and as contended with a claim`() throws {
        let shard = SeatShard(seatCount: 3)
        shard.publish(0, .held, holder: 1)
        shard.publish(1, .sold, holder: 1)
        _ = try claimed(shard.claim(2, by: first))
        #expect(shard.claim(0, by: second) == .taken(seats: [0]))
        #expect(shard.claim(1, by: second) == .taken(seats: [1]))
        #expect(shard.claim(2, by: second) == .contended(seats: [2]))
    }

    @Test func `several seats are claimed all or none, and every clash is named`() throws {
        let shard = SeatShard(seatCount: 8)
        shard.publish(2, .held, holder: 1)
        shard.publish(5, .sold, holder: 1)
        _ = try claimed(shard.claim(3, by: first))
        _ = try claimed(shard.claim(6, by: first))
        #expect(shard.claim([0, 2, 3, 5], by: second) == .taken(seats: [2, 5]))
        #expect(shard.claim([7, 6, 0, 3], by: second) == .contended(seats: [3, 6]))
        for seat in [0, 1, 4, 7] { #expect(shard.state(of: seat).version == 0, "seat \(seat) was touched") }
        let claim = try claimed(shard.claim([7, 0, 4], by: second))
        #expect(claim.seats.map(\.seat) == [0, 4, 7])
        #expect(shard.undo(claim) == 3)
    }

    @Test(
        arguments: [([], []), ([3], [3]), ([.max], [.max]), ([0, 3, 9], [3, 9]), ([1, 0, 1], [1]), ([3, 3], [3, 3])]
            as [([UInt16], [UInt16])])
    func `seats that don't exist, doubles and nothing are invalid and touch nothing`(seats: [UInt16], invalid: [UInt16]) {
        let shard = SeatShard(seatCount: 3)
        #expect(shard.claim(seats, by: first) == .invalid(seats: Few(invalid)))
        for seat in 0..<3 { #expect(shard.state(of: seat).version == 0) }
    }

    @Test func `publishing wins over a claim, and neither undo nor settle takes it back`() throws {
        let shard = SeatShard(seatCount: 2)
        let claim = try claimed(shard.claim([0, 1], by: first))
        shard.publish(0, .held, holder: 9)
        #expect(shard.settle(claim) == 1)
        #expect(shard.state(of: 0).holder == 9)
        #expect(shard.state(of: 1).claimant == nil)
        #expect(shard.undo(claim) == 0)
        #expect(shard.freeCount == 1)
    }

    @Test func `publishing AVAILABLE leaves a claim standing`() throws {
        let shard = SeatShard(seatCount: 1)
        let claim = try claimed(shard.claim(0, by: first))
        #expect(!shard.publish(0, .available))
        #expect(shard.state(of: 0).claimant == first)
        #expect(shard.settle(claim) == 1)
    }

    @Test func `a late undo does not end a newer claim under the same ticket`() throws {
        let shard = SeatShard(seatCount: 1)
        let old = try claimed(shard.claim(0, by: first))
        shard.publish(0, .held, holder: 1)
        shard.publish(0, .available)
        let new = try claimed(shard.claim(0, by: first))
        #expect(shard.undo(old) == 0)
        #expect(shard.settle(old) == 0)
        #expect(shard.state(of: 0).claimant == first)
        #expect(shard.undo(new) == 1)
    }

    @Test func `a list of few is the array it was made of`() {
        for count in 0...4 {
            let array = (0..<count).map { UInt16($0 * 3) }
            #expect(Array(Few(array)) == array)
            #expect(Few(array).count == count)
        }
        #expect(Array(Few(one: UInt16(7))) == [7])
    }
}

@Suite struct BestClaimTests {
    let me = ClaimID(loop: 1, ticket: 1)
    let other = ClaimID(loop: 2, ticket: 1)

    private func seats(_ result: BestClaimResult) -> [UInt16]? {
        if case .claimed(let claim, _) = result { claim.seats.map(\.seat) } else { nil }
    }

    @Test func `claims of others are stepped around`() throws {
        let shard = SeatShard(seatCount: 6)
        _ = try claimed(shard.claim(1, by: other))
        // 0 is an orphan between the end of the row and the claim.
        #expect(seats(shard.claimBest(count: 1, allowsScattered: false, by: me)) == [0])
        #expect(seats(shard.claimBest(count: 2, allowsScattered: false, by: me)) == [2, 3])
        #expect(shard.state(of: 2).claimant == me)
    }

    @Test func `scattered seats are given only if allowed`() throws {
        let shard = SeatShard(seatCount: 5)
        shard.publish(1, .held, holder: 1)
        shard.publish(3, .sold, holder: 1)
        #expect(shard.claimBest(count: 2, allowsScattered: false, by: me) == .notTogether)
        let result = shard.claimBest(count: 2, allowsScattered: true, by: me)
        #expect(seats(result) == [0, 2])
        if case .claimed(_, let isTogether) = result { #expect(!isTogether) }
    }

    @Test func `claims in the way make it contended, holds make it too few`() throws {
        let shard = SeatShard(seatCount: 2)
        let claim = try claimed(shard.claim(0, by: other))
        #expect(shard.claimBest(count: 2, allowsScattered: true, by: me) == .contended)
        #expect(shard.claimBest(count: 2, allowsScattered: false, by: me) == .contended)
        #expect(shard.claimBest(count: 3, allowsScattered: true, by: me) == .tooFew(free: 2))
        #expect(shard.claimBest(count: 0, allowsScattered: true, by: me) == .tooFew(free: 2))
        #expect(shard.claimBest(count: -1, allowsScattered: true, by: me) == .tooFew(free: 2))
        shard.publish(0, .held, holder: 1)
        shard.settle(claim)
        #expect(shard.claimBest(count: 2, allowsScattered: true, by: me) == .tooFew(free: 1))
    }
}
