import UsherAPI

@testable import Campaign

/// What a campaign against a cluster has shown, in the form of docs/reliability.md.
struct ChaosFigures: Sendable {
    /// The moments of one blow.
    struct Case {
        var begun: UInt64
        var healed: UInt64 = 0
        var recovered: UInt64 = 0
    }

    private struct Row {
        var times = 0
        var standstills: [UInt64] = []
        var victims: [UInt64] = []
        var recoveries: [UInt64] = []
        var complaints: [String: Int] = [:]
    }

    private var rows: [ChaosFault: Row] = [:]
    private(set) var blows = 0
    private(set) var totals = Totals()
    private var checkpoints = 0
    private var restarts = 0

    /// - Parameters:
    ///   - acknowledged: when commands were, anywhere.
    ///   - victims: the lanes that were at the instance that was hurt.
    mutating func count(
        _ blow: Blow, _ moments: Case, acknowledged: [UInt64], beats: [PulseRecord.Beat], complaints: [PulseRecord.Complaint],
        victims: Set<Int>
    ) {
        blows += 1
        var row = rows[blow.fault] ?? Row()
        row.times += 1
        row.standstills.append(Self.standstill(acknowledged, moments))
        if !victims.isEmpty {
            let gaps = victims.map { lane in Self.standstill(beats.filter { $0.lane == lane }.map(\.at), moments) }
            row.victims.append(gaps.max()!)
        }
        row.recoveries.append(moments.recovered - moments.healed)
        for complaint in complaints where complaint.at >= moments.begun && complaint.at <= moments.recovered {
            row.complaints[complaint.what, default: 0] += 1
        }
        rows[blow.fault] = row
    }

    /// The longest time without any of the moments from just before the blow until just after the recovery.
    static func standstill(_ moments: [UInt64], _ blow: Case) -> UInt64 {
        let sorted = moments.sorted()
        var last = sorted.last { $0 <= blow.begun } ?? blow.begun
        var longest: UInt64 = 0
        for moment in sorted where moment > blow.begun {
            longest = max(longest, moment - last)
            last = moment
            if moment > blow.recovered { return longest }
        }
        return max(longest, blow.recovered - min(last, blow.recovered))
    }

    mutating func countRestarts(_ count: Int) { restarts += count }

    mutating func count(_ evidence: Evidence) {
        totals.count(evidence)
        checkpoints += Set(evidence.testimonies.flatMap(\.digests.keys)).count
    }

    mutating func add(_ other: ChaosFigures) {
        for (fault, row) in other.rows {
            var sum = rows[fault] ?? Row()
            sum.times += row.times
            sum.standstills += row.standstills
            sum.victims += row.victims
            sum.recoveries += row.recoveries
            sum.complaints.merge(row.complaints) { $0 + $1 }
            rows[fault] = sum
        }
        blows += other.blows
        totals.add(other.totals)
        checkpoints += other.checkpoints
        restarts += other.restarts
    }

    /// The tables, Markdown.
    func table(violations: Int, seed: UInt64) -> String {
        var lines = [
            "| what happened | times | writes stood still, median and longest | for clients of the hurt instance | whole again after | what clients saw |",
            "|---|---|---|---|---|---|",
        ]
        for fault in ChaosFault.allCases {
            guard let row = rows[fault] else { continue }
            let seen = row.complaints.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .map { "\($0.key.allSatisfy { $0.isUppercase || $0 == "_" } ? "`\($0.key)`" : $0.key) \($0.value)" }
            lines.append(
                "| \(fault.rawValue) | \(row.times) | \(Self.seconds(row.standstills)) | \(Self.seconds(row.victims)) | \(Self.seconds(row.recoveries)) | \(seen.isEmpty ? "–" : seen.joined(separator: ", ")) |"
            )
        }
        let more = [
            ("faults", "\(blows)"),
            ("instances that had been away for longer than the journal keeps, and were started again", "\(restarts)"),
            ("positions at which all digests were compared", "\(checkpoints)"),
        ]
        lines += [""] + totals.lines(seed: seed, more: more, violations: violations)
        return lines.joined(separator: "\n")
    }

    private static func seconds(_ nanoseconds: [UInt64]) -> String {
        guard !nanoseconds.isEmpty else { return "–" }
        let sorted = nanoseconds.sorted()
        func text(_ value: UInt64) -> String { "\(value / 1_000_000_000).\(value / 100_000_000 % 10)" }
        let median = text(sorted[sorted.count / 2])
        return sorted.count == 1 ? "\(median) s" : "\(median) and \(text(sorted.last!)) s"
    }
}
