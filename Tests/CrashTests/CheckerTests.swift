import Testing
import UsherAPI

@testable import Campaign

/// A good sale passes, and each broken promise is found by the one thing that is wrong with it.
struct CheckerTests {
    private static let ada = Uuid(high: 1, low: 1)
    private static let bob = Uuid(high: 1, low: 2)

    private static func reservation(
        _ id: UInt64, seat: UInt32, _ state: ReservationState, from: UInt64 = 1_000, until: UInt64 = 0
    ) -> Reservation {
        Reservation(
            id: id, concert: "c", performance: "p", seats: [seat], state: state, price: 100, createdMs: from, endedMs: until)
    }

    private static func command(
        _ asked: CommandRecord.Asked, _ answer: CommandRecord.Answer?, at time: UInt64
    ) -> CommandRecord {
        CommandRecord(
            requestID: Uuid(high: 9, low: time), asked: asked, sent: time, ended: answer == nil ? .max : time + 5,
            end: answer.map { .done($0) } ?? .open)
    }

    private static func sighting(
        _ position: UInt64, _ state: TokenState, number: UInt64, ahead: UInt64 = 0, first: Bool = false
    )
        -> Sighting
    {
        Sighting(
            position: position, state: state, joinNumber: number, place: number, ahead: ahead, isFirst: first, isOwnJoin: first,
            heard: position)
    }

    /// Ada joins, pays and cancels; Bob waits for her, holds the same seat, releases it, pays it, all in order.
    private static func goodSale() -> Evidence {
        let charge = Transaction(id: 1, kind: .charge, amount: 150, balanceAfter: 150)
        var ada = ShopperLog(user: ada)
        let paid = Payment(id: 1, reservation: 1, concert: "c", performance: "p", seats: [1], amount: 100, paidMs: 1_100)
        ada.commands = [
            command(.join, .joined(number: 1), at: 10), command(.charge(150), .charged(charge), at: 30),
            command(.hold(performance: "p", seats: [1], best: 0), .held(reservation(1, seat: 1, .held)), at: 40),
            command(.pay(1), .paid(paid, balance: 50), at: 50),
            command(.cancel(1), .cancelled(reservation(1, seat: 1, .cancelled), refunded: 100, balance: 150), at: 60),
        ]
        ada.visits = [
            Visit(
                sightings: [
                    sighting(1, .waiting, number: 1, ahead: 1, first: true), sighting(3, .active, number: 1),
                    sighting(9, .ended, number: 1),
                ], hasPaid: true)
        ]
        var refunded = paid
        refunded.refundedMs = 1_200

        var bob = ShopperLog(user: bob)
        let sold = Payment(id: 2, reservation: 3, concert: "c", performance: "p", seats: [1], amount: 100, paidMs: 2_000)
        bob.commands = [
            command(.join, .joined(number: 2), at: 20),
            command(.charge(100), .charged(Transaction(id: 4, kind: .charge, amount: 100, balanceAfter: 100)), at: 70),
            command(.hold(performance: "p", seats: [1], best: 0), .held(reservation(2, seat: 1, .held, from: 1_200)), at: 80),
            command(.release(2), .released(reservation(2, seat: 1, .released, from: 1_200, until: 1_300)), at: 90),
            command(.hold(performance: "p", seats: [1], best: 0), .held(reservation(3, seat: 1, .held, from: 1_300)), at: 100),
            command(.pay(3), .paid(sold, balance: 0), at: 110),
        ]
        bob.visits = [
            Visit(
                sightings: [
                    sighting(2, .waiting, number: 2, ahead: 2, first: true), sighting(5, .waiting, number: 2, ahead: 1),
                    sighting(11, .active, number: 2), sighting(20, .ended, number: 2),
                ], hasPaid: true)
        ]
        var evidence = Evidence(shoppers: [ada, bob])
        evidence.audits = [
            Self.ada: Audit(
                transactions: [
                    charge, Transaction(id: 2, kind: .payment, amount: 100, balanceAfter: 50, reservation: 1),
                    Transaction(id: 3, kind: .refund, amount: 100, balanceAfter: 150, reservation: 1),
                ], payments: [refunded], reservations: [reservation(1, seat: 1, .cancelled, until: 1_200)]),
            Self.bob: Audit(
                transactions: [
                    Transaction(id: 4, kind: .charge, amount: 100, balanceAfter: 100),
                    Transaction(id: 5, kind: .payment, amount: 100, balanceAfter: 0, reservation: 3),
                ], payments: [sold],
                reservations: [
                    reservation(2, seat: 1, .released, from: 1_200, until: 1_300), reservation(3, seat: 1, .paid, from: 1_300),
                ]),
        ]
        evidence.seats = ["p": [1: .sold, 2: .available]]
        evidence.watched = evidence.seats
        evidence.testimonies = ["A", "B", "C"].map { name in
            Testimony(name: name, audits: evidence.audits, seats: evidence.seats, digests: [1_024: [1], 2_048: [2]])
        }
        evidence.testimonies[2].digests[1_024] = nil  // it has started since
        return evidence
    }

    @Test func `a good sale keeps every promise`() {
        #expect(Checker.violations(Self.goodSale()) == [])
    }

    @Test func `a command without an answer may have happened, or not`() {
        var evidence = Self.goodSale()
        evidence.shoppers[1].commands[5].end = .open
        #expect(Checker.violations(evidence) == [])
        evidence.audits[Self.bob]!.transactions.removeLast()
        evidence.audits[Self.bob]!.payments = []
        evidence.audits[Self.bob]!.reservations[1] = Self.reservation(3, seat: 1, .expired, from: 1_300, until: 5_000)
        evidence.seats["p"]![1] = .available
        evidence.watched = evidence.seats
        #expect(Checker.violations(evidence) == [])
    }

    private struct Doctored: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var promise: Violation.Promise
        var change: @Sendable (inout Evidence) -> Void

        init(_ what: String, _ promise: Violation.Promise, _ change: @escaping @Sendable (inout Evidence) -> Void) {
            testDescription = what
            self.promise = promise
            self.change = change
        }
    }

    private static let doctored: [Doctored] = [
        Doctored("an acknowledged charge is gone", .exactlyOnce) { $0.audits[ada]!.transactions.removeFirst() },
        Doctored("a charge happened twice", .exactlyOnce) {
            $0.audits[ada]!.transactions.insert(Transaction(id: 7, kind: .charge, amount: 150, balanceAfter: 300), at: 1)
        },
        Doctored("a charge of another amount", .exactlyOnce) { $0.audits[ada]!.transactions[0].amount = 151 },
        Doctored("transactions in another order", .exactlyOnce) { $0.audits[ada]!.transactions.swapAt(0, 1) },
        Doctored("a refused command happened", .exactlyOnce) { $0.shoppers[0].commands[1].end = .refused("NOT_STARTED") },
        Doctored("an acknowledged payment is gone", .exactlyOnce) { $0.audits[bob]!.payments = [] },
        Doctored("a payment nobody made", .exactlyOnce) {
            $0.audits[bob]!.payments.append(Payment(id: 9, reservation: 9, concert: "c", performance: "p", seats: [2]))
        },
        Doctored("a payment of another seat", .exactlyOnce) { $0.audits[bob]!.payments[0].seats = [2] },
        Doctored("a refund that was not given", .exactlyOnce) { $0.audits[ada]!.payments[0].refundedMs = 0 },
        Doctored("an acknowledged hold is gone", .exactlyOnce) { $0.audits[bob]!.reservations.removeFirst() },
        Doctored("a hold that nobody made", .exactlyOnce) {
            $0.audits[bob]!.reservations.append(reservation(8, seat: 2, .released, until: 1_001))
        },
        Doctored("a release that was forgotten", .exactlyOnce) { $0.audits[bob]!.reservations[0].state = .expired },
        Doctored("a paid reservation that ran out", .exactlyOnce) { $0.audits[bob]!.reservations[1].state = .expired },
        Doctored("a user that the server does not know", .exactlyOnce) { $0.audits[bob] = nil },
        Doctored("a balance that does not follow", .money) { $0.audits[ada]!.transactions[1].balanceAfter = 60 },
        Doctored("a balance below nothing", .money) {
            $0.audits[bob]!.transactions[1].amount = 200
            $0.audits[bob]!.transactions[1].balanceAfter = 0
        },
        Doctored("less than was acknowledged in all", .money) { $0.audits[ada]!.transactions.removeLast() },
        Doctored("two holders at one time", .seats) { $0.audits[ada]!.reservations[0].endedMs = 1_250 },
        Doctored("two owners", .seats) { $0.shoppers[0].commands.removeLast() },
        Doctored("a sold seat that is free in the map", .seats) { $0.seats["p"]![1] = .available },
        Doctored("a free seat that is sold in the map", .seats) { $0.seats["p"]![2] = .sold },
        Doctored("a watcher that missed a change", .seats) { $0.watched["p"]![1] = .held },
        Doctored("a join number given twice", .places) {
            $0.shoppers[1].commands[0].end = .done(.joined(number: 1))
        },
        Doctored("a join number given to nobody", .places) {
            $0.shoppers[1].commands[0].end = .done(.joined(number: 3))
        },
        Doctored("join numbers against the order of joining", .places) {
            $0.shoppers[0].commands[0].end = .done(.joined(number: 2))
            $0.shoppers[1].commands[0].end = .done(.joined(number: 1))
        },
        Doctored("back to another join number", .places) { $0.shoppers[1].visits[0].sightings[2].joinNumber = 3 },
        Doctored("back to another place", .places) { $0.shoppers[1].visits[0].sightings[2].place = 3 },
        Doctored("sent back to wait", .places) { $0.shoppers[1].visits[0].sightings[3].state = .waiting },
        Doctored("a position that grew", .places) { $0.shoppers[1].visits[0].sightings[1].ahead = 3 },
        Doctored("older news after newer", .places) { $0.shoppers[1].visits[0].sightings[2].position = 4 },
        Doctored("a place lost without leaving or paying", .places) { $0.shoppers[1].visits[0].hasPaid = false },
        Doctored("overtaken while waiting", .order) {
            // Bob becomes active while Ada, ahead of him, still waits.
            $0.shoppers[0].visits[0].sightings[1] = sighting(12, .waiting, number: 1, ahead: 1)
        },
        Doctored("an answer after the disk had failed", .failStop) { $0.outages = [Outage(noticed: 95, killed: 130)] },
        Doctored("an odd answer", .conduct) { $0.shoppers[0].oddities = ["TOKEN_INVALID"] },
        Doctored("a server that did not start", .conduct) { $0.serverFaults = ["corrupt"] },
        Doctored("overtaken while another server was hurt", .order) {
            $0.hurts = [Hurt(server: 1, from: 0, until: 100)]
            $0.shoppers[0].visits[0].sightings[1] = sighting(12, .waiting, number: 1, ahead: 1)
        },
        Doctored("a charge that one server has not heard of", .oneTruth) {
            $0.testimonies[1].audits[ada]!.transactions.removeFirst()
        },
        Doctored("a user whom one server does not know", .oneTruth) { $0.testimonies[2].audits[bob] = nil },
        Doctored("a seat that one server shows otherwise", .oneTruth) { $0.testimonies[1].seats["p"]![1] = .available },
        Doctored("a digest that differs", .oneTruth) { $0.testimonies[2].digests[2_048] = [3] },
        Doctored("an old digest that differs", .oneTruth) { $0.testimonies[1].digests[1_024] = [3] },
        Doctored("a server that says no digest any more", .oneTruth) { $0.testimonies[0].digests[2_048] = nil },
        Doctored("a server without a digest", .oneTruth) { $0.testimonies[1].digests = [:] },
    ]

    @Test(arguments: doctored)
    private func `a doctored log is found out`(_ doctored: Doctored) {
        var evidence = Self.goodSale()
        doctored.change(&evidence)
        let found = Checker.violations(evidence)
        #expect(found.contains { $0.promise == doctored.promise }, "\(found)")
    }

    @Test func `each promise has a log that breaks it`() {
        #expect(Set(Self.doctored.map(\.promise)) == Set(Violation.Promise.allCases))
    }

    @Test func `who was at a hurt server may be overtaken`() {
        var evidence = Self.goodSale()
        evidence.shoppers[0].visits[0].sightings = [
            Self.sighting(1, .waiting, number: 1, ahead: 1, first: true), Self.sighting(12, .waiting, number: 1, ahead: 1),
            Self.sighting(14, .active, number: 1), Self.sighting(15, .ended, number: 1),
        ]
        for hurt in [Hurt(server: 0, from: 0, until: 100), Hurt(isEverybody: true, from: 2, until: 11)] {
            evidence.hurts = [hurt]
            #expect(Checker.violations(evidence) == [])
        }
        // It was whole again before she came.
        evidence.hurts = [Hurt(server: 0, from: 0, until: 0)]
        #expect(Checker.violations(evidence).map(\.promise) == [.order])
    }

    @Test func `who was away may be overtaken`() {
        var evidence = Self.goodSale()
        // Ada came back only after Bob's admission; her return is not noted at once.
        evidence.shoppers[0].visits[0].sightings = [
            Self.sighting(1, .waiting, number: 1, first: true),
            Sighting(
                position: 13, state: .waiting, joinNumber: 1, place: 1, ahead: 1, isFirst: true, isOwnJoin: false, heard: 13),
            Self.sighting(14, .waiting, number: 1), Self.sighting(30, .active, number: 1), Self.sighting(40, .ended, number: 1),
        ]
        #expect(Checker.violations(evidence) == [])
    }
}
