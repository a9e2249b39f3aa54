import BoxOffice
import Testing
import UsherAPI

struct HoldTests {
    /// Ada and Bob active, Cy waiting; each may have four seats.
    private func sale(seats: UInt32 = 50, _ change: @escaping (inout ConcertSettings) -> Void = { _ in }) -> Sale {
        let sale = Sale(.teller(2), seats: seats) {
            $0.maxSeats = 4
            change(&$0)
        }
        for user in ["ada", "bob", "cy"] { sale.join(user) }
        return sale
    }

    @Test func `a hold sets seats aside at the price of the moment until its deadline`() {
        let sale = sale()
        let held = sale.hold("ada", [7, 5]).reservation
        #expect(held?.seats == [5, 7])
        #expect(held?.state == .held)
        #expect(held?.price == 40)
        #expect(held?.deadlineMs == sale.now + 300_000)
        #expect(sale.effects.seats.map(\.seat) == [5, 7])
        #expect(sale.effects.seats.map(\.revision) == [1, 2])
        #expect(sale.effects.tokens == [1])
        sale.putPerformance("night", concert: "gig", price: 99)
        #expect(sale.office.reservation(1)?.reservation.price == 40)
        #expect(sale.hold("bob", [6]).reservation?.price == 99)
    }

    @Test func `taken seats clash, are named, and nothing of the hold happens`() {
        let sale = sale()
        sale.hold("ada", [2, 3])
        let refusal = sale.hold("bob", [1, 2, 3, 4]).refusal
        #expect(refusal?.code == .aborted)
        #expect(refusal?.reason == .seatTaken)
        #expect(refusal?.details.seats == [2, 3])
        #expect(sale.state(of: 1) == .available)
        #expect(sale.effects.seats.isEmpty)
    }

    static let badHolds: [(seats: [UInt32], best: UInt32, reason: Reason, named: [UInt32])] = [
        ([], 0, .invalidField, []), ([1, 1], 0, .invalidField, []), ([0], 0, .unknownSeat, [0]),
        ([51, 3, 70_000], 0, .unknownSeat, [51, 70_000]), (Array(1...65), 0, .invalidField, []), ([], 65, .invalidField, []),
        (Array(1...5), 0, .tooManySeats, []), ([], 5, .tooManySeats, []), ([], .max, .invalidField, []),
    ]

    @Test(arguments: badHolds.indices)
    func `what cannot be held is refused`(index: Int) {
        let sale = sale()
        let bad = Self.badHolds[index]
        let refusal = sale.hold("ada", bad.seats, best: bad.best).refusal
        #expect(refusal?.reason == bad.reason)
        #expect(refusal?.details.seats == bad.named)
        #expect(sale.office.performance(0)?.available == 50)
    }

    @Test func `an unknown performance is not found, one of another concert needs its token`() {
        let sale = sale()
        sale.putConcert("other", .teller(1))
        sale.putPerformance("else", concert: "other")
        #expect(sale.hold("ada", [1], in: "nothing").reason == .unknownPerformance)
        #expect(sale.hold("ada", [1], in: "else").reason == .tokenMissing)
    }

    @Test func `max seats counts what the user holds and owns of the performance, whatever token bought it`() {
        let sale = sale()
        sale.charge("ada", 1_000)
        let first = sale.hold("ada", [1, 2, 3])
        let refusal = sale.hold("ada", [4, 5]).refusal
        #expect(refusal?.code == .alreadyExists)
        #expect(refusal?.details.limit == 4)
        sale.pay("ada", first.reservationId)
        sale.join("ada")
        sale.leave("bob")
        sale.leave("cy")
        #expect(sale.token("ada")?.state == .active)
        #expect(sale.hold("ada", [4, 5]).reason == .tooManySeats)
        #expect(sale.hold("ada", [4]).isDone)
        sale.putPerformance("matinee", concert: "gig")
        #expect(sale.hold("ada", [1, 2], in: "matinee").isDone)
    }

    @Test func `one seat each is the default`() {
        let sale = Sale()
        sale.join("ada")
        #expect(sale.hold("ada", [1, 2]).reason == .tooManySeats)
        #expect(sale.hold("ada", [1]).isDone)
        #expect(sale.hold("ada", [2]).reason == .tooManySeats)
    }

    // MARK: Best available

    @Test func `best available takes the suggestion if it is free, and chooses for itself if not`() {
        let sale = sale()
        #expect(sale.hold("ada", [10, 11], best: 2).reservation?.seats == [10, 11])
        #expect(sale.hold("bob", [11, 12], best: 2).reservation?.seats == [1, 2])
    }

    @Test(arguments: [[UInt32](), [3], [3, 3], [0, 1], [50, 51], [1, 2, 3]])
    func `a suggestion that makes no sense does not fail the hold`(suggestion: [UInt32]) {
        #expect(sale().hold("ada", suggestion, best: 2).reservation?.seats == [1, 2])
    }

    @Test func `too few free seats and none at all are told apart`() {
        let sale = sale(seats: 5)
        sale.hold("ada", [1, 2, 4])
        let refusal = sale.hold("bob", [], best: 3).refusal
        #expect(refusal?.reason == .notEnoughSeats)
        #expect(refusal?.details.limit == 2)
        #expect(sale.hold("bob", [], best: 2).reservation?.seats == [3, 5])
        #expect(sale.hold("bob", [], best: 1).reason == .soldOut)
    }

    // MARK: The token

    @Test func `holding needs an active token of one's own`() {
        let sale = sale()
        #expect(sale.hold("ada", [1], token: 0).refusal?.code == .unauthenticated)
        #expect(sale.hold("ada", [1], token: 77).reason == .tokenInvalid)
        #expect(sale.hold("ada", [1], token: 2).reason == .tokenInvalid)
        let waiting = sale.hold("cy", [1]).refusal
        #expect(waiting?.code == .permissionDenied)
        #expect(waiting?.details.queuePosition == 1)
        sale.leave("ada")
        let ended = sale.hold("ada", [1], token: 1).refusal
        #expect(ended?.code == .permissionDenied)
        #expect(ended?.details.endReason == .left)
    }

    @Test func `a performance that has started sells no more, what is held can be paid`() {
        let sale = sale()
        sale.charge("ada", 100)
        sale.putPerformance("night", concert: "gig", starts: sale.now + 1_000)
        let held = sale.hold("ada", [1])
        sale.advance(seconds: 1)
        #expect(sale.hold("bob", [2]).reason == .performanceStarted)
        #expect(sale.pay("ada", held.reservationId).isDone)
    }

    // MARK: Ends of a hold

    @Test func `an unpaid hold expires at its deadline and the holder and all watchers are told`() {
        let sale = sale()
        sale.hold("ada", [1, 2])
        sale.advance(milliseconds: 299_999)
        #expect(sale.state(of: 1) == .held)
        sale.advance(milliseconds: 1)
        #expect(sale.state(of: 1) == .available)
        #expect(sale.office.reservation(1)?.reservation.state == .expired)
        #expect(sale.effects.seats.map(\.state) == [.available, .available])
        #expect(sale.effects.tokens == [1])
        #expect(sale.token("ada")?.reservations.map(\.state) == [.expired])
    }

    @Test func `release gives the seats back at once`() {
        let sale = sale()
        sale.hold("ada", [1, 2])
        let released = sale.release("ada", 1)
        #expect(released.reservation?.state == .released)
        #expect(sale.hold("bob", [1, 2]).isDone)
        #expect(sale.release("ada", 1).reason == .reservationNotHeld)
        #expect(sale.release("ada", 2).reason == .notYours)
        #expect(sale.release("ada", 3).reason == .unknownReservation)
        #expect(sale.release("ada", 0).reason == .unknownReservation)
    }

    @Test func `no call moves a hold's deadline`() {
        let sale = sale()
        let deadline = sale.hold("ada", [1]).reservation?.deadlineMs
        sale.advance(seconds: 100)
        sale.touch("ada")
        sale.hold("ada", [2])
        sale.join("ada")
        #expect(sale.office.reservation(1)?.reservation.deadlineMs == deadline)
    }

    @Test func `leaving releases the holds in the same step and lets the next in`() {
        let sale = sale()
        sale.hold("ada", [1, 2])
        sale.hold("ada", [3])
        sale.leave("ada")
        for seat in 1...3 { #expect(sale.state(of: seat) == .available) }
        #expect(sale.office.reservation(1)?.reservation.state == .released)
        #expect(sale.token("cy")?.state == .active)
    }
}

struct ActiveTimeTests {
    private func sale() -> Sale {
        let sale = Sale(.teller(1)) {
            $0.maxSeats = 4
            $0.activeTtlMs = 100_000
            $0.idleTtlMs = 30_000
            $0.holdTtlMs = 60_000
        }
        for user in ["ada", "bob"] { sale.join(user) }
        return sale
    }

    @Test func `an active token ends when its time is over and the next is admitted in the same step`() {
        let sale = sale()
        for _ in 0..<4 {
            sale.advance(milliseconds: 24_999)
            sale.touch("ada")
        }
        sale.advance(milliseconds: 3)
        #expect(sale.token("ada")?.state == .active)
        sale.advance(milliseconds: 1)
        #expect(sale.last("ada")?.endReason == .expired)
        #expect(sale.token("bob")?.state == .active)
        #expect(sale.token("bob")?.admittedAt == sale.now)
    }

    @Test func `an active token ends without a call for the idle time`() {
        let sale = sale()
        sale.advance(milliseconds: 29_999)
        #expect(sale.token("ada")?.state == .active)
        sale.advance(milliseconds: 1)
        #expect(sale.last("ada")?.endReason == .expired)
    }

    @Test func `touches and commands begin the idle time anew`() {
        let sale = sale()
        sale.advance(seconds: 20)
        sale.touch("ada")
        #expect(sale.effects.tokens == [1])
        sale.advance(seconds: 20)
        sale.charge("ada", 5)
        sale.advance(seconds: 20)
        sale.hold("ada", [99])
        sale.advance(milliseconds: 29_999)
        #expect(sale.token("ada")?.state == .active)
        sale.advance(milliseconds: 1)
        #expect(sale.last("ada")?.endReason == .expired)
    }

    @Test func `another's command does not keep a token from idling`() {
        let sale = sale()
        sale.advance(seconds: 20)
        sale.run("bob", .leave(Leave(concert: "gig")), token: 1)
        sale.advance(seconds: 10)
        #expect(sale.last("ada")?.endReason == .expired)
    }

    @Test func `while a hold is open neither clock ends the token, and no new hold starts after its time`() {
        let sale = sale()
        sale.advance(seconds: 20)
        sale.touch("ada")
        sale.advance(seconds: 25)
        sale.hold("ada", [1])
        sale.advance(seconds: 45)
        sale.hold("ada", [2])
        sale.advance(seconds: 30)
        #expect(sale.token("ada")?.state == .active)
        #expect(sale.hold("ada", [3]).reason == .activeTimeOver)
        sale.advance(seconds: 31)
        #expect(sale.last("ada")?.endReason == .expired)
        #expect(sale.token("bob")?.state == .active)
    }

    @Test func `after an expired hold the idle time begins anew`() {
        let sale = sale()
        sale.hold("ada", [1])
        sale.advance(seconds: 60)
        #expect(sale.office.reservation(1)?.reservation.state == .expired)
        #expect(sale.token("ada")?.idleUntil == sale.now + 30_000)
        sale.advance(milliseconds: 29_999)
        #expect(sale.token("ada")?.state == .active)
        sale.advance(milliseconds: 1)
        #expect(sale.last("ada")?.endReason == .expired)
    }

    @Test func `releasing the last hold after the active time ends the token`() {
        let sale = sale()
        sale.advance(seconds: 20)
        sale.touch("ada")
        sale.advance(seconds: 29)
        sale.hold("ada", [1])
        sale.advance(seconds: 50)
        sale.hold("ada", [2])
        sale.advance(seconds: 5)
        sale.release("ada", 1)
        #expect(sale.token("ada")?.state == .active)
        sale.release("ada", 2)
        #expect(sale.last("ada")?.endReason == .expired)
        #expect(sale.token("bob")?.state == .active)
    }
}
