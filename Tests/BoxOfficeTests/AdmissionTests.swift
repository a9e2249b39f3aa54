import BoxOffice
import Testing
import UsherAPI

struct AdmissionTests {
    @Test func `the teller admits up to the cap, then one for each that goes`() {
        let sale = Sale(.teller(2))
        for user in ["a", "b", "c", "d"] { sale.join(user) }
        #expect(sale.active(of: ["a", "b", "c", "d"]) == ["a", "b"])
        sale.leave("a")
        #expect(sale.effects.lines == [.ended(line: 0, place: 1), .admitted(line: 0, place: 3, token: 3)])
        #expect(sale.effects.tokens == [1, 3])
        #expect(sale.office.stats(ofConcert: 0)?.active == 2)
    }

    @Test func `an admitted token says by when to finish`() {
        let sale = Sale(.teller(1)) {
            $0.activeTtlMs = 60_000; $0.idleTtlMs = 20_000
        }
        let token = sale.join("a").token
        #expect(token?.state == .active)
        #expect(token?.admittedAt == sale.now)
        #expect(token?.activeUntil == sale.now + 60_000)
        #expect(token?.idleUntil == sale.now + 20_000)
    }

    @Test func `nobody is admitted while a line is paused, and all who may at its resumption`() {
        let sale = Sale(.teller(2))
        sale.line(.pauseLine)
        for user in ["a", "b", "c"] { sale.join(user) }
        #expect(sale.active(of: ["a", "b", "c"]) == [])
        sale.line(.resumeLine)
        #expect(sale.active(of: ["a", "b", "c"]) == ["a", "b"])
    }

    @Test func `a draining line admits the rest`() {
        let sale = Sale(.teller(1))
        for user in ["a", "b"] { sale.join(user) }
        sale.line(.drainLine)
        sale.leave("a")
        #expect(sale.token("b")?.state == .active)
        #expect(sale.line(.openLine).isDone)
        #expect(sale.join("c").isDone)
    }

    @Test func `closing ends those who wait and lets those who are active finish`() {
        let sale = Sale(.teller(1))
        for user in ["a", "b"] { sale.join(user) }
        sale.line(.closeLine)
        #expect(sale.office.token(2)?.endReason == .closed)
        #expect(sale.effects.tokens == [])
        #expect(sale.effects.lines == [.state(line: 0, .closed)])
        #expect(sale.token("a")?.state == .active)
        #expect(sale.hold("a", [1]).isDone)
        sale.leave("a")
        #expect(sale.office.stats(ofConcert: 0)?.active == 0)
    }

    @Test func `raising the cap admits at once, lowering it ends nobody`() {
        let sale = Sale(.teller(3))
        for user in ["a", "b", "c", "d"] { sale.join(user) }
        sale.operate(.setPolicy(SetPolicyRequest(concert: "gig", policy: .teller(1))))
        #expect(sale.office.stats(ofConcert: 0)?.active == 3)
        sale.leave("a")
        sale.leave("b")
        #expect(sale.token("d")?.state == .waiting)
        sale.leave("c")
        #expect(sale.token("d")?.state == .active)
        sale.join("e")
        sale.operate(.setPolicy(SetPolicyRequest(concert: "gig", policy: .teller(2))))
        #expect(sale.token("e")?.state == .active)
    }

    // MARK: Turnstile

    @Test func `the turnstile lets a batch in at opening and then each interval on a fixed grid`() {
        let sale = Sale(.turnstile(2, each: 10_000), opens: false)
        sale.line(.openLobby)
        for user in ["a", "b", "c", "d", "e", "f"] { sale.join(user) }
        let opening = sale.now
        sale.line(.openLine)
        #expect(sale.active(of: ["a", "b", "c", "d", "e", "f"]) == ["a", "b"])
        sale.advance(milliseconds: 9_999)
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 2)
        sale.advance(milliseconds: 1)
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 4)
        #expect(sale.office.nextDeadline.map { $0 <= opening + 20_000 } == true)
        sale.advance(milliseconds: 10_000)
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 6)
    }

    @Test func `between turns nobody enters and what a turn did not use is not kept`() {
        let sale = Sale(.turnstile(2, each: 10_000))
        sale.advance(seconds: 25)
        for user in ["a", "b", "c"] { sale.join(user) }
        #expect(sale.active(of: ["a", "b", "c"]) == [])
        sale.advance(seconds: 5)
        #expect(sale.active(of: ["a", "b", "c"]) == ["a", "b"])
    }

    @Test func `turns missed while paused are not made up and the grid stays`() {
        let sale = Sale(.turnstile(1, each: 10_000), opens: false)
        sale.line(.openLobby)
        for user in ["a", "b", "c", "d", "e"] { sale.join(user) }
        sale.line(.openLine)
        sale.line(.pauseLine)
        sale.advance(seconds: 34)
        sale.line(.resumeLine)
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 1)
        sale.advance(seconds: 6)
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 2)
    }

    @Test func `a turn that comes late admits one batch and the next is on the grid`() {
        let sale = Sale(.turnstile(1, each: 1_000), opens: false)
        sale.line(.openLobby)
        for user in ["a", "b", "c", "d", "e"] { sale.join(user) }
        sale.line(.openLine)
        sale.now += 3_700
        sale.apply([])
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 2)
        sale.now += 299
        sale.apply([])
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 2)
        sale.now += 1
        sale.apply([])
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 3)
    }

    @Test func `both: the turnstile turns under the cap`() {
        let sale = Sale(.turnstile(3, each: 1_000, cap: 4), opens: false)
        sale.line(.openLobby)
        let users = ["a", "b", "c", "d", "e", "f", "g"]
        for user in users { sale.join(user) }
        sale.line(.openLine)
        #expect(sale.active(of: users) == ["a", "b", "c"])
        sale.advance(seconds: 5)
        #expect(sale.active(of: users) == ["a", "b", "c", "d"])
        sale.leave("a")
        #expect(sale.active(of: users) == ["b", "c", "d"])
        sale.advance(seconds: 1)
        #expect(sale.active(of: users) == ["b", "c", "d", "e"])
    }

    @Test func `a changed interval starts a new grid from the change`() {
        let sale = Sale(.turnstile(1, each: 60_000), opens: false)
        sale.line(.openLobby)
        for user in ["a", "b", "c"] { sale.join(user) }
        sale.line(.openLine)
        sale.advance(seconds: 7)
        sale.operate(.setPolicy(SetPolicyRequest(concert: "gig", policy: .turnstile(1, each: 2_000))))
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 1)
        sale.advance(seconds: 2)
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 2)
    }

    // MARK: Times

    @Test func `lobby, opening and closing come by themselves`() {
        let sale = Sale(.teller(1), opens: false) {
            $0.lobbyOpensMs = 2_000_000
            $0.opensMs = 3_000_000
            $0.closesMs = 4_000_000
            $0.activeTtlMs = 86_400_000
            $0.idleTtlMs = 86_400_000
        }
        func state() -> LineState? { sale.office.concert(0)?.lineState }
        #expect(state() == .scheduled)
        #expect(sale.office.nextDeadline == 2_000_000)
        sale.advance(milliseconds: 2_000_000 - sale.now)
        #expect(state() == .lobby)
        sale.join("a")
        #expect(sale.token("a")?.state == .waiting)
        sale.advance(milliseconds: 3_000_000 - sale.now)
        #expect(state() == .open)
        #expect(sale.token("a")?.state == .active)
        sale.join("b")
        sale.advance(milliseconds: 4_000_000 - sale.now)
        #expect(state() == .closed)
        #expect(sale.last("b")?.endReason == .closed)
    }

    @Test func `an operator acts before the times and against them`() {
        let sale = Sale(.teller(1), opens: false) {
            $0.opensMs = 3_000_000
            $0.closesMs = 4_000_000
        }
        sale.line(.openLine)
        sale.line(.pauseLine)
        sale.advance(milliseconds: 3_500_000 - sale.now)
        #expect(sale.office.concert(0)?.lineState == .paused)
        sale.line(.closeLine)
        sale.advance(milliseconds: 1_000_000)
        #expect(sale.office.concert(0)?.lineState == .closed)
    }

    @Test func `times that have passed take effect with the settings that bring them`() {
        let sale = Sale()
        sale.putConcert("late", .teller(1)) { $0.opensMs = 5 }
        #expect(sale.office.concert(1)?.lineState == .open)
        sale.putConcert("late", .teller(1)) { $0.closesMs = 6 }
        #expect(sale.office.concert(1)?.lineState == .closed)
    }

    private static let allowed: [LineState: Set<LineAction>] = [
        .scheduled: [.openLobby, .openLine, .closeLine], .lobby: [.openLine, .closeLine],
        .open: [.pauseLine, .drainLine, .closeLine], .paused: [.resumeLine, .drainLine, .closeLine],
        .draining: [.openLine, .closeLine], .closed: [.closeLine],
    ]

    @Test(arguments: [LineState.scheduled, .lobby, .open, .paused, .draining, .closed])
    func `each state allows its actions and no other`(state: LineState) {
        for action in [LineAction.openLobby, .openLine, .pauseLine, .resumeLine, .drainLine, .closeLine] {
            let sale = Sale(opens: false)
            switch state {
            case .lobby: sale.line(.openLobby)
            case .open: sale.line(.openLine)
            case .paused: sale.line(.openLine); sale.line(.pauseLine)
            case .draining: sale.line(.openLine); sale.line(.drainLine)
            case .closed: sale.line(.closeLine)
            default: break
            }
            #expect(sale.office.concert(0)?.lineState == state)
            let outcome = sale.line(action)
            if Self.allowed[state]?.contains(action) == true {
                #expect(outcome == .done(.operatorDone(concert: 0)), "\(action) from \(state)")
            } else {
                #expect(outcome.reason == .lineState, "\(action) from \(state)")
                #expect(sale.office.concert(0)?.lineState == state)
            }
        }
    }

    // MARK: Draw

    @Test func `a drawn lobby is admitted in the order of the draw, which anyone can recompute`() {
        let sale = Sale(.teller(1), opens: false) { $0.lobbyOrder = .draw }
        sale.line(.openLobby)
        let users = (1...20).map { "u\($0)" }
        for user in users { sale.join(user) }
        #expect(sale.office.queuePosition(token: 5) == nil)
        let shown = sale.office.concert(0)
        #expect(shown?.drawSeed == [] && shown?.drawn == 0)
        sale.leave("u7")
        sale.line(.openLine)

        let after = sale.office.concert(0)
        let seed = after?.drawSeed ?? []
        #expect(Draw.commitment(seed: seed) == shown?.drawCommitment)
        #expect(after?.drawn == 20)
        let places = Draw.places(seed: seed, count: 20)
        for (index, user) in users.enumerated() { #expect(sale.last(user)?.place == UInt64(places[index])) }
        var order: [UInt64] = []
        for _ in 0..<19 {
            for user in users where sale.token(user)?.state == .active {
                order.append(sale.token(user)?.place ?? 0)
                sale.leave(user)
                break
            }
        }
        #expect(order == (1...20).filter { $0 != places[6] }.map { UInt64($0) })
    }

    @Test func `who joins after the draw stands behind it, at the join number`() {
        let sale = Sale(.teller(1), opens: false) { $0.lobbyOrder = .draw }
        sale.line(.openLobby)
        for user in ["a", "b", "c"] { sale.join(user) }
        sale.line(.openLine)
        #expect(sale.join("d").token?.place == 4)
    }

    @Test func `an empty lobby is not drawn`() {
        let sale = Sale(.teller(1), opens: false) { $0.lobbyOrder = .draw }
        sale.line(.openLobby)
        sale.line(.openLine)
        #expect(sale.office.concert(0)?.drawn == 0)
        #expect(sale.effects.lines == [.state(line: 0, .open)])
    }
}
