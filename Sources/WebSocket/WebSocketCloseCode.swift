/// Why a WebSocket was closed, RFC 6455 section 7.4 and the IANA registry of close codes.
public struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt16

    /// Any code; whether it may be sent is `mayBeSent`.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// 1000: the purpose is fulfilled.
    public static let normal = WebSocketCloseCode(rawValue: 1000)
    /// 1001: the server goes down or the page was left.
    public static let goingAway = WebSocketCloseCode(rawValue: 1001)
    /// 1002: the peer broke the protocol.
    public static let protocolError = WebSocketCloseCode(rawValue: 1002)
    /// 1003: a kind of data that cannot be accepted (text where only binary is).
    public static let unsupportedData = WebSocketCloseCode(rawValue: 1003)
    /// 1005, never sent: the Close frame carried no code.
    public static let noStatus = WebSocketCloseCode(rawValue: 1005)
    /// 1006, never sent: the connection ended without a Close frame.
    public static let abnormal = WebSocketCloseCode(rawValue: 1006)
    /// 1007: data inconsistent with the message's type, such as text that is not UTF-8.
    public static let invalidPayload = WebSocketCloseCode(rawValue: 1007)
    /// 1008: a message that breaks a policy.
    public static let policyViolation = WebSocketCloseCode(rawValue: 1008)
    /// 1009: a message too big to process.
    public static let messageTooBig = WebSocketCloseCode(rawValue: 1009)
    /// 1010: the client expected an extension that the server did not take.
    public static let extensionMissing = WebSocketCloseCode(rawValue: 1010)
    /// 1011: an unexpected condition in the server.
    public static let internalError = WebSocketCloseCode(rawValue: 1011)
    /// 1012: the service restarts; come back after 5 to 30 s.
    public static let serviceRestart = WebSocketCloseCode(rawValue: 1012)
    /// 1013: overload; try elsewhere or later.
    public static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)
    /// 1014: a gateway got an invalid answer from upstream.
    public static let badGateway = WebSocketCloseCode(rawValue: 1014)
    /// 1015, never sent: the TLS handshake failed.
    public static let tlsFailure = WebSocketCloseCode(rawValue: 1015)

    /// Whether the code may stand in a Close frame: those of the registry that are not reserved, 3000–3999
    /// (registered by libraries) and 4000–4999 (private).
    public var mayBeSent: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    public var description: String { String(rawValue) }
}
