import Foundation
import Testing

@Suite struct `files` {
    @Test func `every Swift file has the house format`() throws {
        let result = try Repository.run(
            "swift", ["format", "lint", "--strict", "--recursive", "--parallel", "Package.swift", "Sources", "Tests"])
        let first = result.output.split(separator: "\n").prefix(10).joined(separator: "\n")
        #expect(result.status == 0, "`make format` puts it right:\n\(first)")
    }

    private static let linesMax = 400
    /// Files above the limit: how long they may be, and why. The number only goes down.
    private static let longFiles: [String: (lines: Int, reason: String)] = [
        "Sources/UsherAPI/Frames.swift": (428, "one file for each proto file")
    ]

    @Test func `a file is one idea, of at most 400 lines`() throws {
        for path in Repository.swiftFiles {
            let lines = Repository.text(path)?.count { $0 == "\n" } ?? 0
            let limit = Self.longFiles[path]?.lines ?? Self.linesMax
            #expect(lines <= limit, "\(path) has \(lines) lines; what are its ideas?")
        }
    }

    @Test func `exceptions from that are still needed`() throws {
        for (path, exception) in Self.longFiles {
            let lines = try #require(Repository.text(path), "\(path)").count { $0 == "\n" }
            #expect(
                lines > Self.linesMax && exception.lines - lines < 20,
                "\(path) has \(lines) lines now: lower or remove its exception")
        }
    }

    /// To a server a variable USHER_… is a setting, and one that it does not know stops it.
    @Test func `what the tests' goals export does not reach make run`() throws {
        let makefile = try #require(Repository.text("Makefile")).split(separator: "\n")
        #expect(!makefile.contains { $0.hasPrefix("export ") })
        #expect(!makefile.contains { $0.hasPrefix("run") && $0.contains("export") })
    }

    /// What must not stand in the repository. Written in pieces, so that this file does not find itself.
    private static var forbidden: [(what: String, pattern: Regex<Substring>)] {
        [
            (
                "a path of somebody's machine",
                try! Regex(
                    "(?:^|[^\\w./-])/(?:" + ["ho" + "me", "Us" + "ers", "wo" + "rk", "ro" + "ot"].joined(separator: "|")
                        + ")/\\w")
            ),
            ("unfinished work", try! Regex("\\b(?:TO" + "DO|FIX" + "ME|X" + "XX)\\b")),
            ("a test that is switched off", try! Regex("\\.dis" + "abled\\(")),
            (
                "a package registry's host",
                try! Regex(
                    "(?:registry\\.npm" + "js\\.org|registry\\.yarn" + "pkg\\.com|py" + "pi\\.org|python"
                        + "hosted\\.org|crates\\." + "io|proxy\\.go"
                        + "lang\\.org|rubygems\\." + "org|maven\\." + "org|deb\\.deb" + "ian\\.org)")
            ),
        ]
    }

    @Test func `nothing unfinished, private or foreign stands in a file`() throws {
        let forbidden = Self.forbidden
        for path in Repository.files where !path.hasSuffix("LICENSE") {
            guard let text = Repository.text(path) else { continue }
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                for (what, pattern) in forbidden where line.contains(pattern) {
                    Issue.record("\(path):\(number + 1): \(what): \(line.prefix(120))")
                }
            }
        }
    }

    @Test(arguments: [
        ("cd /ho" + "me/ada/usher", true), ("see /Us" + "ers/ada", true), ("(/wo" + "rk/x)", true), ("frame" + "work/x", false),
        ("https://a.example/ho" + "me/x", false), ("// TO" + "DO: later", true), ("usher-XX" + "XXXX", false),
        ("@Test(.dis" + "abled(\"x\"))", true),
        ("https://registry.npm" + "js.org/x", true),
    ])
    func `the patterns find what they should`(line: String, isFound: Bool) {
        #expect(Self.forbidden.contains { line.contains($0.pattern) } == isFound)
    }

    @Test func `text files end with a line end, and have no tabs or blanks at line ends`() throws {
        let checked = [".swift", ".proto", ".yaml", ".yml", ".py", ".ts"]
        for path in Repository.files where checked.contains(where: path.hasSuffix) {
            guard let text = Repository.text(path), !text.isEmpty else { continue }
            #expect(text.hasSuffix("\n"), "\(path)")
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            where line.contains("\t") || line.hasSuffix(" ") {
                Issue.record("\(path):\(number + 1): a tab, or a blank at the end")
            }
        }
    }
}
