import Testing

@testable import WebSocket

struct UpgradeTests {
    static let sample = [
        "Host: server.example.com", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Origin: http://example.com", "Sec-WebSocket-Protocol: chat, superchat", "Sec-WebSocket-Version: 13",
    ]

    /// The sample handshake of RFC 6455 section 1.3, with fields replaced or removed by name, or added.
    static func request(_ line: String = "GET /chat HTTP/1.1", without: [String] = [], adding: [String] = []) -> String {
        let kept = sample.filter { field in !without.contains { field.hasPrefix($0 + ":") } }
        return ([line] + kept + adding).joined(separator: "\r\n") + "\r\n\r\n"
    }

    static func upgrade(_ text: String) throws -> UpgradeRequest {
        try UpgradeRequest(try #require(try readRequest(text).head))
    }

    @Test func `the sample handshake of RFC 6455 is accepted with its accept value`() throws {
        let request = try Self.upgrade(Self.request())
        #expect(request.path == "/chat" && request.host == "server.example.com" && request.origin == "http://example.com")
        #expect(request.subprotocols == ["chat", "superchat"])
        let acceptance = try request.accept(subprotocols: ["superchat", "chat"], allowsDeflate: true)
        #expect(acceptance.agreement == UpgradeAgreement(subprotocol: "chat", deflate: nil))
        #expect(
            String(decoding: acceptance.response, as: UTF8.self)
                == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
        )
    }

    @Test(arguments: [
        ("Connection", "Connection: keep-alive, UPGRADE"), ("Upgrade", "Upgrade: h2c, WebSocket"),
        ("Upgrade", "UPGRADE:WEBSOCKET"),
        ("Origin", "X: y"), ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: ,chat,, superchat ,"),
        ("Sec-WebSocket-Key", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC=="),
    ])
    func `lawful variants are accepted`(name: String, field: String) throws {
        let request = try Self.upgrade(Self.request(without: [name], adding: [field]))
        _ = try request.accept(allowsDeflate: false)
    }

    static let refused: [(String, UpgradeRefusal, Int)] = [
        (request("POST /chat HTTP/1.1"), .methodNotGet, 405),
        (request("get /chat HTTP/1.1"), .methodNotGet, 405),
        (request("GET /chat HTTP/1.0"), .httpTooOld, 505),
        (request(without: ["Upgrade"]), .notAWebSocket, 426),
        (request(without: ["Upgrade"], adding: ["Upgrade: h2c"]), .notAWebSocket, 426),
        (request(without: ["Connection"]), .connectionWithoutUpgrade, 400),
        (request(without: ["Connection"], adding: ["Connection: keep-alive"]), .connectionWithoutUpgrade, 400),
        (request(without: ["Sec-WebSocket-Version"]), .webSocketVersion, 426),
        (request(without: ["Sec-WebSocket-Version"], adding: ["Sec-WebSocket-Version: 8"]), .webSocketVersion, 426),
        (request(adding: ["Sec-WebSocket-Version: 13"]), .webSocketVersion, 426),
        (request(without: ["Sec-WebSocket-Key"]), .keyMalformed, 400),
        (request(adding: ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]), .keyMalformed, 400),
        (request(without: ["Sec-WebSocket-Key"], adding: ["Sec-WebSocket-Key: "]), .keyMalformed, 400),
        (request(without: ["Sec-WebSocket-Key"], adding: ["Sec-WebSocket-Key: SGVsbG8sIHdvcmxkIQ=="]), .keyMalformed, 400),
        (request(without: ["Sec-WebSocket-Key"], adding: ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"]), .keyMalformed, 400),
        (request(without: ["Sec-WebSocket-Key"], adding: ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE="]), .keyMalformed, 400),
        (request(without: ["Sec-WebSocket-Key"], adding: ["Sec-WebSocket-Key: dGhlIHNhbX*sZSBub25jZQ=="]), .keyMalformed, 400),
        (request(without: ["Host"], adding: ["Host:"]), .hostEmpty, 400),
        (request(adding: ["Origin: http://example.com"]), .originRepeated, 400),
        (request(adding: ["Sec-WebSocket-Protocol: chat"]), .subprotocolsMalformed, 400),
        (request(adding: ["Sec-WebSocket-Protocol: a b"]), .subprotocolsMalformed, 400),
        (request(adding: ["Sec-WebSocket-Extensions: a=b"]), .extensionsMalformed, 400),
        (request(adding: ["Sec-WebSocket-Extensions: a; b="]), .extensionsMalformed, 400),
        (request(adding: ["Sec-WebSocket-Extensions: a; b=\"c"]), .extensionsMalformed, 400),
        (request(adding: ["Sec-WebSocket-Extensions: a b"]), .extensionsMalformed, 400),
        (request(adding: ["Sec-WebSocket-Extensions: a;"]), .extensionsMalformed, 400),
    ]

    @Test(arguments: refused)
    func `what cannot become a WebSocket is refused with its status`(text: String, refusal: UpgradeRefusal, status: Int) {
        #expect(throws: refusal) { try Self.upgrade(text) }
        #expect(refusal.status.rawValue == status)
        #expect(String(decoding: refusal.response(), as: UTF8.self).hasPrefix("HTTP/1.1 \(status) "))
    }

    @Test func `a version that is not spoken is told the one that is`() {
        let response = String(decoding: UpgradeRefusal.webSocketVersion.response(), as: UTF8.self)
        #expect(response.contains("\r\nSec-WebSocket-Version: 13\r\n"))
        #expect(response.contains("\r\nUpgrade: websocket\r\n"))
        #expect(String(decoding: UpgradeRefusal.methodNotGet.response(), as: UTF8.self).contains("\r\nAllow: GET\r\n"))
    }

    @Test func `a required subprotocol must be offered, exactly as it is written`() throws {
        let request = try Self.upgrade(Self.request())
        #expect(throws: UpgradeRefusal.subprotocolNotSupported) {
            try request.accept(subprotocols: ["usher.v1", "Chat"], requiresSubprotocol: true, allowsDeflate: false)
        }
        #expect(try request.accept(subprotocols: ["usher.v1"], allowsDeflate: false).agreement.subprotocol == nil)
    }

    static let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    /// What is offered, what is answered (nil: no compression) and the window for sending.
    static let offers: [(String, String?, UInt8)] = [
        ("permessage-deflate", both, 15),
        ("permessage-deflate; client_max_window_bits", both, 15),
        ("permessage-deflate; client_max_window_bits=10", both, 15),
        ("permessage-deflate; client_max_window_bits=\"10\"", both, 15),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", both, 15),
        ("permessage-deflate; server_max_window_bits=9", both + "; server_max_window_bits=9", 9),
        ("permessage-deflate; server_max_window_bits=8", both + "; server_max_window_bits=8", 8),
        ("permessage-deflate; server_max_window_bits=15", both + "; server_max_window_bits=15", 15),
        (
            "permessage-deflate;server_no_context_takeover ; server_max_window_bits = \"1\\2\"",
            both + "; server_max_window_bits=12", 12
        ),
        ("x-unknown; a=b, permessage-deflate", both, 15),
        (", ,permessage-deflate,", both, 15),
        // Offers that are declined, alone and with another behind them.
        ("permessage-deflate; server_max_window_bits", nil, 0),
        ("permessage-deflate; server_max_window_bits=7", nil, 0),
        ("permessage-deflate; server_max_window_bits=16", nil, 0),
        ("permessage-deflate; server_max_window_bits=09", nil, 0),
        ("permessage-deflate; client_max_window_bits=7", nil, 0),
        ("permessage-deflate; server_no_context_takeover=true", nil, 0),
        ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", nil, 0),
        ("permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", nil, 0),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits=9", nil, 0),
        ("permessage-deflate; unknown", nil, 0),
        ("permessage-deflate; unknown, permessage-deflate; client_max_window_bits", both, 15),
        (
            "permessage-deflate; server_max_window_bits=16, permessage-deflate; server_max_window_bits=10",
            both + "; server_max_window_bits=10", 10
        ),
        ("Permessage-Deflate", nil, 0),
        ("x-webkit-deflate-frame", nil, 0),
    ]

    @Test(arguments: offers)
    func `offers of permessage-deflate`(offer: String, answer: String?, bits: UInt8) throws {
        let request = try Self.upgrade(Self.request(adding: ["Sec-WebSocket-Extensions: \(offer)"]))
        let acceptance = try request.accept(allowsDeflate: true)
        #expect(acceptance.agreement.deflate == (answer == nil ? nil : DeflateAgreement(sendWindowBits: bits)))
        let response = String(decoding: acceptance.response, as: UTF8.self)
        if let answer {
            #expect(response.contains("\r\nSec-WebSocket-Extensions: \(answer)\r\n"))
        } else {
            #expect(!response.contains("Extensions"))
        }
        let plain = try request.accept(allowsDeflate: false)
        #expect(plain.agreement.deflate == nil && !String(decoding: plain.response, as: UTF8.self).contains("Extensions"))
    }

    @Test func `offers in several fields are one list`() throws {
        let request = try Self.upgrade(
            Self.request(adding: [
                "Sec-WebSocket-Extensions: permessage-deflate; bad", "Sec-WebSocket-Extensions: permessage-deflate",
            ]))
        #expect(try request.accept(allowsDeflate: true).agreement.deflate != nil)
    }
}

struct ClientHandshakeTests {
    static let handshake = ClientHandshake(
        host: "server.example.com", path: "/chat", nonce: Array("the sample nonce".utf8), subprotocols: ["chat", "superchat"],
        offersDeflate: true, fields: [("Origin", "http://example.com")])

    @Test func `the request is one that the server accepts`() throws {
        let text = String(decoding: Self.handshake.request, as: UTF8.self)
        #expect(text.hasPrefix("GET /chat HTTP/1.1\r\nHost: server.example.com\r\n"))
        #expect(text.contains("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
        let request = try UpgradeTests.upgrade(text)
        let acceptance = try request.accept(subprotocols: ["superchat"], allowsDeflate: true)
        let response = try #require(try readResponse(String(decoding: acceptance.response, as: UTF8.self)))
        #expect(try Self.handshake.check(response) == acceptance.agreement)
        #expect(
            acceptance.agreement == UpgradeAgreement(subprotocol: "superchat", deflate: DeflateAgreement(sendWindowBits: 15)))
    }

    static let good = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
    static let deflate = "Sec-WebSocket-Extensions: permessage-deflate"

    static let responses: [([String], ClientHandshakeFault?)] = [
        (good, nil),
        (["Upgrade: WebSocket", "Connection: keep-alive, upgrade", good[2]], nil),
        (good + ["\(deflate); server_no_context_takeover"], nil),
        (good + ["\(deflate); server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8"], nil),
        ([good[1], good[2]], .upgradeMissing),
        (["Upgrade: h2c", good[1], good[2]], .upgradeMissing),
        ([good[0], good[2]], .connectionWithoutUpgrade),
        ([good[0], good[1]], .acceptWrong),
        ([good[0], good[1], "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo="], .acceptWrong),
        (good + [good[2]], .acceptWrong),
        (good + ["Sec-WebSocket-Protocol: mqtt"], .subprotocolNotOffered),
        (good + ["Sec-WebSocket-Protocol: chat, superchat"], .subprotocolNotOffered),
        (good + ["Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: chat"], .subprotocolNotOffered),
        (good + ["Sec-WebSocket-Extensions: x-other"], .extensionsInvalid),
        (good + [deflate], .extensionsInvalid),
        (good + ["\(deflate); client_no_context_takeover"], .extensionsInvalid),
        (good + ["\(deflate); server_no_context_takeover; client_max_window_bits=10"], .extensionsInvalid),
        (good + ["\(deflate); server_no_context_takeover; server_max_window_bits"], .extensionsInvalid),
        (good + ["\(deflate); server_no_context_takeover; surprise"], .extensionsInvalid),
        (good + ["\(deflate); server_no_context_takeover, permessage-deflate; server_no_context_takeover"], .extensionsInvalid),
        (good + ["Sec-WebSocket-Extensions: ;"], .extensionsInvalid),
    ]

    @Test(arguments: responses)
    func `a response is checked field by field`(fields: [String], fault: ClientHandshakeFault?) throws {
        let text = (["HTTP/1.1 101 Switching Protocols"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
        let head = try #require(try readResponse(text))
        if let fault {
            #expect(throws: fault) { try Self.handshake.check(head) }
        } else {
            _ = try Self.handshake.check(head)
        }
    }

    @Test func `a refusal tells its status, and what was not offered is not taken`() throws {
        let head = try #require(try readResponse("HTTP/1.1 503 Later\r\nRetry-After: 5\r\n\r\n"))
        #expect(throws: ClientHandshakeFault.refused(status: 503)) { try Self.handshake.check(head) }

        let modest = ClientHandshake(host: "h", path: "/", nonce: Array("the sample nonce".utf8))
        let text =
            (["HTTP/1.1 101 X"] + Self.good + ["\(Self.deflate); server_no_context_takeover"]).joined(separator: "\r\n")
            + "\r\n\r\n"
        let deflated = try #require(try readResponse(text))
        #expect(throws: ClientHandshakeFault.extensionsInvalid) { try modest.check(deflated) }
    }
}
