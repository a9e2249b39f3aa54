import Foundation

@testable import WebSocket

// Heads of both sides of the upgrade.
//
//   side: 0 a request to a server · 1 a response to a client · 2 a head put together from fields that are nearly right
//   cuts, then the bytes
//
// Held: the same head, fault and rest however the bytes are cut, and never more than 8 KiB read; a head read has only clean
// names and values; what is refused gets a response that our own client can read, with the status the fault says; what is
// accepted is accepted by our own client with the same agreement; a client believes no Accept but the right one.

extension FuzzTarget {
    static let http = FuzzTarget("http", bytesMax: 10_000, dictionary: httpWords) { bytes throws(Finding) in
        var script = Script(bytes)
        let side = script.byte() % 3
        let cuts = Cuts(&script)
        let input = side == 2 ? likelyRequest(&script) : script.remainder()
        if side == 1 {
            let whole = readHead(input, .none) { (reader, bytes, used) throws(HTTPFault) in
                try reader.readResponse(bytes, consumed: &used)
            }
            let cut = readHead(input, cuts) { (reader, bytes, used) throws(HTTPFault) in
                try reader.readResponse(bytes, consumed: &used)
            }
            try demandSame(whole, cut, \.fields)
            if case .head(let head, _) = whole { try checkResponse(head) }
        } else {
            let whole = readHead(input, .none) { (reader, bytes, used) throws(HTTPFault) in
                try reader.readRequest(bytes, consumed: &used)
            }
            let cut = readHead(input, cuts) { (reader, bytes, used) throws(HTTPFault) in
                try reader.readRequest(bytes, consumed: &used)
            }
            try demandSame(whole, cut, \.fields)
            switch whole {
            case .head(let head, _): try checkRequest(head)
            case .fault(let fault): try checkRefusal(fault)
            case .unfinished: break
            }
        }
    }
}

private let httpWords = [
    "GET ", "HEAD ", "/v1", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "HTTP/1.1 101 Switching Protocols\r\n", "HTTP/1.1 503 x\r\n",
    "Host: a\r\n", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n", "Connection: keep-alive, Upgrade\r\n",
    "Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n", "Sec-WebSocket-Protocol: usher.v1\r\n",
    "Sec-WebSocket-Accept: ", "Sec-WebSocket-Extensions: permessage-deflate", "; server_max_window_bits=10",
    "; client_max_window_bits", "; server_no_context_takeover", "; client_no_context_takeover", "=\"12\"",
    "Origin: https://a\r\n",
    "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "\r\n\r\n", "https://a/", "wss://",
]

/// What came of reading a head.
private enum Reading<Head> {
    case head(Head, consumed: Int)
    case fault(HTTPFault)
    case unfinished
}

private func readHead<Head>(
    _ input: [UInt8], _ cuts: Cuts,
    _ read: (inout HTTPHeadReader, RawSpan, inout Int) throws(HTTPFault) -> Head?
) -> Reading<Head> {
    var reader = HTTPHeadReader()
    var before = 0
    for piece in cuts.pieces(of: input) {
        var consumed = 0
        do throws(HTTPFault) {
            if let head = try read(&reader, piece.raw, &consumed) { return .head(head, consumed: before + consumed) }
        } catch {
            return .fault(error)
        }
        before += consumed
    }
    return .unfinished
}

private func demandSame<Head>(
    _ whole: Reading<Head>, _ cut: Reading<Head>, _ fields: (Head) -> HTTPFields
) throws(Finding) {
    switch (whole, cut) {
    case (.head(let one, let used), .head(let other, let usedToo)):
        try demandEqual(used, usedToo, "bytes of the head, whole and cut")
        try demand(used <= HTTPHeadReader.bytesMax, "a head of \(used) bytes")
        try demandEqual("\(one)", "\(other)", "whole and cut")
        let fields = fields(one)
        try demand(fields.count <= HTTPHeadReader.fieldsMax, "\(fields.count) fields")
    case (.fault(let one), .fault(let other)): try demandEqual(one, other, "whole and cut")
    case (.unfinished, .unfinished): break
    default: throw Finding("whole \(whole), cut \(cut)")
    }
}

private func checkRequest(_ head: HTTPRequestHead) throws(Finding) {
    try demand(head.path.hasPrefix("/"), "a path \(head.path)")
    try demand(head.path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "a path with \(head.path)")
    try demand([0, 1].contains(head.minorVersion), "HTTP/1.\(head.minorVersion)")
    let request: UpgradeRequest
    do throws(UpgradeRefusal) {
        request = try UpgradeRequest(head)
    } catch {
        try checkRefusal(error)
        return
    }
    for allowsDeflate in [false, true] {
        let acceptance: UpgradeAcceptance
        do throws(UpgradeRefusal) {
            acceptance = try request.accept(subprotocols: ["usher.v1"], requiresSubprotocol: true, allowsDeflate: allowsDeflate)
        } catch {
            try demandEqual(error, .subprotocolNotSupported, "refused")
            try checkRefusal(error)
            return
        }
        try demandEqual(acceptance.agreement.subprotocol, "usher.v1", "subprotocol")
        try demand(allowsDeflate || acceptance.agreement.deflate == nil, "deflate, though not allowed")
        let response = try demanded("our own response") { try responseHead(acceptance.response) }
        try demandEqual(response.status, 101, "status")
        // A client that sent this key. The bits past the sixteenth byte are its own affair: only a key written as our
        // client writes it can be compared.
        guard let key = head.fields.only("sec-websocket-key"), let nonce = Data(base64Encoded: key),
            nonce.base64EncodedString() == key
        else { continue }
        let client = ClientHandshake(
            host: "a", path: "/", nonce: [UInt8](nonce), subprotocols: ["usher.v1"], offersDeflate: allowsDeflate)
        let agreement = try demanded("our own client refuses") { () throws(ClientHandshakeFault) in try client.check(response) }
        try demandEqual(agreement.subprotocol, acceptance.agreement.subprotocol, "subprotocol at both ends")
        try demandEqual(agreement.deflate == nil, acceptance.agreement.deflate == nil, "deflate at both ends")
    }
}

private func checkResponse(_ head: HTTPResponseHead) throws(Finding) {
    try demand((100...999).contains(head.status), "status \(head.status)")
    let nonce = [UInt8](0..<16)
    for offersDeflate in [false, true] {
        let client = ClientHandshake(
            host: "a", path: "/v1", nonce: nonce, subprotocols: ["usher.v1"], offersDeflate: offersDeflate)
        let result = Result { () throws(ClientHandshakeFault) in try client.check(head) }
        guard case .success(let agreement) = result else { continue }
        try demandEqual(head.status, 101, "believed with status")
        try demandEqual(
            head.fields.values(of: "sec-websocket-accept"), [acceptKey(for: Base64.encode(nonce))], "believed with Accept")
        try demand([nil, "usher.v1"].contains(agreement.subprotocol), "believed with a subprotocol that was not offered")
        try demand(offersDeflate || agreement.deflate == nil, "believed with deflate that was not offered")
    }
}

private func checkRefusal(_ refusal: some HTTPRefusal) throws(Finding) {
    let response = refusal.response()
    let head = try demanded("our own refusal") { try responseHead(response) }
    try demandEqual(head.status, refusal.status.rawValue, "status")
    try demand(response.count < 1024, "a refusal of \(response.count) bytes")
    try demandEqual(
        head.fields.only("connection"), refusal.status == .upgradeRequired ? "close, Upgrade" : "close", "Connection")
}

private func responseHead(_ bytes: [UInt8]) throws -> HTTPResponseHead {
    var reader = HTTPHeadReader()
    var consumed = 0
    guard let head = try reader.readResponse(bytes.raw, consumed: &consumed) else { throw Finding("has no end") }
    guard Int(head.fields.only("content-length") ?? "0") == bytes.count - consumed else {
        throw Finding("lies about its length")
    }
    return head
}

/// An upgrade that is right but for what the script puts in place of its parts.
private func likelyRequest(_ script: inout Script) -> [UInt8] {
    let lines = [
        "GET /v1 HTTP/1.1", "Host: a.example", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==", "Sec-WebSocket-Protocol: usher.v1",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    ]
    var bytes: [UInt8] = []
    for line in lines {
        let change = script.byte()
        switch change & 7 {
        case 0: bytes += script.bytes(Int(change >> 3))
        case 1:
            let name = line.prefix { $0 != ":" }
            bytes += Array(name.utf8) + Array(": ".utf8) + script.bytes(Int(change >> 3) * 4)
        case 2: bytes += Array(line.utf8) + script.bytes(Int(change >> 3) * 4)
        default: bytes += Array(line.utf8)
        }
        bytes += [13, 10]
    }
    return bytes + [13, 10] + script.remainder()
}
