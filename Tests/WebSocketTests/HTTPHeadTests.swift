import Testing

@testable import WebSocket

func readRequest(_ text: String, inPiecesOf size: Int = .max) throws(HTTPFault) -> (head: HTTPRequestHead?, rest: [UInt8]) {
    try readRequest(Array(text.utf8), inPiecesOf: size)
}

func readRequest(_ input: [UInt8], inPiecesOf size: Int = .max) throws(HTTPFault) -> (head: HTTPRequestHead?, rest: [UInt8]) {
    var reader = HTTPHeadReader()
    var start = 0
    while start < input.count {
        let piece = Array(input[start..<start + min(size, input.count - start)])
        var consumed = 0
        let head = try reader.readRequest(piece.raw, consumed: &consumed)
        start += consumed
        if let head { return (head, Array(input[start...])) }
    }
    return (nil, [])
}

func readResponse(_ text: String) throws(HTTPFault) -> HTTPResponseHead? {
    var reader = HTTPHeadReader()
    var consumed = 0
    let bytes = Array(text.utf8)
    return try reader.readResponse(bytes.raw, consumed: &consumed)
}

struct HTTPHeadTests {
    @Test(arguments: [1, 2, 3, 7, Int.max])
    func `a request is read from pieces of any size, and what follows is left`(size: Int) throws {
        let (head, rest) = try readRequest(
            "GET /v1?a=b HTTP/1.1\r\nHost: example.com:8443\r\nX-Empty:\r\nAccept: \t text/html \t\r\naccept: b\r\n\r\n\u{1}rest",
            inPiecesOf: size)
        let request = try #require(head)
        #expect(
            request.method == "GET" && request.target == "/v1?a=b" && request.path == "/v1?a=b" && request.minorVersion == 1)
        #expect(request.fields.count == 4)
        #expect(request.fields.only("host") == "example.com:8443")
        #expect(request.fields.only("x-empty") == "")
        #expect(request.fields.values(of: "accept") == ["text/html", "b"])
        #expect(request.fields.only("accept") == nil)
        #expect(rest == Array("\u{1}rest".utf8))
    }

    @Test(arguments: [
        ("GET http://h/x?y HTTP/1.1", "/x?y"), ("GET HTTPS://h:1 HTTP/1.1", "/"), ("GET ws://h/ HTTP/1.1", "/"),
        ("HEAD / HTTP/1.0", "/"),
    ])
    func `a target may be an absolute URI`(line: String, path: String) throws {
        let head = try readRequest("\(line)\r\nHost: h\r\n\r\n").head
        #expect(head?.path == path)
    }

    static let refused: [(String, HTTPFault, Int)] = [
        ("\r\n\r\n", .requestLineMalformed, 400),
        ("GET /\r\nHost: h\r\n\r\n", .requestLineMalformed, 400),
        ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", .requestLineMalformed, 400),
        ("GET / HTTP/1.1 \r\nHost: h\r\n\r\n", .requestLineMalformed, 400),
        (" GET / HTTP/1.1\r\nHost: h\r\n\r\n", .requestLineMalformed, 400),
        ("G(T / HTTP/1.1\r\nHost: h\r\n\r\n", .requestLineMalformed, 400),
        ("GET * HTTP/1.1\r\nHost: h\r\n\r\n", .targetMalformed, 400),
        ("GET v1 HTTP/1.1\r\nHost: h\r\n\r\n", .targetMalformed, 400),
        ("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", .targetMalformed, 400),
        ("GET /é HTTP/1.1\r\nHost: h\r\n\r\n", .targetMalformed, 400),
        ("GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n", .targetMalformed, 400),
        ("GET http://u@h/x HTTP/1.1\r\nHost: h\r\n\r\n", .targetMalformed, 400),
        ("GET / HTTP/1.2\r\nHost: h\r\n\r\n", .versionNotSupported, 505),
        ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", .versionNotSupported, 505),
        ("GET / http/1.1\r\nHost: h\r\n\r\n", .versionMalformed, 400),
        ("GET / HTTP/1.10\r\nHost: h\r\n\r\n", .versionMalformed, 400),
        ("GET / HTTP/1.1\nHost: h\r\n\r\n", .bareLineFeed, 400),
        ("GET / HTTP/1.1\r\nHost: h\n\n", .bareLineFeed, 400),
        ("GET / HTTP/1.1\rHost: h\r\n\r\n", .bareCarriageReturn, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", .bareCarriageReturn, 400),
        ("GET / HTTP/1.1\r\nHost: h\u{0}\r\n\r\n", .controlCharacter, 400),
        ("GET / HTTP/1.1\r\nHost: h\u{7f}\r\n\r\n", .controlCharacter, 400),
        ("\u{16}\u{3}\u{1}", .controlCharacter, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", .lineFolded, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\tc\r\n\r\n", .lineFolded, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n", .fieldWithoutColon, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n", .fieldNameMalformed, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nA b: x\r\n\r\n", .fieldNameMalformed, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nÄ: x\r\n\r\n", .fieldNameMalformed, 400),
        ("GET / HTTP/1.1\r\nHost : h\r\n\r\n", .spaceBeforeColon, 400),
        ("GET / HTTP/1.1\r\nHost\t: h\r\n\r\n", .spaceBeforeColon, 400),
        ("GET / HTTP/1.1\r\nA: b\r\n\r\n", .hostMissing, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nhost: h\r\n\r\n", .hostRepeated, 400),
        ("GET / HTTP/1.0\r\nHost: h\r\nhost: i\r\n\r\n", .hostRepeated, 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .hostMalformed, 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .hostMalformed, 400),
        ("GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", .hostMalformed, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", .bodyNotAccepted, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n", .bodyNotAccepted, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", .bodyNotAccepted, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0, 5\r\n\r\n", .bodyNotAccepted, 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +0\r\n\r\n", .bodyNotAccepted, 400),
    ]

    @Test(arguments: refused)
    func `what is malformed is refused with its status`(text: String, fault: HTTPFault, status: Int) {
        for size in [Int.max, 1] {
            #expect(throws: fault) { _ = try readRequest(text, inPiecesOf: size) }
        }
        #expect(fault.status.rawValue == status)
    }

    @Test(arguments: ["Content-Length: 0", "Host: [::1]:443", "Host:", "X: caf\u{e9}"])
    func `odd but lawful fields are taken`(field: String) throws {
        let host = field.hasPrefix("Host") ? "" : "Host: h\r\n"
        #expect(try readRequest("GET / HTTP/1.1\r\n\(host)\(field)\r\n\r\n").head != nil)
    }

    @Test func `a head of 8 KiB is taken and one byte more is 431`() throws {
        let frame = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n".utf8.count
        func request(of size: Int) -> String {
            "GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "x", count: size - frame))\r\n\r\n"
        }
        #expect(try readRequest(request(of: 8192)).head != nil)
        #expect(throws: HTTPFault.headTooLarge) { try readRequest(request(of: 8193)) }
        #expect(throws: HTTPFault.headTooLarge) { try readRequest(String(repeating: "x", count: 8193)) }
        #expect(HTTPFault.headTooLarge.status.rawValue == 431)
    }

    @Test func `100 fields are taken and one more is 431`() throws {
        func request(_ count: Int) -> String {
            "GET / HTTP/1.1\r\nHost: h\r\n" + String(repeating: "a: b\r\n", count: count - 1) + "\r\n"
        }
        #expect(try readRequest(request(100)).head?.fields.count == 100)
        #expect(throws: HTTPFault.tooManyFields) { try readRequest(request(101)) }
    }

    @Test func `every strict prefix is incomplete, not wrong`() throws {
        let request = Array("GET /v1 HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n".utf8)
        for count in 0..<request.count {
            #expect(try readRequest(Array(request[..<count])).head == nil)
        }
    }

    @Test(
        arguments: [
            ("HTTP/1.1 101 Switching Protocols", nil), ("HTTP/1.1 503 ", nil), ("HTTP/1.1 200", .statusLineMalformed),
            ("HTTP/1.1 20 OK", .statusLineMalformed), ("HTTP/1.1 099 X", .statusLineMalformed),
            ("HTTP/1.0 101 X", .versionNotSupported),
            ("HTTX/1.1 101 X", .versionMalformed), ("HTTP/1.1  101 X", .statusLineMalformed),
        ] as [(String, HTTPFault?)])
    func `status lines`(line: String, fault: HTTPFault?) throws {
        let text = "\(line)\r\nServer: s\r\n\r\n"
        if let fault {
            #expect(throws: fault) { try readResponse(text) }
        } else {
            #expect(try readResponse(text)?.status == Int(line.dropFirst(9).prefix(3)))
        }
    }

    @Test func `a refusal is a whole response`() {
        let text = String(decoding: HTTPFault.hostMissing.response(), as: UTF8.self)
        #expect(
            text
                == "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 27\r\nConnection: close\r\n\r\nThe Host field is missing.\n"
        )
        let head = HTTPResponse.encode(.ok, body: [1, 2, 3], includesBody: false)
        #expect(String(decoding: head, as: UTF8.self) == "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n")
    }
}
