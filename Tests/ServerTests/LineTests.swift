import Client
import Testing
import UsherAPI

/// The line over real connections: places, pushes, presence, resume.
@Suite(.timeLimit(.minutes(1)))
struct LineTests {
    @Test func `a fan is pushed a place, then the turn, and may buy`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora") { $0.policy = AdmissionPolicy(maxActive: 1) }
            let first = try await sale.client()
            let second = try await sale.client()
            let mine = try await first.line.join("aurora").first { $0.state == .active }
            #expect(mine.joinNumber == 1 && !mine.pass.isEmpty && !mine.queueToken.isEmpty)

            let pushes = second.line.join("aurora")
            let waiting = try await pushes.first { $0.state == .waiting }
            #expect(waiting.position == 1 && waiting.joinNumber == 2)
            try await first.line.leave("aurora")
            let turn = try await pushes.first { $0.state == .active }
            #expect(turn.activeUntilMs > 0 && turn.idleUntilMs > 0)
        }
    }

    @Test func `positions count down as people ahead leave`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora", isOpen: false)
            let office = try await sale.operatorClient()
            _ = try await office.operators.change(.lobby, of: "aurora")
            var clients: [UsherClient] = []
            var pushes: [Pushes<LineUpdate>] = []
            for number in 1...5 {
                let client = try await sale.client()
                let line = client.line.join("aurora")
                let update = try await line.first { _ in true }
                #expect(update.position == UInt64(number) && update.lineState == .lobby)
                clients.append(client)
                pushes.append(line)
            }
            try await clients[1].line.leave("aurora")
            let last = try await pushes[4].first { $0.position == 4 }
            #expect(last.behind == 0)
            let first = try await pushes[0].first { $0.behind == 3 }
            #expect(first.position == 1)
        }
    }

    @Test func `a join is idempotent, on any loop and connection`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora", isOpen: true) { $0.policy = AdmissionPolicy(maxActive: 1) }
            let user = Uuid.test()
            for _ in 0..<4 {
                let client = try await sale.client(user)
                let update = try await client.line.join("aurora").first { _ in true }
                #expect(update.joinNumber == 1)
                client.close()
            }
        }
    }

    @Test func `all connections of a user get the pushes`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora", isOpen: false)
            let office = try await sale.operatorClient()
            _ = try await office.operators.change(.lobby, of: "aurora")
            let user = Uuid.test()
            let phone = try await sale.client(user), tablet = try await sale.client(user)
            let onPhone = phone.line.join("aurora"), onTablet = tablet.line.join("aurora")
            _ = try await onPhone.first { $0.state == .waiting }
            _ = try await onTablet.first { $0.state == .waiting }
            _ = try await office.operators.change(.open, of: "aurora")
            _ = try await onPhone.first { $0.state == .active }
            _ = try await onTablet.first { $0.state == .active }
        }
    }

    @Test func `the queue token brings the place back on another connection`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora", isOpen: false)
            let office = try await sale.operatorClient()
            _ = try await office.operators.change(.lobby, of: "aurora")
            let user = Uuid.test()
            let before = try await sale.client(user)
            let ahead = try await sale.client()
            _ = try await ahead.line.join("aurora").first { _ in true }
            let token = try await before.line.join("aurora").first { _ in true }.queueToken
            before.close()
            let after = try await sale.client(user)
            after.useQueueToken(token, of: "aurora")
            let update = try await after.line.join("aurora").first { _ in true }
            #expect(update.position == 2)
        }
    }

    @Test func `another's queue token is refused`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora")
            let owner = try await sale.client()
            let token = try await owner.line.join("aurora").first { _ in true }.queueToken
            let thief = try await sale.client()
            #expect(
                await refusal { _ = try await thief.catalogue.seats(of: "aurora-1", CallSettings(queueToken: token)) }
                    == .tokenInvalid)
            #expect(
                await refusal { _ = try await thief.catalogue.seats(of: "aurora-1", CallSettings(queueToken: token + "x")) }
                    == .tokenInvalid)
        }
    }

    @Test func `a line that is not open says when it opens`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora", isOpen: false)
            let client = try await sale.client()
            #expect(await refusal { _ = try await client.line.join("aurora").first { _ in true } } == .lineScheduled)
            #expect(await refusal { _ = try await client.line.join("nowhere").first { _ in true } } == .unknownConcert)
            #expect(await refusal { _ = try await client.line.check("aurora") } == .unknownToken)
        }
    }

    @Test func `check tells a poller the same as a push`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora", isOpen: false)
            let office = try await sale.operatorClient()
            _ = try await office.operators.change(.lobby, of: "aurora")
            let ahead = try await sale.client()
            _ = try await ahead.line.join("aurora").first { _ in true }
            let user = Uuid.test()
            let client = try await sale.client(user)
            let pushed = try await client.line.join("aurora").first { _ in true }
            let polled = try await client.line.check("aurora")
            #expect(polled.position == pushed.position && polled.joinNumber == pushed.joinNumber && polled.state == .waiting)
            #expect(polled.queueToken.isEmpty, "it has the token")
            let elsewhere = try await sale.client(user)
            let found = try await elsewhere.line.check("aurora")
            #expect(found.joinNumber == pushed.joinNumber && !found.queueToken.isEmpty, "it has not")
        }
    }

    @Test func `pausing, resuming, a notice and closing are pushed to those who wait`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora") { $0.policy = AdmissionPolicy(maxActive: 1) }
            let office = try await sale.operatorClient()
            let active = try await sale.client()
            _ = try await active.line.join("aurora").first { $0.state == .active }
            let client = try await sale.client()
            let pushes = client.line.join("aurora")
            _ = try await pushes.first { $0.lineState == .open }
            _ = try await office.operators.change(.pause, of: "aurora")
            _ = try await pushes.first { $0.lineState == .paused }
            _ = try await office.operators.change(.resume, of: "aurora")
            _ = try await pushes.first { $0.lineState == .open }
            _ = try await office.operators.sendNotice("Doors open at seven.", to: "aurora")
            let noticed = try await pushes.first { !$0.notices.isEmpty }
            #expect(noticed.notices.map(\.text) == ["Doors open at seven."])
            _ = try await office.operators.change(.close, of: "aurora")
            let update = try await pushes.first { $0.state == .ended }
            #expect(update.endReason == .closed)
        }
    }

    @Test func `a place whose Join is carried out together with the line's close ends, and is not left waiting`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora", isOpen: false)
            let (office, _) = try await sale.rawSocket()
            office.send(.hello(jwt: try sale.operatorIdentity))
            _ = try await office.welcome()
            office.send(.open(1, .openLobby, LineRequest(concert: "aurora")))
            #expect(try await office.close(1).code == .ok)
            // In one message, and so in one entry.
            office.send(
                .open(2, .join, JoinRequest(concert: "aurora")), .open(3, .closeLine, LineRequest(concert: "aurora")))
            let update = try await office.update(2)
            #expect(update.state == .ended && update.endReason == .closed)
            #expect(try await office.close(2).code == .ok)
        }
    }

    @Test func `a draw is shown as a commitment first and can be recomputed after`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora", isOpen: false) {
                $0.lobbyOrder = .draw
                $0.policy = AdmissionPolicy(maxActive: 1)
            }
            let office = try await sale.operatorClient()
            _ = try await office.operators.change(.lobby, of: "aurora")
            var lines: [Pushes<LineUpdate>] = []
            var clients: [UsherClient] = []
            for _ in 0..<6 {
                let client = try await sale.client()
                lines.append(client.line.join("aurora"))
                clients.append(client)
                let update = try await lines.last!.first { _ in true }
                #expect(update.position == 0 && update.place == 0)
            }
            let before = try await clients[0].catalogue.concerts()[0]
            #expect(before.drawCommitment.count == 32 && before.drawSeed.isEmpty)
            _ = try await office.operators.change(.open, of: "aurora")
            var places: [UInt64] = []
            for line in lines { places.append(try await line.first { $0.place > 0 }.place) }
            #expect(places.sorted() == [1, 2, 3, 4, 5, 6])
            let after = try await clients[0].catalogue.concerts()[0]
            #expect(after.drawSeed.count == 32 && after.drawn == 6)
        }
    }
}
