import Client
import Foundation
import Reactor
import Testing
import UsherAPI

@testable import Server

/// An instance that leaves the others.
@Suite(.timeLimit(.minutes(2)))
struct LeavingTests {
    @Test func `its clients are told the others' addresses in turn`() async throws {
        let addresses = [nil, "b.example:8443", "c.example:8443", nil]
        try await withCluster(
            4,
            {
                $1.publicAddress = addresses[$0]
                $1.loops = 1
            }
        ) { cluster in
            var clients: [RawClient] = []
            for _ in 0..<4 { clients.append(try await cluster[0].rawCalls()) }
            async let stopped: Void = Task.detached { cluster[0].stop() }.value
            var hosts: [String: Int] = [:]
            for client in clients {
                let goAway = try await client.goAway()
                hosts[goAway.host, default: 0] += 1
                // All have gone before the time is over.
                #expect(goAway.reconnectAfterMs + goAway.jitterMs < 200)
            }
            #expect(hosts == ["b.example:8443": 2, "c.example:8443": 2])
            await stopped
        }
    }

    @Test func `where nobody has an address of their own they come back by the one they know`() async throws {
        try await withCluster { cluster in
            let client = try await cluster[0].rawCalls()
            async let stopped: Void = Task.detached { cluster[0].stop() }.value
            #expect(try await client.goAway().host.isEmpty)
            await stopped
        }
    }

    @Test func `it is not ready at once, and its clients stay until the notice is over`() async throws {
        try await withCluster(1, { $1.drainNoticeMilliseconds = 10_000 }) { cluster in
            let client = try await cluster[0].rawCalls()
            async let stopped: Void = Task.detached { cluster[0].stop() }.value
            while try await cluster[0].admin("GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n").status != 503 { await Task.yield() }
            try await client.roundTrip()
            #expect(try await !client.untaken().contains { $0.isKind(.goAway) })
            // Whoever the balancer has sent already is let in.
            _ = try await cluster[0].rawCalls()
            _ = try await client.goAway()
            await stopped
        }
    }

    /// The journal's entries of one instance that concern a token, in order.
    private enum Sign: Equatable {
        case arrived(UInt32), departed(UInt32), stopped(UInt32)
    }

    private func signs(of token: UInt64, _ cluster: TestCluster) throws -> [Sign] {
        try cluster.entries.flatMap { entry in
            entry.commands.compactMap { command -> Sign? in
                switch command.body {
                case .presence(let news) where news.arrived.contains(token): .arrived(entry.instance)
                case .presence(let news) where news.departed.contains(token): .departed(entry.instance)
                case .instanceStopped: .stopped(entry.instance)
                default: nil
                }
            }
        }
    }

    @Test func `who moves is present at the next instance before it is absent at the one that stops`() async throws {
        try await withCluster(2, { $1.handoverMilliseconds = 6_000 }) { cluster in
            try await cluster.putOn("aurora", maxActive: 1)
            let inside = try await cluster[0].client()
            _ = try await inside.line.join("aurora").first { $0.state == .active }
            var options = ClientOptions()
            options.startsAtRandom = false
            let waiting = try await UsherClient.connect(
                to: [try cluster[0].url, try cluster[1].url], identity: .user(.test()), trust: cluster.trust, options: options)
            let stream = waiting.line.join("aurora")
            _ = try await stream.first { $0.state == .waiting }
            let (first, second) = (try cluster.number(of: 0), try cluster.number(of: 1))
            await Task.detached { cluster[0].stop() }.value
            // The second token of the sale.
            let signs = try signs(of: 2, cluster)
            let arrival = try #require(signs.firstIndex(of: .arrived(second)), "\(signs)")
            let departure = try #require(signs.firstIndex(of: .departed(first)), "\(signs)")
            let stop = try #require(signs.firstIndex(of: .stopped(first)), "\(signs)")
            #expect(arrival < departure && departure < stop, "\(signs)")
        }
    }

    @Test func `who is between instances counts as present for five seconds, as ever, though the instance stops`() async throws
    {
        try await withCluster(2, { $1.handoverMilliseconds = 6_000 }) { cluster in
            try await cluster.putOn("aurora", maxActive: 1)
            let inside = try await cluster[1].client()
            _ = try await inside.line.join("aurora").first { $0.state == .active }
            let user = Uuid.test()
            let waiting = try await cluster[0].client(user, Self.after(inside))
            let stream = waiting.line.join("aurora")
            let token = try await stream.first { $0.state == .waiting }
            let last = try await cluster[1].client(.test(), Self.after(waiting))
            let lastStream = last.line.join("aurora")
            _ = try await lastStream.first { $0.state == .waiting }
            waiting.close()
            async let stopped: Void = Task.detached { cluster[0].stop() }.value
            // Nobody is connected there any more, so nothing else keeps it.
            while (try? await cluster[0].rawCalls()) != nil { await Task.yield() }
            try await inside.line.leave("aurora")
            let back = try await cluster[1].client(user, Self.after(inside))
            back.useQueueToken(token.queueToken, of: "aurora")
            #expect(try await back.line.check("aurora").state == .active)
            #expect(try await last.line.check("aurora").state == .waiting)
            await stopped
        }
    }

    private static func after(_ client: UsherClient) -> ClientOptions {
        var options = ClientOptions()
        options.seen = client.seen
        return options
    }
}
