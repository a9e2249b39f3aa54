// Ed25519 (RFC 8032 §5.1): 32-byte public keys, 64-byte deterministic signatures. Keys rest as PKCS #8 PEM (RFC 8410).

import COpenSSL

/// A key that signs. The same seed always gives the same signatures.
public struct Ed25519PrivateKey: Sendable {
    let key: Key
    /// The key that verifies what this one signs.
    public let publicKey: Ed25519PublicKey

    private init(_ key: Key) throws(CryptoError) {
        guard key.isA("ED25519") else { throw .invalidKey("not an Ed25519 key") }
        self.key = key
        var bytes = [UInt8](repeating: 0, count: Ed25519PublicKey.byteCount)
        var count = bytes.count
        // `count` tells the room.
        guard unsafe EVP_PKEY_get_raw_public_key(key.pointer, &bytes, &count) == 1, count == bytes.count else {
            throw CryptoError.latest("EVP_PKEY_get_raw_public_key")
        }
        publicKey = try Ed25519PublicKey(rawBytes: bytes)
    }

    /// A new random key.
    public static func generate() throws(CryptoError) -> Ed25519PrivateKey {
        try unsafe Ed25519PrivateKey(Key(owning: usher_generate_ed25519(), "EVP_PKEY_Q_keygen"))
    }

    /// The key with this 32-byte seed (RFC 8032 calls it the private key).
    public init(seed: [UInt8]) throws(CryptoError) {
        guard seed.count == 32 else { throw .invalidKey("an Ed25519 seed has 32 bytes, not \(seed.count)") }
        try unsafe self.init(
            Key(
                owning: EVP_PKEY_new_raw_private_key_ex(nil, "ED25519", nil, seed, seed.count),
                "EVP_PKEY_new_raw_private_key_ex"))
    }

    /// The key in an unencrypted PEM text.
    public init(pem: [UInt8]) throws(CryptoError) { try self.init(Key.privateKey(pem: pem)) }

    /// The key in a PEM file.
    public static func load(_ path: String) throws(CryptoError) -> Ed25519PrivateKey {
        try Ed25519PrivateKey(pem: SecretFile.read(path))
    }

    /// Writes the key as PKCS #8 PEM, mode 0600, whole or not at all.
    ///
    /// An existing file is never replaced (`CryptoError.file` with EEXIST): a lost signing key makes every token worthless.
    public func save(_ path: String) throws(CryptoError) {
        try SecretFile.write(key.privatePEM(), to: path, replacing: false)
    }

    /// The key as PKCS #8 PEM.
    public func pem() throws(CryptoError) -> [UInt8] { try key.privatePEM() }

    /// The 64-byte signature over the message.
    public func sign(_ message: RawSpan) throws(CryptoError) -> [UInt8] {
        try key.signature(of: message, byteCount: Ed25519PublicKey.signatureByteCount)
    }

    /// The 64-byte signature over the message.
    public func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] { try sign(message.rawSpan) }
}

/// A key that verifies.
public struct Ed25519PublicKey: Sendable, Hashable {
    /// Bytes in a raw public key.
    public static let byteCount = 32
    /// Bytes in a signature.
    public static let signatureByteCount = 64

    let key: Key
    /// The key as RFC 8032 encodes it.
    public let rawBytes: [UInt8]

    /// The key with these 32 bytes. Bytes that encode no point of the curve are taken, but verify nothing.
    public init(rawBytes: [UInt8]) throws(CryptoError) {
        guard rawBytes.count == Self.byteCount else {
            throw .invalidKey("an Ed25519 public key has 32 bytes, not \(rawBytes.count)")
        }
        self.rawBytes = rawBytes
        key = try unsafe Key(
            owning: EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, rawBytes, rawBytes.count),
            "EVP_PKEY_new_raw_public_key_ex")
    }

    /// Whether the signature is this key's over the message; false for a signature of any other length.
    public func isValid(_ signature: [UInt8], for message: RawSpan) -> Bool {
        signature.count == Self.signatureByteCount && key.verifies(signature, of: message, digest: nil)
    }

    /// Whether the signature is this key's over the message; false for a signature of any other length.
    public func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        isValid(signature, for: message.rawSpan)
    }

    /// Whether both have the same bytes.
    public static func == (left: Ed25519PublicKey, right: Ed25519PublicKey) -> Bool { left.rawBytes == right.rawBytes }
    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(rawBytes) }
}
