// JSON Web Tokens in compact serialisation (RFC 7519, RFC 7515 §7.1), read as RFC 8725 advises.
//
//   base64url(header) . base64url(claims) . base64url(signature)
//   └────────── what the signature covers ─┘
//
// Rules of reading, in this order; the first that fails is the error:
//  1. Three parts, each strict base64url; header and claims at most 8 KiB each.
//  2. The header is a JSON object; `alg` is one we verify (never `none`); no `crit`, since we understand no extension.
//  3. The key is chosen by `kid` from the set we trust, never from the token (`jwk`, `jku`, `x5c` are not looked at),
//     and its own algorithm must be the header's.
//  4. The signature holds over the text as it came.
//  5. Only then are the claims parsed and checked: type, exp, nbf, iat, iss, aud.

import FoundationEssentials

/// Why a token, or a key set, was refused.
public struct JWTError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kind of refusal.
    public enum Reason: String, Sendable {
        case malformed, tooLarge, unsupportedAlgorithm, algorithmMismatch, criticalHeader, unknownKey, badSignature
        case wrongType, missingExpiry, expired, notYetValid, issuedInFuture, wrongIssuer, wrongAudience
        case malformedKeySet
    }

    public let reason: Reason
    /// What was wrong, for people; holds nothing secret.
    public let detail: String

    /// A refusal.
    public init(_ reason: Reason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }

    public var description: String { "\(reason.rawValue): \(detail)" }
}

/// What a token must say besides being signed.
public struct JWTPolicy: Sendable, Equatable {
    /// The exact `iss`; nil: not looked at.
    public var issuer: String?
    /// One of the values of `aud`; nil: not looked at.
    public var audience: String?
    /// The header's `typ`, compared without case; nil: not looked at. Tells tokens of one signer apart (RFC 8725 §3.11).
    public var type: String?
    /// Algorithms allowed.
    public var algorithms: [JWTAlgorithm]
    /// Whether a token without `exp` is refused.
    public var requiresExpiry: Bool
    /// How far the signer's clock may be from ours, ms; applied to `exp`, `nbf` and `iat`.
    public var leewayMilliseconds: UInt64

    /// A policy; by default any issuer and audience, `exp` required, a minute of leeway.
    public init(
        issuer: String? = nil, audience: String? = nil, type: String? = nil,
        algorithms: [JWTAlgorithm] = JWTAlgorithm.allCases, requiresExpiry: Bool = true, leewayMilliseconds: UInt64 = 60_000
    ) {
        self.issuer = issuer
        self.audience = audience
        self.type = type
        self.algorithms = algorithms
        self.requiresExpiry = requiresExpiry
        self.leewayMilliseconds = leewayMilliseconds
    }
}

/// A token whose signature and times held.
public struct VerifiedJWT: Sendable, Equatable {
    /// The claims.
    public let claims: [String: JSONValue]
    /// The key that signed.
    public let key: JWK
    /// `exp`, ms since 1970.
    public let expiresAtMilliseconds: UInt64?

    /// `iss`.
    public var issuer: String? { claims["iss"]?.string }
    /// `sub`.
    public var subject: String? { claims["sub"]?.string }
}

extension JWKS {
    /// Largest header and largest claims, bytes before base64url.
    public static let partByteCountMax = 8 * 1024

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let typ: String?
        let hasCritical: Bool

        enum Name: String, CodingKey { case alg, kid, typ, crit }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: Name.self)
            alg = try members.decode(String.self, forKey: .alg)
            // A member that is present must be a text; null is none.
            kid = members.contains(.kid) ? try members.decode(String.self, forKey: .kid) : nil
            typ = members.contains(.typ) ? try members.decode(String.self, forKey: .typ) : nil
            hasCritical = members.contains(.crit)
        }
    }

    /// Verifies a token against these keys; the rules stand at the head of this file.
    ///
    /// - Parameter now: wall time, ms since 1970.
    public func verify(_ token: String, policy: JWTPolicy, now: UInt64) throws(JWTError) -> VerifiedJWT {
        try verify(Array(token.utf8), policy: policy, now: now)
    }

    /// Verifies a token, ASCII, against these keys; the rules stand at the head of this file.
    ///
    /// - Parameter now: wall time, ms since 1970.
    public func verify(_ token: [UInt8], policy: JWTPolicy, now: UInt64) throws(JWTError) -> VerifiedJWT {
        let partTextMax = (Self.partByteCountMax * 4 + 2) / 3
        // The longest signature is RSA's, rsaBits.upperBound / 8 bytes.
        guard token.count <= 2 * partTextMax + 2 + (JWK.rsaBits.upperBound / 8 * 4 + 2) / 3 else {
            throw JWTError(.tooLarge, "\(token.count) bytes")
        }
        let parts = token.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw JWTError(.malformed, "not three parts") }
        guard parts[0].count <= partTextMax, parts[1].count <= partTextMax else {
            throw JWTError(.tooLarge, "header or claims over \(Self.partByteCountMax) bytes")
        }
        guard let headerBytes = Base64URL.decode(parts[0]), let claimsBytes = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw JWTError(.malformed, "not base64url") }

        guard let header = BoundedJSON.decode(Header.self, headerBytes) else {
            throw JWTError(.malformed, "the header is no JSON object with 'alg'")
        }
        guard let algorithm = JWTAlgorithm(rawValue: header.alg), policy.algorithms.contains(algorithm) else {
            throw JWTError(.unsupportedAlgorithm, "'alg' must be one of \(policy.algorithms.map(\.rawValue))")
        }
        guard !header.hasCritical else { throw JWTError(.criticalHeader, "'crit' names extensions we don't understand") }
        let key = try key(id: header.kid, algorithm: algorithm)
        let signedCount = parts[0].count + 1 + parts[1].count
        guard key.isValid(signature, for: token.rawSpan.extracting(first: signedCount)) else {
            throw JWTError(.badSignature, "the signature is not the key's")
        }

        if let type = policy.type, header.typ?.lowercased() != type.lowercased() {
            throw JWTError(.wrongType, "'typ' must be \(type)")
        }
        guard let claims = BoundedJSON.decode(JSONValue.self, claimsBytes)?.object else {
            throw JWTError(.malformed, "the claims are no JSON object")
        }
        let expiry = try Self.check(claims, policy, now)
        return VerifiedJWT(claims: claims, key: key, expiresAtMilliseconds: expiry)
    }

    /// The registered claims of RFC 7519 §4.1. Returns `exp` in ms.
    private static func check(
        _ claims: [String: JSONValue], _ policy: JWTPolicy, _ now: UInt64
    ) throws(JWTError) -> UInt64? {
        let leeway = policy.leewayMilliseconds
        let expiry = try milliseconds(claims, "exp")
        if let expiry {
            guard now < later(expiry, by: leeway) else { throw JWTError(.expired, "'exp' has passed") }
        } else if policy.requiresExpiry {
            throw JWTError(.missingExpiry, "'exp' is required")
        }
        let latest = later(now, by: leeway)
        if let start = try milliseconds(claims, "nbf"), latest < start {
            throw JWTError(.notYetValid, "'nbf' is still ahead")
        }
        if let issued = try milliseconds(claims, "iat"), latest < issued {
            throw JWTError(.issuedInFuture, "'iat' is still ahead")
        }
        if let issuer = policy.issuer, claims["iss"]?.string != issuer {
            throw JWTError(.wrongIssuer, "'iss' must be \(issuer)")
        }
        if let audience = policy.audience, claims["aud"]?.strings?.contains(audience) != true {
            throw JWTError(.wrongAudience, "'aud' must contain \(audience)")
        }
        return expiry
    }

    /// A NumericDate (seconds since 1970, fractions allowed) as ms; nil if absent.
    private static func milliseconds(_ claims: [String: JSONValue], _ name: String) throws(JWTError) -> UInt64? {
        guard let value = claims[name] else { return nil }
        // Up to the year 33658: far enough, and exact in a Double.
        guard let seconds = value.double, (0...1e12).contains(seconds) else {
            throw JWTError(.malformed, "'\(name)' is no time")
        }
        return UInt64((seconds * 1000).rounded(.down))
    }

    /// The sum, or the end of time: a policy may allow any leeway.
    private static func later(_ time: UInt64, by leeway: UInt64) -> UInt64 {
        let (sum, overflow) = time.addingReportingOverflow(leeway)
        return overflow ? .max : sum
    }
}
