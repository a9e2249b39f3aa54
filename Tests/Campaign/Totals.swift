import UsherAPI

/// What all users of a campaign have done.
struct Totals: Sendable {
    private enum Fact: String, CaseIterable {
        case users
        case places = "places in line"
        case admissions, commands
        case acknowledged = "of them acknowledged"
        case repeats = "sent once more on purpose"
        case seatsSold = "seats sold"
    }

    private var counts: [Fact: Int] = [:]

    var acknowledged: Int { counts[.acknowledged] ?? 0 }

    mutating func count(_ evidence: Evidence) {
        counts[.users, default: 0] += evidence.shoppers.count
        counts[.commands, default: 0] += evidence.commandCount
        counts[.acknowledged, default: 0] += evidence.acknowledgedCount
        for log in evidence.shoppers {
            counts[.places, default: 0] += log.visits.count
            counts[.admissions, default: 0] += log.visits.count { $0.sightings.contains { $0.state == .active } }
            counts[.repeats, default: 0] += log.repeats
            counts[.seatsSold, default: 0] += log.commands.reduce(0) {
                if case .done(.paid(let payment, _)) = $1.end { $0 + payment.seats.count } else { $0 }
            }
        }
    }

    mutating func add(_ other: Totals) { counts.merge(other.counts) { $0 + $1 } }

    /// A table of two columns, Markdown, with what a campaign adds to it.
    func lines(seed: UInt64, more: [(String, String)], violations: Int) -> [String] {
        let facts = Fact.allCases.map { ($0.rawValue, "\(counts[$0] ?? 0)") }
        return ["| | |", "|---|---|"]
            + ([("seed", "\(seed)")] + facts + more + [("**broken promises**", "**\(violations)**")]).map {
                "| \($0) | \($1) |"
            }
    }
}
