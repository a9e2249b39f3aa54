import BoxOffice
import Testing
import UsherAPI

struct OutageTests {
    /// Somebody active with a hold, somebody waiting, somebody absent.
    private func busySale(restGrace: UInt64 = 20_000) -> Sale {
        let sale = Sale(.teller(1)) {
            $0.activeTtlMs = 600_000
            $0.idleTtlMs = 30_000
            $0.holdTtlMs = 20_000
            $0.graceMs = restGrace
            $0.maxSeats = 2
        }
        for user in ["a", "b", "c"] { sale.join(user) }
        sale.hold("a", [1])
        sale.depart("c")
        return sale
    }

    @Test func `after a silence of the journal deadlines are at least a minute away`() {
        let sale = busySale()
        sale.now += 25_000
        sale.apply([])
        let start = sale.now
        #expect(sale.office.reservation(1)?.reservation.state == .held)
        #expect(sale.office.reservation(1)?.reservation.deadlineMs == start + 60_000)
        #expect(sale.token("a")?.idleUntil == start + 60_000)
        #expect(sale.token("a")?.activeUntil == start - 25_000 + 600_000)
        #expect(sale.token("c")?.state == .waiting)
        sale.advance(milliseconds: 59_999)
        #expect(sale.office.reservation(1)?.reservation.state == .held)
        #expect(sale.token("c")?.state == .waiting)
        sale.advance(milliseconds: 1)
        #expect(sale.office.reservation(1)?.reservation.state == .expired)
        #expect(sale.last("c")?.endReason == .absent)
    }

    @Test func `what begins in the minute after an outage lapses no sooner than its end`() {
        let sale = busySale()
        sale.now += 6_000
        sale.apply([])
        let start = sale.now
        sale.advance(milliseconds: 12_000)
        sale.hold("a", [2])
        #expect(sale.office.reservation(2)?.reservation.deadlineMs == start + 60_000)
        sale.depart("b")
        sale.advance(milliseconds: 47_999)
        #expect(sale.office.reservation(2)?.reservation.state == .held)
        #expect(sale.token("b")?.state == .waiting)
        sale.advance(milliseconds: 1)
        #expect(sale.office.reservation(2)?.reservation.state == .expired)
        #expect(sale.last("b")?.endReason == .absent)
        // What has ended keeps its deadline when there is another outage.
        sale.join("d")
        sale.now += 6_000
        sale.apply([])
        #expect(sale.office.reservation(2)?.reservation.deadlineMs == start + 60_000)
    }

    @Test func `whoever arrives in the quiet time and departs again is kept to its end too`() {
        let sale = Sale(.teller(1))
        for user in ["a", "b"] { sale.join(user) }
        sale.depart("b")
        sale.now += 6_000
        sale.apply([])
        #expect(sale.token("b")?.present == false)
        sale.arrive("b")
        sale.depart("b")
        #expect(sale.token("b")?.present == true)
        sale.advance(seconds: 10)
        #expect(sale.token("b")?.present == false)
    }

    @Test func `five seconds of silence are no outage`() {
        let sale = busySale()
        sale.advance(seconds: 15)
        sale.now += 5_000
        sale.apply([])
        #expect(sale.office.reservation(1)?.reservation.state == .expired)
    }

    @Test func `an idle sale has no outages`() {
        let sale = Sale(.teller(1))
        #expect(sale.office.nextDeadline == nil)
        sale.now += 1_000_000
        #expect(sale.join("a").token?.state == .active)
    }

    @Test func `while somebody waits the journal is not left silent`() {
        let sale = Sale(.teller(1))
        sale.join("a")
        #expect(sale.office.nextDeadline.map { $0 <= sale.now + 2_000 } == true)
    }

    @Test func `for ten seconds nobody is admitted and the fastest to reconnect overtakes nobody`() {
        let sale = Sale(.teller(1))
        for user in ["a", "b", "c"] { sale.join(user) }
        sale.now += 2_000
        sale.start(1)
        let restart = sale.now
        sale.leave("a")
        sale.arrive("c")
        #expect(sale.active(of: ["b", "c"]) == [])
        #expect(sale.token("b")?.present == true)
        sale.now = restart + 4_000
        sale.apply([])
        sale.arrive("b")
        sale.advance(milliseconds: restart + 9_999 - sale.now)
        #expect(sale.active(of: ["b", "c"]) == [])
        sale.advance(milliseconds: 1)
        #expect(sale.active(of: ["b", "c"]) == ["b"])
    }

    @Test func `who has not come back after the quiet is absent, and the grace begins then`() {
        let sale = Sale(.teller(1)) {
            $0.graceMs = 100_000; $0.idleTtlMs = 3_600_000; $0.activeTtlMs = 3_600_000
        }
        for user in ["a", "b", "c"] { sale.join(user) }
        sale.start(1)
        let restart = sale.now
        sale.arrive("c")
        sale.advance(seconds: 10)
        #expect(sale.token("b")?.present == false)
        #expect(sale.token("c")?.present == true)
        sale.leave("a")
        #expect(sale.token("c")?.state == .active)
        sale.advance(milliseconds: restart + 109_999 - sale.now)
        #expect(sale.token("b")?.state == .waiting)
        sale.advance(milliseconds: 1)
        #expect(sale.last("b")?.endReason == .absent)
    }

    @Test func `a departure in the quiet time counts when it is over`() {
        let sale = Sale(.teller(1))
        for user in ["a", "b"] { sale.join(user) }
        sale.now += 6_000
        sale.apply([])
        sale.depart("b")
        #expect(sale.token("b")?.present == true)
        sale.advance(seconds: 10)
        #expect(sale.token("b")?.present == false)
    }

    @Test func `a graceful restart of the only instance keeps presence`() {
        let sale = Sale(.teller(1))
        for user in ["a", "b", "c"] { sale.join(user) }
        sale.apply([Command(body: .instanceStopped(InstanceStopped()))])
        sale.now += 1_000
        sale.start(1)
        sale.leave("a")
        sale.arrive("c")
        #expect(sale.token("b")?.present == true)
        sale.arrive("b")
        sale.advance(seconds: 10)
        #expect(sale.active(of: ["b", "c"]) == ["b"])
    }

    @Test func `a start beside a living instance is no outage`() {
        let sale = Sale(.teller(1))
        for user in ["a", "b"] { sale.join(user) }
        sale.start(2)
        sale.leave("a")
        #expect(sale.token("b")?.state == .active)
    }

    @Test func `deadlines that fell due just before a lone restart get their respite too`() {
        let sale = busySale()
        sale.advance(milliseconds: 19_000)
        sale.now += 2_000
        sale.start(1)
        #expect(sale.office.reservation(1)?.reservation.state == .held)
        #expect(sale.office.reservation(1)?.reservation.deadlineMs == sale.now + 60_000)
    }

    @Test func `turns of the turnstile missed in an outage are not made up`() {
        let sale = Sale(.turnstile(1, each: 1_000), opens: false)
        sale.line(.openLobby)
        for user in ["a", "b", "c", "d"] { sale.join(user) }
        sale.line(.openLine)
        sale.now += 8_500
        sale.apply([])
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 1)
        sale.advance(milliseconds: 10_499)
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 1)
        sale.advance(milliseconds: 1)
        #expect(sale.office.stats(ofConcert: 0)?.admitted == 2)
    }
}
