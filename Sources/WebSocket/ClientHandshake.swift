// The client's side of the opening handshake, RFC 6455 section 4.1.

/// A request to open a WebSocket, and the check of what comes back.
public struct ClientHandshake: Sendable {
    /// The whole request.
    public let request: [UInt8]

    private let expectedAccept: String
    private let subprotocols: [String]
    private let offersDeflate: Bool

    /// - Parameters:
    ///   - host: with the port if it is not the scheme's own.
    ///   - path: with the query, beginning with a slash.
    ///   - nonce: 16 random bytes, for this request only.
    ///   - subprotocols: in the order of preference.
    ///   - fields: further fields, such as Origin.
    public init(
        host: String, path: String, nonce: [UInt8], subprotocols: [String] = [], offersDeflate: Bool = false,
        fields: [(name: String, value: String)] = []
    ) {
        precondition(nonce.count == 16)
        precondition(path.hasPrefix("/") && path.utf8.allSatisfy { $0 > .space && $0 < .delete })
        let key = Base64.encode(nonce)
        var all = [
            ("Host", host), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", key),
            ("Sec-WebSocket-Version", "13"),
        ]
        if !subprotocols.isEmpty { all.append(("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", "))) }
        if offersDeflate { all.append(("Sec-WebSocket-Extensions", DeflateNegotiation.clientOffer)) }
        request = HTTPResponse.head("GET \(path) HTTP/1.1", all + fields)
        expectedAccept = acceptKey(for: key)
        self.subprotocols = subprotocols
        self.offersDeflate = offersDeflate
    }

    /// Checks the response.
    ///
    /// - Returns: what was agreed. A server may leave the subprotocol out; whether to go on is the caller's matter.
    public func check(_ head: HTTPResponseHead) throws(ClientHandshakeFault) -> UpgradeAgreement {
        let fields = head.fields
        guard head.status == 101 else { throw .refused(status: head.status) }
        guard fields.only("upgrade")?.lowercased() == "websocket" else { throw .upgradeMissing }
        guard fields.contains("upgrade", in: "connection") else { throw .connectionWithoutUpgrade }
        guard fields.only("sec-websocket-accept") == expectedAccept else { throw .acceptWrong }

        let chosen = fields.values(of: "sec-websocket-protocol")
        guard chosen.count <= 1, chosen.allSatisfy(subprotocols.contains) else { throw .subprotocolNotOffered }

        var extensions: [WebSocketExtension] = []
        for value in fields.values(of: "sec-websocket-extensions") {
            guard let found = WebSocketExtension.parse(value) else { throw .extensionsInvalid }
            extensions += found
        }
        guard let first = extensions.first else { return UpgradeAgreement(subprotocol: chosen.first, deflate: nil) }
        guard offersDeflate, extensions.count == 1, let deflate = DeflateNegotiation.check(first) else {
            throw .extensionsInvalid
        }
        return UpgradeAgreement(subprotocol: chosen.first, deflate: deflate)
    }
}

/// Why a response does not open a WebSocket.
public enum ClientHandshakeFault: Error, Sendable, Equatable {
    /// Any status but 101, such as 503 with its Retry-After.
    case refused(status: Int)
    case upgradeMissing, connectionWithoutUpgrade
    /// Sec-WebSocket-Accept is missing or does not belong to our key: some cache or other server answered.
    case acceptWrong
    case subprotocolNotOffered
    /// An extension, or a parameter of one, that we did not offer.
    case extensionsInvalid
}
