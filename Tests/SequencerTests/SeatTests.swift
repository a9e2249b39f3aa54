import BoxOffice
import SeatMap
import Sequencer
import Testing
import UsherAPI

enum ClaimIDs {
    static let one = ClaimID(loop: 0, ticket: 1)
    static let two = ClaimID(loop: 1, ticket: 2)
}

@Suite struct `claims and the published seats` {
    let world: World
    let ada: UInt64
    let bob: UInt64

    init() throws {
        world = try World()
        try world.open()
        ada = try world.join(user: 1)
        bob = try world.join(user: 2)
    }

    private func claim(_ seats: [UInt16], by id: ClaimID = ClaimIDs.one) throws -> SeatClaim {
        guard case .claimed(let claim) = world.shard.claim(seats, by: id) else { throw NotClaimed() }
        return SeatClaim(shard: world.shard, claim: claim)
    }

    private struct NotClaimed: Error {}

    private func hold(_ seats: [UInt32], best: UInt32 = 0, user: UInt64 = 1, token: UInt64) -> Command {
        world.command(.hold(Hold(performance: "p", seats: seats, bestAvailable: best)), user: user, token: token)
    }

    /// What the image shows of seats counted from 1.
    private func shown(_ seats: Int...) -> [SeatMap.SeatState] { seats.map { world.shard.state(of: $0 - 1).state } }

    private var claimed: [Int] { (0..<10).filter { world.shard.state(of: $0).claimant != nil }.map { $0 + 1 } }

    @Test func `a claim that wins is HELD by its reservation, then SOLD, then AVAILABLE again`() throws {
        let reservation = try #require(try world.run(hold([3, 4], token: ada), claim: claim([2, 3]))?.reservation)
        #expect(shown(2, 3, 4, 5) == [.available, .held, .held, .available])
        #expect(world.shard.state(of: 2).holder == UInt32(reservation.id))
        #expect(world.shard.freeCount == 8 && claimed.isEmpty)

        try world.run(world.command(.charge(Charge(amount: 200)), token: ada))
        try world.run(world.command(.pay(Pay(reservation: reservation.id)), token: ada))
        #expect(shown(3, 4) == [.sold, .sold])

        try world.run(world.command(.cancel(CancelReservation(reservation: reservation.id))))
        #expect(shown(3, 4) == [.available, .available])
        #expect(world.shard.freeCount == 10)
    }

    @Test func `a release makes seats AVAILABLE`() throws {
        let first = try #require(try world.run(hold([1], token: ada))?.reservation)
        try world.run(world.command(.release(Release(reservation: first.id)), token: ada))
        #expect(shown(1) == [.available])
    }

    @Test func `an expiry by the clock alone makes seats AVAILABLE`() throws {
        let world = try World()
        try world.open(holdMilliseconds: 1_000)
        let token = try world.join(user: 1)
        try world.run(world.command(.hold(Hold(performance: "p", seats: [2])), token: token))
        #expect(world.shard.state(of: 1).state == .held)
        world.advance(1_000)
        #expect(try world.append() == [[]])
        try world.commit()
        #expect(world.shard.state(of: 1).state == .available)
    }

    @Test func `a claim behind another instance's entry is undone, and says who has the seat`() throws {
        let mine = try claim([4, 5])
        world.submit(hold([5, 6], token: ada), ticket: 1, claim: mine)
        try world.append()
        try world.foreign([hold([6], user: 2, token: bob)], number: 1)
        try world.commit()
        let outcome = world.takeAnswers().first?.outcome
        #expect(outcome?.reason == .seatTaken)
        if case .refused(let refusal) = outcome { #expect(refusal.details.seats == [6]) }
        #expect(shown(5, 6) == [.available, .held])
        #expect(claimed.isEmpty, "seat 5 can be claimed again")
    }

    @Test func `the claim of a command that is refused is undone`() throws {
        let outcome = try world.run(hold([7], user: 9, token: ada), claim: claim([6]))
        #expect(outcome?.reason == .tokenInvalid)
        #expect(shown(7) == [.available] && claimed.isEmpty)
    }

    @Test func `best available falls back to other seats, and frees the ones suggested`() throws {
        let mine = try claim([0, 1])
        world.submit(hold([1, 2], best: 2, token: ada), ticket: 1, claim: mine)
        try world.append()
        try world.foreign([hold([1], user: 2, token: bob)], number: 1)
        try world.commit()
        let reservation = try #require(world.takeAnswers().first?.outcome?.reservation)
        #expect(reservation.seats == [2, 3])
        #expect(shown(1, 2, 3, 4) == [.held, .held, .held, .available])
        #expect(claimed.isEmpty)
    }

    @Test func `a claim that the loop has made meanwhile on a seat just released survives`() throws {
        let first = try #require(try world.run(hold([1], token: ada))?.reservation)
        world.submit(world.command(.release(Release(reservation: first.id)), token: ada))
        try world.append()
        try world.commit()
        _ = try claim([0], by: ClaimIDs.two)
        try world.run(world.command(.touched(Touched())))
        #expect(claimed == [1])
    }

    @Test func `a claim stands until its entry is back`() throws {
        world.submit(hold([1], token: ada), ticket: 1, claim: try claim([0]))
        try world.append()
        #expect(claimed == [1])
        if case .claimed = world.shard.claim(0, by: ClaimIDs.two) { Issue.record("claimed twice") }
        try world.commit()
        #expect(claimed.isEmpty && shown(1) == [.held])
    }

    @Test func `a performance that is changed keeps its image; a new one gets its own`() throws {
        try world.run(hold([1], token: ada))
        let shard = world.shard
        var changed = World.performance
        changed.prices = [PriceBand(firstSeat: 1, lastSeat: 10, price: 300)]
        try world.run(world.command(.putPerformance(changed)))
        var second = World.performance
        second.id = "q"
        second.seatCount = 3
        second.prices = [PriceBand(firstSeat: 1, lastSeat: 3, price: 1)]
        try world.run(world.command(.putPerformance(second)))
        #expect(world.shard === shard && shown(1) == [.held])
        #expect(world.catalogue.performances.map(\.priceRange) == [300...300, 1...1])
        #expect(world.catalogue.performances.map(\.shard.seatCount) == [10, 3])
        #expect(world.catalogue.performance("q") == 1)
    }

    @Test func `a sequencer on a restored state shows what the snapshot says`() throws {
        try world.run(hold([1, 2], token: ada))
        let office = try BoxOffice(snapshot: world.sequencer.office.snapshot())
        let restored = Sequencer(office: office, instance: 1, incarnation: World.incarnation + 1)
        let shard = restored.catalogue.performances[0].shard
        #expect((0..<10).map { shard.state(of: $0).state } == (0..<10).map { world.shard.state(of: $0).state })
        #expect(shard.freeCount == 8)
    }
}
