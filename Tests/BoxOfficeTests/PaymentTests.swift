import BoxOffice
import Testing
import UsherAPI

struct PaymentTests {
    private func sale() -> Sale {
        let sale = Sale(.teller(1)) { $0.maxSeats = 4 }
        for user in ["ada", "bob"] { sale.join(user) }
        sale.charge("ada", 100)
        return sale
    }

    @Test func `paying moves money, seats, reservation, payment and line in one step`() {
        let sale = sale()
        sale.hold("ada", [1, 2])
        let outcome = sale.pay("ada", 1)
        let payment = Payment(
            id: 1, reservation: 1, concert: "gig", performance: "night", seats: [1, 2], amount: 40, paidMs: sale.now,
            refundedMs: 0)
        #expect(outcome == .done(.paid(payment, balance: 60)))
        #expect(sale.state(of: 1) == .sold)
        #expect(sale.office.balance(of: Uuid(user: "ada")) == 60)
        #expect(sale.office.reservation(1)?.reservation.state == .paid)
        #expect(sale.office.reservation(1)?.reservation.payment == 1)
        #expect(sale.last("ada")?.endReason == .paid)
        #expect(sale.token("bob")?.state == .active)
        #expect(sale.effects.lines == [.ended(line: 0, place: 1), .admitted(line: 0, place: 2, token: 2)])
        #expect(sale.effects.tokens == [1, 2])
        #expect(sale.office.stats(ofConcert: 0)?.revenue == 40)
    }

    @Test func `a short balance is refused with what is missing and the hold stays`() {
        let sale = sale()
        sale.putPerformance("night", concert: "gig", price: 70)
        sale.hold("ada", [1, 2])
        let refusal = sale.pay("ada", 1).refusal
        #expect(refusal?.code == .failedPrecondition)
        #expect(refusal?.reason == .insufficientBalance)
        #expect(refusal?.details.missingAmount == 40)
        #expect(sale.state(of: 1) == .held)
        sale.charge("ada", 40)
        #expect(sale.pay("ada", 1).isDone)
        #expect(sale.office.balance(of: Uuid(user: "ada")) == 0)
    }

    @Test func `only one's own held reservation can be paid, before its deadline`() {
        let sale = sale()
        #expect(sale.pay("ada", 1).reason == .unknownReservation)
        sale.hold("ada", [1])
        sale.hold("ada", [2])
        sale.release("ada", 2)
        #expect(sale.pay("ada", 2).reason == .reservationNotHeld)
        #expect(sale.pay("bob", 1).reason == .tokenWaiting)
        sale.advance(seconds: 150)
        sale.touch("ada")
        sale.advance(seconds: 150)
        #expect(sale.pay("ada", 1).reason == .holdExpired)
        #expect(sale.office.balance(of: Uuid(user: "ada")) == 100)
    }

    @Test func `another's reservation cannot be paid`() {
        let sale = Sale(.teller(2))
        for user in ["ada", "bob"] { sale.join(user) }
        sale.charge("bob", 100)
        sale.hold("ada", [1])
        #expect(sale.pay("bob", 1).refusal?.code == .permissionDenied)
    }

    @Test func `with another hold open the token stays after paying and ends PAID when that ends`() {
        let sale = sale()
        sale.hold("ada", [1])
        sale.hold("ada", [2])
        sale.pay("ada", 1)
        #expect(sale.token("ada")?.state == .active)
        sale.release("ada", 2)
        #expect(sale.last("ada")?.endReason == .paid)
        #expect(sale.token("bob")?.state == .active)
    }

    @Test func `a hold that expires after the token has paid for another ends it PAID too`() {
        let sale = sale()
        sale.hold("ada", [1])
        sale.hold("ada", [2])
        sale.pay("ada", 1)
        sale.advance(seconds: 300)
        #expect(sale.last("ada")?.endReason == .paid)
    }

    @Test func `leaving after a payment with a hold open is leaving`() {
        let sale = sale()
        sale.hold("ada", [1])
        sale.hold("ada", [2])
        sale.pay("ada", 1)
        sale.leave("ada")
        #expect(sale.last("ada")?.endReason == .left)
        #expect(sale.state(of: 1) == .sold)
        #expect(sale.state(of: 2) == .available)
    }

    // MARK: Cancelling

    @Test func `cancelling gives the money and the seats back and needs no token`() {
        let sale = sale()
        sale.hold("ada", [1, 2])
        sale.pay("ada", 1)
        let outcome = sale.cancel("ada", 1)
        #expect(outcome.reservation?.state == .cancelled)
        guard case .done(.cancelled(_, let refunded, let balance)) = outcome else { return }
        #expect(refunded == 40 && balance == 100)
        #expect(sale.state(of: 1) == .available)
        #expect(sale.office.payments(of: Uuid(user: "ada")).items.map(\.refundedMs) == [sale.now])
        #expect(sale.office.stats(ofConcert: 0)?.paid == 0)
        #expect(sale.cancel("ada", 1).reason == .reservationNotPaid)
    }

    @Test func `only what is one's own and paid can be cancelled`() {
        let sale = sale()
        sale.hold("ada", [1])
        #expect(sale.cancel("ada", 1).reason == .reservationNotPaid)
        #expect(sale.cancel("bob", 1).reason == .notYours)
        #expect(sale.cancel("ada", 9).reason == .unknownReservation)
    }

    @Test func `cancelling ends a set time before the performance`() {
        let sale = Sale(.teller(1)) { $0.cancelUntilMs = 10_000 }
        let starts = sale.now + 60_000
        sale.putPerformance("night", concert: "gig", starts: starts)
        sale.join("ada")
        sale.charge("ada", 100)
        sale.hold("ada", [1])
        sale.pay("ada", 1)
        sale.advance(milliseconds: 50_000)
        let refusal = sale.cancel("ada", 1).refusal
        #expect(refusal?.reason == .tooLateToCancel)
        #expect(refusal?.details.limit == starts - 10_000)
        sale.putPerformance("night", concert: "gig", starts: starts + 1)
        #expect(sale.cancel("ada", 1).isDone)
    }

    @Test func `a refund never carries the balance past its maximum`() {
        let sale = sale()
        sale.hold("ada", [1])
        sale.pay("ada", 1)
        sale.operate(.configure(Configure(accountNeedsNoToken: true, maxBalance: 90)))
        sale.charge("ada", 1)
        let refusal = sale.cancel("ada", 1).refusal
        #expect(refusal?.code == .outOfRange)
        #expect(sale.office.balance(of: Uuid(user: "ada")) == 81)
    }

    // MARK: Accounts

    static let amounts: [(UInt64, Reason?)] = [
        (0, .amountOutOfRange), (1, nil), (50, nil), (51, .amountOutOfRange), (.max, .amountOutOfRange),
    ]

    @Test(arguments: amounts)
    func `a charge is from one to the maximum`(amount: UInt64, reason: Reason?) {
        let sale = Sale()
        sale.join("ada")
        sale.operate(.configure(Configure(maxCharge: 50, maxBalance: 100)))
        #expect(sale.charge("ada", amount).reason == reason)
        #expect(sale.office.balance(of: Uuid(user: "ada")) == (reason == nil ? amount : 0))
    }

    @Test func `the balance never passes its maximum`() {
        let sale = Sale()
        sale.join("ada")
        sale.operate(.configure(Configure(maxCharge: 50, maxBalance: 100)))
        sale.charge("ada", 50)
        sale.charge("ada", 50)
        let refusal = sale.charge("ada", 1).refusal
        #expect(refusal?.code == .outOfRange)
        #expect(refusal?.reason == .balanceOutOfRange)
        #expect(sale.office.balance(of: Uuid(user: "ada")) == 100)
    }

    @Test func `charging needs an active token unless the sale says otherwise`() {
        let sale = Sale(.teller(1))
        sale.join("ada")
        sale.join("bob")
        #expect(sale.charge("bob", 5).reason == .tokenWaiting)
        #expect(sale.charge("cy", 5).reason == .tokenMissing)
        sale.operate(.configure(Configure(accountNeedsNoToken: true)))
        #expect(sale.charge("cy", 5).isDone)
    }

    @Test func `transactions, payments and reservations are listed newest first, page by page`() {
        let sale = sale()
        sale.charge("ada", 7)
        sale.hold("ada", [1])
        sale.pay("ada", 1)
        sale.cancel("ada", 1)
        let ada = Uuid(user: "ada")
        let all = sale.office.transactions(of: ada)
        #expect(all.items.map(\.kind) == [.refund, .payment, .charge, .charge])
        #expect(all.items.map(\.balanceAfter) == [107, 87, 107, 100])
        #expect(all.items.map(\.reservation) == [1, 1, 0, 0])
        let first = sale.office.transactions(of: ada, limit: 3)
        #expect(first.items.map(\.id) == [4, 3, 2] && first.more)
        let second = sale.office.transactions(of: ada, before: 2, limit: 3)
        #expect(second.items.map(\.id) == [1] && !second.more)
        #expect(sale.office.reservations(of: ada).items.map(\.state) == [.cancelled])
        #expect(sale.office.payments(of: Uuid(user: "nobody")).items.isEmpty)
    }
}
