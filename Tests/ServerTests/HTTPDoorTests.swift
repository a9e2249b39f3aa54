import Calls
import Crypto
import Reactor
import Testing
import UsherAPI
import WebSocket

@testable import Server

/// The small HTTP side of the clients' port: heads, pages, upgrades, and who may come from where.
@Suite(.timeLimit(.minutes(1)))
struct HTTPDoorTests {
    /// A request of exactly so many bytes.
    private func request(bytes count: Int) -> String {
        let start = "GET / HTTP/1.1\r\nHost: h\r\nX: "
        return start + String(repeating: "a", count: count - start.utf8.count - 4) + "\r\n\r\n"
    }

    @Test func `a head of 8 KiB or 100 fields is read, one more is 431`() async throws {
        try await withSale { (sale) async throws in
            #expect(try await sale.http(request(bytes: 8_192)).status == 404)
            #expect(try await sale.http(request(bytes: 8_193)).status == 431)
            // Without an end in sight it is refused all the same.
            #expect(try await sale.http("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 8_192)).status == 431)
            let fields = { (count: Int) in (1..<count).map { "X\($0): y\r\n" }.joined() }
            #expect(try await sale.http("GET / HTTP/1.1\r\nHost: h\r\n\(fields(100))\r\n").status == 404)
            #expect(try await sale.http("GET / HTTP/1.1\r\nHost: h\r\n\(fields(101))\r\n").status == 431)
        }
    }

    @Test func `what is no good HTTP is refused with the status that says why`() async throws {
        let cases: [(request: String, status: Int)] = [
            ("GET / HTTP/1.1\nHost: h\r\n\r\n", 400), ("GET / HTTP/1.1\rHost: h\r\n\r\n", 400),
            ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /\r\nHost: h\r\n\r\n", 400), ("GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400),
            ("GET / HTTP/1\r\nHost: h\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505), ("GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505),
            ("G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET nowhere HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: h\r\n: empty\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nX: \u{0}\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ("POST /v1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            ("DELETE /.well-known/jwks.json HTTP/1.1\r\nHost: h\r\n\r\n", 405), ("get / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            ("POST /v1 HTTP/1.1\r\nHost: h\r\n\r\n", 405), ("HEAD /v1 HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 404), ("GET / HTTP/1.0\r\n\r\n", 404),
            ("GET /v1/ HTTP/1.1\r\nHost: h\r\n\r\n", 404),
            ("GET /V1 HTTP/1.1\r\nHost: h\r\n\r\n", 404), ("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n", 404),
            ("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 404), ("GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n", 404),
            ("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n", 404),
            ("GET /.well-known/jwks.json?x HTTP/1.1\r\nHost: h\r\n\r\n", 200),
            ("GET https://h/.well-known/jwks.json HTTP/1.1\r\nHost: h\r\n\r\n", 200),
            ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 404), ("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ]
        try await withSale { sale in
            for (request, status) in cases {
                let answer = try await sale.http(request)
                #expect(answer.status == status, "\(request.debugDescription): \(answer.text)")
                #expect(answer.fields["connection"] == (status == 426 ? "close, Upgrade" : "close"))
                if request.hasPrefix("HEAD") {
                    #expect(answer.body.isEmpty && answer.fields["content-length"] != "0")
                } else {
                    #expect(answer.fields["content-length"] == "\(answer.body.count)")
                }
                if status == 405 { #expect(answer.fields["allow"]?.contains("GET") == true) }
            }
        }
    }

    @Test func `HEAD says what GET says, without the body`() async throws {
        try await withSale { sale in
            for path in ["/.well-known/jwks.json", "/nowhere"] {
                let whole = try await sale.http("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
                let head = try await sale.http("HEAD \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(head.status == whole.status && head.fields == whole.fields && head.body.isEmpty && !whole.body.isEmpty)
            }
        }
    }

    @Test func `the published keys verify a pass that was pushed, and are for every page`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora")
            let user = Uuid.test()
            let client = try await sale.rawCalls(user)
            client.send(.open(1, .join, JoinRequest(concert: "aurora")))
            var update = try await client.update(1)
            while update.state != .active { update = try await client.update(1) }

            let page = try await sale.http("GET /.well-known/jwks.json HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(
                page.fields["content-type"] == "application/jwk-set+json" && page.fields["access-control-allow-origin"] == "*")
            let keys = try JWKS(parsing: page.body)
            #expect(keys.keys.count == 1 && keys.ignoredCount == 0)
            let now = Clock.wallMilliseconds()
            let pass = try keys.verify(update.pass, policy: JWTPolicy(audience: "aurora", type: "usher-pass+jwt"), now: now)
            #expect(pass.subject == "\(user)" && pass.expiresAtMilliseconds == update.passExpiresMs)
            #expect(update.passExpiresMs <= now + 120_000)
            #expect(throws: JWTError.self) {
                try keys.verify(update.pass, policy: JWTPolicy(audience: "brass", type: "usher-pass+jwt"), now: now)
            }
            #expect(throws: JWTError.self) {
                try keys.verify(update.queueToken, policy: JWTPolicy(audience: "aurora", type: "usher-pass+jwt"), now: now)
            }
        }
    }

    @Test func `an upgrade that is not quite one is refused with the status that says why`() async throws {
        let cases: [(fields: [(name: String, value: String?)], status: Int)] = [
            ([("Sec-WebSocket-Key", nil)], 400), ([("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ")], 400),
            ([("Sec-WebSocket-Key", "c2hvcnQ=")], 400),
            ([("Sec-WebSocket-Version", "8")], 426), ([("Sec-WebSocket-Version", nil)], 426),
            ([("Sec-WebSocket-Version", "13, 8")], 426),
            ([("Upgrade", nil)], 426), ([("Upgrade", "h2c")], 426), ([("Connection", nil)], 400),
            ([("Connection", "keep-alive")], 400),
            ([("Sec-WebSocket-Protocol", nil)], 400), ([("Sec-WebSocket-Protocol", "usher.v2")], 400),
            ([("Sec-WebSocket-Protocol", "usher.v1, usher.v1")], 400),
            ([("Sec-WebSocket-Protocol", "usher v1")], 400), ([("Sec-WebSocket-Extensions", "a;;=")], 400),
            ([("Host", "")], 400),
        ]
        try await withSale { sale in
            for (fields, status) in cases {
                let answer = try await sale.http(sale.upgradeRequest(fields))
                #expect(answer.status == status, "\(fields): \(answer.text)")
                if fields[0].name == "Sec-WebSocket-Version" { #expect(answer.fields["sec-websocket-version"] == "13") }
            }
            let (_, answer) = try await sale.rawSocket([
                ("Connection", "keep-alive, UPGRADE"), ("Upgrade", "WebSocket"), ("Sec-WebSocket-Protocol", "other, usher.v1"),
            ])
            #expect(
                answer.fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
                    && answer.fields["sec-websocket-protocol"] == "usher.v1")
            #expect(answer.fields["sec-websocket-extensions"] == nil)
        }
    }

    @Test func `a page may connect if its scheme, host and port are listed; who is no page may`() async throws {
        try await withSale({ $0.origins = ["https://tickets.example", "http://localhost:3000"] }) { sale in
            for origin in ["https://tickets.example", "https://TICKETS.example:443", "http://localhost:3000"] {
                _ = try await sale.rawSocket([("Origin", origin)])
            }
            _ = try await sale.rawSocket([("Origin", nil)])
            for origin in [
                "http://tickets.example", "https://tickets.example:8443", "https://evil.example",
                "https://tickets.example.evil.example",
                "https://a.tickets.example", "http://localhost", "https://localhost:3000", "null", "",
                "https://127.0.0.1:\(sale.port)",
            ] {
                #expect(try await sale.http(sale.upgradeRequest([("Origin", origin)])).status == 403, "\(origin)")
            }
        }
    }

    @Test func `with no list only the server's own pages may connect, with * all may`() async throws {
        try await withSale { sale in
            _ = try await sale.rawSocket([("Origin", "https://127.0.0.1:\(sale.port)")])
            for origin in ["http://127.0.0.1:\(sale.port)", "https://127.0.0.1", "https://evil.example"] {
                #expect(try await sale.http(sale.upgradeRequest([("Origin", origin)])).status == 403, "\(origin)")
            }
        }
        try await withSale({ $0.origins = ["*"] }) { sale in
            for origin in ["https://evil.example", "null"] { _ = try await sale.rawSocket([("Origin", origin)]) }
        }
    }

    @Test func `a head that is slow in coming ends with 408, however its bytes trickle; a HELLO that is, with 4001`()
        async throws
    {
        try await withSale({ $0.limits = CallLimits(upgradeMilliseconds: 150) }) { sale in
            let silent = try await sale.raw()
            let trickling = try await sale.raw()
            trickling.send("GET /v1 HTTP/1.1\r\n")
            #expect(try await silent.answer().status == 408)
            #expect(try await trickling.answer().status == 408)
        }
        try await withSale({ $0.limits = CallLimits(helloMilliseconds: 150) }) { sale in
            let (waiting, _) = try await sale.rawSocket()
            let (pinging, _) = try await sale.rawSocket()
            pinging.send(WebSocketFrame(Opcode.ping))
            #expect(try await waiting.closeCode() == 4001)
            #expect(try await pinging.closeCode() == 4001)
        }
    }

    @Test func `the first message may come in the same bytes as the request, and the request a byte at a time`() async throws {
        try await withSale { sale in
            let client = try await sale.raw()
            let request = Array(sale.upgradeRequest().utf8)
            for byte in request.dropLast() { client.send([byte]) }
            client.send([request.last!] + WebSocketFrame(Opcode.binary, UsherFrame.hello().bytes).bytes)
            _ = try await client.upgraded()
            _ = try await client.welcome()
        }
    }
}
