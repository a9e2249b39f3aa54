import Client
import Reactor
import Server
import Testing
import UsherAPI

/// Seats, holds, money: over real connections.
@Suite(.timeLimit(.minutes(1)))
struct BuyingTests {
    /// A client whose turn it is.
    private func buyer(_ sale: TestSale, _ user: Uuid = .test()) async throws -> (UsherClient, Pushes<LineUpdate>) {
        let client = try await sale.client(user)
        let pushes = client.line.join("aurora")
        _ = try await pushes.first { $0.state == .active }
        return (client, pushes)
    }

    @Test func `hold, charge, pay: the seats are sold, the money is gone, the turn has ended`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora")
            let (client, pushes) = try await buyer(sale)
            let hold = try await client.reservations.hold(performance: "aurora-1", bestAvailable: 2)
            #expect(hold.seats == [1, 2] && hold.price == 2_000 && hold.state == .held)
            #expect(await refusal { _ = try await client.payments.pay(hold.id) } == .insufficientBalance)
            #expect(try await client.accounts.charge(5_000).balance == 5_000)
            let paid = try await client.payments.pay(hold.id)
            #expect(paid.balance == 3_000 && paid.payment?.seats == [1, 2])
            let end = try await pushes.first { $0.state == .ended }
            #expect(end.endReason == .paid && end.reservations.first?.state == .paid)
            #expect(try await client.payments.list().count == 1)
            #expect(try await client.reservations.cancel(hold.id).refunded == 2_000)
            #expect(try await client.accounts.transactions().map(\.kind) == [.refund, .payment, .charge])
        }
    }

    @Test func `of two who want one seat exactly one gets it, and the other is told which seat clashes`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora")
            let (ada, _) = try await buyer(sale)
            let (bob, _) = try await buyer(sale)
            async let one = refusal { _ = try await ada.reservations.hold(performance: "aurora-1", seats: [7]) }
            async let two = refusal { _ = try await bob.reservations.hold(performance: "aurora-1", seats: [7]) }
            let refusals = await [one, two].compactMap { $0 }
            #expect(refusals.count == 1 && (refusals[0] == .seatTaken || refusals[0] == .seatContended))
        }
    }

    @Test func `a watcher sees a hold, its release and a sale, and a resumed watch just what it missed`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora")
            let (ada, _) = try await buyer(sale)
            let (bob, _) = try await buyer(sale)
            var board = SeatBoard(performance: "aurora-1")
            var watch = ada.catalogue.watchSeats(of: "aurora-1").makeAsyncIterator()
            var last = try #require(try await watch.next())
            board.apply(last)
            #expect(last.reset && board.seatsLeft == 10)
            let hold = try await bob.reservations.hold(performance: "aurora-1", seats: [3, 4])
            while board[4]?.state != .held {
                last = try #require(try await watch.next())
                board.apply(last)
            }
            #expect(board.seatsLeft == 8 && !last.reset)
            let seen = last.sequence
            _ = try await bob.reservations.release(hold.id)
            var resumed = ada.catalogue.watchSeats(of: "aurora-1", after: seen).makeAsyncIterator()
            let missed = try #require(try await resumed.next())
            #expect(
                !missed.reset && missed.list.seats.map(\.number) == [3, 4]
                    && missed.list.seats.allSatisfy { $0.state == .available })
        }
    }

    @Test func `a hold that is not paid runs out, and its holder is told`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora") { $0.holdTtlMs = 1_000 }
            let (client, pushes) = try await buyer(sale)
            let hold = try await client.reservations.hold(performance: "aurora-1", seats: [1])
            _ = try await pushes.first { update in update.reservations.contains { $0.id == hold.id && $0.state == .expired } }
            #expect(try await client.catalogue.seats(of: "aurora-1").seatsLeft == 10)
            #expect(await refusal { _ = try await client.payments.pay(hold.id) } == .holdExpired)
        }
    }

    @Test func `a repeat of a request id gets the first outcome; with other contents it is refused`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora")
            let (client, _) = try await buyer(sale)
            let id = Uuid.test()
            let first = try await client.reservations.hold(performance: "aurora-1", seats: [5], CallSettings(requestID: id))
            let again = try await client.reservations.hold(
                performance: "aurora-1", seats: [5], CallSettings(requestID: id, attempts: 1))
            #expect(first == again)
            #expect(
                await refusal {
                    _ = try await client.reservations.hold(
                        performance: "aurora-1", seats: [6], CallSettings(requestID: id, attempts: 1))
                } == .requestIDReused)
        }
    }

    @Test func `a repeat gets the first outcome on a connection that knows no place, too`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora")
            let user = Uuid.test()
            let (client, _) = try await buyer(sale, user)
            let id = Uuid.test()
            let first = try await client.reservations.hold(performance: "aurora-1", seats: [5], CallSettings(requestID: id))
            let elsewhere = try await sale.client(user)
            let again = try await elsewhere.reservations.hold(
                performance: "aurora-1", seats: [5], CallSettings(requestID: id, attempts: 1))
            #expect(first == again)
            #expect(
                await refusal {
                    _ = try await elsewhere.reservations.hold(
                        performance: "aurora-1", seats: [6], CallSettings(requestID: .test(), attempts: 1))
                } == .tokenMissing)
        }
    }

    @Test func `sold out is said, not shown as an empty list`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora", seats: 2)
            let (client, _) = try await buyer(sale)
            _ = try await client.reservations.hold(performance: "aurora-1", bestAvailable: 2)
            let response: ListPerformancesResponse = try await client.call(
                .listPerformances, ListPerformancesRequest(concert: "aurora"),
                CallSettings(queueToken: client.queueToken(of: "aurora")))
            #expect(response.performances.isEmpty && response.availability == .soldOut)
            let (other, _) = try await buyer(sale)
            #expect(
                await refusal { _ = try await other.reservations.hold(performance: "aurora-1", bestAvailable: 1) } == .soldOut)
        }
    }

    @Test func `the rules of seats and money are refusals with a reason`() async throws {
        try await withSale({ $0.maxCharge = 500 }) { sale in
            try await sale.putOn("aurora") { $0.maxSeats = 2 }
            let (client, _) = try await buyer(sale)
            let holds = client.reservations
            #expect(await refusal { _ = try await holds.hold(performance: "aurora-1", seats: [11]) } == .unknownSeat)
            #expect(await refusal { _ = try await holds.hold(performance: "aurora-1", seats: [1, 1]) } == .invalidField)
            #expect(await refusal { _ = try await holds.hold(performance: "aurora-1", seats: []) } == .invalidField)
            #expect(await refusal { _ = try await holds.hold(performance: "aurora-1", seats: [1, 2, 3]) } == .tooManySeats)
            #expect(await refusal { _ = try await holds.hold(performance: "nowhere", seats: [1]) } == .unknownPerformance)
            #expect(await refusal { _ = try await holds.release(99) } == .unknownReservation)
            #expect(await refusal { _ = try await client.accounts.charge(501) } == .amountOutOfRange)
            #expect(await refusal { _ = try await client.accounts.charge(0) } == .amountOutOfRange)
        }
    }

    @Test func `who waits, or is nobody, may not buy`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora") { $0.policy = AdmissionPolicy(maxActive: 1) }
            let (_, _) = try await buyer(sale)
            let waiting = try await sale.client()
            _ = try await waiting.line.join("aurora").first { $0.state == .waiting }
            #expect(
                await refusal { _ = try await waiting.reservations.hold(performance: "aurora-1", seats: [1]) } == .tokenWaiting)
            let stranger = try await sale.client()
            #expect(await refusal { _ = try await stranger.catalogue.seats(of: "aurora-1") } == .tokenMissing)
            #expect(await refusal { _ = try await stranger.operators.stats() } == .operatorsOnly)
        }
    }
}
