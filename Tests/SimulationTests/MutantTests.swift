import Foundation
import Testing

/// The mutants (Tests/mutants) are built and hunted by `make mutants`; here only that they can still be made of the present tree.
struct MutantTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let patches: [String] = {
        let folder = root.appending(path: "Tests/mutants").path()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".patch") }.sorted()
    }()

    @Test func `there are at least a dozen mutants, each with what it breaks and its limit`() throws {
        #expect(Self.patches.count >= 12)
        for name in Self.patches {
            let text = try String(contentsOf: Self.root.appending(path: "Tests/mutants/\(name)"), encoding: .utf8)
            #expect(text.contains(/^\w[^\n]+\.\nLimit: \d+ seeds\.\n/), "\(name)")
            #expect(text.contains("\n+++ b/Sources/"), "\(name)")
        }
    }

    @Test func `every mutant applies to the present tree`() throws {
        for name in Self.patches {
            let check = Process()
            check.executableURL = URL(filePath: "/usr/bin/env")
            check.currentDirectoryURL = Self.root
            check.arguments = ["git", "apply", "--unidiff-zero", "--check", "Tests/mutants/\(name)"]
            check.standardInput = FileHandle.nullDevice
            check.standardError = FileHandle.nullDevice
            try check.run()
            check.waitUntilExit()
            #expect(check.terminationStatus == 0, "\(name)")
        }
    }
}
