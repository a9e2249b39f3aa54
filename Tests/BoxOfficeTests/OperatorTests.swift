import BoxOffice
import Testing
import UsherAPI

struct OperatorTests {
    private typealias Change = @Sendable (inout ConcertSettings) -> Void

    private static let badConcerts: [Change] = [
        { $0.id = "" }, { $0.id = "Caps" }, { $0.id = String(repeating: "a", count: 65) }, { $0.title = "" },
        { $0.title = String(repeating: "t", count: 201) }, { $0.venue = String(repeating: "v", count: 201) },
        { $0.policy = nil }, { $0.policy = AdmissionPolicy() }, { $0.policy = .turnstile(1, each: 99) },
        { $0.policy = .turnstile(1, each: 3_600_001) }, { $0.holdTtlMs = 99 }, { $0.graceMs = .max },
        {
            $0.lobbyOpensMs = 2; $0.opensMs = 1
        },
        {
            $0.opensMs = 2; $0.closesMs = 2
        }, { $0.maxSeats = 65_536 },
        { $0.lobbyOrder = .unrecognized(9) },
    ]

    @Test func `settings that are never allowed are refused and change nothing`() {
        for (index, change) in Self.badConcerts.enumerated() {
            let sale = Sale()
            let outcome = sale.putConcert("new", .teller(1), change)
            #expect(outcome.refusal?.code == .invalidArgument, "case \(index)")
            #expect(sale.office.concertCount == 1)
        }
    }

    @Test func `defaults are filled in`() {
        let settings = Sale().office.settings(ofConcert: 0)
        #expect(settings?.maxSeats == 1)
        #expect(settings?.holdTtlMs == 300_000)
        #expect(settings?.activeTtlMs == 600_000)
        #expect(settings?.idleTtlMs == 180_000)
        #expect(settings?.graceMs == 1_800_000)
    }

    @Test func `the lobby's order and time are fixed once the line is no longer scheduled`() {
        let sale = Sale(opens: false)
        #expect(sale.putConcert("gig", .teller(2)) { $0.lobbyOrder = .draw }.isDone)
        sale.line(.openLobby)
        #expect(sale.putConcert("gig", .teller(2)) { $0.lobbyOrder = .arrival }.reason == .settingFixed)
        #expect(
            sale.putConcert("gig", .teller(2)) {
                $0.lobbyOrder = .draw; $0.lobbyOpensMs = 9
            }.reason == .settingFixed)
        #expect(
            sale.putConcert("gig", .teller(9)) {
                $0.lobbyOrder = .draw; $0.title = "New"
            }.isDone)
        #expect(sale.office.concert(0)?.title == "New")
        #expect(sale.office.concert(0)?.policy == .teller(9))
    }

    @Test func `a draw needs its seed`() {
        let sale = Sale()
        var settings = ConcertSettings(id: "drawn", title: "A", policy: .teller(1))
        settings.lobbyOrder = .draw
        let outcome = sale.operate(.putConcert(PutConcert(settings: settings, drawSeed: [1, 2, 3])))
        #expect(outcome.refusal?.code == .invalidArgument)
    }

    @Test func `a later seed does not replace the one committed to`() {
        let sale = Sale(opens: false) { $0.lobbyOrder = .draw }
        let shown = sale.office.concert(0)?.drawCommitment
        let settings = sale.office.settings(ofConcert: 0)
        sale.operate(.putConcert(PutConcert(settings: settings, drawSeed: [UInt8](repeating: 9, count: 32))))
        #expect(sale.office.concert(0)?.drawCommitment == shown)
    }

    static let bands: [(bands: [PriceBand], prices: [UInt64]?)] = [
        ([PriceBand(firstSeat: 1, lastSeat: 4, price: 5)], [5, 5, 5, 5]),
        ([PriceBand(firstSeat: 1, lastSeat: 4, price: 5), PriceBand(firstSeat: 2, lastSeat: 3, price: 9)], [5, 9, 9, 5]),
        ([PriceBand(firstSeat: 2, lastSeat: 3, price: 9), PriceBand(firstSeat: 1, lastSeat: 4, price: 5)], [5, 5, 5, 5]),
        ([PriceBand(firstSeat: 1, lastSeat: 3, price: 5)], nil),
        ([PriceBand(firstSeat: 1, lastSeat: 5, price: 5)], nil),
        ([PriceBand(firstSeat: 0, lastSeat: 4, price: 5)], nil),
        ([PriceBand(firstSeat: 3, lastSeat: 2, price: 5)], nil),
        ([PriceBand(firstSeat: 1, lastSeat: 4, price: .max)], nil), ([], nil),
    ]

    @Test(arguments: bands.indices)
    func `price bands give each seat one price, the later band counting`(index: Int) {
        let sale = Sale()
        let (bands, prices) = Self.bands[index]
        let outcome = sale.operate(
            .putPerformance(PerformanceSettings(id: "p", concert: "gig", seatCount: 4, prices: bands)))
        #expect(outcome.isDone == (prices != nil))
        #expect(sale.office.performance(1)?.prices == prices)
    }

    @Test func `a performance keeps its seats and its concert`() {
        let sale = Sale()
        sale.putConcert("other", .teller(1))
        #expect(sale.putPerformance("night", concert: "gig", seats: 51).reason == .settingFixed)
        #expect(sale.putPerformance("night", concert: "other").reason == .settingFixed)
        #expect(sale.putPerformance("night", concert: "nothing").reason == .unknownConcert)
        #expect(sale.putPerformance("night", concert: "gig", seats: 0, starts: 77).isDone)
        #expect(sale.office.performance(0)?.settings.startsMs == 77)
        #expect(sale.putPerformance("huge", concert: "gig", seats: 65_536).refusal?.code == .invalidArgument)
        #expect(sale.putPerformance("big", concert: "gig", seats: 65_535).isDone)
    }

    @Test func `notices are numbered and the last sixteen kept`() {
        let sale = Sale()
        for number in 1...20 {
            #expect(sale.operate(.notice(SendNoticeRequest(concert: "gig", text: "notice \(number)"))).isDone)
        }
        #expect(sale.effects.notices.map(\.notice.number) == [20])
        #expect(sale.office.notices(ofConcert: 0).map(\.number) == Array(5...20))
        let long = String(repeating: "x", count: 1_001)
        #expect(sale.operate(.notice(SendNoticeRequest(concert: "gig", text: long))).refusal?.code == .invalidArgument)
        #expect(sale.operate(.notice(SendNoticeRequest(concert: "gig", text: ""))).refusal?.code == .invalidArgument)
    }

    @Test func `stats count what an operator looks at`() {
        let sale = Sale(.teller(2))
        for user in ["a", "b", "c", "d"] { sale.join(user) }
        sale.depart("d")
        sale.charge("a", 100)
        sale.hold("a", [1])
        sale.hold("b", [2])
        sale.pay("a", 1)
        let stats = sale.office.stats(ofConcert: 0)
        let expected = LineStats(
            concert: "gig", lineState: .open, joined: 4, waiting: 1, present: 0, active: 2, admitted: 3,
            admittedLastMinute: 3, paid: 1, revenue: 20, seatsAvailable: 48, seatsHeld: 1, seatsSold: 1)
        #expect(stats == expected)
        sale.advance(seconds: 60)
        #expect(sale.office.stats(ofConcert: 0)?.admittedLastMinute == 0)
    }

    @Test func `keys are kept once each, and only if they are keys`() {
        let sale = Sale()
        let key = [UInt8](repeating: 3, count: 32)
        sale.apply([Command(body: .publishKey(PublishKey(ed25519: key)))])
        sale.apply([Command(body: .publishKey(PublishKey(ed25519: key)))])
        sale.apply([Command(body: .publishKey(PublishKey(ed25519: [1])))])
        #expect(sale.office.keys.map(\.ed25519) == [key])
    }
}
