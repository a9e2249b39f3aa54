import Crypto
import UsherAPI

/// Who a connection, or one call, acts for.
struct Identity: Sendable, Equatable {
    var user: Uuid
    var isOperator = false
    /// May act for other users by `authorization` metadata, and run more calls.
    var isBackend = false
    /// After this wall time in milliseconds, and the leeway, calls are refused; a place in the line is not lost. Nil: never.
    var expiresMilliseconds: UInt64?
    /// How an operator is named in the journal.
    var name: String

    /// Whether it has run out, with the leeway that `IdentityChecker` gives a JWT's own expiry: what HELLO has just
    /// accepted is not refused by the next call.
    func isExpired(now: UInt64) -> Bool {
        guard let expiresMilliseconds else { return false }
        return now >= expiresMilliseconds && now - expiresMilliseconds >= IdentityChecker.leewayMilliseconds
    }
}

/// Turns what a client shows into an identity: a JWT of the site's identity provider, or in development a UUID taken on
/// trust, or the operator key of the data folder.
struct IdentityChecker: Sendable {
    /// How far the provider's clock may be from ours.
    static let leewayMilliseconds: UInt64 = 60_000

    private let mode: Mode

    private enum Mode: Sendable {
        case development(operatorKey: [UInt8])
        case provider(
            JWKS, JWTPolicy, operatorClaim: (name: String, value: String), backendClaim: (name: String, value: String))
    }

    /// Development: trusts UUIDs; who knows the operator key is an operator.
    init(operatorKey: String) {
        mode = .development(operatorKey: Array(operatorKey.utf8))
    }

    /// Production: trusts what the provider's keys signed.
    init(
        keys: JWKS, issuer: String?, audience: String?, operatorClaim: (name: String, value: String),
        backendClaim: (name: String, value: String)
    ) {
        let policy = JWTPolicy(
            issuer: issuer, audience: audience, requiresExpiry: true, leewayMilliseconds: Self.leewayMilliseconds)
        mode = .provider(keys, policy, operatorClaim: operatorClaim, backendClaim: backendClaim)
    }

    var isDevelopment: Bool {
        if case .development = mode { true } else { false }
    }

    /// A user's UUID on trust.
    ///
    /// - Throws: `IdentityError.untrusted` outside development, `.invalid` for the nil UUID.
    func trust(_ user: Uuid) throws(IdentityError) -> Identity {
        guard isDevelopment else { throw .untrusted }
        guard !user.isNone else { throw .invalid("the nil UUID names nobody") }
        return Identity(user: user, name: user.description)
    }

    /// A bearer token: a JWT, or in development `operator:<key of the data folder>` or a UUID.
    func check(bearer text: String, now: UInt64) throws(IdentityError) -> Identity {
        switch mode {
        case .development(let operatorKey):
            if let key = text.split(separator: ":", maxSplits: 1).last, text.hasPrefix("operator:") {
                guard constantTimeEqual(Array(key.utf8), operatorKey) else {
                    throw .invalid("this is not the data folder's operator key")
                }
                return Identity(user: .developmentOperator, isOperator: true, name: "development operator")
            }
            guard let user = Uuid(text) else { throw .invalid("a development server takes a UUID, or operator:KEY") }
            return try trust(user)
        case .provider(let keys, let policy, let operatorClaim, let backendClaim):
            return try Self.identity(
                try Self.verify(text, keys, policy, now: now), operatorClaim: operatorClaim, backendClaim: backendClaim)
        }
    }

    private static func verify(_ text: String, _ keys: JWKS, _ policy: JWTPolicy, now: UInt64) throws(IdentityError)
        -> VerifiedJWT
    {
        do {
            return try keys.verify(text, policy: policy, now: now)
        } catch {
            throw error.reason == .expired ? .expired : .invalid(error.detail)
        }
    }

    private static func identity(
        _ token: VerifiedJWT, operatorClaim: (name: String, value: String), backendClaim: (name: String, value: String)
    ) throws(IdentityError) -> Identity {
        guard let subject = token.subject, !subject.isEmpty else { throw .invalid("the token has no sub") }
        let user = Uuid(subject) ?? Uuid(namedBy: subject, issuer: token.issuer ?? "")
        guard !user.isNone else { throw .invalid("the nil UUID names nobody") }
        func has(_ claim: (name: String, value: String)) -> Bool {
            token.claims[claim.name]?.strings?.contains(claim.value) ?? false
        }
        return Identity(
            user: user, isOperator: has(operatorClaim), isBackend: has(backendClaim),
            expiresMilliseconds: token.expiresAtMilliseconds, name: subject)
    }
}

/// Why nobody was recognised.
enum IdentityError: Error, Equatable {
    case untrusted
    case expired
    case invalid(String)
}

extension Uuid {
    /// Who acts with the development operator key.
    static let developmentOperator = Uuid(high: 0, low: 1)

    /// A version 8 UUID (RFC 9562, section 5.8) for a subject that is none itself: the start of
    /// SHA-256(issuer, 0, subject), the same on every instance.
    init(namedBy subject: String, issuer: String) {
        let digest = sha256(Array(issuer.utf8) + [0] + Array(subject.utf8))
        func word(_ start: Int) -> UInt64 { digest[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(0) & ~0xF000 | 0x8000, low: word(8) & ~(0b11 << 62) | 0b10 << 62)
    }
}
