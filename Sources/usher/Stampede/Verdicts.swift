import UsherAPI

// What must be true after a stampede, checked from what the clients themselves were told. Pure.
//
// The checks are sound: whatever a client cannot know for certain counts in the server's favour, so that a verdict that
// fails is a promise broken, not a clock that is off.

/// One promise and whether it was kept.
struct Verdict: Sendable, Encodable {
    var promise: String
    /// Nil: could not be checked, and why stands in the finding.
    var holds: Bool?
    var finding: String
    var evidence: [String] = []

    static let evidenceMax = 8

    init(_ promise: String, _ finding: String, violations: [String]) {
        self.promise = promise
        holds = violations.isEmpty
        self.finding = violations.isEmpty ? finding : "\(violations.count) violation\(violations.count == 1 ? "" : "s")"
        evidence = Array(violations.prefix(Self.evidenceMax))
    }

    init(_ promise: String, unchecked why: String) {
        self.promise = promise
        finding = "not checked: \(why)"
    }
}

/// All that verdicts are made from.
struct Evidence {
    var fans: [FanRecord]
    var sightings: [String: SeatSightings] = [:]
    var policy: AdmissionPolicy?
    /// The most that the server's own numbers showed active at once, and in how many looks.
    var mostActive: (count: UInt64, looks: Int)?
    var stats: LineStats?
    /// Sold seats of each performance at the end; nil: could not be asked.
    var sold: [String: Set<UInt32>]?
    /// Nobody but these fans has used the concert.
    var isOwnConcert = true
    /// Wall time minus journal time, at least, in microseconds: a moment of the wall clock is in the journal no earlier.
    var clockOffsetUs: Int64 = 0
    var oddities: [String: (count: Int, example: String)] = [:]

    func journalMs(ofWallUs wall: UInt64) -> UInt64 { UInt64(max(0, (Int64(wall) - clockOffsetUs) / 1000)) }
}

enum Verdicts {
    static func all(_ evidence: Evidence) -> [Verdict] {
        [
            soldOnce(evidence), seatMap(evidence), order(evidence), cap(evidence), turnstile(evidence), money(evidence),
            history(evidence),
            places(evidence), conduct(evidence),
        ].compactMap { $0 }
    }

    // MARK: Seats

    /// From the acknowledgements of Pay alone.
    static func soldOnce(_ evidence: Evidence) -> Verdict {
        var owners: [String: Int] = [:]
        var violations: [String] = []
        for fan in evidence.fans {
            for payment in fan.payments {
                for seat in payment.seats {
                    let key = "\(payment.performance) seat \(seat)"
                    if let other = owners.updateValue(fan.index, forKey: key) {
                        violations.append("\(key) was sold to fans \(other) and \(fan.index)")
                    }
                }
            }
        }
        return Verdict(
            "each seat sold at most once", "\(owners.count) seats sold, as acknowledged to their buyers", violations: violations
        )
    }

    /// What watchers were shown, and the final map, against the acknowledgements.
    static func seatMap(_ evidence: Evidence) -> Verdict {
        var violations: [String] = []
        for (performance, seen) in evidence.sightings.sorted(by: { $0.key < $1.key }) {
            for seat in seen.contradictions {
                violations.append(
                    "\(performance) seat \(seat + 1) was seen sold at revision \(seen.soldFrom[seat]) and not sold at \(seen.unsoldUntil[seat])"
                )
            }
        }
        guard let sold = evidence.sold else {
            return Verdict(
                "the seat map agrees", "watchers never saw a sold seat come back; the final map could not be asked",
                violations: violations)
        }
        var acknowledged: [String: Set<UInt32>] = [:]
        for payment in evidence.fans.flatMap(\.payments) {
            acknowledged[payment.performance, default: []].formUnion(payment.seats)
        }
        // A Pay whose answer never came may have sold seats that nobody here knows of.
        let unknown = evidence.fans.contains { $0.hasOpenCommand } || !evidence.isOwnConcert
        for performance in Set(sold.keys).union(acknowledged.keys).sorted() {
            let missing = (acknowledged[performance] ?? []).subtracting(sold[performance] ?? [])
            let extra = unknown ? [] : (sold[performance] ?? []).subtracting(acknowledged[performance] ?? [])
            if !missing.isEmpty { violations.append("\(performance): paid for, but not sold in the map: \(missing.sorted())") }
            if !extra.isEmpty {
                violations.append("\(performance): sold in the map, but to none of the fans: \(extra.sorted())")
            }
        }
        if evidence.isOwnConcert, !unknown, let stats = evidence.stats {
            let count = acknowledged.values.reduce(0) { $0 + $1.count }
            if stats.seatsSold != UInt64(count) {
                violations.append("the server counts \(stats.seatsSold) seats sold, the fans \(count)")
            }
        }
        return Verdict(
            "the seat map agrees",
            "\(evidence.sightings.count) maps watched, \(sold.values.reduce(0) { $0 + $1.count }) seats sold in the final one",
            violations: violations)
    }

    // MARK: Order

    /// How much older than its arrival the news may be that somebody waits.
    static let waitingSlackMilliseconds: UInt64 = 1_000

    /// Nobody was admitted before somebody with a lower place who was there, waiting.
    static func order(_ evidence: Evidence) -> Verdict {
        let promise = "admitted in order of places, among the present"
        let admitted = evidence.fans.filter { $0.admittedMs > 0 && $0.place > 0 }
        guard !admitted.isEmpty else { return Verdict(promise, unchecked: "nobody was admitted") }
        // By time; at each time the highest place admitted strictly before it.
        let byTime = admitted.map { (time: $0.admittedMs, place: $0.place, index: $0.index) }.sorted {
            ($0.time, $0.place) < ($1.time, $1.place)
        }
        let times = byTime.map(\.time)
        var highest: [(place: UInt64, entry: Int)] = []
        for (entry, admission) in byTime.enumerated() {
            if let last = highest.last, last.place > admission.place {
                highest.append(last)
            } else {
                highest.append((admission.place, entry))
            }
        }
        /// How many entries are before a time.
        func count(before time: UInt64) -> Int {
            var (low, high) = (0, times.count)
            while low < high {
                let middle = (low + high) / 2
                if times[middle] < time { low = middle + 1 } else { high = middle }
            }
            return low
        }
        var violations: [String] = []
        for fan in evidence.fans where fan.place > 0 {
            // Until when it waited for certain.
            let until: UInt64
            if fan.admittedMs > 0 {
                until = fan.admittedMs
            } else {
                // It may have been admitted without hearing of it; what it heard may have been a moment old.
                let heard = evidence.journalMs(ofWallUs: fan.lastWaitingUs)
                until = heard - min(heard, waitingSlackMilliseconds)
            }
            let end = count(before: until)
            guard end > 0, highest[end - 1].place > fan.place else { continue }
            let away = fan.away.map {
                evidence.journalMs(
                    ofWallUs: $0.lowerBound)...(($0.upperBound == .max)
                    ? .max : evidence.journalMs(ofWallUs: $0.upperBound) + 1)
            }
            for overtaker in byTime[..<end].reversed() where overtaker.place > fan.place {
                guard !away.contains(where: { $0.contains(overtaker.time) }) else { continue }
                violations.append(
                    "place \(overtaker.place) (fan \(overtaker.index)) was admitted at \(overtaker.time), before place \(fan.place) (fan \(fan.index)) which waited until \(until)"
                )
                break
            }
        }
        return Verdict(promise, "\(admitted.count) admissions", violations: violations)
    }

    // MARK: Admission policy

    /// Never more active at once than allowed: by the server's own numbers, and by what each fan was told.
    static func cap(_ evidence: Evidence) -> Verdict? {
        let promise = "the cap was never passed"
        guard let policy = evidence.policy, policy.maxActive > 0 else { return nil }
        var violations: [String] = []
        if let most = evidence.mostActive, most.count > UInt64(policy.maxActive) {
            violations.append("the server counted \(most.count) active, allowed are \(policy.maxActive)")
        }
        let most = mostActive(evidence.fans, evidence)
        if most.count > Int(policy.maxActive) {
            violations.append("\(most.count) fans were active at \(most.time), allowed are \(policy.maxActive)")
        }
        let looks = evidence.mostActive.map { "; the server showed at most \($0.count) in \($0.looks) looks" } ?? ""
        return Verdict(
            promise, "at most \(most.count) of \(policy.maxActive) active at once for certain\(looks)", violations: violations)
    }

    /// The most fans that were active at one journal time for certain: from the admission's stamp to the last stamp that
    /// shows them active. Whoever ends and whoever is admitted at one stamp may be of one entry, so ends count first.
    static func mostActive(_ fans: [FanRecord], _ evidence: Evidence) -> (count: Int, time: UInt64) {
        var changes: [(time: UInt64, change: Int)] = []
        for fan in fans where fan.admittedMs > 0 {
            var until = fan.surelyActiveUntilMs
            if fan.leaveSentUs > 0 { until = max(until, evidence.journalMs(ofWallUs: fan.leaveSentUs)) }
            guard until > fan.admittedMs else { continue }
            changes.append((fan.admittedMs, 1))
            changes.append((until, -1))
        }
        changes.sort { ($0.time, $0.change) < ($1.time, $1.change) }
        var count = 0
        var most = (count: 0, time: UInt64(0))
        for change in changes {
            count += change.change
            if count > most.count { most = (count, change.time) }
        }
        return most
    }

    /// Each turn lets in at most the batch, and turns are an interval apart.
    static func turnstile(_ evidence: Evidence) -> Verdict? {
        guard let policy = evidence.policy, policy.batch > 0 else { return nil }
        let stamps = Dictionary(grouping: evidence.fans.map(\.admittedMs).filter { $0 > 0 }) { $0 }.mapValues(\.count).sorted {
            $0.key < $1.key
        }
        var violations = stamps.filter { $0.value > Int(policy.batch) }.map {
            "\($0.value) admitted at \($0.key), allowed are \(policy.batch)"
        }
        // A turn may be late, and the next in time: half an interval is certain.
        for (turn, next) in zip(stamps, stamps.dropFirst()) where next.key - turn.key < UInt64(policy.intervalMs) / 2 {
            violations.append("turns at \(turn.key) and \(next.key), an interval is \(policy.intervalMs) ms")
        }
        return Verdict("the turnstile kept its pace", "\(stamps.count) turns", violations: violations)
    }

    // MARK: Money

    /// Charges less payments is what is left, for everyone, and the sum is the server's.
    static func money(_ evidence: Evidence) -> Verdict {
        var violations: [String] = []
        var charged: UInt64 = 0
        var paid: UInt64 = 0
        var checked = 0
        for fan in evidence.fans {
            let spent = fan.payments.reduce(UInt64(0)) { $0 + $1.amount }
            charged += fan.charged
            paid += spent
            guard let audit = fan.audit else { continue }
            checked += 1
            var sum: Int64 = 0
            for transaction in audit.transactions.reversed() {
                switch transaction.kind {
                case .charge, .refund: sum += Int64(transaction.amount)
                case .payment: sum -= Int64(transaction.amount)
                case .unspecified, .unrecognized: violations.append("fan \(fan.index) has a transaction of no kind")
                }
                if Int64(transaction.balanceAfter) != sum {
                    violations.append(
                        "fan \(fan.index): after transaction \(transaction.id) the balance is \(transaction.balanceAfter), its transactions make \(sum)"
                    )
                }
            }
            let balance = Int64(audit.transactions.first?.balanceAfter ?? 0)
            if !fan.hasOpenCommand, balance != Int64(fan.charged) - Int64(spent) {
                violations.append("fan \(fan.index) charged \(fan.charged) and paid \(spent), but has \(balance)")
            }
        }
        if evidence.isOwnConcert, !evidence.fans.contains(where: \.hasOpenCommand), let stats = evidence.stats,
            stats.revenue != paid
        {
            violations.append("the server counts a revenue of \(stats.revenue), the fans paid \(paid)")
        }
        return Verdict(
            "the money adds up",
            "\(checked) accounts: \(charged) charged − \(paid) paid = \(charged - min(charged, paid)) left",
            violations: violations)
    }

    /// What was acknowledged is in the payer's own list, and nothing else is.
    static func history(_ evidence: Evidence) -> Verdict {
        var violations: [String] = []
        var listed = 0
        for fan in evidence.fans {
            guard let audit = fan.audit else {
                if !fan.payments.isEmpty {
                    violations.append("fan \(fan.index) has paid, but its payments could not be listed")
                }
                continue
            }
            for payment in fan.payments {
                listed += 1
                if !audit.payments.contains(payment) {
                    violations.append("fan \(fan.index): payment \(payment.id) was acknowledged, but is not listed as such")
                }
            }
            if !fan.hasOpenCommand, audit.payments.count != fan.payments.count {
                violations.append(
                    "fan \(fan.index) has \(audit.payments.count) payments listed, \(fan.payments.count) acknowledged")
            }
        }
        return Verdict("every acknowledged payment is in its payer's history", "\(listed) payments", violations: violations)
    }

    // MARK: Fans

    /// Join numbers are those of one line, and whoever came back had its place.
    static func places(_ evidence: Evidence) -> Verdict {
        var violations: [String] = []
        let numbers = evidence.fans.map(\.joinNumber).filter { $0 > 0 }.sorted()
        for (number, next) in zip(numbers, numbers.dropFirst()) where number == next {
            violations.append("join number \(number) was given twice")
        }
        if evidence.isOwnConcert, let last = numbers.last, last != UInt64(numbers.count) {
            violations.append("\(numbers.count) joins have numbers up to \(last)")
        }
        for fan in evidence.fans { violations += fan.problems.map { "fan \(fan.index): \($0)" } }
        let returns = evidence.fans.reduce(0) { $0 + $1.returns }
        return Verdict(
            "everyone was told the truth",
            "\(numbers.count) join numbers without gap or tie, \(returns) came back to the same place", violations: violations)
    }

    /// Everybody's course came to its end.
    static func conduct(_ evidence: Evidence) -> Verdict {
        var violations: [String] = []
        let unfinished = evidence.fans.filter { $0.outcome == .unfinished }
        if !unfinished.isEmpty {
            violations.append(
                "\(unfinished.count) fans did not come to an end, for instance \(unfinished.prefix(5).map(\.index))")
        }
        for (what, oddity) in evidence.oddities.sorted(by: { $0.key < $1.key }) {
            violations.append("\(oddity.count) × \(what); \(oddity.example)")
        }
        return Verdict(
            "everybody was served to the end, without an odd answer", "\(evidence.fans.count) fans", violations: violations)
    }
}
