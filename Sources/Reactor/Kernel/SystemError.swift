internal import Glibc

/// A system call that failed, with the kernel's reason.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was attempted, such as `bind 127.0.0.1:8443`.
    public let operation: String
    /// errno as it was right after the call.
    public let code: Int32

    /// An error with a known errno.
    public init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    public var description: String { "\(operation): \(errnoText(code))" }
}

/// The text of an errno, such as `Address already in use`.
public func errnoText(_ code: Int32) -> String {
    // Glibc's strerror is thread-safe (strerror(3), since 2.32).
    guard let text = unsafe strerror(code) else { return "errno \(code)" }
    return unsafe String(cString: text)
}
