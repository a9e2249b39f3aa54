import Foundation
import UsherAPI

@testable import Campaign

/// What a campaign has done, in the form of docs/reliability.md.
struct Figures: Sendable {
    private struct Row {
        var cycles = 0
        var happened = 0
        var powerCuts = 0
        var atStake = 0
    }

    private var rows: [Fault: Row] = [:]
    private(set) var cycles = 0
    private(set) var totals = Totals()
    private var recoveries: [UInt64] = []

    mutating func count(_ cycle: Cycle, fired: String?, atStake: Int) {
        cycles += 1
        var row = rows[cycle.fault] ?? Row()
        row.cycles += 1
        if cycle.trigger == nil || fired != nil { row.happened += 1 }
        if cycle.loss != .none { row.powerCuts += 1 }
        row.atStake += atStake
        rows[cycle.fault] = row
    }

    mutating func noteRecovery(_ nanoseconds: UInt64) { recoveries.append(nanoseconds) }

    mutating func count(_ evidence: Evidence) { totals.count(evidence) }

    mutating func add(_ other: Figures) {
        for (fault, row) in other.rows {
            var sum = rows[fault] ?? Row()
            sum.cycles += row.cycles
            sum.happened += row.happened
            sum.powerCuts += row.powerCuts
            sum.atStake += row.atStake
            rows[fault] = sum
        }
        cycles += other.cycles
        totals.add(other.totals)
        recoveries += other.recoveries
    }

    /// The table, Markdown.
    func table(violations: Int, seed: UInt64) -> String {
        var lines = [
            "| what happened to the server | times | where it was aimed at | with a power cut | unsynced writes at stake |",
            "|---|---|---|---|---|",
        ]
        for fault in Fault.allCases {
            guard let row = rows[fault] else { continue }
            lines.append("| \(fault.rawValue) | \(row.cycles) | \(row.happened) | \(row.powerCuts) | \(row.atStake) |")
        }
        let sum = rows.values.reduce(into: Row()) { sum, row in
            sum.cycles += row.cycles
            sum.happened += row.happened
            sum.powerCuts += row.powerCuts
            sum.atStake += row.atStake
        }
        lines.append("| **all** | **\(sum.cycles)** | **\(sum.happened)** | **\(sum.powerCuts)** | **\(sum.atStake)** |")
        let recovery = recoveries.sorted()
        let times = "\(Self.milliseconds(recovery, 0.5)) and \(Self.milliseconds(recovery, 1)) ms"
        lines +=
            [""]
            + totals.lines(seed: seed, more: [("start to serving, median and longest", times)], violations: violations)
        return lines.joined(separator: "\n")
    }

    private static func milliseconds(_ sorted: [UInt64], _ share: Double) -> UInt64 {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] / 1_000_000
    }
}
