import COpenSSL
import Glibc

/// Why a cryptographic operation could not be done.
///
/// A signature that does not match is not an error but the answer `false`.
public enum CryptoError: Error, Equatable, Sendable, CustomStringConvertible {
    /// libcrypto refused; `reason` is OpenSSL's own reason string.
    case openSSL(operation: String, reason: String)
    /// The bytes are no key of the kind asked for.
    case invalidKey(String)
    /// A host name or address that cannot stand in a certificate.
    case invalidHost(String)
    /// The kernel refused; `errno` is its number.
    case file(path: String, operation: String, errno: Int32)

    public var description: String {
        switch self {
        case .openSSL(let operation, let reason): "\(operation): \(reason)"
        case .invalidKey(let what): "invalid key: \(what)"
        case .invalidHost(let host): "'\(host)' is neither a host name nor an address"
        case .file(let path, let operation, let number):
            "\(operation) \(path): \(unsafe String(cString: strerror(number)))"  // glibc's text; thread-local since 2.32
        }
    }

    /// The newest reason in this thread's error queue, which is emptied.
    ///
    /// Emptying matters beyond tidiness: libssl on the same thread reads the same queue in `SSL_get_error` and would take our
    /// leftover for a failure of its connection.
    static func latest(_ operation: String) -> CryptoError {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else {
            return .openSSL(operation: operation, reason: "no reason given")
        }
        // Static text of libcrypto.
        return .openSSL(operation: operation, reason: unsafe String(cString: text))
    }
}
