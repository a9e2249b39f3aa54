import Foundation
import NatsCluster
import Testing

/// `usher serve` before the servers of its journal are there: where all is started together, or an operator is slow.
@Suite(.timeLimit(.minutes(3)))
struct WaitingTests {
    /// Servers are started and waited for on a thread that may block.
    private func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    private func serve(_ machine: Machine, _ journal: [String]) throws -> Running {
        try machine.start(
            ["serve", "--demo", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain-time", "1"] + journal)
    }

    /// The admin listener of a server that may not serve yet.
    private func admin(_ server: Running) async throws -> String {
        let text = "health and metrics http://"
        try await server.waitFor(text)
        let rest = server.output[server.output.range(of: text)!.upperBound...]
        return String(rest.prefix { !$0.isWhitespace })
    }

    @Test func `without NATS it says what it waits for, takes a signal, and serves once NATS is there`() async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        let certificates = try await blocking { [path = machine.folder.path] in try NatsCertificates(in: path) }
        let issuer = try NatsOperator()
        let credentials = machine.folder.appending(path: "usher.creds").path
        try issuer.credentials(for: ["sale.>", "$JS.API.>", "_INBOX.>"])
            .write(toFile: credentials, atomically: true, encoding: .utf8)
        let nats = try NatsCluster(
            alone: NatsPlace.loopback(count: 1)[0], more: certificates.configuration + issuer.configuration, starts: false)
        defer { nats.end() }
        let journal = [
            "--journal", "tls://localhost:\(nats.servers[0].port)", "--journal-stream", "sale", "--journal-replicas", "1",
            "--journal-ca", certificates.authority, "--journal-credentials", credentials,
        ]

        for signal in [SIGTERM, SIGINT] {
            let server = try serve(machine, journal)
            let admin = try await admin(server)
            #expect(try await machine.run(["health", "--admin", admin, "--live"]).output == "alive\n")
            let waiting = try await machine.run(["health", "--admin", admin])
            #expect(waiting.status == 1 && waiting.output.hasPrefix("starting, and waiting for the journal: "), "\(waiting)")
            let metrics = try await machine.run(["health", "--admin", admin, "--metrics"])
            #expect(metrics.output.contains("\nusher_ready 0\n"))
            kill(server.process.processIdentifier, signal)
            try await server.end()
            #expect(server.process.terminationStatus == 0 && server.process.terminationReason == .exit, "\(server.output)")
            #expect(server.output.contains("stopped during the start"), "\(server.output)")
        }

        let server = try serve(machine, journal)
        defer { kill(server.process.processIdentifier, SIGKILL) }
        let admin = try await admin(server)
        try await server.waitFor("waiting for the journal")
        let waiting = try await machine.run(["health", "--admin", admin])
        #expect(waiting.status == 1 && waiting.output.contains("Check that the NATS servers run"), "\(waiting)")
        try await blocking { try nats.start() }
        try await server.waitFor("serving wss://localhost:")
        #expect(try await machine.run(["health", "--admin", admin]).output == "ready\n")
        let join = try machine.start(["join", "aurora", "--user", "ada"])
        defer { kill(join.process.processIdentifier, SIGKILL) }
        try await join.waitFor("It is your turn.")
        let hold = try await machine.run(["hold", "aurora-1", "--best", "1", "--user", "ada"])
        #expect(hold.status == 0, "\(hold.output)")
        server.process.terminate()
        try await server.end()
        #expect(server.process.terminationStatus == 0, "\(server.output)")
        let verified = try await machine.run(["journal", "verify"] + journal[1...])
        #expect(verified.status == 0 && verified.output.contains("is sound"), "\(verified.output)")

        // What is wrong is not waited for.
        let strangers = machine.folder.appending(path: "stranger.creds").path
        try NatsOperator().credentials(for: [">"]).write(toFile: strangers, atomically: true, encoding: .utf8)
        let refused = try serve(machine, journal.dropLast() + [strangers])
        try await refused.end()
        #expect(
            refused.process.terminationStatus == 1 && refused.output.contains("Authorization Violation"), "\(refused.output)")
    }

    @Test func `servers that come one after the other are waited for until they are enough`() async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        let nats = try NatsCluster(places: NatsPlace.loopback(count: 3), starts: false)
        defer { nats.end() }
        let server = try serve(machine, ["--journal", nats.journal])
        defer { kill(server.process.processIdentifier, SIGKILL) }
        try await server.waitFor("waiting for the journal")
        try await blocking { try nats.servers[0].start() }
        try await server.waitFor("does not answer: it has no majority")
        try await blocking { try nats.start() }
        try await server.waitFor("serving wss://localhost:")
        server.process.terminate()
        try await server.end()
        #expect(server.process.terminationStatus == 0, "\(server.output)")
    }
}
