import Foundation
import Testing

/// A folder of its own with a home in it, in which the built `usher` runs as a stranger would run it.
final class Machine {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    let folder: URL
    private let binary: URL
    /// The port of the first server, which its successors take over.
    private var port = 0

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "usher-tour-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let named = ProcessInfo.processInfo.environment["USHER_BINARY"]
        binary = named.map { URL(filePath: $0) } ?? Self.root.appending(path: ".build/debug/usher")
        try #require(FileManager.default.isExecutableFile(atPath: binary.path), "build first: swift build --product usher")
    }

    func cleanUp() {
        try? FileManager.default.removeItem(at: folder)
    }

    /// Starts a command in the folder.
    func start(_ arguments: [String]) throws -> Running {
        let process = Process()
        process.executableURL = binary
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = [
            "HOME": folder.path, "XDG_CONFIG_HOME": folder.path + "/config", "XDG_STATE_HOME": folder.path + "/state",
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin",
        ]
        return try Running(process, transcript: folder.appending(path: "\(UUID().uuidString).txt"))
    }

    /// Runs a command to its end.
    func run(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let running = try start(arguments)
        try await running.end()
        return (running.process.terminationStatus, running.output)
    }

    /// Starts a server with the demonstration and returns once it serves.
    func startServer(drainSeconds: Int = 1, _ settings: [String] = []) async throws -> Running {
        let server = try start(
            ["serve", "--demo", "--listen", "127.0.0.1:\(port)", "--admin-listen", "off", "--drain-time", "\(drainSeconds)"]
                + settings)
        try await server.waitFor("serving wss://localhost:")
        let note = try Data(contentsOf: folder.appending(path: "usher-data/server.json"))
        let facts = try JSONDecoder().decode([String: Int].self, from: note)
        port = facts["port"] ?? 0
        return server
    }

    /// Does a step of the tour and compares what it prints with what the page shows.
    func perform(_ step: Tour.Step?) async throws {
        let step = try #require(step, "the README's tour has this step")
        let result = try await run(step.command)
        #expect(result.status == 0, "usher \(step.command.joined(separator: " ")): \(result.output)")
        #expect(Tour.timeless(result.output) == Tour.timeless(step.output))
    }
}

/// A process and what it has printed so far, on both of its outputs. They go to a file, not a pipe: a pipe's other end is
/// inherited by whatever is started in the same moment, and then does not end with the process.
final class Running: Sendable {
    let process: Process
    private let transcript: URL

    init(_ process: Process, transcript: URL) throws {
        self.process = process
        self.transcript = transcript
        try Data().write(to: transcript)
        let file = try FileHandle(forWritingTo: transcript)
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try file.close()
    }

    /// Everything printed up to now.
    var output: String { (try? String(contentsOf: transcript, encoding: .utf8)) ?? "" }

    /// Waits until the text has been printed.
    ///
    /// - Throws: if the process ends first, or a minute passes.
    func waitFor(_ text: String) async throws {
        let deadline = Date(timeIntervalSinceNow: 60)
        while !output.contains(text) {
            try #require(
                process.isRunning && Date() < deadline || output.contains(text),
                "'\(text)' was not printed; this was: \(output)")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits until the process has ended.
    func end() async throws {
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
    }
}
