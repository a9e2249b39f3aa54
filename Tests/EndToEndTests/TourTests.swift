import Foundation
import Testing

/// The README's tour against the built binary: a server with the demonstration, killed half-way, and a fan who goes on.
@Suite(.timeLimit(.minutes(2)))
struct TourTests {
    @Test func `the tour of the README happens as it is told, with a kill -9 in the middle`() async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        let tour = Tour(readme: try String(contentsOf: Machine.root.appending(path: "README.md"), encoding: .utf8))

        var server = try await machine.startServer()
        try await machine.perform(tour.step("concerts"))
        let join = try machine.start(["join", "aurora", "--user", "ada"])
        try await join.waitFor("It is your turn.")
        try await machine.perform(tour.step("hold aurora-1"))
        try await machine.perform(tour.step("seats aurora-1"))

        kill(server.process.processIdentifier, SIGKILL)
        try await server.end()
        server = try await machine.startServer()

        try await machine.perform(tour.step("charge"))
        try await machine.perform(tour.step("pay"))
        try await machine.perform(tour.step("history"))
        try await join.waitFor("All paid. Enjoy the concert!")
        try await join.end()
        #expect(join.process.terminationStatus == 0)

        server.process.terminate()
        try await server.end()
        #expect(server.process.terminationStatus == 0, "a server that is asked to stop says goodbye and exits with 0")
    }

    @Test func `what a stranger does wrong is told with what to do instead`() async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        #expect(try await machine.run(["concerts"]).status == 3, "nobody listens")
        let server = try await machine.startServer()
        defer { server.process.terminate() }
        let early = try await machine.run(["hold", "aurora-1", "--best", "2", "--user", "bob"])
        #expect(early.status == 4 && early.output.contains("usher join"))
        #expect(try await machine.run(["hold", "aurora-1", "--seats"]).status == 2)
        let misspelt = try await machine.run(["serve", "--lisen", "127.0.0.1:0"])
        #expect(misspelt.status != 0 && misspelt.output.contains("did you mean 'listen'"), "\(misspelt.output)")
    }
}
