import Foundation
import Testing

/// docs/threat-model.md: an attack without a test is a hope.
@Suite struct `the threat model` {
    private static let page = "docs/threat-model.md"
    private static let heading = "| attack | bound and answer | shown by |"

    /// The rows of the tables of attacks: their cells.
    private func rows() throws -> [[String]] {
        var rows: [[String]] = []
        var isInTable = false
        for line in try #require(Repository.text(Self.page)).split(separator: "\n", omittingEmptySubsequences: false) {
            if line == Self.heading { isInTable = true }
            if !line.hasPrefix("|") { isInTable = false }
            guard isInTable, line != Self.heading, !line.hasPrefix("|--") else { continue }
            rows.append(line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) })
        }
        return rows
    }

    @Test func `every attack has an answer and a test, and every test named is there`() throws {
        let rows = try rows()
        #expect(rows.count > 40)
        for row in rows {
            guard row.count == 3, row.allSatisfy({ !$0.isEmpty }) else {
                Issue.record("an attack, a bound with its answer, tests: \(row)")
                continue
            }
            for entry in row[2].components(separatedBy: "<br>") {
                let match = try #require(
                    try /\[(\w+)\]\(\.\.\/(Tests\/[\w\/]+\/(\w+)\.swift)\): (.+)/.wholeMatch(in: entry), "\(entry)")
                #expect(match.1 == match.3, "\(entry)")
                let text = Repository.text(String(match.2)) ?? ""
                #expect(text.contains("func `\(match.4)`("), "\(match.2) has no test '\(match.4)'")
            }
        }
    }

    @Test func `every test of abuse stands in it`() throws {
        let page = try #require(Repository.text(Self.page))
        let files = Repository.swiftFiles.filter { $0.hasPrefix("Tests/ServerTests/Abuse/") }
        #expect(!files.isEmpty)
        for file in files {
            for match in (Repository.text(file) ?? "").matches(of: /@Test[^`]*?func `([^`]+)`/) {
                #expect(page.contains("): \(match.1)"), "\(file): \(match.1)")
            }
        }
    }
}
