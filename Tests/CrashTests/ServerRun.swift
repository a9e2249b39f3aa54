import Foundation

@testable import Campaign

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
        try Data(Offer.file.utf8).write(to: folder.appending(path: "sale.yaml"))
    }

    var data: URL { folder.appending(path: "data") }
    var undo: URL { folder.appending(path: "undo") }
    var fired: URL { undo.appending(path: "fired") }

    /// What the armed fault has done, if it has.
    func takeFired() -> String? {
        defer { try? FileManager.default.removeItem(at: fired) }
        return try? String(contentsOf: fired, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A server's process, from its start to its death.
struct ServerRun {
    /// With what may pass until a heartbeat, 2 s, still no outage to the server, which is 5 s.
    private static let clockStep = 2_500

    let child: Child
    private let home: SaleHome

    /// Starts a server on the sale's folder. `port` 0 takes a free one.
    init(_ home: SaleHome, port: Int, number: Int, cycle: Cycle?) throws {
        self.home = home
        var environment = ["PATH": "/usr/bin:/bin", "LD_PRELOAD": home.powercut.path, "POWERCUT_FOLDER": home.undo.path]
        if let library = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] { environment["LD_LIBRARY_PATH"] = library }
        if let trigger = cycle?.trigger { environment["POWERCUT_AT"] = trigger }
        if let cycle, cycle.clockAhead > 0 { environment["POWERCUT_CLOCK"] = "\(Self.clockStep) \(cycle.clockAhead)" }
        child = try Child(
            [
                home.binary.path, "serve", "--listen", "127.0.0.1:\(port)", "--admin-listen", "127.0.0.1:0", "--data",
                home.data.path, "--concerts", home.folder.appending(path: "sale.yaml").path, "--snapshot-entries", "100",
                "--drain-time", "0",
            ], environment: environment, transcript: home.folder.appending(path: "server-\(number).log"))
    }

    /// Waits until it serves.
    ///
    /// - Returns: its ports; nil if it ended first.
    func serving() async throws -> (port: Int, adminPort: Int)? {
        while !child.output.contains("serving wss://") {
            guard child.isRunning else { return nil }
            try await Task.sleep(for: .milliseconds(5))
        }
        guard let note = try? Data(contentsOf: home.data.appending(path: "server.json")),
            let facts = try? JSONDecoder().decode([String: Int].self, from: note)
        else { return nil }
        return (facts["port"] ?? 0, facts["adminPort"] ?? 0)
    }
}
