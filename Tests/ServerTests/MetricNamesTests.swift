import Foundation
import Testing

/// That what the pages, the dashboard and the alarms name is what a server shows.
@Suite(.timeLimit(.minutes(1)))
struct MetricNamesTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// The families of a running server that has a concert on sale.
    private func families() async throws -> Set<String> {
        var families: Set<String> = []
        try await withSale { sale in
            try await sale.putOn("aurora")
            let page = try await sale.admin("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
            families = Set(page.text.matches(of: /^#\ TYPE\ (\S+)/.anchorsMatchLineEndings()).map { String($0.1) })
        }
        return families
    }

    @Test func `the table of docs/operating.md is what a server shows`() async throws {
        let families = try await families()
        let rows = try text("docs/operating.md").matches(
            of: /^\|\ `((?:usher|process)_\w+)`\ \|\ (?:counter|gauge|histogram)\ \|/.anchorsMatchLineEndings())
        let documented = rows.map { String($0.1) }
        #expect(Set(documented).count == documented.count, "a metric is documented once")
        #expect(families.subtracting(documented) == [], "shown and not documented")
        #expect(Set(documented).subtracting(families) == [], "documented and not shown")
    }

    @Test(arguments: ["docs/operating.md", "docs/deploy/grafana/usher.json", "docs/deploy/alarms.yml"])
    func `every metric that a page, the dashboard or an alarm names is shown`(path: String) async throws {
        let families = try await families()
        let names = Set(try text(path).matches(of: /\b((?:usher|process)_[a-z_]+)\b/).map { String($0.1) })
        #expect(names.count > 3, "the pattern finds some")
        for name in names {
            let family = name.replacing(/_(?:bucket|sum|count)$/, with: "")
            #expect(families.contains(name) || families.contains(family), "\(path) names \(name)")
        }
    }
}
