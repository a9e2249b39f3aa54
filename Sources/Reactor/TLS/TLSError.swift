internal import COpenSSL

/// What TLS refused, in OpenSSL's words.
public struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was attempted, such as `certificate server.pem`.
    public let operation: String
    /// OpenSSL's reason, such as `certificate verify failed (self-signed certificate)`.
    public let reason: String

    public var description: String { "\(operation): \(reason)" }

    init(_ operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
    }

    /// Takes the reason from this thread's error queue, and empties it.
    init(_ operation: String) {
        let code = ERR_peek_error()
        ERR_clear_error()
        if let text = unsafe ERR_reason_error_string(code) {
            self.init(operation, reason: unsafe String(cString: text))
        } else {
            self.init(operation, reason: code == 0 ? "unexpected end" : "error \(code)")
        }
    }
}
