import Foundation
import Reactor

/// An HTTP response, taken apart.
struct HTTPAnswer: Sendable, Equatable {
    var status: Int
    /// By name in lower case.
    var fields: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    /// Takes the head off the front of the bytes, the rest becomes the body; nil as long as the head is not whole.
    init?(_ bytes: [UInt8]) {
        guard let end = Data(bytes).range(of: Data("\r\n\r\n".utf8)) else { return nil }
        var lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines.removeFirst().split(separator: " ")
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else { return nil }
        self.status = status
        fields = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        }
        body = Array(bytes[end.upperBound...])
    }
}

extension RawClient {
    /// The response after which the server ends the connection, with all that came.
    func answer() async throws -> HTTPAnswer {
        try await end()
        guard let answer = HTTPAnswer(rest) else {
            throw UnreadableAnswer(text: String(decoding: rest.prefix(500), as: UTF8.self))
        }
        return answer
    }
}

struct UnreadableAnswer: Error {
    var text: String
}

extension TestSale {
    /// A client's side of TLS that trusts this server alone.
    func tls(minimum: TLSContext.Version = .tls12) throws -> TLSContext {
        try .client(
            trust: .pinned(pem: String(contentsOfFile: folder + "/certificate.pem", encoding: .utf8)), minimum: minimum,
            resumes: false)
    }

    /// A connection on which nothing was said yet.
    func raw() async throws -> RawClient { try await .connect(to: port, tls: tls()) }

    /// What the clients' port answers to these bytes, before it ends the connection.
    func http(_ request: String) async throws -> HTTPAnswer {
        let client = try await raw()
        client.send(request)
        return try await client.answer()
    }

    /// The same of the operators' port.
    func admin(_ request: String) async throws -> HTTPAnswer {
        let client = try await RawClient.connect(to: adminPort, tls: nil)
        client.send(request)
        return try await client.answer()
    }

    /// A request for a WebSocket, as RFC 6455 has it in section 1.3; `fields` come last or, by name, instead.
    func upgradeRequest(path: String = "/v1", _ fields: [(name: String, value: String?)] = []) -> String {
        var all: [(name: String, value: String?)] = [
            ("Host", "127.0.0.1:\(port)"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Protocol", "usher.v1"),
        ]
        for field in fields {
            all.removeAll { $0.name == field.name }
            all.append(field)
        }
        let lines = all.compactMap { field in field.value.map { "\(field.name): \($0)\r\n" } }
        return "GET \(path) HTTP/1.1\r\n" + lines.joined() + "\r\n"
    }

    /// A WebSocket on which nothing was said yet, and the response that made it one.
    func rawSocket(path: String = "/v1", _ fields: [(name: String, value: String?)] = []) async throws -> (
        RawClient, HTTPAnswer
    ) {
        let client = try await raw()
        client.send(upgradeRequest(path: path, fields))
        return (client, try await client.upgraded())
    }
}

extension RawClient {
    /// The response to an upgrade; what comes behind it stays.
    func upgraded() async throws -> HTTPAnswer {
        try await take("the upgrade") { inbox, _ in
            guard var answer = HTTPAnswer(inbox.bytes) else { return nil }
            guard answer.status == 101 else { throw UnreadableAnswer(text: "\(answer.status) \(answer.text)") }
            inbox.bytes = answer.body
            answer.body = []
            return answer
        }
    }
}
