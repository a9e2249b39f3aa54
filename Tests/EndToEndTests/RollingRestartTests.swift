import Foundation
import Glibc
import NatsCluster
import Testing

/// Three instances on three NATS servers, all of them processes of their own, and a crowd that must not notice.
@Suite(.timeLimit(.minutes(3)))
struct RollingRestartTests {
    @Test func `three instances restarted in turn under a stampede lose nobody's place and no command`() async throws {
        let nats = try await OffPool.run { try NatsCluster() }
        let machine = try Machine()
        defer {
            machine.cleanUp()
            nats.end()
        }
        var instances: [ClusterInstance] = []
        for name in ["a", "b", "c"] {
            instances.append(try await ClusterInstance(name, of: machine, like: instances.first, journal: nats.journal))
        }
        defer { for instance in instances { instance.kill() } }
        let addresses = instances.map { "wss://127.0.0.1:\($0.port)" }.joined(separator: ",")
        let crowd = try machine.start([
            "stampede", "--connect", addresses, "--data", "a", "--fans", "300", "--max-active", "30", "--seed", "7", "--json",
        ])
        defer { kill(crowd.process.processIdentifier, SIGKILL) }
        try await crowd.waitFor("all join")
        for instance in instances { try await instance.restart() }
        try await crowd.end()

        let report = try StampedeReport(output: crowd.output)
        for verdict in report.verdicts {
            #expect(verdict.holds != false, "\(verdict.promise): \(verdict.finding) \(verdict.evidence)")
        }
        #expect(crowd.process.terminationStatus == 0, "\(crowd.output)")
        // Everybody was sent on from an instance that stopped, and nobody was dropped.
        #expect(report.instances.allSatisfy { $0.moved > 0 && $0.lost == 0 }, "\(report.instances)")
    }
}

/// What `usher stampede --json` says of a run.
struct StampedeReport: Decodable {
    struct Verdict: Decodable {
        var promise: String
        var holds: Bool?
        var finding: String
        var evidence: [String]
    }

    struct Instance: Decodable {
        var server: String
        var welcomes, moved, lost, holds, taken: Int
    }

    var verdicts: [Verdict]
    var instances: [Instance]
    var outcomes: [String: Int]

    /// - Parameter output: the report, with progress before it.
    init(output: String) throws {
        let start = try #require(output.range(of: "\n{\n"), "no report: \(output)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(StampedeReport.self, from: Data(output[start.lowerBound...].utf8))
    }
}

/// One of several instances on one journal: a process, its folder, and an address that it keeps over restarts.
final class ClusterInstance {
    /// What its drain takes here, and the most that `usher serve` may take beside it (docs/operating.md, "Stopping").
    private static let drainSeconds = 1.0
    private static let boundSeconds = 10.0

    let name: String
    private(set) var port = 0
    private let machine: Machine
    private let journal: String
    private var running: Running!

    /// Starts it. Instances of one sale have one certificate and one operator's key: those of `first`.
    init(_ name: String, of machine: Machine, like first: ClusterInstance?, journal: String) async throws {
        self.name = name
        self.machine = machine
        self.journal = journal
        if let first {
            let (from, to) = (machine.folder.appending(path: first.name), machine.folder.appending(path: name))
            try FileManager.default.createDirectory(
                at: to, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for file in ["certificate.pem", "certificate-key.pem", "operator-key"] {
                try FileManager.default.copyItem(at: from.appending(path: file), to: to.appending(path: file))
            }
        }
        try await start()
    }

    private func start() async throws {
        var arguments = [
            "serve", "--data", name, "--listen", "127.0.0.1:\(port)", "--admin-listen", "off", "--loops", "1", "--journal",
            journal, "--drain-time", "\(Int(Self.drainSeconds))", "--drain-notice", "0",
        ]
        // Known from its first start on.
        if port != 0 { arguments += ["--public-address", "127.0.0.1:\(port)"] }
        running = try machine.start(arguments)
        try await running.waitFor("serving wss://localhost:")
        let note = try Data(contentsOf: machine.folder.appending(path: "\(name)/server.json"))
        port = try JSONDecoder().decode([String: Int].self, from: note)["port"] ?? 0
    }

    /// SIGTERM, the end in good order, and a new start at the same address.
    func restart() async throws {
        let began = ContinuousClock.now
        running.process.terminate()
        try await running.end()
        let took = ContinuousClock.now - began
        #expect(running.process.terminationStatus == 0, "instance \(name): \(running.output)")
        #expect(took < .seconds(Self.drainSeconds + Self.boundSeconds), "instance \(name) took \(took)")
        try await start()
    }

    func kill() { Glibc.kill(running.process.processIdentifier, SIGKILL) }
}

/// Runs what blocks on a thread of its own: the pool of async functions has two threads here, and tests need both.
enum OffPool {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
        }
    }
}
