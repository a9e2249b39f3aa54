public import UsherAPI
public import Wire

/// Why a connection cannot go on: what the other side did against the protocol, or failed to do.
///
/// After it the machine that threw it takes in nothing and produces nothing; close the WebSocket with ``closeCode``
/// and ``reason``.
public enum ConnectionViolation: Error, Equatable, Sendable {
    /// The message is not a sequence of frames within the limits.
    case framing(FrameError)
    /// A kind this side does not know, without IGNORABLE.
    case unknownKind(UInt8)
    /// A kind that only this side may send.
    case wrongDirection(FrameKind)
    /// END on a frame that ends no call, or CLOSE without it.
    case endFlag(FrameKind)
    /// A frame of the connection with a call id, or a frame of a call without.
    case callID(FrameKind)
    /// A body that is not the message its kind says.
    case body(FrameKind, WireError)

    /// The client's first frame is not HELLO.
    case helloExpected
    /// A second HELLO.
    case helloRepeated
    /// No HELLO in time.
    case helloOverdue
    /// The server's first frame is not WELCOME.
    case welcomeExpected
    /// A second WELCOME.
    case welcomeRepeated
    /// No WELCOME in time.
    case welcomeOverdue

    /// An OPEN whose id is not above the highest.
    case callIDNotAbove(highest: UInt32)
    /// A frame for a call that was never opened.
    case callNeverOpened(FrameKind)
    /// MESSAGE or CLOSE for a call that has had its CLOSE.
    case callEnded(FrameKind)
    /// A MESSAGE without credit.
    case creditExceeded

    /// More bytes, refused opens, cancels, pings or false proofs than the limits allow.
    case tooMany(FloodKind)
    /// Nothing was heard for two ping intervals.
    case silent

    /// What there may be too much of.
    public enum FloodKind: Equatable, Sendable {
        case bytes, opens, cancels, pings, falseProofs
    }
}

extension ConnectionViolation {
    /// The code to close the WebSocket with; its range tells the client whether to come back.
    public var closeCode: CloseCode {
        switch self {
        case .framing(.tooLarge): .frameTooLarge
        case .framing: .malformedFrame
        case .unknownKind: .unknownFrame
        case .wrongDirection, .endFlag, .callID: .misplacedFrame
        case .body: .malformedBody
        case .helloExpected, .helloRepeated: .helloExpected
        case .helloOverdue: .helloTimeout
        case .welcomeExpected, .welcomeRepeated, .callEnded, .creditExceeded: .misplacedFrame
        case .callIDNotAbove: .callIDNotGrowing
        case .callNeverOpened: .unknownCall
        case .tooMany: .rateLimited
        case .silent, .welcomeOverdue: .silent
        }
    }

    /// What was wrong, for the person who debugs the other side. Fits a close frame (123 bytes).
    public var reason: String {
        switch self {
        case .framing(.empty): "a message without a frame"
        case .framing(.truncatedHeader(let at)): "the frame at byte \(at) ends in its header"
        case .framing(.bodyPastEnd(let at)): "the frame at byte \(at) is longer than the message"
        case .framing(.tooLarge(let at, let byteCount)): "the frame at byte \(at) is too large: \(byteCount) bytes"
        case .framing(.reservedFlag(let at)): "the frame at byte \(at) has the reserved flag"
        case .unknownKind(let number): "unknown kind of frame: \(number)"
        case .wrongDirection(let kind): "\(kind.word) is not for this side to receive"
        case .endFlag(.close): "CLOSE without END"
        case .endFlag(let kind): "\(kind.word) with END"
        case .callID(let kind): "\(kind.word) with the wrong kind of call id"
        case .body(let kind, let error): "the body of \(kind.word) is malformed: \(error)"
        case .helloExpected: "HELLO comes first"
        case .helloRepeated: "HELLO comes once"
        case .helloOverdue: "no HELLO in time"
        case .welcomeExpected: "WELCOME comes first"
        case .welcomeRepeated: "WELCOME comes once"
        case .welcomeOverdue: "no WELCOME in time"
        case .callIDNotAbove(let highest): "the id of OPEN must be above \(highest)"
        case .callNeverOpened(let kind): "\(kind.word) for a call that was never opened"
        case .callEnded(let kind): "\(kind.word) for a call that has ended"
        case .creditExceeded: "MESSAGE without credit"
        case .tooMany(.bytes): "too many bytes"
        case .tooMany(.opens): "too many opens"
        case .tooMany(.cancels): "too many cancels"
        case .tooMany(.pings): "too many pings"
        case .tooMany(.falseProofs): "too many identities or tokens that are no good"
        case .silent: "nothing was heard for too long"
        }
    }
}

extension FrameKind {
    /// The kind as the protocol's documents write it.
    fileprivate var word: String {
        switch self {
        case .hello: "HELLO"
        case .welcome: "WELCOME"
        case .open: "OPEN"
        case .message: "MESSAGE"
        case .close: "CLOSE"
        case .credit: "CREDIT"
        case .cancel: "CANCEL"
        case .ping: "PING"
        case .pong: "PONG"
        case .goAway: "GOAWAY"
        case .unspecified, .unrecognized: "a frame"
        }
    }
}
