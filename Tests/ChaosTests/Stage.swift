import Foundation
import Glibc

@testable import Campaign
@testable import Client
@testable import NatsCluster

/// Three NATS servers and three instances, each in a place of its own in a network that can be cut.
///
///     nats-1 ─── nats-2 ─── nats-3
///        ╳          ╳          ╳          each instance with all of them
///     usher-1    usher-2    usher-3
///        └──────────┴──────────┴───── clients
final class Stage: Sendable {
    static let stream = "usher"

    let folder: URL
    let network: any Network
    let nats: NatsCluster
    let instances: [Instance]
    let binary: URL

    var certificate: URL { folder.appending(path: "certificate.pem") }
    var urls: [ServerURL] { instances.map(\.home.url) }

    /// Starts the NATS servers, and prepares the instances.
    ///
    /// - Parameter snapshotEntries: between snapshots. The journal is trimmed behind them: few leave those behind who were
    ///   away, who then have to start again; many let them read what they missed.
    init(binary: URL, snapshotEntries: Int) throws {
        self.binary = binary
        folder = FileManager.default.temporaryDirectory.appending(path: "usher-chaos-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let isRelayed = ProcessInfo.processInfo.environment["USHER_CHAOS_NETWORK"] == "relays"
        let network: any Network
        if !isRelayed, let namespaces = Namespaces.build() { network = namespaces } else { network = try Relays() }
        self.network = network
        let ports = try FreePorts.take(15)
        let servers = (0..<3).map { index in (client: ports[index], monitor: ports[3 + index], route: ports[6 + index]) }
        nats = try NatsCluster(
            places: try (0..<3).map { index in
                NatsPlace(
                    host: network.host(of: .nats(index)), port: servers[index].client, monitorPort: servers[index].monitor,
                    routePort: servers[index].route,
                    routes: try (0..<3).filter { $0 != index }.map {
                        try network.address(from: .nats(index), to: .nats($0), port: servers[$0].route)
                    }, launcher: network.launcher(.nats(index)))
            })
        let folder = folder
        instances = try (0..<3).map { index in
            let data = folder.appending(path: "usher-\(index + 1)")
            try FileManager.default.createDirectory(
                at: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            // One operator everywhere.
            try Data("chaos\n".utf8).write(to: data.appending(path: "operator-key"))
            let (port, adminPort) = (ports[9 + 2 * index], ports[10 + 2 * index])
            let address = try network.address(from: .clients, to: .usher(index), port: port)
            let journal = try (0..<3).map {
                try network.address(from: .usher(index), to: .nats($0), port: servers[$0].client)
            }
            return Instance(
                InstanceHome(
                    node: .usher(index), host: network.host(of: .usher(index)), port: port, adminPort: adminPort,
                    url: try ServerURL("wss://\(address)/v1"), launcher: network.launcher(.usher(index)), data: data,
                    settings: [
                        "--journal", "nats://" + journal.joined(separator: ","), "--journal-stream", Self.stream,
                        "--concerts", folder.appending(path: "sale.yaml").path, "--certificate",
                        folder.appending(path: "certificate.pem").path, "--private-key",
                        folder.appending(path: "key.pem").path, "--public-address", address, "--snapshot-entries",
                        "\(snapshotEntries)",
                        "--ping-interval", "2", "--drain-time", "1", "--loops", "1", "--account-needs-active-token", "false",
                    ]), binary: binary)
        }
        try Data(Offer.file.utf8).write(to: folder.appending(path: "sale.yaml"))
        try makeCertificate(Set((0..<3).map { network.host(of: .usher($0)) }))
    }

    /// For all instances: what comes with the data folder is for loopback addresses.
    private func makeCertificate(_ hosts: Set<String>) throws {
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
            "/CN=usher", "-addext", "subjectAltName=" + hosts.map { "IP:\($0)" }.joined(separator: ","), "-keyout",
            folder.appending(path: "key.pem").path, "-out", certificate.path,
        ]
        openssl.standardError = FileHandle.nullDevice
        openssl.standardInput = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        guard openssl.terminationStatus == 0 else { throw NatsFailure(description: "openssl made no certificate") }
    }

    /// Ends whatever still runs. The folder stays.
    ///
    /// - Parameter isKept: what the NATS servers have stored is put there.
    func end(isKept: Bool) async throws {
        for instance in instances {
            instance.resume()
            try await instance.kill()
        }
        try await Self.aside { [nats, network, folder] in
            if isKept {
                for server in nats.servers {
                    server.kill()
                    try FileManager.default.copyItem(
                        at: URL(filePath: server.folder), to: folder.appending(path: server.name))
                }
            }
            nats.end()
            network.end()
        }
    }

    /// Runs what blocks on a thread of its own.
    static func aside<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Swift.Result(catching: body)) }
        }
    }
}
