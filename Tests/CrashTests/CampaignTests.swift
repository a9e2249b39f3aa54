import Foundation
import Testing

@testable import Campaign

/// The crash campaign: 20 deaths among the tests, as many as wanted by `make soak-crashes`.
@Suite(.serialized, .timeLimit(.minutes(600)))
struct CampaignTests {
    private static let environment = ProcessInfo.processInfo.environment

    /// A new sale, with a folder and a line of its own, every so many deaths: its users' histories stay small.
    private static let deathsPerSale = 40

    @Test(.enabled(if: isArmed, unarmed))
    func `whatever is acknowledged survives every death of the server`() async throws {
        let deaths = Self.environment["USHER_CRASH_KILLS"].flatMap { Int($0) } ?? 20
        let seed = Self.environment["USHER_CRASH_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999)
        say("crash campaign: \(deaths) deaths, seed \(seed)")
        var figures = Figures()
        var violations = 0
        var left = deaths
        var saleSeed = seed
        while left > 0 {
            let home = try SaleHome(binary: try Self.file("USHER_BINARY"), powercut: try Self.file("USHER_POWERCUT"))
            var sale = Sale(home, seed: saleSeed)
            let before = figures.cycles
            try await sale.play(min(left, Self.deathsPerSale)) { now in
                if now.cycles % 10 == 0 { say("\(before + now.cycles) of \(deaths)") }
            }
            figures.add(sale.figures)
            let found = Checker.violations(sale.evidence)
            violations += found.count
            if found.isEmpty {
                try FileManager.default.removeItem(at: home.folder)
            } else {
                let all = found.prefix(20).map { "\($0)" }.joined(separator: "\n")
                Issue.record("seed \(saleSeed), everything kept in \(home.folder.path):\n\(all)")
            }
            left -= Self.deathsPerSale
            saleSeed += 1
        }
        #expect(
            violations > 0 || figures.cycles == deaths && figures.totals.acknowledged > 20 * deaths, "too little has happened")
        say("\n" + figures.table(violations: violations, seed: seed))
        say("\nonce more: make soak-crashes KILLS=\(deaths) SEED=\(seed)")
    }

    /// The campaign can see: where the disk lies, what was acknowledged is lost, and that is found.
    @Test(.enabled(if: isArmed, unarmed))
    func `a disk that lies about its syncs is found out`() async throws {
        let home = try SaleHome(binary: try Self.file("USHER_BINARY"), powercut: try Self.file("USHER_POWERCUT"))
        var sale = Sale(home, seed: 1)
        try await sale.play([.lie], goingHomeSeconds: 1)
        let found = Set(Checker.violations(sale.evidence).map(\.promise))
        #expect(found.contains(.exactlyOnce), "\(found)")
        try FileManager.default.removeItem(at: home.folder)
    }

    private static let isArmed = environment["USHER_BINARY"] != nil && environment["USHER_POWERCUT"] != nil
    private static let unarmed: Comment = "USHER_BINARY names the built command, USHER_POWERCUT the library of Tests/powercut"

    private static func file(_ variable: String) throws -> URL { URL(filePath: try #require(environment[variable])) }

    private func say(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }
}
