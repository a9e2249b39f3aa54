import BoxOffice
import Sequencer
import Testing
import UsherAPI

@testable import Server

@Suite struct `a loop's picture` {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `brought up to date by deltas, it is what the state machine has and what a fresh image gives`(seed: UInt64) throws {
        var random = Seeded(seed)
        let sale = Sale()
        sale.submit(.instanceStarted(InstanceStarted(sources: 1, rules: 1, name: "test")))
        sale.submit(sale.concert("a"))
        sale.submit(sale.concert("b", order: .draw))
        sale.submit(sale.performance("a1", of: "a"))
        sale.submit(.changeLine(ChangeLine(concert: "a", action: .openLine)))
        sale.submit(.changeLine(ChangeLine(concert: "b", action: .openLobby)))
        try sale.commit()
        for step in 0..<250 {
            for _ in 0..<Int.random(in: 0...4, using: &random) { submitSomething(sale, &random) }
            try sale.commit(after: .random(in: 0...700, using: &random))
            // Several rounds come as one merged delta.
            if Bool.random(using: &random) { sale.show() }
            if step % 10 == 9 {
                sale.show()
                check(sale.picture, sale, "seed \(seed), step \(step)")
                check(Picture(sale.sequencer.image()), sale, "fresh, seed \(seed), step \(step)")
            }
        }
        let joined = sale.sequencer.office.joined(concert: 0)
        let changes = sale.sequencer.office.performance(0)?.revision ?? 0
        #expect(joined > 3 && changes > 3, "seed \(seed)")
        let broken = sale.sequencer.office.checkInvariants()
        #expect(broken.isEmpty, "seed \(seed)")
    }

    private func submitSomething(_ sale: Sale, _ random: inout Seeded) {
        let user = UInt64.random(in: 1...20, using: &random)
        let concert = ["a", "a", "b", "c"].randomElement(using: &random)!
        let index = sale.sequencer.office.concertIndex(concert)
        let token = index.flatMap { sale.sequencer.office.liveToken(user: Sale.user(user), concert: $0) }?.id ?? 0
        switch Int.random(in: 0..<40, using: &random) {
        case 0..<10: sale.submit(.join(Join(concert: concert)), user: user)
        case 10..<13: sale.submit(.leave(Leave(concert: concert)), user: user, token: token)
        case 13..<15: sale.submit(.presence(Presence(departed: [token])))
        case 15..<17: sale.submit(.presence(Presence(arrived: [token])))
        case 17..<25:
            sale.submit(
                .hold(Hold(performance: concert + "1", bestAvailable: .random(in: 1...3, using: &random))), user: user,
                token: token)
        case 25..<29: sale.submit(.charge(Charge(amount: 50)), user: user, token: token)
        case 29..<32: sale.submit(.pay(Pay(reservation: .random(in: 1...20, using: &random))), user: user, token: token)
        case 32: sale.submit(.cancel(CancelReservation(reservation: .random(in: 1...20, using: &random))), user: user)
        case 33..<37:
            let actions: [LineAction] = [
                .openLobby, .openLine, .openLine, .openLine, .pauseLine, .resumeLine, .resumeLine, .drainLine,
            ]
            sale.submit(.changeLine(ChangeLine(concert: concert, action: actions.randomElement(using: &random)!)))
        case 37: sale.submit(sale.concert("c", order: .draw, maxActive: .random(in: 1...9, using: &random)))
        case 38: sale.submit(sale.performance(concert + "1", of: concert))
        default:
            if concert == "c" { sale.submit(.changeLine(ChangeLine(concert: concert, action: .closeLine))) }
        }
    }

    private func check(_ picture: Picture, _ sale: Sale, _ place: String) {
        let concertCount = sale.sequencer.office.concertCount
        let performanceCount = sale.sequencer.office.performanceCount
        #expect(picture.lines.count == concertCount && picture.feeds.count == performanceCount, "\(place)")
        for index in 0..<min(concertCount, picture.lines.count) {
            let line = picture.lines[index]
            let facts = sale.sequencer.office.concert(index)
            let joined = sale.sequencer.office.joined(concert: index)
            let waiting = sale.sequencer.office.waitingPlaces(ofConcert: index)
            let active = sale.sequencer.office.activePlaces(ofConcert: index)
            #expect(line.state == facts?.lineState && UInt64(line.joined) == joined, "\(place)")
            #expect(line.waiting == waiting && line.active == active, "\(place)")
            #expect(line.drawSeed == facts?.drawSeed && UInt64(line.drawn) == facts?.drawn, "\(place)")
            checkTokens(line, index, sale, place)
        }
        for index in 0..<min(performanceCount, picture.feeds.count) {
            let feed = picture.feeds[index]
            let states = feed.states.indices.map { sale.sequencer.office.seatState(performance: index, seat: $0 + 1)?.state }
            let status = sale.sequencer.office.performance(index)
            #expect(feed.states == states, "\(place)")
            #expect(feed.left == status?.available && feed.revision == status?.revision, "\(place)")
        }
    }

    private func checkTokens(_ line: LineView, _ index: Int, _ sale: Sale, _ place: String) {
        var id: UInt64 = 0
        while true {
            id += 1
            guard let token = sale.sequencer.office.token(id) else { return }
            guard token.concert == index else { continue }
            let own = line.place(ofJoinNumber: token.joinNumber)
            #expect(UInt64(own) == token.place, "\(place)")
            #expect(line.standing(ofPlace: own) == token.state, "\(place), token \(id)")
            if let position = sale.sequencer.office.queuePosition(token: id) {
                #expect(line.position(ofPlace: own) == position, "\(place), token \(id)")
            }
        }
    }
}

@Suite struct `a line's view` {
    @Test func `a new line is empty, and a stranger's place has ended`() {
        let line = LineView(.new)
        #expect(line.state == .scheduled && line.joined == 0 && line.drawn == 0 && line.isDirty)
        #expect(line.standing(ofPlace: 1) == .ended && line.standing(ofPlace: 0) == .ended)
        #expect(line.place(ofJoinNumber: .max) == .max)
    }

    @Test func `a change makes it dirty until it is cleaned`() {
        var line = LineView(.new)
        line.clean()
        #expect(!line.isDirty)
        line.apply(.joined(line: 0, joinNumber: 1, token: 1), at: 0)
        #expect(line.isDirty)
    }

    @Test(arguments: [
        (LineState.scheduled, LobbyOrder.draw, true), (.lobby, .draw, true), (.open, .draw, false), (.closed, .draw, false),
        (.scheduled, .arrival, false), (.lobby, .arrival, false),
    ])
    func `positions mean nothing only before a draw`(state: LineState, order: LobbyOrder, expected: Bool) {
        var line = LineView(.new)
        line.apply(.state(line: 0, state), at: 0)
        #expect(line.isBeforeDraw(order: order) == expected)
    }

    @Test(arguments: [
        (LineState.scheduled, false), (.lobby, false), (.open, true), (.paused, false), (.draining, true), (.closed, false),
    ])
    func `there is an estimate only while the line admits`(state: LineState, expected: Bool) {
        var line = LineView(.new)
        line.apply(.state(line: 0, state), at: 0)
        let policy = AdmissionPolicy(batch: 10, intervalMs: 1_000)
        #expect((line.estimate(position: 100, policy: policy) != nil) == expected)
        #expect(line.estimate(position: 100, policy: AdmissionPolicy(maxActive: 5)) == nil, "a teller has no pace of its own")
        #expect(line.estimate(position: 100, policy: nil) == nil)
    }

    @Test func `an estimate that grows old makes an admitting line dirty, so that a stalled line is told`() {
        var line = LineView(.new)
        line.apply(.state(line: 0, .open), at: 0)
        for number in 1...100 as ClosedRange<UInt64> { line.apply(.joined(line: 0, joinNumber: number, token: number), at: 0) }
        for place in 1...50 as ClosedRange<UInt64> { line.apply(.admitted(line: 0, place: place, token: place), at: 10_000) }
        line.clean()
        line.advance(to: 10_500)
        #expect(!line.isDirty, "within the same second nothing has changed")
        line.advance(to: 20_000)
        #expect(line.isDirty)
    }
}
