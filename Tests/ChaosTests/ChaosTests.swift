import Foundation
import Testing

@testable import Campaign

/// The campaign against a cluster: a few faults among the tests, as many as wanted by `make soak-chaos`.
@Suite(.serialized, .timeLimit(.minutes(600)))
struct ChaosTests {
    private static let environment = ProcessInfo.processInfo.environment

    /// A new sale and a new cluster every so many faults: its users' histories stay small.
    private static let faultsPerSale = 28

    @Test(.enabled(if: isArmed, unarmed))
    func `three instances stay one, whatever happens to them and to their journal`() async throws {
        let faults = Self.environment["USHER_CHAOS_FAULTS"].flatMap { Int($0) } ?? 4
        let seed = Self.environment["USHER_CHAOS_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999)
        var figures = ChaosFigures()
        var violations = 0
        var left = faults
        var saleSeed = seed
        while left > 0 {
            let binary = URL(filePath: try #require(Self.environment["USHER_BINARY"]))
            var random = SeededRandom(saleSeed)
            let snapshotEntries = [200, 2_000, 20_000].randomElement(using: &random)!
            let stage = try await Stage.aside { try Stage(binary: binary, snapshotEntries: snapshotEntries) }
            if left == faults {
                say("chaos: \(faults) faults, seed \(seed), cuts by \(stage.network.kind)")
            }
            let plan = Blow.plan(min(left, Self.faultsPerSale), using: &random)
            var run = ChaosRun(stage, seed: saleSeed)
            let before = figures.blows
            do {
                try await run.play(plan) { blow, now in
                    say("\(before + now.blows) of \(faults): \(blow.fault.rawValue), \(blow.milliseconds) ms")
                }
            } catch {
                Issue.record("seed \(saleSeed): \(error)")
            }
            figures.add(run.figures)
            let found = Checker.violations(run.evidence)
            violations += found.count
            try await stage.end(isKept: !found.isEmpty)
            if found.isEmpty {
                try FileManager.default.removeItem(at: stage.folder)
            } else {
                let all = found.map { "\($0)\n" }.joined()
                try Data(all.utf8).write(to: stage.folder.appending(path: "violations"))
                let some = Dictionary(grouping: found, by: \.promise).map { promise, of in
                    "\(of.count) of \(promise.rawValue), such as\n" + of.prefix(4).map { "  \($0)\n" }.joined()
                }
                Issue.record("seed \(saleSeed), everything kept in \(stage.folder.path):\n\(some.joined())")
            }
            left -= Self.faultsPerSale
            saleSeed += 1
        }
        #expect(
            violations > 0 || figures.blows == faults && figures.totals.acknowledged > 50 * faults, "too little has happened")
        say("\n" + figures.table(violations: violations, seed: seed))
        say("\nonce more: make soak-chaos FAULTS=\(faults) SEED=\(seed)")
    }

    private static let isArmed = environment["USHER_BINARY"] != nil && environment["USHER_NATS"] != nil
    private static let unarmed: Comment = "USHER_BINARY names the built command, USHER_NATS that of NATS"

    private func say(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }
}
