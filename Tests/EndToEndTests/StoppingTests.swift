import Foundation
import Testing

/// How `usher serve` answers signals.
@Suite(.timeLimit(.minutes(2)))
struct StoppingTests {
    @Test func `a second signal ends a server at once that waits for its clients, and nothing is lost`() async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        let server = try await machine.startServer(drainSeconds: 600)
        let join = try machine.start(["join", "aurora", "--user", "ada"])
        defer { kill(join.process.processIdentifier, SIGKILL) }
        try await join.waitFor("It is your turn.")
        server.process.terminate()
        try await server.waitFor("once more ends it at once")
        server.process.terminate()
        try await server.end()
        #expect(server.process.terminationStatus == 128 + SIGTERM && server.process.terminationReason == .exit)

        let next = try await machine.startServer(drainSeconds: 1)
        defer { next.process.terminate() }
        let hold = try await machine.run(["hold", "aurora-1", "--best", "1", "--user", "ada"])
        #expect(hold.status == 0, "\(hold.output)")
    }
}
