import Calls
import Client
import Reactor
import Testing
import UsherAPI
import Wire

@testable import Server

/// Clients that ask and never read, one and a thousand of them.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct StuckReaderTests {
    /// What may wait for one client: the bound of its streams and answers, the answer that passed it, and the refusals of
    /// the calls behind.
    private static let bound = CallLimits.visitor.outputBytes + CallLimits.visitor.messageBytes + 32 * 200

    /// A page of concerts of some 40 KB: the largest answer that anybody may ask for, without a name even.
    private func fillPage(_ sale: TestSale) async throws {
        let office = try await sale.operatorClient()
        defer { office.close() }
        for number in 0..<100 {
            var settings = ConcertSettings()
            settings.id = "concert-\(number)"
            settings.title = String(repeating: "t", count: 200)
            settings.venue = String(repeating: "v", count: 200)
            settings.policy = AdmissionPolicy(maxActive: 1)
            _ = try await office.operators.putConcert(settings)
        }
    }

    private static let calls: ClosedRange<UInt32> = 1...12
    /// As many lists as the kernel's buffers, the server's bound and then some hold.
    private static let question = WebSocketFrame(
        Opcode.binary, calls.flatMap { UsherFrame.open($0, .listConcerts, ListConcertsRequest()).bytes }
    ).bytes

    @Test func `who asks for much and reads nothing makes the server hold no more than its bound`() async throws {
        try await withSale({ $0.loops = 1 }) { sale in
            try await fillPage(sale)
            let client = try await sale.rawCalls(nil)
            client.pauseReading()
            client.send((1...32).map { .open($0, .listConcerts, ListConcertsRequest()) })
            try await sale.wait(until: "refusals_total") { $0 > 0 }
            #expect(try await sale.bytesWaiting() <= Self.bound)
            // More questions stay unread. One message or several, they find no room.
            client.send((33...64).map { .open($0, .listConcerts, ListConcertsRequest()) })
            try await sale.rawCalls().roundTrip()
            #expect(try await sale.bytesWaiting() <= Self.bound)
            client.resumeReading()
            var refused = 0
            for call in 1...UInt32(64) {
                let close = try await client.close(call)
                #expect(close.code == .ok || close.reason == "NOT_STARTED", "\(call): \(close.reason)")
                if close.reason == "NOT_STARTED" {
                    refused += 1
                    #expect(close.code == .unavailable && close.details?.retryAfterMs ?? 0 > 0)
                }
            }
            #expect(refused > 0 && refused < 60)
            try await client.roundTrip()
        }
    }

    @Test func `a thousand who never read cost the others no write, and the server their bound each`() async throws {
        try await withSale({ $0.loops = 1 }) { sale in
            try await fillPage(sale)
            try await sale.putOn("aurora")
            let stuck = try await withThrowingTaskGroup { group in
                for _ in 0..<1_000 { group.addTask { try await sale.rawCalls(nil) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let before = try await questions(sale)
            for client in stuck {
                client.pauseReading()
                client.send(Self.question)
            }
            try await sale.wait { try await questions(sale) >= before + stuck.count * Self.calls.count }
            let waiting = try await sale.bytesWaiting()
            #expect(waiting > stuck.count * 16_000, "they are stuck")
            #expect(waiting <= stuck.count * Self.bound)

            // Of the honest one: a handshake, an upgrade, WELCOME, updates, forty answers. The kernel may take a little more
            // for each stuck one, once, when it finds room; so of several visits one shows it.
            var spent = Int.max
            for _ in 0..<10 where spent > 150 {
                let writes = try await sale.metric("writes_total")
                try await sale.serveSomebody(holds: 20)
                spent = try await sale.metric("writes_total") - writes
            }
            #expect(spent <= 150, "writes for one visit: the stuck ones cost nothing")
            #expect(try await sale.metric("connections") >= stuck.count)
            #expect(try await sale.bytesWaiting() <= stuck.count * Self.bound)

            // Whoever reads again has lost nothing.
            let patient = stuck[500]
            patient.resumeReading()
            for call in Self.calls {
                let close = try await patient.close(call)
                #expect(close.code == .ok || close.reason == "NOT_STARTED")
            }
            try await patient.roundTrip()
        }
    }

    /// Calls that were answered or refused.
    private func questions(_ sale: TestSale) async throws -> Int {
        try await sale.metric("calls_total") + sale.metric("refusals_total")
    }

    @Test func `who is 10,000 changes behind gets the present seats in one message`() async throws {
        try await withSale({
            $0.loops = 1
            $0.limits = .patient(opens: .unlimited)
        }) { sale in
            try await fillPage(sale)
            try await sale.putOn("aurora", seats: 16) { $0.maxSeats = 16 }
            let (slow, _) = try await sale.active()
            slow.send(.open(2, .watchSeats, WatchSeatsRequest(performance: "aurora-1")) { $0.credit = .max })
            #expect(try await slow.seats(2).1.seats.count == 16)
            slow.pauseReading()
            slow.send((3...31).map { .open($0, .listConcerts, ListConcertsRequest()) })
            try await sale.wait(until: "refusals_total") { $0 > 0 }
            // Read when the kernel has found a little more room: stuck again.
            slow.send((32...60).map { .open($0, .listConcerts, ListConcertsRequest()) })

            // 16 seats held and given back are 32 changes; a user has 256 request ids.
            for _ in 0..<4 {
                let buyer = try await sale.client()
                defer { buyer.close() }
                _ = try await buyer.line.join("aurora").first { $0.state == .active }
                for _ in 0..<80 {
                    let hold = try await buyer.reservations.hold(performance: "aurora-1", bestAvailable: 16)
                    _ = try await buyer.reservations.release(hold.id)
                }
            }
            let last = try await sale.client()
            _ = try await last.line.join("aurora").first { $0.state == .active }
            _ = try await last.reservations.hold(performance: "aurora-1", seats: [5])
            #expect(try await sale.bytesWaiting() <= Self.bound)

            slow.resumeReading()
            var messages = 0
            var five = SeatState.available
            while five != .held {
                let (_, list) = try await slow.seats(2)
                messages += 1
                for seat in list.seats where seat.number == 5 { five = seat.state }
            }
            #expect(messages <= 4, "not 10,241; as a rule one, the whole of the seats anew")
            try await slow.roundTrip()
        }
    }
}
