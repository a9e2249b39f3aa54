import Foundation
import Testing

/// The scripts of Tests/conformance, run against the built `usher`.
///
/// USHER_BINARY names that, USHER_PYTHON a Python that has the packages of Tests/conformance/requirements.txt, and
/// AUTOBAHN_VENV the environment that the Makefile makes for Autobahn|Testsuite; `make test` sets all three, and then
/// whatever is missing is a failure.
enum Script {
    static let environment = ProcessInfo.processInfo.environment
    static let binary = environment["USHER_BINARY"]
    static let python = environment["USHER_PYTHON"]
    static let autobahn = environment["AUTOBAHN_VENV"]

    /// Whether the machine has a Node with a WebSocket.
    @Sendable static func hasNode() async throws -> Bool {
        guard let python else { return false }
        return try await run(python, "clients/talk.py", ["--node"]).status == 0
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "conformance")

    /// Runs a script to its end.
    static func run(_ python: String, _ script: String, _ arguments: [String]) async throws -> (status: Int32, said: String) {
        let transcript = FileManager.default.temporaryDirectory.appending(path: "usher-\(UUID()).txt")
        try Data().write(to: transcript)
        defer { try? FileManager.default.removeItem(at: transcript) }
        let output = try FileHandle(forWritingTo: transcript)
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = ["-W", "ignore", folder.appending(path: script).path] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        // The handler is set before the process runs, so its end is not missed; a fault in starting ends the wait too.
        try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in ended.resume() }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                ended.resume(throwing: error)
            }
        }
        try output.close()
        return (process.terminationStatus, try String(contentsOf: transcript, encoding: .utf8))
    }
}
