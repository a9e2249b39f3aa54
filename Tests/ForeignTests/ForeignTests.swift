import Testing

/// Usher before those who know nothing of it: suites and clients that nobody here wrote.
@Suite(.timeLimit(.minutes(10)))
struct ForeignTests {
    @Test(.enabled(if: Script.autobahn != nil && Script.binary != nil, "AUTOBAHN_VENV and USHER_BINARY are not set"))
    func `Autobahn's cases find nothing failed, unclean or unimplemented`() async throws {
        let environment = try #require(Script.autobahn)
        let result = try await Script.run(
            environment + "/bin/python", "autobahn/suite.py", [try #require(Script.binary), environment + "/ported", "--short"])
        #expect(result.status == 0, "\(result.said)")
        #expect(result.said.contains("| all |"), "\(result.said)")
    }

    @Test(.enabled(if: Script.python != nil && Script.binary != nil, "USHER_PYTHON and USHER_BINARY are not set"))
    func `sslyze finds Mozilla's intermediate profile in the defaults, and the modern one with TLS 1.3 alone`() async throws {
        let result = try await Script.run(try #require(Script.python), "tls.py", [try #require(Script.binary)])
        #expect(result.status == 0, "\(result.said)")
    }

    @Test(.enabled(if: Script.python != nil && Script.binary != nil, "USHER_PYTHON and USHER_BINARY are not set"))
    func `who changes keys or asks for a handshake again and again is let go`() async throws {
        let result = try await Script.run(try #require(Script.python), "keys.py", [try #require(Script.binary)])
        #expect(result.status == 0, "\(result.said)")
        #expect(result.said.contains("key updates") && result.said.contains("new handshakes"), "\(result.said)")
    }

    @Test(.enabled(if: Script.python != nil && Script.binary != nil, "USHER_PYTHON and USHER_BINARY are not set"))
    func `an idle connection keeps no buffer of OpenSSL's`() async throws {
        let result = try await Script.run(try #require(Script.python), "idle.py", [try #require(Script.binary)])
        #expect(result.status == 0, "\(result.said)")
        #expect(result.said.contains("idle connections"), "\(result.said)")
    }

    @Test(
        .enabled(if: Script.python != nil && Script.binary != nil, "USHER_PYTHON and USHER_BINARY are not set"),
        arguments: ["websockets", "aiohttp", "curl"])
    func `a client that nobody here wrote says hello, joins a line and checks its place`(client: String) async throws {
        try await talk(client)
    }

    @Test(
        .enabled(if: Script.python != nil && Script.binary != nil, "USHER_PYTHON and USHER_BINARY are not set"),
        .enabled("there is no Node 22, nor one of 20.10 or later whose flag brings a WebSocket", Script.hasNode))
    func `Node's own WebSocket does the same`() async throws {
        try await talk("node")
    }

    private func talk(_ client: String) async throws {
        let result = try await Script.run(
            try #require(Script.python), "clients/talk.py", [try #require(Script.binary), client])
        #expect(result.status == 0, "\(result.said)")
        #expect(result.said.contains("HELLO, Join and Check"), "\(result.said)")
    }
}
