import Foundation
import Glibc
import Synchronization

@testable import Campaign
@testable import Client

/// Where an instance lives, and what it is told.
struct InstanceHome: Sendable {
    let node: Node
    let host: String
    let port: UInt16
    let adminPort: UInt16
    /// Where clients reach it.
    let url: ServerURL
    /// What its command begins with.
    let launcher: [String]
    let data: URL
    /// Its command, but for what is said here.
    let settings: [String]
}

/// One instance of `usher serve`, over all its starts.
final class Instance: Sendable {
    private struct State {
        var child: Child?
        var starts = 0
    }

    let home: InstanceHome
    private let binary: URL
    private let state = Mutex(State())

    init(_ home: InstanceHome, binary: URL) {
        self.home = home
        self.binary = binary
    }

    var name: String { home.node.name }

    func start() throws {
        try state.withLock { state in
            state.starts += 1
            state.child = try Child(
                home.launcher + [
                    binary.path, "serve", "--listen", "\(home.host):\(home.port)", "--admin-listen",
                    "\(home.host):\(home.adminPort)", "--data", home.data.path,
                ] + home.settings,
                environment: [
                    "PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? "",
                ],
                transcript: home.data.deletingLastPathComponent().appending(path: "\(name)-\(state.starts).log"))
        }
    }

    var child: Child? { state.withLock { $0.child } }
    var isRunning: Bool { child?.isRunning ?? false }
    /// The last of what it has logged since its last start.
    var lastWords: String { String((child?.output ?? "").suffix(1_500)) }

    func pause() { child?.signal(SIGSTOP) }
    func resume() { child?.signal(SIGCONT) }

    func kill() async throws {
        child?.signal(SIGKILL)
        try await child?.end()
    }

    /// SIGTERM.
    ///
    /// - Returns: whether it ended within 30 s, and well.
    func stop() async throws -> Bool {
        guard let child else { return true }
        child.signal(SIGTERM)
        let deadline = Moment.now + 30_000_000_000
        while child.isRunning, Moment.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
        return child.hasEndedWell
    }

    /// What keeps it from taking commands, in words; nil once it does.
    func complaint() async -> String? {
        guard isRunning else { return "it has ended: \(lastWords)" }
        guard let readiness = await AdminPage.readiness(host: home.host, port: Int(home.adminPort)) else {
            return "no answer from /readyz"
        }
        return readiness.isReady ? nil : readiness.text
    }
}
