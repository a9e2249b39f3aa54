import Foundation
import Testing

/// `usher health` against the built binary.
@Suite(.timeLimit(.minutes(2)))
struct HealthTests {
    @Test func `says by its exit status whether an instance is ready`() async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        let server = try machine.start([
            "serve", "--listen", "127.0.0.1:0", "--admin-listen", "0.0.0.0:0", "--journal", "memory", "--drain-time", "0",
        ])
        try await server.waitFor("serving wss://localhost:")

        // By the note in the data folder, of which it also knows the port.
        let ready = try await machine.run(["health"])
        #expect(ready.status == 0 && ready.output == "ready\n")
        #expect(try await machine.run(["health", "--live"]).output == "alive\n")
        let metrics = try await machine.run(["health", "--metrics"])
        #expect(metrics.status == 0 && metrics.output.contains("\nusher_ready 1\n"))

        let note = try Data(contentsOf: machine.folder.appending(path: "usher-data/server.json"))
        let port = try #require(try JSONDecoder().decode([String: Int].self, from: note)["adminPort"])
        server.process.terminate()
        try await server.end()
        let gone = try await machine.run(["health", "--admin", "0.0.0.0:\(port)"])
        #expect(gone.status == 3 && gone.output.contains("127.0.0.1:\(port)"), "\(gone.output)")
    }

    @Test(arguments: [["--admin", "localhost"], ["--live", "--metrics"], ["extra"]])
    func `a wrong question is told apart from a wrong answer`(arguments: [String]) async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        #expect(try await machine.run(["health"] + arguments).status == 2)
    }
}
