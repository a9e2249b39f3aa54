// Real NATS servers for tests: processes on free loopback ports, with the configuration that docs/deploy/nats.conf gives
// operators. The binary is named by USHER_NATS; `make test` installs it.

import Foundation
import Glibc
import Synchronization

/// Why servers could not be started or found; the sentence says what to do.
public struct NatsFailure: Error, CustomStringConvertible, Sendable {
    public let description: String
}

/// Where one server of a cluster lives: on loopback like the others, or in a network of its own.
public struct NatsPlace: Sendable {
    public var host: String
    public var port: UInt16
    public var monitorPort: UInt16
    public var routePort: UInt16
    /// `HOST:PORT` at which it finds the others; nil: where they are.
    public var routes: [String]?
    /// What its command begins with, to be run there.
    public var launcher: [String]

    public init(
        host: String, port: UInt16, monitorPort: UInt16, routePort: UInt16, routes: [String]? = nil, launcher: [String] = []
    ) {
        self.host = host
        self.port = port
        self.monitorPort = monitorPort
        self.routePort = routePort
        self.routes = routes
        self.launcher = launcher
    }

    /// Free ports of 127.0.0.1, or of all loopback addresses: 0.0.0.0.
    public static func loopback(count: Int, host: String = "127.0.0.1") throws -> [NatsPlace] {
        let ports = try FreePorts.take(3 * count)
        return (0..<count).map {
            NatsPlace(host: host, port: ports[3 * $0], monitorPort: ports[3 * $0 + 1], routePort: ports[3 * $0 + 2])
        }
    }
}

/// A cluster of NATS servers with JetStream, each a process of its own, on folders that go with it. It ends with the
/// object, and with the test's process, however that ends.
///
/// Calls block for as long as processes take: for the thread of a test that has nothing else to do.
public final class NatsCluster: Sendable {
    public let servers: [NatsServer]
    private let folder: String
    private let isAlone: Bool
    /// Where each server listens for clients, or what stands before it: a proxy that cuts.
    public var addresses: [String] { servers.map { "\($0.host):\($0.port)" } }

    /// All servers in one address, as `usher serve --journal` takes it.
    public var journal: String { "nats://" + addresses.joined(separator: ",") }

    /// Starts so many servers and returns when they have a leader.
    ///
    /// - Throws: `NatsFailure`, also where USHER_NATS names nothing that runs.
    public convenience init(count: Int = 3) throws { try self.init(places: NatsPlace.loopback(count: count)) }

    /// One server that is no cluster, without the block that would make it one; `more` is added to its configuration.
    public convenience init(alone place: NatsPlace, more: String = "", starts: Bool = true) throws {
        try self.init([place], alone: more, starts)
    }

    /// As the first, one server in each place.
    ///
    /// - Parameter starts: false: the test starts them itself.
    public convenience init(places: [NatsPlace], starts: Bool = true) throws { try self.init(places, alone: nil, starts) }

    private init(_ places: [NatsPlace], alone: String?, _ starts: Bool) throws {
        guard let binary = ProcessInfo.processInfo.environment["USHER_NATS"], unsafe access(binary, X_OK) == 0 else {
            throw NatsFailure(
                description: "USHER_NATS does not name the binary of nats-server. `make test` installs and names it.")
        }
        folder = FileManager.default.temporaryDirectory.path + "/usher-nats-\(UUID().uuidString)"
        let deployed = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/deploy/nats.conf").path
        isAlone = alone != nil
        let configuration = isAlone ? folder + "/nats.conf" : deployed
        if let alone {
            let text = try String(contentsOfFile: deployed, encoding: .utf8)
            guard let cluster = text.range(of: "\ncluster {") else {
                throw NatsFailure(description: "\(deployed) has no cluster block any more")
            }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try (text[..<cluster.lowerBound] + "\n" + alone).write(toFile: configuration, atomically: true, encoding: .utf8)
        }
        let all = places.map { "\($0.host):\($0.routePort)" }
        let folder = folder
        servers = places.enumerated().map { index, place in
            let routes = (place.routes ?? all).map { "nats://\($0)" }.joined(separator: ", ")
            // Where its routes are others' addresses, it must not tell the others its own, to be found past them.
            let advertised = place.routes == nil ? [] : ["--cluster_advertise", "127.0.0.1:1"]
            return NatsServer(
                name: "nats-\(index + 1)", place: place, folder: "\(folder)/\(index + 1)",
                environment: ["NATS_ROUTE": all[index], "NATS_ROUTES": "[\(routes)]"],
                command: place.launcher + [binary, "--config", configuration] + advertised)
        }
        if starts { try start() }
    }

    /// Starts all that do not run, and returns when they have a leader.
    public func start() throws {
        for server in servers { try server.start() }
        try waitForLeader()
    }

    deinit { end() }

    /// Returns when the servers that run have a leader for all they decide together (JetStream's meta group).
    public func waitForLeader(seconds: Double = 30) throws {
        try wait(seconds, "the servers have no leader") {
            if isAlone { return servers[0].isHealthy }
            let leaders = Set(servers.filter(\.isRunning).compactMap { $0.status("/jsz")?.metaLeader })
            return leaders.count == 1 && leaders.first != ""
        }
    }

    /// The index of the server that leads a stream; nil while none does, or none is known to.
    public func leader(of stream: String) -> Int? {
        for server in servers where server.isRunning {
            guard let name = server.status("/jsz?streams=1&accounts=1")?.leader(of: stream), !name.isEmpty else { continue }
            return servers.firstIndex { $0.name == name && $0.isRunning }
        }
        return nil
    }

    /// As `leader(of:)`, once there is one.
    public func waitForLeader(of stream: String, seconds: Double = 30) throws -> Int {
        var found: Int?
        try wait(seconds, "the stream \(stream) has no leader") {
            found = leader(of: stream)
            return found != nil
        }
        return found!
    }

    /// Ends all servers and removes what they stored. Idempotent.
    public func end() {
        for server in servers { server.kill() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func wait(_ seconds: Double, _ complaint: String, until condition: () -> Bool) throws {
        let end = Date().addingTimeInterval(seconds)
        while !condition() {
            guard Date() < end else {
                throw NatsFailure(
                    description: "\(complaint), \(Int(seconds)) s on. Their logs:\n" + servers.map(\.logEnd).joined())
            }
            usleep(20_000)
        }
    }
}

/// One server.
public final class NatsServer: Sendable {
    public let name: String
    public let host: String
    public let port: UInt16
    public let monitorPort: UInt16
    /// Its store, log and what else it writes.
    public let folder: String
    private let environment: [String: String]
    private let command: [String]
    private let process = Mutex<Running?>(nil)

    private struct Running: @unchecked Sendable {
        // Safe: started before it is shared, and asked only under the mutex.
        let guardian: Process
        let leash: FileHandle
        let pid: pid_t
    }

    fileprivate init(
        name: String, place: NatsPlace, folder: String, environment: [String: String], command: [String]
    ) {
        self.name = name
        host = place.host
        port = place.port
        monitorPort = place.monitorPort
        self.folder = folder
        self.command = command
        self.environment = environment.merging(
            [
                "NATS_NAME": name, "NATS_LISTEN": "\(host):\(port)", "NATS_MONITOR": "\(host):\(monitorPort)",
                "NATS_STORE": folder + "/store", "PATH": "/usr/bin:/bin",
            ]) { $1 }
    }

    public var isRunning: Bool { process.withLock { $0 != nil } }

    /// Starts it on what it has stored. A shell stands between: its standard input is a pipe that nobody else holds, so when
    /// this process ends without a word it kills the server and removes what it stored.
    public func start() throws {
        guard !isRunning else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let pidFile = folder + "/pid"
        try? FileManager.default.removeItem(atPath: pidFile)
        let guardian = Process()
        guardian.executableURL = URL(fileURLWithPath: "/bin/sh")
        guardian.arguments =
            ["-c", Self.guardianScript, "sh"] + command
        guardian.environment = environment.merging(["FOLDER": folder]) { $1 }
        let pipe = Pipe()
        guardian.standardInput = pipe
        guardian.standardOutput = FileHandle.nullDevice
        guardian.standardError = FileHandle.nullDevice
        try guardian.run()
        let end = Date().addingTimeInterval(10)
        var pid: pid_t?
        while pid == nil {
            pid = (try? String(contentsOfFile: pidFile, encoding: .utf8)).flatMap {
                pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            guard Date() < end else { throw NatsFailure(description: "\(name) did not start:\n" + logEnd) }
            if pid == nil { usleep(5_000) }
        }
        let running = Running(guardian: guardian, leash: pipe.fileHandleForWriting, pid: pid!)
        process.withLock { $0 = running }
    }

    private static let guardianScript = """
        "$@" </dev/null >>"$FOLDER/log" 2>&1 &
        echo $! >"$FOLDER/pid.new"; mv "$FOLDER/pid.new" "$FOLDER/pid"
        if read -r _; then kill -9 $! 2>/dev/null; else kill -9 $! 2>/dev/null; rm -rf "$FOLDER"; fi
        """

    /// `kill -9`; returns when it is gone. What it has stored stays.
    public func kill() {
        process.withLock { running in
            guard let ended = running else { return }
            running = nil
            _ = Glibc.kill(ended.pid, SIGKILL)
            try? ended.leash.write(contentsOf: Data("gone\n".utf8))
            try? ended.leash.close()
            ended.guardian.waitUntilExit()
        }
    }

    /// SIGTERM, and waits for its end: a leader hands over before.
    public func stopGracefully() {
        let pid = process.withLock { $0?.pid }
        guard let pid else { return }
        _ = Glibc.kill(pid, SIGTERM)
        let end = Date().addingTimeInterval(10)
        while FileManager.default.fileExists(atPath: "/proc/\(pid)/exe"), Date() < end { usleep(10_000) }
        kill()
    }

    /// SIGSTOP: it holds its connections and says nothing.
    public func pause() { signal(SIGSTOP) }

    /// SIGCONT.
    public func resume() { signal(SIGCONT) }

    private func signal(_ number: Int32) {
        process.withLock { running in
            if let running { _ = Glibc.kill(running.pid, number) }
        }
    }

    /// The process's number, while it runs.
    public var pid: Int32? { process.withLock { $0?.pid } }

    /// The last of what it logged.
    public var logEnd: String {
        let text = (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "(no log)\n"
        return "— \(name)\n" + text.split(separator: "\n").suffix(15).map { $0 + "\n" }.joined()
    }

    /// Whether it says so itself, JetStream included.
    fileprivate var isHealthy: Bool {
        PlainHTTP.get("/healthz", host: host, port: monitorPort).map { String(decoding: $0, as: UTF8.self) }?.contains("\"ok\"")
            ?? false
    }

    fileprivate func status(_ path: String) -> Status? { Status(PlainHTTP.get(path, host: host, port: monitorPort)) }

    fileprivate struct Status {
        private let object: [String: Any]

        init?(_ body: Data?) {
            guard let body, let object = try? JSONSerialization.jsonObject(with: body) as? [String: Any] else { return nil }
            self.object = object
        }

        var metaLeader: String { (object["meta_cluster"] as? [String: Any])?["leader"] as? String ?? "" }

        func leader(of stream: String) -> String? {
            for account in object["account_details"] as? [[String: Any]] ?? [] {
                for detail in account["stream_detail"] as? [[String: Any]] ?? [] where detail["name"] as? String == stream {
                    return (detail["cluster"] as? [String: Any])?["leader"] as? String ?? ""
                }
            }
            return nil
        }
    }
}
