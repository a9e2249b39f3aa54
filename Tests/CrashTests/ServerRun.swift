import Foundation
import FoundationNetworking

/// Where one sale of a campaign lives: its data folder, what powercut.c keeps, and what the servers have said.
struct SaleHome: Sendable {
    let folder: URL
    let binary: URL
    let powercut: URL

    /// - Throws: where the folders can't be made.
    init(binary: URL, powercut: URL) throws {
        self.binary = binary
        self.powercut = powercut
        folder = FileManager.default.temporaryDirectory.appending(path: "usher-crash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: undo, withIntermediateDirectories: true)
        try Data(Self.concerts.utf8).write(to: folder.appending(path: "sale.yaml"))
    }

    var data: URL { folder.appending(path: "data") }
    var undo: URL { folder.appending(path: "undo") }
    var fired: URL { undo.appending(path: "fired") }

    /// What the armed fault has done, if it has.
    func takeFired() -> String? {
        defer { try? FileManager.default.removeItem(at: fired) }
        return try? String(contentsOf: fired, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    static let concert = "crash"
    static let performances = ["crash-1", "crash-2", "crash-3"]
    static let seatCount: UInt32 = 50
    static let maxActive = 16

    /// Nobody's turn or place runs out, so whoever loses one has been wronged; holds run out quickly.
    private static var concerts: String {
        """
        concerts:
          - id: \(concert)
            title: Crash
            opens: +0s
            max-active: \(maxActive)
            max-seats: 4
            hold-ttl: 4s
            active-ttl: 7d
            idle-ttl: 7d
            grace: 7d
            performances:
        \(performances.map { "      - {id: \($0), starts: +30d, seats: \(seatCount), prices: [{first: 1, last: 10, price: 900}, {first: 11, last: \(seatCount), price: 450}]}" }.joined(separator: "\n"))

        """
    }
}

/// A server's process, from its start to its death.
final class ServerRun: Sendable {
    /// With what may pass until a heartbeat, 2 s, still no outage to the server, which is 5 s.
    private static let clockStep = 2_500

    let process: Process
    let started: UInt64
    private let transcript: URL
    private let home: SaleHome

    /// Starts a server on the sale's folder. `port` 0 takes a free one.
    init(_ home: SaleHome, port: Int, number: Int, cycle: Cycle?) throws {
        self.home = home
        transcript = home.folder.appending(path: "server-\(number).log")
        try Data().write(to: transcript)
        process = Process()
        process.executableURL = home.binary
        process.arguments = [
            "serve", "--listen", "127.0.0.1:\(port)", "--admin-listen", "127.0.0.1:0", "--data", home.data.path,
            "--concerts", home.folder.appending(path: "sale.yaml").path, "--snapshot-entries", "100", "--drain-time", "0",
        ]
        var environment = ["PATH": "/usr/bin:/bin", "LD_PRELOAD": home.powercut.path, "POWERCUT_FOLDER": home.undo.path]
        if let library = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] { environment["LD_LIBRARY_PATH"] = library }
        if let trigger = cycle?.trigger { environment["POWERCUT_AT"] = trigger }
        if let cycle, cycle.clockAhead > 0 { environment["POWERCUT_CLOCK"] = "\(Self.clockStep) \(cycle.clockAhead)" }
        process.environment = environment
        let file = try FileHandle(forWritingTo: transcript)
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        started = Moment.now
        try process.run()
        try file.close()
    }

    var output: String { (try? String(contentsOf: transcript, encoding: .utf8)) ?? "" }
    var isRunning: Bool { process.isRunning }

    /// Waits until it serves.
    ///
    /// - Returns: its ports; nil if it ended first.
    func serving() async throws -> (port: Int, adminPort: Int)? {
        while !output.contains("serving wss://") {
            guard process.isRunning else { return nil }
            try await Task.sleep(for: .milliseconds(5))
        }
        guard let note = try? Data(contentsOf: home.data.appending(path: "server.json")),
            let facts = try? JSONDecoder().decode([String: Int].self, from: note)
        else { return nil }
        return (facts["port"] ?? 0, facts["adminPort"] ?? 0)
    }

    func kill() { _ = Glibc.kill(process.processIdentifier, SIGKILL) }

    func terminate() { process.terminate() }

    func end() async throws {
        while process.isRunning { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// Whether `/readyz` says that commands are taken; nil without an answer.
    static func isReady(adminPort: Int) async -> Bool? {
        guard let url = URL(string: "http://127.0.0.1:\(adminPort)/readyz"),
            let (_, response) = try? await URLSession.shared.data(from: url), let http = response as? HTTPURLResponse
        else { return nil }
        return http.statusCode == 200
    }

    /// Runs a command of `usher` to its end.
    static func usher(_ home: SaleHome, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        let transcript = home.folder.appending(path: "command-\(UUID().uuidString).log")
        try Data().write(to: transcript)
        let process = Process()
        process.executableURL = home.binary
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin"]
        let file = try FileHandle(forWritingTo: transcript)
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try file.close()
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        return (process.terminationStatus, (try? String(contentsOf: transcript, encoding: .utf8)) ?? "")
    }
}

/// This process's monotonic clock.
enum Moment {
    static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }
}
