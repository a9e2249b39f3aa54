import Foundation
import FuzzHarness
import Testing

private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fuzzing")

/// The inputs in a folder, by name.
private func inputs(_ path: String) throws -> [(name: String, bytes: [UInt8])] {
    let files = try FileManager.default.contentsOfDirectory(
        at: folder.appending(path: path), includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
    return try files.sorted { $0.path < $1.path }.map { ($0.lastPathComponent, Array(try Data(contentsOf: $0))) }
}

/// docs/fuzzing.md says what each target holds.
@Suite struct `what the fuzzer has collected` {
    @Test(arguments: FuzzTarget.all.map(\.name)) func `each input of the corpus is taken as it should be`(target: String) throws
    {
        let target = try #require(FuzzTarget.named(target))
        let corpus = try inputs("Corpora/\(target.name)")
        #expect(corpus.count >= 10, "there is a corpus")
        for input in corpus {
            do {
                try target.run(input.bytes)
            } catch {
                Issue.record("Corpora/\(target.name)/\(input.name): \(error)")
            }
        }
    }

    @Test func `what once broke something breaks it no more`() throws {
        for input in try inputs("Findings") {
            let name = try #require(input.name.split(separator: "-").first.map(String.init))
            let target = try #require(FuzzTarget.named(name), "\(input.name) begins with its target")
            do {
                try target.run(input.bytes)
            } catch {
                Issue.record("Findings/\(input.name): \(error)")
            }
        }
    }

    @Test(arguments: FuzzTarget.all.map(\.name)) func `nothing at all is an input too`(target: String) throws {
        let target = try #require(FuzzTarget.named(target))
        try target.run([])
    }
}

@Suite struct `the fuzzer's targets` {
    @Test func `every message of the protocol is fuzzed`() throws {
        let protocols = folder.appending(path: "../../protocol/usher/v1").standardized
        var declared: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(at: protocols, includingPropertiesForKeys: nil)
        where file.pathExtension == "proto" {
            let text = try String(contentsOf: file, encoding: .utf8)
            declared.formUnion(text.matches(of: /^message (\w+)/.anchorsMatchLineEndings()).map { String($0.1) })
        }
        #expect(declared.count > 50)
        #expect(Set(fuzzedMessages.map { String(describing: $0) }) == declared)
        // One byte chooses.
        #expect(fuzzedMessages.count <= 256)
    }

    @Test func `the campaign's script knows them all, with their longest inputs`() throws {
        let script = try String(contentsOf: folder.appending(path: "campaign.py"), encoding: .utf8)
        let listed = try #require(script.firstMatch(of: /TARGETS = \{([^}]*)\}/)).1
        let pairs = listed.matches(of: /"(\w+)": (\d+)/).map { (String($0.1), Int($0.2)!) }
        let expected = FuzzTarget.all.map { ($0.name, $0.bytesMax) }
        #expect(pairs.map(\.0) == expected.map(\.0))
        #expect(pairs.map(\.1) == expected.map(\.1))
    }

    @Test func `every target has inputs to begin with, which are fine`() throws {
        let seeds = FileManager.default.temporaryDirectory.appending(path: "usher-seeds-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: seeds) }
        try FuzzTarget.writeSeeds(to: seeds.path)
        for target in FuzzTarget.all {
            let files = try FileManager.default.contentsOfDirectory(
                at: seeds.appending(path: target.name), includingPropertiesForKeys: nil)
            #expect(files.count >= 4, "\(target.name)")
            for file in files {
                do {
                    try target.run(Array(try Data(contentsOf: file)))
                } catch {
                    Issue.record("\(target.name), \(file.lastPathComponent): \(error)")
                }
            }
        }
    }
}
