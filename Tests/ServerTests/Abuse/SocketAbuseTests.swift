import Calls
import Client
import Reactor
import Testing
import UsherAPI
import Wire

@testable import Server

/// Sockets that do nothing, too little, or not what was agreed.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct SocketAbuseTests {
    @Test func `more silent sockets than a loop keeps are let go, oldest first, and somebody else is served`() async throws {
        try await withSale({ $0.loops = 1 }) { sale in
            try await sale.putOn("aurora")
            let limit = ListenerLimits().silentMax
            let beginnings: [[UInt8]] = [[], [22], [22, 3, 1, 2, 0, 1, 0]]
            var silent: [RawClient] = []
            for index in 0..<limit + 100 {
                let client = try await RawClient.connect(to: sale.port, tls: nil)
                client.send(beginnings[index % beginnings.count])
                silent.append(client)
            }
            try await sale.serveSomebody()
            try await sale.wait(until: "silent_evicted_total") { $0 >= 100 }
            #expect(try await sale.metric("connections") <= limit + 20)
            try await silent[0].end()
        }
    }

    @Test func `a request that comes a byte at a time has no longer than any other`() async throws {
        try await withSale({ $0.limits = .patient(upgradeMilliseconds: 300) }) { sale in
            let client = try await sale.raw()
            client.send("GET /v1 HTTP/1.1\r\nX: ")
            // A byte for each visit to the operators' page, until it is over.
            while client.rest.isEmpty {
                client.send("a")
                _ = try await sale.metric("connections")
            }
            #expect(try await client.answer().status == 408)
        }
    }

    @Test func `of requests behind one another the first is answered, once, and the connection ended`() async throws {
        try await withSale { sale in
            let page = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: h\r\n\r\n"
            let once = try await sale.http(page)
            let client = try await sale.raw()
            client.send(page + page + "GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await client.answer() == once)
            // A length or a body would let a proxy and this server disagree about where the next request begins.
            for smuggled in [
                "Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 0\r\nContent-Length: 4\r\n",
            ] {
                let client = try await sale.raw()
                client.send("GET /v1 HTTP/1.1\r\nHost: h\r\n\(smuggled)\r\n\(page)")
                let answer = try await client.answer()
                #expect(answer.status == 400 && !answer.text.contains("HTTP/1.1"), "\(smuggled)")
            }
        }
    }

    @Test func `a request behind an upgrade is no WebSocket frame, and never a request`() async throws {
        try await withSale { sale in
            let (client, _) = try await sale.rawSocket()
            client.send("GET /.well-known/jwks.json HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await client.closeCode() == 1002)
        }
    }

    @Test(arguments: [Opcode.ping, Opcode.pong])
    func `ten pings or pongs of the WebSocket at once are taken, the eleventh ends the connection`(opcode: UInt8) async throws {
        try await withSale({ $0.loops = 1 }) { sale in
            let modest = try await sale.rawCalls()
            modest.send((1...10).flatMap { WebSocketFrame(opcode, [$0]).bytes })
            modest.send(.open(1, .listConcerts, ListConcertsRequest()))
            #expect(try await modest.close(1).code == .ok)
            let flooding = try await sale.rawCalls()
            let written = try await sale.metric("written_bytes_total")
            flooding.send((1...10_000).flatMap { _ in WebSocketFrame(opcode).bytes })
            #expect(try await flooding.closeCode() == 4004)
            #expect(try await sale.metric("written_bytes_total") - written < 64 * 1024)
            modest.send(.open(2, .listConcerts, ListConcertsRequest()))
            #expect(try await modest.close(2).code == .ok)
        }
    }

    @Test func `peers that vanished are found out, given up, and their places kept`() async throws {
        try await withSale({
            $0.loops = 1
            $0.limits = .patient(pingMilliseconds: 1_000)
        }) { sale in
            try await sale.putOn("aurora", isOpen: false)
            let office = try await sale.operatorClient()
            _ = try await office.operators.change(.lobby, of: "aurora")
            // They answer nothing any more, as if the network had ended; the kernel sends no FIN for them.
            let vanished = try await withThrowingTaskGroup { group in
                for _ in 0..<100 {
                    group.addTask {
                        let client = try await sale.rawCalls()
                        client.send(.open(1, .join, JoinRequest(concert: "aurora")))
                        return client
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for client in vanished { #expect(try await client.closeCode() == 4002) }
            try await sale.wait(until: "connections") { $0 < 10 }
            let stats = try await office.operators.stats()
            #expect(stats.lines.first?.waiting == 100)
        }
    }

    @Test func `of one token 64 streams run on a loop, however many connections ask, and another user is served`() async throws
    {
        try await withSale({ $0.loops = 1 }) { sale in
            try await sale.putOn("aurora")
            let user = Uuid.test()
            let limit = CallLimits.visitor.tokenStreams
            var clients: [RawClient] = []
            var token = ""
            for _ in 0..<4 { clients.append(try await sale.rawCalls(user)) }
            // 16 of each kind on each connection, then one of each too many.
            for client in clients {
                for call in 1...UInt32(limit / 4) {
                    client.send(.open(call, .join, JoinRequest(concert: "aurora")))
                    var update = try await client.update(call)
                    token = update.queueToken
                    while update.state != .active { update = try await client.update(call) }
                }
                for call in UInt32(17)...32 {
                    client.send(.open(call, .watchSeats, WatchSeatsRequest(performance: "aurora-1")))
                    #expect(try await client.seats(call).0.reset)
                }
            }
            clients[0].send(.cancel(32))
            #expect(try await clients[0].close(32).code == .cancelled)
            clients[0].send(.open(101, .watchSeats, WatchSeatsRequest(performance: "aurora-1")))
            #expect(try await clients[0].seats(101).0.reset)
            let more = try await sale.rawCalls(user)
            more.send(.open(1, .join, JoinRequest(concert: "aurora")))
            more.send(.open(2, .join, JoinRequest(concert: "aurora")) { $0.metadata = queueToken(token) })
            more.send(.open(3, .watchSeats, WatchSeatsRequest(performance: "aurora-1")) { $0.metadata = queueToken(token) })
            more.send(.open(4, .streamSeats, StreamSeatsRequest(concert: "aurora")) { $0.metadata = queueToken(token) })
            for call in 1...UInt32(4) {
                let close = try await more.close(call)
                #expect(close.code == .resourceExhausted && close.reason == "TOO_MANY_CALLS" && close.details?.limit == 64)
            }
            // Those that run go on, in whatever order others end; with room again there is one more.
            clients[1].send(.cancel(20), .cancel(17), .cancel(32))
            for call: UInt32 in [20, 17, 32] { #expect(try await clients[1].close(call).code == .cancelled) }
            more.send(.open(5, .watchSeats, WatchSeatsRequest(performance: "aurora-1")) { $0.metadata = queueToken(token) })
            #expect(try await more.seats(5).0.reset)
            try await sale.serveSomebody()
            for (client, call) in [(clients[0], UInt32(17)), (clients[1], 18), (clients[3], 32), (more, 5)] {
                #expect(try await client.seats(call).1.seats.map(\.number) == [1])
            }
        }
    }
}
