import Foundation
import NatsCluster
import Testing

/// `usher journal move`, there and back, between the steps of a fan who buys.
@Suite(.timeLimit(.minutes(3)))
struct MoveTests {
    /// Servers are started and waited for on a thread that may block.
    private func cluster() async throws -> NatsCluster {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try NatsCluster() }) }
        }
    }

    private func stop(_ server: Running) async throws {
        server.process.terminate()
        try await server.end()
        #expect(server.process.terminationStatus == 0, "\(server.output)")
    }

    @Test func `a sale goes on in a stream and then in a file again, with its places, holds and balances`() async throws {
        let cluster = try await cluster()
        defer { cluster.end() }
        let machine = try Machine()
        defer { machine.cleanUp() }

        var server = try await machine.startServer()
        let join = try machine.start(["join", "aurora", "--user", "ada"])
        try await join.waitFor("It is your turn.")
        let hold = try await machine.run(["hold", "aurora-1", "--best", "1", "--user", "ada"])
        #expect(hold.status == 0, "\(hold.output)")
        let busy = try await machine.run(["journal", "move", "usher-data", cluster.journal])
        #expect(busy.status != 0 && busy.output.contains("in use"), "\(busy.output)")
        try await stop(server)

        let there = try await machine.run(["journal", "move", "usher-data", cluster.journal])
        #expect(there.status == 0 && there.output.contains("journal.sqlite.moved"), "\(there.output)")
        server = try await machine.startServer(["--journal", cluster.journal])
        let charge = try await machine.run(["charge", "20000", "--user", "ada"])
        #expect(charge.status == 0, "\(charge.output)")
        let used = try await machine.run(["journal", "move", cluster.journal, "usher-data"])
        #expect(used.status != 0 && used.output.contains("in use"), "\(used.output)")
        try await stop(server)
        let verified = try await machine.run(["journal", "verify", cluster.journal])
        #expect(verified.status == 0 && verified.output.contains("is sound"), "\(verified.output)")

        let back = try await machine.run(["journal", "move", cluster.journal, "usher-data"])
        #expect(back.status == 0, "\(back.output)")
        let closed = try await machine.run(["journal", "verify", cluster.journal])
        #expect(closed.status != 0 && closed.output.contains("it was moved to"), "\(closed.output)")
        server = try await machine.startServer()
        let pay = try await machine.run(["pay", "--user", "ada"])
        #expect(pay.status == 0, "\(pay.output)")
        try await join.waitFor("All paid.")
        try await join.end()
        try await stop(server)
        let sound = try await machine.run(["journal", "verify"])
        #expect(sound.status == 0 && sound.output.contains("is sound"), "\(sound.output)")
        let export = try await machine.run(["journal", "export", "--only", "payments"])
        #expect(export.output.contains("\"aurora-1\""), "\(export.output)")
    }
}
