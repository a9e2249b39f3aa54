import Testing
import UsherAPI

@testable import BoxOffice

/// What one entry sets off by itself is bounded, and goes on with the entries that follow.
@Suite struct WorkTests {
    private static let many = 2 * SaleLimits.workPerEntry + 100

    /// A line of so many who wait.
    private func sale(_ count: Int, _ change: (inout ConcertSettings) -> Void = { _ in }, opens: Bool = true) -> Sale {
        let sale = Sale(.teller(1), opens: opens, change)
        sale.checksInvariants = false
        if !opens { sale.line(.openLobby) }
        for start in stride(from: 0, to: count, by: 1_000) {
            sale.apply(
                (start..<min(start + 1_000, count)).map { sale.command("u\($0)", .join(Join(concert: "gig")), token: 0) })
        }
        return sale
    }

    /// Applies empty entries until nothing is left to go on with, and checks that an office restored from a snapshot
    /// taken on the way comes to the same.
    private func goOn(_ sale: Sale) throws -> Int {
        var restored = try BoxOffice(snapshot: sale.office.snapshot())
        #expect(restored.snapshot() == sale.office.snapshot())
        #expect(restored.nextDeadline == sale.office.nextDeadline)
        let from = sale.journal.count
        var entries = 0
        while let next = sale.office.nextDeadline, next <= sale.now, entries < 100 {
            sale.apply([])
            entries += 1
            let changes = max(sale.effects.tokens.count, sale.effects.lines.count, sale.effects.seats.count)
            #expect(changes <= SaleLimits.workPerEntry + 2)
        }
        _ = Sale.replay(sale.journal[from...], into: &restored)
        #expect(restored.digest == sale.office.digest)
        #expect(restored.snapshot() == sale.office.snapshot())
        #expect(sale.office.checkInvariants() == [])
        return entries
    }

    @Test func `a cap raised for many admits them over several entries`() throws {
        let sale = sale(Self.many)
        let policy = AdmissionPolicy.teller(UInt32(Self.many))
        sale.operate(.setPolicy(SetPolicyRequest(concert: "gig", policy: policy)))
        #expect(sale.office.stats(ofConcert: 0)?.active == (1 + SaleLimits.workPerEntry).asCount)
        #expect(try goOn(sale) == 2)
        #expect(sale.office.stats(ofConcert: 0)?.active == Self.many.asCount)
    }

    @Test func `many graces that run out together end over several entries`() throws {
        let sale = sale(Self.many) { $0.graceMs = 1_000 }
        sale.apply([Command(body: .presence(Presence(departed: (2...Self.many).map { UInt64($0) })))])
        sale.now += 1_000
        sale.apply([])
        #expect(sale.office.stats(ofConcert: 0)?.waiting == (Self.many - 1 - SaleLimits.workPerEntry).asCount)
        #expect(try goOn(sale) == 2)
        #expect(sale.office.stats(ofConcert: 0)?.waiting == 0)
    }

    @Test func `many graces that ran out in the minute after an outage end over several entries`() throws {
        let sale = sale(Self.many) { $0.graceMs = 1_000 }
        sale.apply([Command(body: .presence(Presence(departed: (2...Self.many).map { UInt64($0) })))])
        sale.now += 6_000
        sale.apply([])
        sale.advance(milliseconds: 59_999)
        #expect(sale.office.stats(ofConcert: 0)?.waiting == (Self.many - 1).asCount)
        sale.now += 1
        sale.apply([])
        #expect(sale.office.stats(ofConcert: 0)?.waiting == (Self.many - 1 - SaleLimits.workPerEntry).asCount)
        #expect(try goOn(sale) == 2)
        #expect(sale.office.stats(ofConcert: 0)?.waiting == 0)
    }

    @Test func `after an outage many are found absent over several entries, and nobody is admitted before the last`() throws {
        let sale = sale(Self.many)
        sale.start(1, incarnation: sale.now + 1)
        sale.advance(milliseconds: 9_000)
        sale.join("returned")
        sale.leave("u0")
        #expect(sale.office.stats(ofConcert: 0)?.active == 0)
        sale.now += 1_000
        #expect(try goOn(sale) == 3)
        #expect(sale.office.stats(ofConcert: 0)?.present == 0)
        #expect(sale.active(of: ["returned"]) == ["returned"])
    }

    @Test func `an instance that stops takes its many users away over several entries`() throws {
        let sale = sale(10)
        sale.start(2)
        for start in stride(from: 0, to: Self.many, by: 1_000) {
            sale.apply(
                (start..<min(start + 1_000, Self.many)).map { sale.command("v\($0)", .join(Join(concert: "gig")), token: 0) },
                instance: 2)
        }
        sale.apply([Command(body: .instanceStopped(InstanceStopped()))], instance: 2)
        #expect(sale.office.stats(ofConcert: 0)?.present == (9 + Self.many - SaleLimits.workPerEntry).asCount)
        #expect(try goOn(sale) == 2)
        #expect(sale.office.stats(ofConcert: 0)?.present == 9)
    }

    @Test func `a draw of many is done over several entries, and the lobby stays until it is`() throws {
        let count = SaleLimits.drawPerEntry + SaleLimits.drawPerEntry / 2 + 2
        let sale = sale(count, { $0.lobbyOrder = .draw }, opens: false)
        sale.line(.openLine)
        #expect(sale.office.concert(0)?.lineState == .lobby)
        #expect(sale.office.concert(0)?.drawSeed == [])
        #expect(sale.join("late").token?.place == UInt64(count + 1))
        #expect(sale.office.concert(0)?.lineState == .lobby)
        #expect(try goOn(sale) == 1)
        let concert = sale.office.concert(0)
        let after = try #require(concert)
        #expect(after.lineState == .open && after.drawn == UInt64(count))
        let places = Draw.places(seed: after.drawSeed, count: count)
        for index in stride(from: 0, to: count, by: 997) {
            #expect(sale.office.token(UInt64(index + 1))?.place == UInt64(places[index]))
        }
        #expect(sale.office.token(atPlace: 1, concert: 0) == places.firstIndex(of: 1).map { UInt64($0 + 1) })
    }

    /// The heap's entries differ from instance to instance: a restored one has fewer.
    @Test func `while a lobby is drawn its time to open costs none of the work that is left for others`() throws {
        let sale = sale(2 * SaleLimits.drawPerEntry, { $0.lobbyOrder = .draw }, opens: false)
        let opens = sale.now + 60_000
        for _ in 0..<2 {
            sale.putConcert("gig", .teller(1)) {
                $0.lobbyOrder = .draw
                $0.opensMs = opens
            }
        }
        var restored = try BoxOffice(snapshot: sale.office.snapshot())
        sale.now = opens
        for _ in 0..<2 {
            sale.apply([])
            let here = sale.office.budget
            _ = Sale.replay(sale.journal.suffix(1), into: &restored)
            let there = restored.budget
            #expect(here == there)
        }
        #expect(sale.office.concert(0)?.lineState == .lobby)
        _ = try goOn(sale)
        #expect(sale.office.concert(0)?.lineState == .open)
    }

    @Test func `a lobby that closes while it is drawn is closed`() throws {
        let sale = sale(2 * SaleLimits.drawPerEntry, { $0.lobbyOrder = .draw }, opens: false)
        sale.line(.openLine)
        sale.line(.closeLine)
        _ = try goOn(sale)
        #expect(sale.office.concert(0)?.lineState == .closed)
        #expect(sale.office.concert(0)?.drawn == 0)
        #expect(sale.office.token(1)?.endReason == .closed)
    }

    @Test func `a turn of a turnstile is not divided, so it has a bound`() {
        let sale = Sale()
        for (batch, isAllowed) in [(SaleLimits.batch, true), (SaleLimits.batch + 1, false)] {
            let policy = AdmissionPolicy.turnstile(batch, each: 1_000)
            let outcome = sale.operate(.setPolicy(SetPolicyRequest(concert: "gig", policy: policy)))
            #expect(outcome.isDone == isAllowed)
        }
    }
}

extension BinaryInteger {
    /// As the statistics count.
    fileprivate var asCount: UInt64 { UInt64(self) }
}
