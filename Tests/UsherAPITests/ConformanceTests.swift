import Foundation
import Testing
import UsherAPI
import Wire

/// The codec against protobuf's own Python runtime, driven through Tests/conformance/conformance.py.
///
/// Runs when USHER_PYTHON names a Python that has the packages of Tests/conformance/requirements.txt, as `make test`
/// does; then whatever is missing is a failure.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["USHER_PYTHON"] != nil, "USHER_PYTHON is not set"))
struct ConformanceTests {
    static let messageCount = 6_800  // 40 honest and 40 damaged ones of each type

    @Test func `we read what protobuf writes, refuse what it refuses, and write the same bytes`() throws {
        let seed = UInt32.random(in: 0 ... .max)
        let file = temporaryFile()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try python("generate", file, "--seed", "\(seed)", "--count", "\(Self.messageCount)")
        var (agreed, refused) = (0, 0)
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let (type, bytes, canonical, text) = (columns[0], columns[1], columns[2], columns[3])
            let comment = Comment(rawValue: "seed \(seed): \(type) \(bytes)")
            if canonical == "REFUSED" {
                refused += 1
                #expect(throws: WireError.self, comment) { try decode(type, [UInt8](hex: bytes)) }
            } else if let message = try? decode(type, [UInt8](hex: bytes)) {
                agreed += 1
                #expect(message.encoded().hex == canonical, comment)
                #expect(describe(message) == text, comment)
            } else {
                Issue.record("protobuf reads what we refuse, \(comment)")
            }
        }
        #expect(agreed + refused == Self.messageCount)
        #expect(agreed > Self.messageCount / 2 && refused > Self.messageCount / 10)
    }

    @Test func `protobuf reads what we write, and would have written the same bytes`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        var lines: [String] = []
        for type in CodecTests.types {
            for _ in 0..<40 {
                let message = try decode(type, ProtoRecord.random(type, density: 2, using: &random).bytes)
                lines.append([type, message.encoded().hex, describe(message)].joined(separator: "\t"))
            }
        }
        let file = temporaryFile()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
        try python("check", file)
    }

    @Test func `protobuf agrees with the golden vectors`() throws {
        try python("vectors")
    }

    private func temporaryFile() -> String {
        FileManager.default.temporaryDirectory.appending(path: "usher-conformance-\(UUID()).tsv").path
    }

    /// Runs conformance.py; what it says on failure is the error's text.
    private func python(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: ProcessInfo.processInfo.environment["USHER_PYTHON"]!)
        let script = ProtoSchema.repository.appending(path: "Tests/conformance/conformance.py").path
        process.arguments = [script] + arguments
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "conformance.py \(arguments.joined(separator: " ")): \(said)")
    }
}
