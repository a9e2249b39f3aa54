public import Calls
public import Reactor
public import UsherAPI

/// Why a client's connection ended.
public enum ConnectionEnd: Error, Equatable, Sendable {
    /// This side closed it.
    case here
    /// The server closed it, with a code that says what to do next.
    case closed(CloseCode, reason: String)
    /// The server answered the upgrade with an error, for instance 503 when it is full.
    case upgradeRefused(httpStatus: Int, retryAfterMilliseconds: UInt64?)
    /// What answered the upgrade is no Usher server.
    case notUsher(String)
    /// The answer to the upgrade did not come in time.
    case upgradeOverdue
    /// The server broke the protocol, or was silent for too long.
    case violation(ConnectionViolation)
    /// The server broke the WebSocket protocol.
    case webSocketFault(String)
    /// TCP or TLS ended or failed.
    case transport(CloseCause)
}

extension ConnectionEnd {
    /// Whether, and how, coming back makes sense.
    public var advice: CloseCode.Advice {
        switch self {
        case .here: .doNotReconnect
        case .closed(let code, _): code.advice == .standard ? .reconnectWithBackoff : code.advice
        case .upgradeRefused(let status, _):
            status >= 500 || status == 429 || status == 408 ? .reconnectWithBackoff : .doNotReconnect
        case .notUsher: .doNotReconnect
        case .upgradeOverdue: .reconnectWithBackoff
        case .violation(.silent), .violation(.welcomeOverdue): .reconnectWithBackoff
        case .violation, .webSocketFault: .doNotReconnect
        case .transport(.tls(let error)): error.reason.contains("certificate") ? .doNotReconnect : .reconnectWithBackoff
        case .transport: .reconnectWithBackoff
        }
    }

    /// How long to wait before coming back, where the server has said so.
    public var retryAfterMilliseconds: UInt64? {
        if case .upgradeRefused(_, let milliseconds) = self { milliseconds } else { nil }
    }
}

extension ConnectionEnd: CustomStringConvertible {
    /// What happened, as part of a sentence: "the server closed the connection (4000: overloaded)".
    public var description: String {
        switch self {
        case .here: "the connection was closed here"
        case .closed(let code, let reason):
            "the server closed the connection (\(code.rawValue)\(reason.isEmpty ? "" : ": \(reason)"))"
        case .upgradeRefused(let status, _): "the server refused the connection with HTTP status \(status)"
        case .notUsher(let why): "what answers there is not an Usher server (\(why))"
        case .upgradeOverdue: "the server did not answer in time"
        case .violation(.silent): "nothing was heard from the server for too long"
        case .violation(.welcomeOverdue): "the server did not welcome the connection in time"
        case .violation(let violation): "the server broke the protocol (\(violation.reason))"
        case .webSocketFault(let reason): "the server broke the WebSocket protocol (\(reason))"
        case .transport(let cause): cause.sentencePart
        }
    }
}

extension CloseCause {
    fileprivate var sentencePart: String {
        switch self {
        case .local, .loopStopped: "the connection was closed here"
        case .peer: "the server ended the connection"
        case .broken(let code): "the connection broke (\(errnoText(code)))"
        case .refused(let code): "the connection could not be made (\(errnoText(code)))"
        case .timedOut: "connecting took too long"
        case .tls(let error): "the server could not be trusted or TLS failed (\(error.reason))"
        }
    }
}
