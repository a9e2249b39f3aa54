import Client
import Foundation
import Testing
import UsherAPI

/// A whole server process that runs out of descriptors.
@Suite(.timeLimit(.minutes(2)))
struct DescriptorTests {
    /// The built `usher`, under a limit of its own.
    private func serve(descriptors: Int, in folder: URL) async throws -> Process {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let binary =
            ProcessInfo.processInfo.environment["USHER_BINARY"] ?? root.appending(path: ".build/debug/usher").path
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\"", binary, "serve", "--demo", "--data", folder.path, "--listen",
            "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--loops", "1", "--drain-time", "1",
        ]
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": folder.path]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    private func note(_ folder: URL, of process: Process) async throws -> [String: Int] {
        while true {
            if let bytes = try? Data(contentsOf: folder.appending(path: "server.json")),
                let facts = try? JSONDecoder().decode([String: Int].self, from: bytes)
            {
                return facts
            }
            try #require(process.isRunning, "the server starts")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func `without descriptors those inside are served, what they do is durable, and others get in once there is room`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usher-descriptors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = try await serve(descriptors: 64, in: folder)
        defer { process.terminate() }
        let facts = try await note(folder, of: process)
        let port = UInt16(facts["port"] ?? 0)
        func client() async throws -> UsherClient {
            try await UsherClient.connect(
                to: [try ServerURL("wss://127.0.0.1:\(port)/v1")], identity: .user(.test()),
                trust: .pinnedFile(folder.path + "/certificate.pem"))
        }
        let inside = try await client()
        _ = try await inside.line.join("aurora").first { $0.state == .active }

        var crowd: [RawClient] = []
        for _ in 0..<100 { crowd.append(try await RawClient.connect(to: port, tls: nil)) }
        // More than there are descriptors: the operators' page, which needs one too, is out of reach now. Calls are not.
        for _ in 0..<5 {
            let hold = try await inside.reservations.hold(performance: "aurora-1", bestAvailable: 1)
            _ = try await inside.reservations.release(hold.id)
        }
        for client in crowd { client.hangUp() }
        crowd = []
        let late = try await client()
        _ = try await late.line.join("aurora").first { $0.state == .active }
        let page = try await RawClient.connect(to: UInt16(facts["adminPort"] ?? 0), tls: nil)
        page.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
        let metrics = try await page.answer().text
        #expect(metrics.contains(/usher_accept_pauses_total\{loop="0"\} [1-9]/))
        #expect(try await inside.reservations.hold(performance: "aurora-1", bestAvailable: 1).state == .held)
    }
}
