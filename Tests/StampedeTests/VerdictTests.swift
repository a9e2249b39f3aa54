import Testing
import UsherAPI

@testable import usher

/// Each verdict holds for a good run, and fails for the one thing it is there to find.
struct VerdictTests {
    /// Three fans, one active at a time: each is admitted as the one before has paid.
    static func goodRun() -> Evidence {
        var evidence = Evidence(fans: [])
        for index in 0..<3 {
            var fan = FanRecord(index: index, user: Uuid(high: 1, low: UInt64(index + 1)))
            let start = 1_000 + UInt64(index) * 1_000
            fan.outcome = .paid
            fan.joinNumber = UInt64(index + 1)
            fan.place = fan.joinNumber
            fan.admittedMs = start
            fan.surelyActiveUntilMs = start + 1_000
            fan.lastWaitingUs = (start - 10) * 1_000
            fan.charged = 120
            let payment = Payment(
                id: UInt64(index + 1), reservation: UInt64(index + 1), concert: "c", performance: "p",
                seats: [UInt32(index + 1)], amount: 100,
                paidMs: start + 1_000)
            fan.payments = [payment]
            fan.audit = FanRecord.Audit(
                payments: [payment],
                transactions: [
                    Transaction(id: 2, kind: .payment, amount: 100, balanceAfter: 20),
                    Transaction(id: 1, kind: .charge, amount: 120, balanceAfter: 120),
                ])
            evidence.fans.append(fan)
        }
        evidence.policy = AdmissionPolicy(maxActive: 1, batch: 1, intervalMs: 1_000)
        evidence.mostActive = (1, 10)
        evidence.stats = LineStats(revenue: 300, seatsSold: 3)
        evidence.sold = ["p": [1, 2, 3]]
        evidence.sightings["p"] = SeatSightings()
        evidence.sightings["p"]!.saw(0, isSold: false, revision: 1)
        evidence.sightings["p"]!.saw(0, isSold: true, revision: 2)
        return evidence
    }

    @Test func `a good run passes every verdict`() {
        let verdicts = Verdicts.all(Self.goodRun())
        #expect(verdicts.count == 9)
        for verdict in verdicts { #expect(verdict.holds == true, "\(verdict.promise): \(verdict.evidence)") }
    }

    /// A thing gone wrong, and the verdicts that must find it.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let found: Set<String>
        let make: @Sendable (inout Evidence) -> Void

        init(_ name: String, _ found: Set<String>, _ make: @escaping @Sendable (inout Evidence) -> Void) {
            testDescription = name
            self.found = found
            self.make = make
        }
    }

    private static let soldOnce = "each seat sold at most once"
    private static let map = "the seat map agrees"
    private static let order = "admitted in order of places, among the present"
    private static let cap = "the cap was never passed"
    private static let turnstile = "the turnstile kept its pace"
    private static let money = "the money adds up"
    private static let history = "every acknowledged payment is in its payer's history"
    private static let truth = "everyone was told the truth"
    private static let conduct = "everybody was served to the end, without an odd answer"

    static let faults = [
        Fault("a seat sold twice", [soldOnce, map, history]) { $0.fans[1].payments[0].seats = [1] },
        Fault("a sold seat seen free later", [map]) { $0.sightings["p"]!.saw(0, isSold: false, revision: 3) },
        Fault("a paid seat that the map does not know", [map]) { $0.sold!["p"]!.remove(2) },
        Fault("a sold seat that nobody paid", [map]) { $0.sold!["p"]!.insert(9) },
        Fault("an admission ahead of a lower place", [order]) {
            $0.fans[0].place = 3
            $0.fans[2].place = 1
        },
        Fault("somebody overtaken who was never admitted", [order]) {
            $0.fans[0].admittedMs = 0
            $0.fans[0].lastWaitingUs = 4_500_000
        },
        Fault("two active where one is allowed", [cap]) { $0.fans[0].surelyActiveUntilMs = 2_500 },
        Fault("a server that says it has two active", [cap]) { $0.mostActive!.count = 2 },
        Fault("two let in at one turn", [turnstile]) { $0.fans[1].admittedMs = $0.fans[0].admittedMs },
        Fault("turns too close", [turnstile, cap]) { $0.fans[1].admittedMs = 1_300 },
        Fault("a payment that cost nothing", [money]) { $0.fans[2].audit!.transactions.removeFirst() },
        Fault("a balance that is not the sum", [money]) { $0.fans[2].audit!.transactions[1].balanceAfter = 121 },
        Fault("a revenue that nobody paid", [money]) { $0.stats!.revenue = 301 },
        Fault("a payment that was forgotten", [history]) { $0.fans[0].audit!.payments = [] },
        Fault("an account that could not be asked", [history]) { $0.fans[0].audit = nil },
        Fault("a tie of join numbers", [truth]) { $0.fans[1].joinNumber = 1 },
        Fault("a gap in join numbers", [truth]) { $0.fans[2].joinNumber = 4 },
        Fault("something a fan was told wrong", [truth]) { $0.fans[0].problems = ["position grew"] },
        Fault("a fan who never came to an end", [conduct]) { $0.fans[0].outcome = .unfinished },
        Fault("an odd answer", [conduct]) { $0.oddities["Hold: INTERNAL_ERROR"] = (1, "fan 0") },
    ]

    @Test(arguments: faults) func `a fault is found`(_ fault: Fault) {
        var evidence = Self.goodRun()
        fault.make(&evidence)
        let failed = Verdicts.all(evidence).filter { $0.holds == false }
        // The fault may show in more places, but never in none of those named.
        #expect(fault.found.isSubset(of: Set(failed.map(\.promise))), "\(failed)")
        for verdict in failed { #expect(!verdict.evidence.isEmpty) }
    }

    @Test func `who was away may be overtaken, and only then`() {
        var evidence = Self.goodRun()
        evidence.policy = nil
        // Place 1 is admitted last, after a loss from 1.5 s to 2.5 s: place 2 at 2 s may overtake, place 3 at 3 s may not.
        evidence.fans[0].admittedMs = 4_000
        evidence.fans[1].admittedMs = 2_000
        evidence.fans[2].admittedMs = 4_000
        evidence.fans[0].away = [1_500_000...2_500_000]
        #expect(Verdicts.order(evidence).holds == true)
        evidence.fans[2].admittedMs = 3_000
        #expect(Verdicts.order(evidence).holds == false)
    }

    @Test func `a payment whose answer was lost is nobody's lie`() {
        var evidence = Self.goodRun()
        evidence.fans[0].hasOpenCommand = true
        evidence.fans[0].payments = []
        for verdict in Verdicts.all(evidence) { #expect(verdict.holds == true, "\(verdict.promise): \(verdict.evidence)") }
    }
}

struct BehaviourTests {
    @Test func `the same seed makes the same people`() {
        for index in 0..<100 {
            var one = Persona(seed: 7, index: index, behaviour: Behaviour(), pace: 1)
            var other = Persona(seed: 7, index: index, behaviour: Behaviour(), pace: 1)
            #expect(
                one.favourite == other.favourite && one.party == other.party && one.loss == other.loss
                    && one.doubt == other.doubt)
            #expect(one.thought() == other.thought())
        }
        let two = [UInt64(7), 8].map { Persona(seed: $0, index: 0, behaviour: Behaviour(), pace: 1).favourite }
        #expect(two[0] != two[1])
    }

    @Test func `shares are those asked for`() {
        var behaviour = Behaviour()
        #expect(behaviour.change("drop=0.5,best=0,pair=1") == nil)
        let people = (0..<2_000).map { Persona(seed: 3, index: $0, behaviour: behaviour, pace: 1) }
        #expect(people.allSatisfy { !$0.wantsBest && $0.party == 2 })
        #expect((900...1_100).contains(people.count { $0.loss != nil }))
    }

    @Test(arguments: ["drop", "drop=2", "drop=-0.1", "drop=x", "nap=0.5"]) func `a share that is none is refused`(
        _ text: String
    ) {
        var behaviour = Behaviour()
        #expect(behaviour.change(text) != nil)
        #expect(behaviour == Behaviour())
    }

    @Test(arguments: [("3s", 3_000), ("500ms", 500), ("2m", 120_000), ("1.5s", 1_500), ("4", 4_000)] as [(String, UInt64)])
    func `spans read as people write them`(_ text: String, _ milliseconds: UInt64) {
        #expect(Span(argument: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: ["", "s", "-1s", "soon", "1h"]) func `a span that is none is refused`(_ text: String) {
        #expect(Span(argument: text) == nil)
    }
}
