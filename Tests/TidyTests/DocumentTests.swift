import Foundation
import Testing

@Suite struct `documents` {
    /// A link as Markdown writes it: where it stands and where it leads.
    private struct Link {
        var file: String
        var line: Int
        var target: String
    }

    @Test func `relative links lead to files and headings that are there`() throws {
        for link in Repository.markdownFiles.flatMap(links) {
            let parts = link.target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let folder = link.file.split(separator: "/").dropLast().joined(separator: "/")
            let path = parts[0].isEmpty ? link.file : normalised(parts[0].hasPrefix("/") ? parts[0] : folder + "/" + parts[0])
            guard Repository.exists(path) else {
                Issue.record("\(link.file):\(link.line): there is no \(path)")
                continue
            }
            if parts.count == 2, path.hasSuffix(".md"), !anchors(path).contains(parts[1]) {
                Issue.record("\(link.file):\(link.line): \(path) has no heading #\(parts[1])")
            }
        }
    }

    @Test(.enabled(if: Repository.exists("docs"))) func `documents that the sources name are there`() throws {
        for path in Repository.swiftFiles {
            let text = Repository.text(path) ?? ""
            for match in text.matches(of: #/\b((?:docs|protocol)/[\w/.-]+\.\w+)/#) {
                #expect(Repository.exists(String(match.1)), "\(path) names \(match.1)")
            }
        }
    }

    @Test func `make commands in documents are targets of the Makefile`() throws {
        let makefile = try #require(Repository.text("Makefile"))
        let targets = Set(makefile.matches(of: /^([a-z][\w-]*):/.anchorsMatchLineEndings()).map { String($0.1) })
        #expect(targets.contains("test"))
        for (file, line, words) in commands() where words[0] == "make" {
            for target in words.dropFirst() where !target.contains("=") && !target.hasPrefix("-") {
                #expect(targets.contains(target), "\(file):\(line)")
            }
        }
    }

    private static let binary = ProcessInfo.processInfo.environment["USHER_BINARY"]

    @Test(.enabled(if: binary != nil, "USHER_BINARY names the built command"))
    func `usher commands in documents are subcommands`() throws {
        let help = try Repository.run(try #require(Self.binary), ["--help"])
        try #require(help.status == 0, "\(help.output)")
        let list = try #require(help.output.split(separator: "SUBCOMMANDS:", maxSplits: 1).last)
        let subcommands = Set(list.matches(of: /^  ([a-z][\w-]*)/.anchorsMatchLineEndings()).map { String($0.1) })
        #expect(subcommands.contains("serve"))
        for (file, line, words) in commands() where words[0] == "usher" || words[0].hasSuffix("/usher") {
            guard let subcommand = words.dropFirst().first, !subcommand.hasPrefix("-") else { continue }
            #expect(subcommands.contains(subcommand), "\(file):\(line): usher \(subcommand)")
        }
    }

    // MARK: Reading Markdown

    /// Each line outside fences, or inside those of the languages given.
    private func lines(_ file: String, inFences languages: Set<String>? = nil) -> [(number: Int, text: Substring)] {
        var fence: String?
        var lines: [(Int, Substring)] = []
        for (index, line) in (Repository.text(file) ?? "").split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        {
            let trimmed = line.drop { $0 == " " }
            if trimmed.hasPrefix("```") {
                fence = fence == nil ? String(trimmed.dropFirst(3)) : nil
                continue
            }
            let isWanted = if let languages { fence.map(languages.contains) ?? false } else { fence == nil }
            if isWanted { lines.append((index + 1, line)) }
        }
        return lines
    }

    private func links(_ file: String) -> [Link] {
        lines(file).flatMap { number, line in
            line.replacing(/`[^`]*`/, with: "").matches(of: /\]\(([^()\s]+)(?:\s+"[^"]*")?\)/).map {
                Link(file: file, line: number, target: String($0.1))
            }
        }
        .filter { $0.target.firstMatch(of: /^[a-z]+:/) == nil }
    }

    /// The headings as GitHub names them.
    private func anchors(_ file: String) -> Set<String> {
        var anchors: Set<String> = []
        for (_, line) in lines(file) {
            guard let heading = line.wholeMatch(of: /#{1,6} +(.*?)(?: +#+)?/) else { continue }
            let words = heading.1.replacing(/\[([^\]]*)\]\([^)]*\)/, with: { $0.1 }).lowercased()
            let slug = words.filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }.replacing(" ", with: "-")
            var unique = slug
            var count = 0
            while !anchors.insert(unique).inserted {
                count += 1
                unique = "\(slug)-\(count)"
            }
        }
        return anchors
    }

    /// Commands in fences of shell: the words of each line, without prompt, variables before it and comments.
    private func commands() -> [(file: String, line: Int, words: [String])] {
        Repository.markdownFiles.flatMap { file in
            lines(file, inFences: ["sh", "bash", "console"]).compactMap { number, line in
                let text = String(line).replacing(#/^\s*\$\ /#, with: "").replacing(#/(?:^|\s)\#.*/#, with: "")
                let words = text.split(separator: " ").map(String.init).drop { $0.contains("=") && !$0.hasPrefix("-") }
                return words.isEmpty ? nil : (file, number, Array(words))
            }
        }
    }

    private func normalised(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", !parts.isEmpty { parts.removeLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }
}
