import Foundation
import Synchronization
import Testing

/// A folder of its own with a home in it, in which the built `usher` runs as a stranger would run it.
final class Machine {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

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
            "HOME": folder.path, "XDG_CONFIG_HOME": folder.path + "/config", "XDG_STATE_HOME": folder.path + "/state", "TZ": "UTC",
            "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin",
        ]
        return try Running(process)
    }

    /// Runs a command to its end.
    func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let running = try start(arguments)
        running.process.waitUntilExit()
        return (running.process.terminationStatus, running.rest())
    }

    /// Starts a server with the demonstration and returns once it serves.
    func startServer() throws -> Running {
        let server = try start(["serve", "--demo", "--listen", "127.0.0.1:\(port)", "--admin-listen", "off", "--drain-time", "1"])
        try server.waitFor("serving wss://localhost:")
        let note = try Data(contentsOf: folder.appending(path: "usher-data/server.json"))
        let facts = try JSONDecoder().decode([String: Int].self, from: note)
        port = facts["port"] ?? 0
        return server
    }

    /// Does a step of the tour and compares what it prints with what the page shows.
    func perform(_ step: Tour.Step?) throws {
        let step = try #require(step, "the README's tour has this step")
        let result = try run(step.command)
        #expect(result.status == 0, "usher \(step.command.joined(separator: " ")): \(result.output)")
        #expect(Tour.timeless(result.output) == Tour.timeless(step.output))
    }
}

/// A process and what it has printed so far, on both of its outputs.
final class Running: Sendable {
    let process: Process
    private let printed = Mutex("")
    private let pipe = Pipe()

    init(_ process: Process) throws {
        self.process = process
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        pipe.fileHandleForReading.readabilityHandler = { [self] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            printed.withLock { $0 += String(decoding: data, as: UTF8.self) }
        }
    }

    /// Everything printed, once the process has ended.
    func rest() -> String {
        while pipe.fileHandleForReading.readabilityHandler != nil { usleep(1_000) }
        return printed.withLock { $0 }
    }

    /// Waits until the text has been printed.
    ///
    /// - Throws: if the process ends first, or a minute passes.
    func waitFor(_ text: String) throws {
        let deadline = Date(timeIntervalSinceNow: 60)
        while !printed.withLock({ $0.contains(text) }) {
            let isOver = !process.isRunning && pipe.fileHandleForReading.readabilityHandler == nil
            try #require(!isOver && Date() < deadline, "'\(text)' was not printed; this was: \(printed.withLock { $0 })")
            usleep(5_000)
        }
    }
}
