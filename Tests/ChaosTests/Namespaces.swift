import Foundation
import Synchronization

@testable import Campaign

// A network of namespaces: each server in one of its own, all on a bridge in another.
//
//     nats-1  nats-2  nats-3  usher-1  usher-2  usher-3      198.18.N.1 … 6   (the range of RFC 2544, for benchmarks)
//        └───────┴──────┬────────┴────────┴────────┘
//                     bridge ───── this process, the clients            198.18.N.254
//
// Two are cut from each other by telling each of them, for good, that the other's Ethernet address is one that nobody has:
// packets leave and are never heard of again, as on a broken line. No firewall is needed, and nothing else is affected.

final class Namespaces: Network {
    private static let prefix = "usher-chaos-"
    /// Locally administered, and nobody's.
    private static let nobody = "02:00:00:00:00:01"

    private static let built = Atomic(0)

    private let name: String
    /// Third byte of the addresses.
    private let subnet: Int
    /// The clients' end, in the namespace of this process.
    private let device: String

    /// Builds the network.
    ///
    /// - Returns: nil where this process may not, or the kernel can't.
    static func build() -> Namespaces? {
        sweep()
        let network = Namespaces()
        do {
            try network.setUp()
            return network
        } catch {
            network.end()
            return nil
        }
    }

    private init() {
        let process = Int(ProcessInfo.processInfo.processIdentifier)
        let number = Self.built.add(1, ordering: .relaxed).newValue
        name = "\(Self.prefix)\(process)-\(number)"
        device = "uc\(process)n\(number)"
        subnet = (process + number) % 256
    }

    deinit { end() }

    let kind = "network namespaces"

    func host(of node: Node) -> String { "198.18.\(subnet).\(node.number)" }

    func address(from node: Node, to other: Node, port: UInt16) -> String { "\(host(of: other)):\(port)" }

    func launcher(_ node: Node) -> [String] { ["/usr/bin/nsenter", "--net=/run/netns/\(space(node))"] }

    func cut(_ cuts: [Cut]) throws {
        try change(cuts) { device, host in "neigh replace \(host) lladdr \(Self.nobody) dev \(device) nud permanent" }
    }

    func heal(_ cuts: [Cut]) throws {
        try change(cuts) { device, host in "neigh del \(host) dev \(device)" }
    }

    private func change(_ cuts: [Cut], _ line: (_ device: String, _ host: String) -> String) throws {
        var lines: [Node: [String]] = [:]
        for cut in cuts {
            for (here, there) in [(cut.one, cut.other), (cut.other, cut.one)] {
                lines[here, default: []].append(line(here == .clients ? device : "eth0", host(of: there)))
            }
        }
        for (node, lines) in lines {
            try Self.ip((node == .clients ? [] : ["-n", space(node)]) + ["-force", "-batch", "-"], input: lines)
        }
    }

    private func space(_ node: Node) -> String { "\(name)-\(node.name)" }
    private var hub: String { "\(name)-hub" }

    private func setUp() throws {
        try Self.ip(["netns", "add", hub])
        try Self.ip(["-n", hub, "-batch", "-"], input: ["link add bridge type bridge", "link set bridge up"])
        for node in Node.servers {
            let (space, port) = (space(node), "port\(node.number)")
            try Self.ip(["netns", "add", space])
            try Self.ip(
                ["-n", hub, "-batch", "-"],
                input: ["link add \(port) type veth peer name eth0 netns \(space)", "link set \(port) master bridge up"])
            try Self.ip(
                ["-n", space, "-batch", "-"],
                input: ["addr add \(host(of: node))/24 dev eth0", "link set eth0 up", "link set lo up"])
        }
        try Self.ip(
            ["-batch", "-"],
            input: [
                "link add \(device) type veth peer name outside netns \(hub)",
                "addr add \(host(of: .clients))/24 dev \(device)", "link set \(device) up",
            ])
        try Self.ip(["-n", hub, "link", "set", "outside", "master", "bridge", "up"])
    }

    func end() {
        for space in [hub] + Node.servers.map(space) { Self.remove(space) }
    }

    /// Removes what earlier runs have left that were killed, with the servers in it.
    private static func sweep() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
        for name in names where name.hasPrefix(prefix) {
            let process = name.dropFirst(prefix.count).prefix { $0.isNumber }
            if !FileManager.default.fileExists(atPath: "/proc/\(process)") { remove(name) }
        }
    }

    private static func remove(_ space: String) {
        guard FileManager.default.fileExists(atPath: "/run/netns/\(space)") else { return }
        for word in ((try? ip(["netns", "pids", space])) ?? "").split(whereSeparator: \.isWhitespace) {
            if let process = pid_t(word) { kill(process, SIGKILL) }
        }
        _ = try? ip(["netns", "delete", space])
    }

    private struct Failure: Error {}

    /// Runs `ip`, which takes a few milliseconds.
    @discardableResult
    private static func ip(_ arguments: [String], input: [String] = []) throws -> String {
        let process = Process()
        guard let program = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"].first(where: FileManager.default.isExecutableFile)
        else { throw Failure() }
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let (standardInput, standardOutput) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = standardOutput
        process.standardError = FileHandle.nullDevice
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.map { $0 + "\n" }.joined().utf8))
        try standardInput.fileHandleForWriting.close()
        let output = try standardOutput.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure() }
        return String(decoding: output, as: UTF8.self)
    }
}
