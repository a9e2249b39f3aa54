import Client
import Testing

struct ServerURLTests {
    @Test(arguments: [
        ("wss://tickets.example.org", "tickets.example.org", 443, "/v1", "tickets.example.org"),
        ("wss://localhost:8443/v1", "localhost", 8443, "/v1", "localhost:8443"),
        ("localhost:8443", "localhost", 8443, "/v1", "localhost:8443"),
        ("wss://127.0.0.2:9443/", "127.0.0.2", 9443, "/v1", "127.0.0.2:9443"),
        ("WSS://[::1]:8443/other", "::1", 8443, "/other", "[::1]:8443"),
        ("wss://[::1]", "::1", 443, "/v1", "[::1]"),
        ("ws://127.0.0.1:8080", "127.0.0.1", 8080, "/v1", "127.0.0.1:8080"),
    ])
    func `an address is taken apart`(text: String, host: String, port: Int, path: String, hostField: String) throws {
        let url = try ServerURL(text)
        #expect(url.host == host)
        #expect(Int(url.port) == port)
        #expect(url.path == path)
        #expect(url.hostField == hostField)
        #expect(try ServerURL(url.description) == url)
    }

    @Test(arguments: [
        "", "wss://", "https://localhost", "wss://host:0", "wss://host:65536", "wss://host:port", "wss://ho st", "wss://[::1",
        "wss://a/b c", "wss://user@host", "ws://example.org", "ws://127.0.0.1.example.org", "ws://127.0.evil.org",
    ])
    func `what is no address, or would speak in the clear, is refused with a sentence`(text: String) {
        let error = #expect(throws: ServerURLError.self) { try ServerURL(text) }
        #expect(error?.description.isEmpty == false)
    }

    @Test(arguments: [
        ("other.example.org", "wss://other.example.org:8443/v1"), ("other:9443", "wss://other:9443/v1"),
        ("wss://third:1/v1", "wss://third:1/v1"), ("[::1]:9", "wss://[::1]:9/v1"),
    ])
    func `a host from GOAWAY keeps what it does not name`(host: String, expected: String) throws {
        #expect(try ServerURL("wss://first:8443").relocated(to: host)?.description == expected)
    }
}
