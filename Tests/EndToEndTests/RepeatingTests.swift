import Foundation
import Testing

/// Commands that come after something went wrong: another sale at the same address, a restored backup, a lost answer.
@Suite(.timeLimit(.minutes(3)))
struct RepeatingTests {
    private func stop(_ server: Running) async throws {
        server.process.terminate()
        try await server.end()
        #expect(server.process.terminationStatus == 0, "\(server.output)")
    }

    @Test func `places of a sale that is gone keep nobody out of the next one`() async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        let first = try await machine.startServer()
        let join = ["join", "aurora", "--user", "ada", "--once-active"]
        #expect(try await machine.run(join).status == 0)
        try await stop(first)
        let data = machine.folder.appending(path: "usher-data")
        try FileManager.default.removeItem(at: data)
        let second = try await machine.startServer()
        for command in [join, ["hold", "aurora-1", "--best", "1", "--user", "ada"]] {
            let result = try await machine.run(command)
            #expect(result.status == 0, "\(result.output)")
        }
        try await stop(second)

        // The same journal, but a key that is another's: the tokens are refused, and done without.
        try FileManager.default.removeItem(at: data.appending(path: "token-key.pem"))
        let third = try await machine.startServer()
        let again = try await machine.run(join)
        #expect(again.status == 0, "\(again.output)")
        try await stop(third)
    }

    @Test func `after a restore from an older backup a client goes on with what there is`() async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        let data = machine.folder.appending(path: "usher-data")
        let copy = machine.folder.appending(path: "copy")
        let first = try await machine.startServer()
        #expect(try await machine.run(["join", "brass", "--user", "ada", "--once-active"]).status == 0)
        try await stop(first)
        try FileManager.default.copyItem(at: data, to: copy)
        let second = try await machine.startServer()
        for _ in 0..<5 { #expect(try await machine.run(["charge", "5", "--user", "ada"]).status == 0) }
        #expect(try await machine.run(["join", "aurora", "--user", "ada", "--once-active"]).status == 0)
        try await stop(second)

        try FileManager.default.removeItem(at: data)
        try FileManager.default.moveItem(at: copy, to: data)
        let third = try await machine.startServer()
        for command in [["concerts", "--user", "ada"], ["join", "aurora", "--user", "ada", "--once-active"]] {
            let result = try await machine.run(command + ["--timeout", "4s"])
            #expect(result.status == 0, "\(result.output)")
        }
        try await stop(third)
    }

    @Test func `a command is repeated under its request id, and means the same then`() async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        let server = try await machine.startServer()
        #expect(try await machine.run(["join", "aurora", "--user", "ada", "--once-active"]).status == 0)
        let id = UUID().uuidString
        for _ in 0..<2 {
            let charge = try await machine.run(["charge", "20000", "--user", "ada", "--request-id", id])
            #expect(charge.output.contains("Your balance is 20,000."), "\(charge.output)")
        }
        #expect(try await machine.run(["hold", "aurora-1", "1", "--user", "ada"]).status == 0)
        let vague = try await machine.run(["pay", "--user", "ada", "--request-id", UUID().uuidString])
        #expect(vague.status == 2 && vague.output.contains("usher pay NUMBER"), "\(vague.output)")
        let other = UUID().uuidString
        for _ in 0..<2 {
            let pay = try await machine.run(["pay", "1", "--user", "ada", "--request-id", other])
            #expect(pay.status == 0 && pay.output.contains("Your balance is 11,000."), "\(pay.output)")
        }
        try await stop(server)
    }

    @Test func `an operator changes a performance without knowing how many seats it has`() async throws {
        let machine = try Machine()
        defer { machine.cleanUp() }
        let server = try await machine.startServer()
        let performance = ["admin", "performance", "aurora-9", "--concert", "aurora", "--price", "10", "--starts"]
        for arguments in [["+9d", "--seats", "77"], ["+10d"]] {
            let result = try await machine.run(performance + arguments)
            #expect(result.status == 0, "\(result.output)")
        }
        try await stop(server)
    }
}
