public import Calls
public import UsherAPI

/// Why something could not be done.
public enum UsherError: Error, Equatable, Sendable {
    /// The server refused, with its reason; nothing changed unless `details.mayHaveHappened`.
    case refused(Status)
    /// No server could be reached, or the connection was lost for good. The sentence says what to do next.
    case connection(String)
    /// The calling task was cancelled. A command may have been carried out.
    case cancelled
    /// The client was closed. A command may have been carried out.
    case closed

    /// The server's status, if it was the server.
    public var status: Status? {
        if case .refused(let status) = self { status } else { nil }
    }

    /// The catalogued reason, if the server gave one that this version knows.
    public var reason: Reason? { status.flatMap { Reason(rawValue: $0.reason) } }
}

extension UsherError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .refused(let status):
            status.message.isEmpty
                ? "The server answered \(status.reason.isEmpty ? "\(status.code)" : status.reason)." : status.message
        case .connection(let sentence): sentence
        case .cancelled: "The call was cancelled."
        case .closed: "The client is closed."
        }
    }
}
