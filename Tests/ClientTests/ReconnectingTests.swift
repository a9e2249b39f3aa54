import Calls
import Client
import Reactor
import Testing
import UsherAPI

/// The client library against a server that misbehaves to order.
@Suite(.timeLimit(.minutes(1)))
struct ReconnectingTests {
    private func options() -> ClientOptions {
        var options = ClientOptions()
        options.reconnecting = Backoff(firstMilliseconds: 5, longestMilliseconds: 20)
        options.repeating = Backoff(firstMilliseconds: 2, longestMilliseconds: 10)
        options.callTimeout = .seconds(20)
        return options
    }

    private func client(_ server: ScriptedServer, _ change: (inout ClientOptions) -> Void = { _ in }) async throws
        -> UsherClient
    {
        var options = options()
        change(&options)
        return try await UsherClient.connect(to: [server.url], identity: .user(Uuid(high: 9, low: 9)), options: options)
    }

    private func opened(_ server: ScriptedServer, _ method: UsherAPI.Method) -> [Arrived] {
        server.arrived.filter { $0.kind == .opened(method) }
    }

    @Test func `a command whose answer was lost is sent again under its id, as another attempt`() async throws {
        let server = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.charge) else { return }
            if peer.number == 1 { peer.abort() } else { peer.reply(arrived.call, ChargeResponse(balance: 5)) }
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        #expect(try await client.accounts.charge(5).balance == 5)
        let charges = opened(server, .charge)
        #expect(charges.map(\.connection) == [1, 2])
        #expect(charges.map(\.attempts) == [0, 1])
        #expect(charges[0].requestID != nil)
        #expect(charges[0].requestID == charges[1].requestID)
    }

    @Test(arguments: [
        (Reason.notStarted, [UInt32(0), 0]), (.seatContended, [0, 0]), (.rateLimited, [0, 0]), (.outcomeUnknown, [0, 1]),
        (.journalUnavailable, [0, 1]),
    ])
    func `what the server asks to repeat is repeated, and counts as an attempt only if it may have begun`(
        reason: Reason, attempts: [UInt32]
    ) async throws {
        let server = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.hold) else { return }
            if arrived.call == CallID(1) {
                peer.refuse(arrived.call, reason, details: ErrorDetails(retryAfterMs: 1))
            } else {
                peer.reply(arrived.call, HoldResponse(reservation: Reservation(id: 3)))
            }
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        #expect(try await client.reservations.hold(performance: "p", seats: [1]).id == 3)
        let holds = opened(server, .hold)
        #expect(holds.map(\.attempts) == attempts)
        #expect(Set(holds.map(\.requestID)).count == 1)
    }

    @Test func `a refusal that stands is thrown with its details, and not repeated`() async throws {
        let server = try ScriptedServer { arrived, peer in
            guard arrived.call != nil else { return }
            peer.refuse(arrived.call, .seatTaken, details: ErrorDetails(seats: [4]))
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        let error = await #expect(throws: UsherError.self) { try await client.reservations.hold(performance: "p", seats: [4]) }
        #expect(error?.reason == .seatTaken)
        #expect(error?.status?.details?.seats == [4])
        #expect(opened(server, .hold).count == 1)
    }

    @Test func `a line stream goes on after a lost connection, with the token it has`() async throws {
        let server = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.join) else { return }
            switch peer.number {
            case 1:
                peer.message(
                    arrived.call, sequence: 1,
                    LineUpdate(state: .waiting, position: 7, queueToken: "token-7", concert: "aurora"))
                peer.loop.schedule(after: 1) { peer.abort() }
            default:
                peer.message(arrived.call, sequence: 9, LineUpdate(state: .ended, endReason: .left))
                peer.end(arrived.call)
            }
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        var states: [TokenState] = []
        for try await update in client.line.join("aurora") { states.append(update.state) }
        #expect(states == [.waiting, .ended])
        let joins = opened(server, .join)
        #expect(joins.map(\.queueToken) == [nil, "token-7"])
        #expect(joins[0].requestID == joins[1].requestID)
        #expect(client.queueToken(of: "aurora") == nil)
    }

    @Test func `a watch resumes after the last change, but not from within a snapshot`() async throws {
        let server = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.watchSeats) else { return }
            let seat = Seat(number: 1, price: 1, state: .available)
            switch peer.number {
            case 1:  // the first part only
                peer.message(
                    arrived.call, sequence: 5, reset: true, SeatList(performance: "p", seats: [seat], seatsLeft: 2, nextSeat: 2)
                )
                peer.loop.schedule(after: 1) { peer.abort() }
            case 2:  // a whole snapshot and a change
                peer.message(arrived.call, sequence: 6, reset: true, SeatList(performance: "p", seats: [seat], seatsLeft: 1))
                peer.message(arrived.call, sequence: 7, SeatList(seats: [Seat(number: 1, state: .held)]))
                peer.loop.schedule(after: 1) { peer.abort() }
            default:
                peer.message(arrived.call, sequence: 8, SeatList(seats: [Seat(number: 1, state: .sold)]))
                peer.end(arrived.call)
            }
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        var board = SeatBoard(performance: "p")
        var sequences: [UInt64] = []
        for try await change in client.catalogue.watchSeats(of: "p") {
            board.apply(change)
            sequences.append(change.sequence)
        }
        #expect(sequences == [5, 6, 7, 8])
        #expect(board.seats == [Seat(number: 1, price: 1, state: .sold)])
        #expect(opened(server, .watchSeats).map(\.lastSequence) == [0, 0, 7])
    }

    @Test func `GOAWAY moves streams and later calls to a new connection before the old one ends`() async throws {
        let server = try ScriptedServer { arrived, peer in
            switch arrived.kind {
            case .opened(.join):
                peer.message(arrived.call, sequence: 1, LineUpdate(state: .waiting, position: UInt64(peer.number)))
                if peer.number == 1 { peer.goAway(GoAway(reason: "moving", reconnectAfterMs: 5, jitterMs: 5)) }
            case .opened(.getBalance): peer.reply(arrived.call, GetBalanceResponse(balance: UInt64(peer.number)))
            default: break
            }
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        var iterator = client.line.join("aurora").makeAsyncIterator()
        #expect(try await iterator.next()?.position == 1)
        #expect(try await iterator.next()?.position == 2)
        #expect(try await client.accounts.balance() == 2)
    }

    @Test func `after reconnecting the server is told the highest position seen`() async throws {
        let server = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.getBalance) else { return }
            peer.reply(arrived.call, GetBalanceResponse(balance: 1), position: 41)
            if peer.number == 1 { peer.loop.schedule(after: 1) { peer.abort() } }
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        _ = try await client.accounts.balance()
        var events = client.connectionEvents.makeAsyncIterator()
        while case .connected? = await events.next() {}  // until it is lost
        _ = try await client.accounts.balance()
        #expect(client.seen?.position == 41)
        let hellos = server.arrived.compactMap { if case .hello(let hello) = $0.kind { hello } else { nil } }
        #expect(hellos.map(\.position) == [0, 41])
        #expect(hellos.last?.epoch == Uuid(high: 1, low: 1))
    }

    @Test func `credit is given back as the reader reads, never more than it reads`() async throws {
        let server = try ScriptedServer { arrived, peer in
            switch arrived.kind {
            case .opened(.watchSeats):
                for sequence in UInt64(1)...4 { peer.message(arrived.call, sequence: sequence, SeatList(performance: "p")) }
                #expect(peer.message(arrived.call, sequence: 5, SeatList()) == .noCredit)
            case .credited:
                peer.message(arrived.call, sequence: 5, SeatList(performance: "p"))
                peer.end(arrived.call)
            default: break
            }
        }
        defer { server.stop() }
        let client = try await client(server) { $0.streamWindow = 4 }
        defer { client.close() }
        var iterator = client.catalogue.watchSeats(of: "p").makeAsyncIterator()
        #expect(try await iterator.next()?.sequence == 1)
        #expect(!server.arrived.contains { $0.kind == .credited })
        var last: UInt64 = 1
        while let change = try await iterator.next() { last = change.sequence }
        #expect(last == 5)
        #expect(opened(server, .watchSeats)[0].credit == 4)
    }

    @Test func `cancelling a task cancels its call, letting go of a stream ends it`() async throws {
        let server = try ScriptedServer { arrived, peer in
            if arrived.kind == .opened(.watchStats) { peer.message(arrived.call, sequence: 1, StatsResponse()) }
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }

        let call = Task { try await client.accounts.balance() }
        while opened(server, .getBalance).isEmpty { await Task.yield() }
        call.cancel()
        await #expect(throws: UsherError.cancelled) { try await call.value }

        for try await _ in client.operators.watchStats() { break }
        while server.arrived.count(where: { $0.kind == .cancelled }) < 2 { await Task.yield() }
    }

    @Test func `what a cancelled task asks for is not begun`() async throws {
        let server = try ScriptedServer { arrived, peer in
            if arrived.kind == .opened(.charge) { peer.reply(arrived.call, ChargeResponse(balance: 5)) }
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            await #expect(throws: UsherError.cancelled) { try await client.accounts.charge(5) }
            await #expect(throws: UsherError.cancelled) {
                try await UsherClient.connect(to: [server.url], identity: .user(Uuid(high: 1, low: 1)))
            }
        }
        late.cancel()
        await late.value
        // It would have come before this one.
        #expect(try await client.accounts.charge(5).balance == 5)
        #expect(opened(server, .charge).count == 1)
    }

    @Test func `a call's time is over when it says, and a command that was sent may have happened`() async throws {
        let server = try ScriptedServer { _, _ in }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        let error = await #expect(throws: UsherError.self) {
            try await client.accounts.charge(1, CallSettings(timeout: .milliseconds(30)))
        }
        #expect(error?.reason == .deadlinePassed)
    }

    @Test func `a code that advises against coming back ends the client with a sentence`() async throws {
        let server = try ScriptedServer { arrived, peer in
            if arrived.call != nil { peer.close(4507, "too large") }
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        let error = await #expect(throws: UsherError.self) { try await client.accounts.balance() }
        guard case .connection(let sentence)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(sentence.contains("4507"))
        let again = await #expect(throws: UsherError.self) { try await client.accounts.balance() }
        #expect(again == error)
        #expect(server.arrived.count { if case .hello = $0.kind { true } else { false } } == 1)
    }

    @Test func `a server that breaks the protocol is left alone`() async throws {
        let server = try ScriptedServer { arrived, peer in
            if arrived.call != nil { peer.send([0xFF, 0, 0]) }
        }
        defer { server.stop() }
        let client = try await client(server)
        defer { client.close() }
        let error = await #expect(throws: UsherError.self) { try await client.accounts.balance() }
        #expect(error?.description.contains("protocol") == true)
    }

    @Test func `closing ends what is waiting`() async throws {
        let server = try ScriptedServer { _, _ in }
        defer { server.stop() }
        let client = try await client(server)
        let call = Task { try await client.accounts.balance() }
        while opened(server, .getBalance).isEmpty { await Task.yield() }
        client.close()
        await #expect(throws: UsherError.closed) { try await call.value }
        await #expect(throws: UsherError.closed) { try await client.accounts.balance() }
    }

    @Test func `where nobody listens the first connect fails at once, with what to do`() async throws {
        let server = try ScriptedServer { _, _ in }
        let url = server.url
        server.stop()
        let error = await #expect(throws: UsherError.self) {
            try await UsherClient.connect(to: [url], identity: .user(Uuid(high: 1, low: 1)))
        }
        #expect(error?.description.contains("usher serve") == true)
    }

    @Test func `of several addresses the first that answers is taken`() async throws {
        let gone = try ScriptedServer { _, _ in }
        gone.stop()
        let server = try ScriptedServer { arrived, peer in peer.reply(arrived.call, GetBalanceResponse(balance: 3)) }
        defer { server.stop() }
        let client = try await UsherClient.connect(
            to: [gone.url, server.url], identity: .user(Uuid(high: 1, low: 1)), options: options())
        defer { client.close() }
        #expect(client.server == server.url)
        #expect(try await client.accounts.balance() == 3)
    }
}
