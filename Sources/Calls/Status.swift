public import UsherAPI

/// How a call ended.
///
/// An error as well, so that what handles a call may throw it.
public struct Status: Error, Equatable, Sendable {
    /// Which of gRPC's seventeen.
    public var code: StatusCode
    /// The stable reason word, one of ``Reason`` or a newer one; empty with OK.
    public var reason: String
    /// A sentence for people.
    public var message: String
    /// What a program needs to act on the reason.
    public var details: ErrorDetails?

    /// A status of any parts.
    public init(code: StatusCode, reason: String = "", message: String = "", details: ErrorDetails? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
    }

    /// A catalogued reason, with the code that belongs to it.
    public init(_ reason: Reason, _ message: String = "", details: ErrorDetails? = nil) {
        self.init(code: reason.code, reason: reason.rawValue, message: message, details: details)
    }
}
