// The messages of protocol/usher/v1/session.proto; what they mean is said there in full. How they lie on the wire is
// in Session+Coding.swift.

public import Wire

/// The request of `Session/Authenticate`.
public struct AuthenticateRequest: WireMessage {
    /// Who the client is.
    public var identity: Identity?

    /// One of the ways to say who one is.
    public enum Identity: Sendable, Equatable {
        /// From the site's identity provider.
        case jwt(String)
        /// Development mode only.
        case user(Uuid)
    }

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(identity: Identity? = nil) {
        self.identity = identity
    }
}

/// The response of `Session/Authenticate`.
public struct AuthenticateResponse: WireMessage {
    /// Who the caller is from now on.
    public var user: Uuid?
    /// When the identity ends; 0: never.
    public var expiresMs: UInt64 = 0
    /// Whether operators' calls are allowed.
    public var isOperator = false

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(user: Uuid? = nil, expiresMs: UInt64 = 0, isOperator: Bool = false) {
        self.user = user
        self.expiresMs = expiresMs
        self.isOperator = isOperator
    }
}
