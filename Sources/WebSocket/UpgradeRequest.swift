// The server's side of the opening handshake, RFC 6455 section 4.2.

/// A request to become a WebSocket that is well-formed; whether it is welcome (path, Origin) the caller decides.
public struct UpgradeRequest: Sendable {
    /// The path and query asked for.
    public let path: String
    public let host: String
    /// Where the page comes from that opens the connection; browsers always say it, others need not.
    public let origin: String?
    /// The subprotocols offered, in the client's order of preference.
    public let subprotocols: [String]
    public let fields: HTTPFields

    private let key: String
    private let extensions: [WebSocketExtension]

    /// Checks a request head, first what tells that it is no WebSocket at all.
    public init(_ head: HTTPRequestHead) throws(UpgradeRefusal) {
        let fields = head.fields
        guard head.method == "GET" else { throw .methodNotGet }
        guard head.minorVersion == 1 else { throw .httpTooOld }
        guard fields.contains("websocket", in: "upgrade") else { throw .notAWebSocket }
        guard fields.contains("upgrade", in: "connection") else { throw .connectionWithoutUpgrade }
        guard fields.only("sec-websocket-version") == "13" else { throw .webSocketVersion }
        guard let key = fields.only("sec-websocket-key"), Base64.encodesSixteenBytes(key) else { throw .keyMalformed }
        guard let host = fields.only("host"), !host.isEmpty else { throw .hostEmpty }
        guard fields.values(of: "origin").count <= 1 else { throw .originRepeated }

        let subprotocols = fields.elements(of: "sec-websocket-protocol")
        guard subprotocols.allSatisfy({ $0.utf8.allSatisfy(\.isTokenCharacter) }), Set(subprotocols).count == subprotocols.count
        else { throw .subprotocolsMalformed }
        var extensions: [WebSocketExtension] = []
        for value in fields.values(of: "sec-websocket-extensions") {
            guard let found = WebSocketExtension.parse(value) else { throw .extensionsMalformed }
            extensions += found
        }

        path = head.path
        origin = fields.only("origin")
        self.host = host
        self.key = key
        self.subprotocols = subprotocols
        self.extensions = extensions
        self.fields = fields
    }

    /// Accepts the request.
    ///
    /// - Parameters:
    ///   - supported: the subprotocols spoken here; the client's first choice among them is taken.
    ///   - requiresSubprotocol: whether to refuse a client that offers none of them.
    ///   - allowsDeflate: whether to accept permessage-deflate if it is offered.
    ///   - fields: further fields of the response.
    public func accept(
        subprotocols supported: [String] = [], requiresSubprotocol: Bool = false, allowsDeflate: Bool,
        fields: [(name: String, value: String)] = []
    ) throws(UpgradeRefusal) -> UpgradeAcceptance {
        let subprotocol = subprotocols.first(where: supported.contains)
        guard subprotocol != nil || !requiresSubprotocol else { throw .subprotocolNotSupported }
        let deflate = allowsDeflate ? DeflateNegotiation.accept(extensions) : nil

        var answer = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", acceptKey(for: key))]
        if let subprotocol { answer.append(("Sec-WebSocket-Protocol", subprotocol)) }
        if let deflate { answer.append(("Sec-WebSocket-Extensions", deflate.response)) }
        return UpgradeAcceptance(
            response: HTTPResponse.head("HTTP/1.1 101 Switching Protocols", answer + fields),
            agreement: UpgradeAgreement(subprotocol: subprotocol, deflate: deflate?.agreement))
    }
}

/// What the handshake settled.
public struct UpgradeAgreement: Sendable, Equatable {
    public let subprotocol: String?
    /// Nil for no compression.
    public let deflate: DeflateAgreement?
}

/// The response that makes the connection a WebSocket.
public struct UpgradeAcceptance: Sendable {
    public let response: [UInt8]
    public let agreement: UpgradeAgreement
}

/// Why a request cannot become a WebSocket.
public enum UpgradeRefusal: HTTPRefusal, CaseIterable {
    case methodNotGet, httpTooOld, notAWebSocket, connectionWithoutUpgrade, webSocketVersion, keyMalformed
    case hostEmpty, originRepeated, subprotocolsMalformed, extensionsMalformed, subprotocolNotSupported
    /// For callers that check Origin against their list.
    case originNotAllowed

    public var status: HTTPStatus {
        switch self {
        case .methodNotGet: .methodNotAllowed
        case .httpTooOld: .versionNotSupported
        case .notAWebSocket, .webSocketVersion: .upgradeRequired
        case .connectionWithoutUpgrade, .keyMalformed, .hostEmpty, .originRepeated, .subprotocolsMalformed,
            .extensionsMalformed, .subprotocolNotSupported:
            .badRequest
        case .originNotAllowed: .forbidden
        }
    }

    public var sentence: String {
        switch self {
        case .methodNotGet: "A WebSocket is opened with GET."
        case .httpTooOld: "A WebSocket is opened over HTTP/1.1."
        case .notAWebSocket: "This address speaks WebSocket: send Upgrade: websocket."
        case .connectionWithoutUpgrade: "The Connection field does not name Upgrade."
        case .webSocketVersion: "Only version 13 of the WebSocket protocol is spoken here."
        case .keyMalformed: "Sec-WebSocket-Key is not one field of 16 bytes in base64."
        case .hostEmpty: "The Host field is empty."
        case .originRepeated: "There is more than one Origin field."
        case .subprotocolsMalformed: "Sec-WebSocket-Protocol is not a list of different tokens."
        case .extensionsMalformed: "Sec-WebSocket-Extensions is not a list of extensions with parameters."
        case .subprotocolNotSupported: "None of the subprotocols offered is spoken here."
        case .originNotAllowed: "Pages of this origin may not connect."
        }
    }

    public var fields: [(name: String, value: String)] {
        switch self {
        case .methodNotGet: [("Allow", "GET")]
        case .notAWebSocket: [("Upgrade", "websocket")]
        case .webSocketVersion: [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]
        case .httpTooOld, .connectionWithoutUpgrade, .keyMalformed, .hostEmpty, .originRepeated, .subprotocolsMalformed,
            .extensionsMalformed, .subprotocolNotSupported, .originNotAllowed:
            []
        }
    }
}
