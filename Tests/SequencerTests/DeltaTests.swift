import BoxOffice
import Journal
import Sequencer
import Testing
import UsherAPI

@Suite struct `deltas` {
    @Test func `a delta says what an entry changed, at its position and time`() throws {
        let world = try World()
        try world.open(maxActive: 1)
        world.advance(7)
        world.submit(world.command(.join(Join(concert: "c")), user: 1))
        world.submit(world.command(.join(Join(concert: "c")), user: 2))
        world.submit(world.command(.hold(Hold(performance: "p", seats: [2])), user: 1, token: 1))
        world.submit(world.command(.notice(SendNoticeRequest(concert: "c", text: "Hello"))))
        world.submit(world.command(.publishKey(PublishKey(ed25519: Array(repeating: 3, count: 32)))))
        try world.append()
        #expect(world.publication.delta.isEmpty)
        try world.commit()
        let delta = world.takeDelta()
        #expect(delta.position == world.log.lastPosition && delta.timeMilliseconds == World.start + 7)
        #expect(
            delta.lines == [
                .joined(line: 0, joinNumber: 1, token: 1), .admitted(line: 0, place: 1, token: 1),
                .joined(line: 0, joinNumber: 2, token: 2),
            ])
        #expect(delta.tokens.keys.sorted() == [1])
        #expect(delta.tokens[1]?.state == .active && delta.tokens[1]?.reservations.count == 1)
        #expect(delta.seats == [SeatChange(performance: 0, revision: 1, seat: 2, state: .held, reservation: 1)])
        #expect(delta.notices.map(\.notice.text) == ["Hello"])
        #expect(delta.keys == [Array(repeating: 3, count: 32)])
        #expect(delta.catalogue == nil)
    }

    @Test func `a delta carries the catalogue when an operator has changed it, and only then`() throws {
        let world = try World()
        try world.open()
        let before = world.catalogue
        try world.run(world.command(.join(Join(concert: "c"))))
        #expect(world.takeDelta().catalogue == nil)
        #expect(world.catalogue === before)
        try world.run(world.command(.setPolicy(SetPolicyRequest(concert: "c", policy: AdmissionPolicy(maxActive: 3)))))
        let delta = world.takeDelta()
        #expect(delta.catalogue?.concerts[0].settings.policy?.maxActive == 3)
        #expect(delta.catalogue === world.catalogue)
    }

    @Test func `an ignored entry moves the position and nothing else`() throws {
        let world = try World()
        try world.open()
        // Not its incarnation's next: number 3 of an instance never seen.
        try world.foreign([world.command(.publishKey(PublishKey(ed25519: Array(repeating: 9, count: 32))))], number: 3)
        try world.commit()
        let delta = world.takeDelta()
        #expect(delta.position == world.log.lastPosition)
        #expect(delta.keys.isEmpty && delta.lines.isEmpty && delta.tokens.isEmpty && delta.seats.isEmpty)
        #expect(world.keys.isEmpty)
    }

    @Test func `merging keeps the order, the latest status, and the latest catalogue`() {
        var first = Delta()
        first.position = 1
        first.lines = [.joined(line: 0, joinNumber: 1, token: 1)]
        first.tokens = [1: status(.active), 2: status(.active)]
        first.seats = [SeatChange(performance: 0, revision: 1, seat: 1, state: .held, reservation: 1)]
        first.catalogue = Catalogue()
        first.keys = [[1]]
        var second = Delta()
        second.position = 2
        second.timeMilliseconds = 9
        second.lines = [.left(line: 0, place: 1)]
        second.tokens = [2: status(.ended), 3: status(.active)]
        second.seats = [SeatChange(performance: 0, revision: 2, seat: 1, state: .available, reservation: 0)]
        second.keys = [[2]]
        var merged = first
        merged.merge(second)
        #expect(merged.position == 2 && merged.timeMilliseconds == 9)
        #expect(merged.lines == first.lines + second.lines)
        #expect(merged.tokens.mapValues(\.state) == [1: .active, 2: .ended, 3: .active])
        #expect(merged.seats.map(\.revision) == [1, 2])
        #expect(merged.catalogue === first.catalogue)
        #expect(merged.keys == [[1], [2]])

        let latest = Catalogue()
        second.catalogue = latest
        merged.merge(second)
        #expect(merged.catalogue === latest)
        var empty = Delta()
        empty.merge(first)
        #expect(empty.position == 1 && empty.lines == first.lines)
    }

    private func status(_ state: TokenState) -> TokenStatus {
        var status = TokenStatus()
        status.state = state
        return status
    }
}

@Suite struct `questions` {
    @Test func `each is answered from the state between entries, to who asked`() throws {
        let world = try World()
        try world.open()
        let token = try world.join(user: 1)
        try world.run(world.command(.charge(Charge(amount: 500)), token: token))
        try world.run(world.command(.hold(Hold(performance: "p", seats: [1])), token: token))
        try world.run(world.command(.pay(Pay(reservation: 1)), token: token))
        let user = World.user(1)
        struct NoFacts: Error {}
        func ask(_ question: Question, pageItems: Int = 10) throws -> Facts {
            world.sequencer.answer(question, origin: Origin(loop: 1, ticket: 5), pageItems: pageItems, into: &world.publication)
            guard let answer = world.takeAnswers(loop: 1).first, case .facts(let facts) = answer.content else {
                throw NoFacts()
            }
            let isAddressed = answer.ticket == 5 && answer.position == world.log.lastPosition
            #expect(isAddressed)
            return facts
        }
        if case .balance(let balance) = try ask(.balance(user)) { #expect(balance == 400) } else { Issue.record("balance") }
        if case .balance(let strangers) = try ask(.balance(World.user(77))) {
            #expect(strangers == 0)
        } else {
            Issue.record("balance")
        }
        if case .transactions(let items, let more) = try ask(.transactions(user, before: 0), pageItems: 1) {
            #expect(items.count == 1 && more)
        } else {
            Issue.record("transactions")
        }
        if case .reservations(let items, let more) = try ask(.reservations(user, before: 0)) {
            #expect(items.map(\.state) == [.paid] && !more)
        } else {
            Issue.record("reservations")
        }
        if case .payments(let items, _) = try ask(.payments(user, before: 0)) {
            #expect(items.map(\.amount) == [100])
        } else {
            Issue.record("payments")
        }
        if case .token(let status) = try ask(.token(token, of: user)) {
            #expect(status?.endReason == .paid)
        } else {
            Issue.record("token")
        }
        if case .token(let status) = try ask(.token(token, of: World.user(99))) {
            #expect(status == nil)
        } else {
            Issue.record("another's token")
        }
        if case .token(let status) = try ask(.liveToken(user: user, concert: 0)) {
            #expect(status == nil)
        } else {
            Issue.record("live")
        }
        if case .stats(let stats) = try ask(.stats(concert: nil)) {
            #expect(stats.map(\.seatsSold) == [1])
        } else {
            Issue.record("stats")
        }
        if case .stats(let stats) = try ask(.stats(concert: 5)) { #expect(stats.isEmpty) } else { Issue.record("stats") }
    }
}
