import Calls
import Client
import Reactor
import Synchronization
import Testing
import UsherAPI

/// The client library with several instances, each a scripted server.
@Suite(.timeLimit(.minutes(1)))
struct FailoverTests {
    private func options() -> ClientOptions {
        var options = ClientOptions()
        options.reconnecting = Backoff(firstMilliseconds: 5, longestMilliseconds: 20)
        options.repeating = Backoff(firstMilliseconds: 2, longestMilliseconds: 10)
        options.callTimeout = .seconds(40)
        return options
    }

    private func client(_ servers: [ScriptedServer], _ change: (inout ClientOptions) -> Void = { _ in }) async throws
        -> UsherClient
    {
        var options = options()
        change(&options)
        return try await UsherClient.connect(
            to: servers.map(\.url), identity: .user(Uuid(high: 9, low: 9)), options: options)
    }

    private func opened(_ server: ScriptedServer, _ method: UsherAPI.Method) -> [Arrived] {
        server.arrived.filter { $0.kind == .opened(method) }
    }

    private func hellos(_ server: ScriptedServer) -> [Hello] {
        server.arrived.compactMap { if case .hello(let hello) = $0.kind { hello } else { nil } }
    }

    /// Answers every question for a balance.
    private static let till: @Sendable (Arrived, ScriptedPeer) -> Void = { arrived, peer in
        if arrived.kind == .opened(.getBalance) { peer.reply(arrived.call, GetBalanceResponse(balance: 1)) }
    }

    @Test func `clients with the same addresses spread over them, and over those that are left`() async throws {
        let servers = try (0..<3).map { _ in try ScriptedServer(Self.till) }
        defer { for server in servers { server.stop() } }
        var clients: [UsherClient] = []
        defer { for client in clients { client.close() } }
        for _ in 0..<60 { clients.append(try await client(servers)) }
        // That one of them gets nobody has a chance of one in ten thousand millions.
        for server in servers { #expect(hellos(server).count > 0) }
        let before = servers.map { hellos($0).count }
        #expect(before.reduce(0, +) == 60)

        servers[0].stop()
        for client in clients { _ = try await client.accounts.balance() }
        let moved = zip(servers, before).map { hellos($0).count - $1 }
        #expect(moved[1] + moved[2] == before[0])
        // Not all to the same one; of fewer than ten nothing can be said.
        if before[0] >= 30 { #expect(moved[1] > 0 && moved[2] > 0) }
    }

    @Test func `in the order given, where that is asked for`() async throws {
        let servers = try (0..<2).map { _ in try ScriptedServer(Self.till) }
        defer { for server in servers { server.stop() } }
        for _ in 0..<20 { try await client(servers) { $0.startsAtRandom = false }.close() }
        #expect(hellos(servers[0]).count == 20 && hellos(servers[1]).isEmpty)
    }

    @Test func `whoever loses an instance begins with the others, and comes back to it last`() async throws {
        let servers = try (0..<2).map { _ in
            try ScriptedServer { arrived, peer in
                if arrived.kind == .opened(.getBalance), peer.number == 1 { peer.abort() }
                if peer.number == 2 { Self.till(arrived, peer) }
            }
        }
        defer { for server in servers { server.stop() } }
        let client = try await client(servers) { $0.startsAtRandom = false }
        defer { client.close() }
        // The first breaks it off, then the second, then the first again answers.
        #expect(try await client.accounts.balance() == 1)
        #expect(servers.map { hellos($0).count } == [2, 1])
    }

    @Test func `GOAWAY moves the streams to the instance it names, and what was asked before is answered where it was`()
        async throws
    {
        let second = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.join) else { return }
            peer.message(arrived.call, sequence: 1, position: 5, LineUpdate(state: .waiting, position: 2))
        }
        defer { second.stop() }
        let port = second.url.port
        let first = try ScriptedServer { arrived, peer in
            switch arrived.kind {
            case .opened(.join):
                peer.message(arrived.call, sequence: 1, position: 4, LineUpdate(state: .waiting, position: 1))
            case .opened(.charge):
                peer.goAway(GoAway(reason: "moving", reconnectAfterMs: 1, jitterMs: 1, host: "127.0.0.1:\(port)"))
            case .cancelled:
                // The stream has left; only now the answer, from a later position than the new connection knows.
                peer.reply(CallID(2), ChargeResponse(balance: 7), position: 77)
            default: break
            }
        }
        defer { first.stop() }
        let client = try await client([first])
        defer { client.close() }
        var updates = client.line.join("aurora").makeAsyncIterator()
        #expect(try await updates.next()?.position == 1)
        #expect(try await client.accounts.charge(7).balance == 7)
        #expect(try await updates.next()?.position == 2)
        #expect(client.server == second.url)
        #expect(opened(first, .charge).map(\.attempts) == [0] && opened(second, .charge).isEmpty)
        // The second's HELLO was before that answer, so a call says what has been seen since.
        #expect(hellos(second).map(\.position) == [4])
        let balance = Task { try await client.accounts.balance() }
        while opened(second, .getBalance).isEmpty { await Task.yield() }
        #expect(opened(second, .getBalance).map(\.position) == [77])
        balance.cancel()
    }

    @Test func `whoever has something to ask moves at once, whatever time GOAWAY gives`() async throws {
        let second = try ScriptedServer(Self.till)
        defer { second.stop() }
        let port = second.url.port
        let first = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.join) else { return }
            peer.goAway(GoAway(reconnectAfterMs: 600_000, host: "127.0.0.1:\(port)"))
            peer.message(arrived.call, sequence: 1, LineUpdate(state: .waiting, position: 1))
        }
        defer { first.stop() }
        let client = try await client([first])
        defer { client.close() }
        var updates = client.line.join("aurora").makeAsyncIterator()
        _ = try await updates.next()
        #expect(try await client.accounts.balance() == 1)
        #expect(opened(second, .getBalance).count == 1 && opened(second, .join).count == 1)
    }

    @Test func `an instance learned from GOAWAY is there when it is needed again`() async throws {
        let second = try ScriptedServer { arrived, peer in
            switch arrived.kind {
            case .opened(.getBalance) where peer.number == 1: peer.abort()
            default: Self.till(arrived, peer)
            }
        }
        defer { second.stop() }
        let port = second.url.port
        let first = try ScriptedServer { arrived, peer in
            if case .hello = arrived.kind { peer.goAway(GoAway(host: "127.0.0.1:\(port)")) }
        }
        let client = try await client([first])
        defer { client.close() }
        while hellos(second).isEmpty { await Task.yield() }
        first.stop()
        #expect(try await client.accounts.balance() == 1)
        #expect(hellos(second).count == 2)
    }

    @Test func `an instance that is behind is asked again until it has caught up`() async throws {
        let count = Mutex(0)
        let server = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.getBalance) else { return }
            let isBehind = count.withLock { count in
                count += 1
                return count <= 25
            }
            if isBehind {
                peer.refuse(arrived.call, .notCaughtUp, details: ErrorDetails(retryAfterMs: 1))
            } else {
                peer.reply(arrived.call, GetBalanceResponse(balance: 3))
            }
        }
        defer { server.stop() }
        let client = try await client([server])
        defer { client.close() }
        #expect(try await client.accounts.balance() == 3)
    }

    @Test func `a journal that has lost what was seen is told of, and the client goes on without it`() async throws {
        let server = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.getBalance) else { return }
            if peer.number == 1 {
                peer.refuse(arrived.call, .notCaughtUp, details: ErrorDetails(retryAfterMs: 1))
            } else {
                peer.reply(arrived.call, GetBalanceResponse(balance: 3), position: 12)
            }
        }
        defer { server.stop() }
        let client = try await client([server]) {
            $0.seen = (Uuid(high: 1, low: 1), 1_000)
            $0.catchingUpMax = .milliseconds(40)
        }
        defer { client.close() }
        client.useQueueToken("old", of: "c")
        #expect(try await client.accounts.balance() == 3)
        #expect(hellos(server).map(\.position) == [1_000, 0])
        #expect(hellos(server).map(\.epoch) == [Uuid(high: 1, low: 1), nil])
        #expect(client.seen?.position == 12)
        #expect(client.queueToken(of: "c") == nil, "its number is given out again")
        var events = client.connectionEvents.makeAsyncIterator()
        var heard: [ConnectionEvent] = []
        while heard.last != .journalWentBack, let event = await events.next() { heard.append(event) }
        #expect(heard.last == .journalWentBack)
    }

    @Test func `an identity that was refused is not the one to come back with`() async throws {
        let server = try ScriptedServer { arrived, peer in
            switch arrived.kind {
            case .opened(.authenticate): peer.refuse(arrived.call, .identityInvalid)
            case .opened(.getBalance) where peer.number == 1: peer.abort()
            case .opened(.getBalance): peer.reply(arrived.call, GetBalanceResponse(balance: 3))
            default: break
            }
        }
        defer { server.stop() }
        let client = try await client([server])
        defer { client.close() }
        await #expect(throws: UsherError.self) { _ = try await client.authenticate(ClientIdentity.user(Uuid(high: 6, low: 6))) }
        #expect(try await client.accounts.balance() == 3)
        let identities = hellos(server).map(\.identity)
        #expect(identities.count == 2 && identities[0] == identities[1])
    }

    @Test func `a stream that is to wait for hours is refused instead`() async throws {
        let server = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.join) else { return }
            peer.refuse(arrived.call, .tooManyRequestIDs, details: ErrorDetails(retryAfterMs: 3_600_000))
        }
        defer { server.stop() }
        let client = try await client([server])
        defer { client.close() }
        let error = await #expect(throws: UsherError.self) { for try await _ in client.line.join("c") {} }
        #expect(error?.reason == .tooManyRequestIDs)
    }

    @Test func `a call lives long enough to learn that the journal went back`() {
        let options = ClientOptions()
        #expect(options.catchingUpMax * 2 <= options.callTimeout)
    }

    @Test func `what was seen of another journal is not said of this one`() async throws {
        let other = try ScriptedServer(epoch: 2) { arrived, peer in
            guard arrived.kind == .opened(.watchSeats) else { return }
            peer.message(arrived.call, sequence: 1, position: 2, reset: true, SeatList(performance: "p"))
            peer.end(arrived.call)
        }
        defer { other.stop() }
        let port = other.url.port
        let first = try ScriptedServer { arrived, peer in
            guard arrived.kind == .opened(.watchSeats) else { return }
            peer.message(arrived.call, sequence: 6, position: 900, reset: true, SeatList(performance: "p"))
            peer.goAway(GoAway(reconnectAfterMs: 1, host: "127.0.0.1:\(port)"))
        }
        defer { first.stop() }
        let client = try await client([first])
        defer { client.close() }
        var sequences: [UInt64] = []
        for try await change in client.catalogue.watchSeats(of: "p") { sequences.append(change.sequence) }
        #expect(sequences == [6, 1])
        #expect(opened(other, .watchSeats).map(\.lastSequence) == [0] && opened(other, .watchSeats).map(\.position) == [0])
        #expect(client.seen?.epoch == Uuid(high: 2, low: 2) && client.seen?.position == 2)
    }
}
