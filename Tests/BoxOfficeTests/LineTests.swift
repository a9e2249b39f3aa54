import BoxOffice
import Testing
import UsherAPI

struct LineTests {
    @Test func `joins are numbered from one in the order they are committed`() {
        let sale = Sale(.teller(1))
        #expect(sale.join("ada").token?.joinNumber == 1)
        #expect(sale.join("bob").token?.joinNumber == 2)
        #expect(sale.join("cy").token?.joinNumber == 3)
        #expect(sale.active(of: ["ada", "bob", "cy"]) == ["ada"])
    }

    @Test func `joining again while the token lives gives the same place and no effects`() {
        let sale = Sale(.teller(1))
        sale.join("ada")
        let first = sale.join("bob").token
        let again = sale.join("bob").token
        #expect(first == again)
        #expect(sale.effects.lines.isEmpty)
        #expect(sale.office.joined(concert: 0) == 2)
    }

    @Test func `after its end a join gives a new token at the back`() {
        let sale = Sale(.teller(1))
        sale.join("ada")
        sale.join("bob")
        let old = sale.token("ada")
        sale.leave("ada")
        let new = sale.join("ada").token
        #expect(new?.id != old?.id)
        #expect(new?.place == 3)
        #expect(sale.token("bob")?.state == .active)
    }

    @Test func `an unknown concert is not found and uses up no number`() {
        let sale = Sale()
        #expect(sale.join("ada", "nothing").refusal?.code == .notFound)
        #expect(sale.join("ada").token?.joinNumber == 1)
    }

    @Test func `a scheduled line refuses joins with the time they begin`() {
        let sale = Sale(opens: false) {
            $0.opensMs = 5_000_000; $0.lobbyOpensMs = 4_000_000
        }
        let refusal = sale.join("ada").refusal
        #expect(refusal?.reason == .lineScheduled)
        #expect(refusal?.details.opensMs == 4_000_000)
        #expect(sale.office.joined(concert: 0) == 0)
    }

    @Test(arguments: [(LineAction.drainLine, Reason.lineDraining), (.closeLine, .lineClosed)])
    func `a draining or closed line takes no joins`(action: LineAction, reason: Reason) {
        let sale = Sale()
        sale.line(action)
        #expect(sale.join("ada").reason == reason)
    }

    @Test func `a waiting token's place is given up at once and those behind move up`() {
        let sale = Sale(.teller(1))
        for user in ["ada", "bob", "cy"] { sale.join(user) }
        #expect(sale.office.queuePosition(token: 3) == 2)
        sale.leave("bob")
        #expect(sale.effects.lines == [.left(line: 0, place: 2)])
        #expect(sale.effects.tokens == [2])
        #expect(sale.office.queuePosition(token: 3) == 1)
        #expect(sale.office.token(2)?.endReason == .left)
    }

    @Test func `leaving without a place is not found`() {
        let sale = Sale()
        #expect(sale.leave("ada").reason == .unknownToken)
        #expect(sale.leave("ada", "nothing").reason == .unknownConcert)
    }

    @Test func `a user has one place in each line`() {
        let sale = Sale(.teller(1))
        sale.putConcert("other", .teller(1))
        sale.line(.openLine, "other")
        sale.join("ada")
        #expect(sale.join("ada", "other").token?.joinNumber == 1)
        #expect(sale.token("ada", 0)?.id != sale.token("ada", 1)?.id)
        sale.leave("ada", "gig")
        #expect(sale.token("ada", 0) == nil)
        #expect(sale.token("ada", 1)?.state == .active)
    }

    @Test func `position is exact after many ahead have left`() {
        let sale = Sale(.teller(1))
        sale.checksInvariants = false
        let names = (0..<1_000).map { "user \($0)" }
        for name in names { sale.join(name) }
        for (index, name) in names.enumerated() where index % 3 != 0 { sale.leave(name) }
        // User 0 is active; of the others every third still waits.
        for index in stride(from: 3, to: 1_000, by: 3) {
            #expect(sale.office.queuePosition(token: UInt64(index + 1)) == UInt64(index / 3))
        }
        #expect(sale.office.checkInvariants() == [])
    }

    @Test func `loops that apply the changes have the same places as the state`() {
        let sale = Sale(.teller(2), opens: false) { $0.lobbyOrder = .draw }
        sale.line(.openLobby)
        var draws = 0
        var waiting = PlaceSet()
        var active = PlaceSet()
        func take() {
            for change in sale.effects.lines {
                switch change {
                case .joined(_, let number, _): waiting.insert(Int(number))
                case .left(_, let place): waiting.remove(Int(place))
                case .admitted(_, let place, _):
                    waiting.remove(Int(place))
                    active.insert(Int(place))
                case .ended(_, let place): active.remove(Int(place))
                case .drawn(_, let seed, let places):
                    #expect(places == Draw.places(seed: seed, count: places.count))
                    waiting.permute(places)
                    draws += 1
                case .state(_, .closed): waiting.removeAll()
                case .state: break
                }
            }
        }
        for user in ["a", "b", "c", "d", "e", "f"] {
            sale.join(user)
            take()
        }
        #expect(waiting == sale.office.waitingPlaces(ofConcert: 0))
        sale.line(.openLine)
        take()
        #expect(draws == 1 && waiting.count == 4 && active.count == 2)
        #expect(waiting == sale.office.waitingPlaces(ofConcert: 0))
        #expect(active == sale.office.activePlaces(ofConcert: 0))
        for user in ["c", "a", "e"] {
            sale.leave(user)
            take()
        }
        #expect(waiting == sale.office.waitingPlaces(ofConcert: 0))
        #expect(active == sale.office.activePlaces(ofConcert: 0))
        sale.line(.closeLine)
        take()
        #expect(waiting == sale.office.waitingPlaces(ofConcert: 0))
        #expect(active == sale.office.activePlaces(ofConcert: 0))
    }
}
