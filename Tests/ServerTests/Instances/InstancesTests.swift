import Client
import Reactor
import Server
import Testing
import UsherAPI

/// Several instances on one journal: nobody can tell which one they are on.
@Suite(.timeLimit(.minutes(2)))
struct InstancesTests {
    @Test func `places are given in one order, and a token brings its place back on any instance`() async throws {
        try await withCluster { cluster in
            try await cluster.putOn("aurora", maxActive: 1)
            let inside = try await cluster[0].client()
            _ = try await inside.line.join("aurora").first { $0.state == .active }
            var tokens: [(user: Uuid, token: String, place: LineUpdate)] = []
            for number in 0..<6 {
                let user = Uuid.test()
                let client = try await cluster[number % 2].client(user, Self.seen(inside))
                let update = try await client.line.join("aurora").first { $0.state == .waiting }
                #expect(update.joinNumber == UInt64(number) + 2 && update.position == UInt64(number) + 1)
                tokens.append((user, update.queueToken, update))
                client.close()
            }
            for (number, known) in tokens.enumerated() {
                let client = try await cluster[(number + 1) % 2].client(known.user)
                client.useQueueToken(known.token, of: "aurora")
                let update = try await client.line.join("aurora").first { $0.state == .waiting }
                #expect(update.joinNumber == known.place.joinNumber && update.place == known.place.place)
                client.close()
            }
        }
    }

    private static func seen(_ client: UsherClient) -> ClientOptions {
        var options = ClientOptions()
        options.seen = client.seen
        return options
    }

    @Test func `several connections of one user get all pushes, whichever instances they are on`() async throws {
        try await withCluster { cluster in
            try await cluster.putOn("aurora")
            let user = Uuid.test()
            let first = try await cluster[0].client(user)
            let firstStream = first.line.join("aurora")
            _ = try await firstStream.first { $0.state == .active }
            let second = try await cluster[1].client(user, Self.seen(first))
            let secondStream = second.line.join("aurora")
            _ = try await secondStream.first { $0.state == .active }

            let hold = try await first.reservations.hold(performance: "aurora-1", seats: [3])
            for stream in [firstStream, secondStream] {
                _ = try await stream.first("held") { $0.reservations.contains { $0.id == hold.id && $0.state == .held } }
            }
            let other = try await cluster[1].operatorClient()
            _ = try await other.operators.sendNotice("Doors open at seven.", to: "aurora")
            for stream in [firstStream, secondStream] {
                _ = try await stream.first("notice") { $0.notices.contains { $0.text == "Doors open at seven." } }
            }
            _ = try await second.accounts.charge(1_000)
            _ = try await second.payments.pay(hold.id)
            for stream in [firstStream, secondStream] {
                let end = try await stream.first("end") { $0.state == .ended }
                #expect(end.endReason == .paid)
            }
        }
    }

    @Test func `what one has done is seen on every instance, by the position of the answer`() async throws {
        try await withCluster(3) { cluster in
            try await cluster.putOn("aurora")
            let user = Uuid.test()
            var clients: [UsherClient] = []
            for sale in cluster.sales { clients.append(try await sale.client(user)) }
            let streams = clients.map { $0.line.join("aurora") }
            for stream in streams { _ = try await stream.first { $0.state == .active } }
            for number in UInt64(1)...100 {
                let writer = clients[Int(number) % 3]
                #expect(try await writer.accounts.charge(1).balance == number)
                let position = try #require(writer.seen?.position)
                for reader in clients {
                    let balance = try await reader.accounts.balance(CallSettings(position: position))
                    #expect(balance == number)
                }
            }
        }
    }

    @Test func `a command repeated on another instance happens once, and has the same outcome`() async throws {
        try await withCluster { cluster in
            try await cluster.putOn("aurora")
            let user = Uuid.test()
            let first = try await cluster[0].client(user)
            _ = try await first.line.join("aurora").first { $0.state == .active }
            let second = try await cluster[1].client(user, Self.seen(first))
            _ = try await second.line.join("aurora").first { $0.state == .active }
            let id = Uuid.test()
            let once = try await first.accounts.charge(700, CallSettings(requestID: id))
            let again = try await second.accounts.charge(700, CallSettings(requestID: id, attempts: 1))
            #expect(once == again && again.balance == 700)
            // Both at once, each as a first attempt: one carries it out, the other hears of it.
            let race = Uuid.test()
            async let left = first.accounts.charge(50, CallSettings(requestID: race))
            async let right = second.accounts.charge(50, CallSettings(requestID: race))
            let answers = try await (left, right)
            #expect(answers.0 == answers.1 && answers.0.balance == 750)
        }
    }

    @Test func `a seat watch goes on at another instance with just what it has missed`() async throws {
        try await withCluster { cluster in
            try await cluster.putOn("aurora")
            let user = Uuid.test()
            let first = try await cluster[0].client(user)
            _ = try await first.line.join("aurora").first { $0.state == .active }
            _ = try await first.reservations.hold(performance: "aurora-1", seats: [1])
            var last: UInt64 = 0
            for try await change in first.catalogue.watchSeats(of: "aurora-1") {
                last = change.sequence
                break
            }
            #expect(last > 0)
            _ = try await first.reservations.hold(performance: "aurora-1", seats: [5])

            let second = try await cluster[1].client(user, Self.seen(first))
            second.useQueueToken(try #require(first.queueToken(of: "aurora")), of: "aurora")
            for try await change in second.catalogue.watchSeats(of: "aurora-1", after: last) {
                #expect(!change.reset && change.sequence > last)
                #expect(change.list.seats.map(\.number) == [5])
                break
            }
        }
    }

    @Test func `a client of several instances goes on elsewhere when its own stops`() async throws {
        try await withCluster { cluster in
            try await cluster.putOn("aurora", maxActive: 1)
            let inside = try await cluster[1].client()
            let insideStream = inside.line.join("aurora")
            _ = try await insideStream.first { $0.state == .active }
            var options = Self.seen(inside)
            options.startsAtRandom = false
            let waiting = try await UsherClient.connect(
                to: [try cluster[0].url, try cluster[1].url], identity: .user(.test()), trust: cluster.trust, options: options)
            let stream = waiting.line.join("aurora")
            let before = try await stream.first { $0.state == .waiting }
            #expect(waiting.server == (try cluster[0].url))
            await Task.detached { cluster[0].stop() }.value
            #expect(try await waiting.line.check("aurora").joinNumber == before.joinNumber)
            #expect(waiting.server == (try cluster[1].url))
            try await inside.line.leave("aurora")
            let turn = try await stream.first { $0.state == .active }
            #expect(turn.joinNumber == before.joinNumber)
        }
    }
}
