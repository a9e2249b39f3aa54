// JSON Web Keys (RFC 7517; members by kind: RFC 7518 §6.2 EC, §6.3 RSA, RFC 8037 §2 OKP), public halves only.

import COpenSSL

/// The signature algorithms we verify (RFC 7518 §3.1, RFC 8037 §3.1). Each belongs to one kind of key.
public enum JWTAlgorithm: String, Sendable, CaseIterable {
    /// Ed25519; the one our own tokens have.
    case eddsa = "EdDSA"
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rs256 = "RS256"
}

/// A public key that verifies tokens of exactly one algorithm.
public struct JWK: Sendable, Equatable {
    /// What makes up the key, big-endian as in the JWK.
    public enum Material: Sendable, Equatable {
        case ed25519(x: [UInt8])
        case p256(x: [UInt8], y: [UInt8])
        case rsa(modulus: [UInt8], exponent: [UInt8])
    }

    /// The `kid`: as given, or nil.
    public let keyID: String?
    public let material: Material
    let key: Key

    /// RSA below 2,048 bits is too weak (RFC 7518 §3.3); above 8,192 a verification is slow enough to be an attack.
    public static let rsaBits = 2048...8192

    /// A key of this material.
    ///
    /// - Throws: `CryptoError` if it is none: wrong lengths, a point off the curve, an RSA modulus outside ``rsaBits`` or an even
    ///   exponent, one below 3 or one of more than 32 bits.
    public init(_ material: Material, keyID: String? = nil) throws(CryptoError) {
        self.material = material
        self.keyID = keyID
        switch material {
        case .ed25519(let x): key = try Ed25519PublicKey(rawBytes: x).key
        case .p256(let x, let y): key = try Self.p256(x, y)
        case .rsa(let modulus, let exponent): key = try Self.rsa(modulus, exponent)
        }
    }

    /// One of our own keys; its `kid` is its thumbprint.
    public init(_ publicKey: Ed25519PublicKey) {
        material = .ed25519(x: publicKey.rawBytes)
        key = publicKey.key
        keyID = Self.thumbprint(material)
    }

    /// The only algorithm this key verifies, whatever a token claims.
    public var algorithm: JWTAlgorithm {
        switch material {
        case .ed25519: .eddsa
        case .p256: .es256
        case .rsa: .rs256
        }
    }

    /// The SHA-256 thumbprint (RFC 7638), base64url.
    public var thumbprint: String { Self.thumbprint(material) }

    /// Whether the signature, as JWS encodes it, is this key's over the message.
    public func isValid(_ signature: [UInt8], for message: RawSpan) -> Bool {
        switch material {
        case .ed25519:
            return signature.count == Ed25519PublicKey.signatureByteCount
                && key.verifies(signature, of: message, digest: nil)
        case .p256:
            guard let der = Self.derSignature(signature) else { return false }
            return key.verifies(der, of: message, digest: "SHA256")
        case .rsa(let modulus, _):
            return signature.count == modulus.count && key.verifies(signature, of: message, digest: "SHA256")
        }
    }

    /// Whether both have the same material and `kid`.
    public static func == (left: JWK, right: JWK) -> Bool { left.material == right.material && left.keyID == right.keyID }

    // MARK: Text

    /// The members that RFC 7638 §3.2 hashes, in its order; values need no JSON escapes.
    private static func requiredMembers(_ material: Material) -> [(String, String)] {
        let url = Base64URL.self
        return switch material {
        case .ed25519(let x): [("crv", "Ed25519"), ("kty", "OKP"), ("x", url.encode(x))]
        case .p256(let x, let y): [("crv", "P-256"), ("kty", "EC"), ("x", url.encode(x)), ("y", url.encode(y))]
        case .rsa(let modulus, let exponent): [("e", url.encode(exponent)), ("kty", "RSA"), ("n", url.encode(modulus))]
        }
    }

    private static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",") + "}"
    }

    private static func thumbprint(_ material: Material) -> String {
        Base64URL.encode(sha256(Array(object(requiredMembers(material)).utf8)))
    }

    /// The key as a JSON object with `alg`, `use` and `kid`. The printed `kid` is always the thumbprint, which needs no escapes.
    public var json: String {
        Self.object(Self.requiredMembers(material) + [("alg", algorithm.rawValue), ("kid", thumbprint), ("use", "sig")])
    }

    // MARK: libcrypto

    private static func p256(_ x: [UInt8], _ y: [UInt8]) throws(CryptoError) -> Key {
        guard x.count == 32, y.count == 32 else { throw .invalidKey("a P-256 coordinate has 32 bytes (RFC 7518 §6.2.1.2)") }
        let point = [4] + x + y  // uncompressed (SEC 1 §2.3.3)
        return try unsafe Key(owning: usher_p256_public_key(point), "EVP_PKEY_fromdata")  // 65 bytes
    }

    private static func rsa(_ modulus: [UInt8], _ exponent: [UInt8]) throws(CryptoError) -> Key {
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        // The first byte is not zero (RFC 7518 §6.3.1.1), which also makes the signature's length the modulus's.
        guard modulus.first != 0, rsaBits.contains(bits) else { throw .invalidKey("an RSA modulus of \(bits) bits") }
        let e = exponent.prefix(5).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard exponent.count <= 4, e >= 3, e % 2 == 1 else { throw .invalidKey("an RSA exponent not odd, below 3 or too long") }
        return try unsafe Key(owning: usher_rsa_public_key(modulus, Int32(modulus.count), e), "EVP_PKEY_fromdata")
    }

    /// JWS writes r and s side by side, 32 bytes each (RFC 7518 §3.4); libcrypto wants the DER form of X9.62.
    private static func derSignature(_ signature: [UInt8]) -> [UInt8]? {
        guard signature.count == 64 else { return nil }
        guard let pair = unsafe ECDSA_SIG_new() else { fatalError("no memory for a signature") }
        defer { unsafe ECDSA_SIG_free(pair) }
        guard let r = unsafe BN_bin2bn(Array(signature[..<32]), 32, nil),
            let s = unsafe BN_bin2bn(Array(signature[32...]), 32, nil),
            unsafe ECDSA_SIG_set0(pair, r, s) == 1  // the pair owns both from here
        else { fatalError("no memory for a signature") }
        // 2 + 2 × (2 + 33) bytes at most: a sequence of two integers, each with a possible leading zero.
        var der = [UInt8](repeating: 0, count: 72)
        let count = unsafe der.withUnsafeMutableBufferPointer { output in
            var cursor = output.baseAddress
            return unsafe i2d_ECDSA_SIG(pair, &cursor)
        }
        return Array(der[..<Int(count)])
    }
}
