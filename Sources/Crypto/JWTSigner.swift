// Our own tokens: always EdDSA, always the same header, so the header's text is made once.

/// Signs claims with one key.
public struct JWTSigner: Sendable {
    private let key: Ed25519PrivateKey
    /// base64url(header) and the dot.
    private let prefix: [UInt8]
    /// The key as it is published.
    public let jwk: JWK

    /// A signer with this key.
    ///
    /// - Parameter type: the header's `typ`, which tells tokens of one signer apart (RFC 8725 §3.11).
    /// - Precondition: `type` has only letters, digits, `+`, `-`, `.` and `/`.
    public init(key: Ed25519PrivateKey, type: String = "JWT") {
        precondition(
            type.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789+-./".unicodeScalars.contains($0))
            },
            "a media type needs no JSON escapes")
        self.key = key
        jwk = JWK(key.publicKey)
        let header = "{\"alg\":\"EdDSA\",\"kid\":\"\(jwk.thumbprint)\",\"typ\":\"\(type)\"}"
        prefix = Array(Base64URL.encode(Array(header.utf8)).utf8) + [UInt8(ascii: ".")]
    }

    /// Appends a token over finished JSON to the bytes, as ASCII.
    ///
    /// - Parameter claims: a JSON object of at most `JWKS.partByteCountMax` bytes; it is signed as it stands.
    /// - Throws: `CryptoError`; nothing is appended then.
    public func appendJWT(claims: [UInt8], to bytes: inout [UInt8]) throws(CryptoError) {
        precondition(claims.count <= JWKS.partByteCountMax, "no reader of ours would take claims this long")
        let start = bytes.count
        bytes += prefix
        Base64URL.append(claims.rawSpan, to: &bytes)
        let signature: [UInt8]
        do {
            signature = try key.sign(bytes.rawSpan.extracting(droppingFirst: start))
        } catch {
            bytes.removeSubrange(start...)
            throw error
        }
        bytes.append(UInt8(ascii: "."))
        Base64URL.append(signature.rawSpan, to: &bytes)
    }

    /// A token over finished JSON; see ``appendJWT(claims:to:)``.
    public func signJWT(claims: [UInt8]) throws(CryptoError) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prefix.count + claims.count * 4 / 3 + 90)
        try appendJWT(claims: claims, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
