public import Wire

/// Why a WebSocket connection is closed (RFC 6455, section 7.4). The range tells the client what to do next; the
/// catalogue, `protocol/errors.json`, says the same of each code.
public struct CloseCode: RawRepresentable, Hashable, Sendable {
    /// The number in the close frame.
    public let rawValue: UInt16

    /// A code, known or not.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// What a client does after a close.
    public enum Advice: String, Sendable {
        /// 1000–1015 as RFC 6455 has them: reconnect, with backoff, unless one closed oneself.
        case standard
        /// 4000–4499: the server or the way there has trouble.
        case reconnectWithBackoff = "reconnect_with_backoff"
        /// 4500–4899: the client is wrong; coming back would end the same way.
        case doNotReconnect = "do_not_reconnect"
        /// 4900–4999: another instance, or this address again, will serve.
        case reconnectAtOnce = "reconnect_at_once"
    }

    /// What a client does after this code. Codes outside all ranges count as trouble on the way.
    public var advice: Advice {
        switch rawValue {
        case 1000...1015: .standard
        case 4500...4899: .doNotReconnect
        case 4900...4999: .reconnectAtOnce
        default: .reconnectWithBackoff
        }
    }
}

// As RFC 6455.
extension CloseCode {
    /// One side is done with the connection.
    public static let normal = CloseCode(rawValue: 1000)
    /// A page is left, or a process ends.
    public static let goingAway = CloseCode(rawValue: 1001)
    /// The WebSocket protocol was broken.
    public static let protocolError = CloseCode(rawValue: 1002)
    /// A text message: only binary ones are understood.
    public static let unsupportedData = CloseCode(rawValue: 1003)
    /// Never sent: a close frame without a code.
    public static let noStatus = CloseCode(rawValue: 1005)
    /// Never sent: the connection broke without a close frame.
    public static let abnormal = CloseCode(rawValue: 1006)
    /// Text that is not UTF-8, as in a close reason.
    public static let invalidPayload = CloseCode(rawValue: 1007)
    /// A rule that has no code of its own was broken.
    public static let policyViolation = CloseCode(rawValue: 1008)
    /// A message is larger than the limits allow.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// The server broke a promise of its own.
    public static let internalError = CloseCode(rawValue: 1011)
}

// Reconnect with backoff.
extension CloseCode {
    /// No HELLO within its time.
    public static let helloTimeout = CloseCode(rawValue: 4001)
    /// Nothing was heard for too long.
    public static let silent = CloseCode(rawValue: 4002)
    /// Too many opens, cancels, pings or bytes for too long.
    public static let rateLimited = CloseCode(rawValue: 4004)
}

// Do not come back.
extension CloseCode {
    /// A WebSocket message is not a sequence of whole frames.
    public static let malformedFrame = CloseCode(rawValue: 4500)
    /// A frame's body is not the message its kind has.
    public static let malformedBody = CloseCode(rawValue: 4501)
    /// A frame of an unknown kind without the flag IGNORABLE.
    public static let unknownFrame = CloseCode(rawValue: 4502)
    /// A frame where its kind, flags or call id have no place.
    public static let misplacedFrame = CloseCode(rawValue: 4503)
    /// The first frame is not HELLO, or HELLO comes again.
    public static let helloExpected = CloseCode(rawValue: 4504)
    /// An OPEN whose call id is not above the highest so far.
    public static let callIDNotGrowing = CloseCode(rawValue: 4505)
    /// A frame for a call that was never opened.
    public static let unknownCall = CloseCode(rawValue: 4506)
    /// A frame's body is larger than the limit told in WELCOME.
    public static let frameTooLarge = CloseCode(rawValue: 4507)
    /// The identity in HELLO is refused.
    public static let identityRefused = CloseCode(rawValue: 4508)
}

// Reconnect at once, elsewhere.
extension CloseCode {
    /// The instance shuts down.
    public static let shuttingDown = CloseCode(rawValue: 4900)
    /// Reserved for several instances: this one can no longer serve, its state differs from the others'.
    public static let instanceFailed = CloseCode(rawValue: 4901)
    /// Reserved for several instances: connections are spread anew over them.
    public static let rebalancing = CloseCode(rawValue: 4902)
}

extension FrameError {
    /// What the connection is closed with after such a message.
    public var closeCode: CloseCode {
        switch self {
        case .empty, .truncatedHeader, .bodyPastEnd, .reservedFlag: .malformedFrame
        case .tooLarge: .frameTooLarge
        }
    }
}
