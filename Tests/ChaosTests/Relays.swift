import Foundation
import Synchronization

@testable import NatsCluster

/// For machines that give no namespaces: everybody is on the loopback, and every connection from one to another goes through
/// Tests/chaos/relay.py, which can hold it.
final class Relays: Network {
    private struct Link {
        var from: Node
        var to: Node
        var name: String
    }

    /// Used under the mutex only.
    private struct Relay: @unchecked Sendable {
        let process: Process
        let input: FileHandle
        let output: FileHandle
        var links: [Link] = []

        /// Has a line done.
        mutating func tell(_ line: String) throws {
            try input.write(contentsOf: Data((line + "\n").utf8))
            guard let answer = try output.read(upToCount: 5), answer.count == 5 else {
                throw NatsFailure(description: "relay.py has ended at '\(line)'")
            }
        }
    }

    private let relay: Mutex<Relay>

    init() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "python3",
            URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "chaos/relay.py").path,
        ]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        relay = Mutex(
            Relay(process: process, input: input.fileHandleForWriting, output: output.fileHandleForReading))
    }

    deinit { end() }

    let kind = "a relay between all"

    func host(of node: Node) -> String { "127.0.0.1" }

    func launcher(_ node: Node) -> [String] { [] }

    func address(from node: Node, to other: Node, port: UInt16) throws -> String {
        let listening = try FreePorts.take(1)[0]
        try relay.withLock { relay in
            let name = "\(node.name)>\(other.name):\(port)"
            try relay.tell("link \(name) \(listening) 127.0.0.1 \(port)")
            relay.links.append(Link(from: node, to: other, name: name))
        }
        return "127.0.0.1:\(listening)"
    }

    func cut(_ cuts: [Cut]) throws { try tell("cut", cuts) }

    func heal(_ cuts: [Cut]) throws { try tell("heal", cuts) }

    private func tell(_ word: String, _ cuts: [Cut]) throws {
        try relay.withLock { relay in
            for link in relay.links where cuts.contains(Cut(link.from, link.to)) || cuts.contains(Cut(link.to, link.from)) {
                try relay.tell("\(word) \(link.name)")
            }
        }
    }

    func end() {
        relay.withLock { relay in
            try? relay.input.close()
            relay.process.terminate()
        }
    }
}
