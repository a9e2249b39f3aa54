// The one owner of libcrypto's keys, and the few operations on them that the module needs.

import COpenSSL

/// A public or private key of libcrypto, reference-counted and immutable.
///
/// Safe to share: the EVP_PKEY is never changed after creation, and libcrypto lets threads sign and verify with one
/// key at the same time (openssl-threads(7)); each operation has a context of its own.
@safe final class Key: @unchecked Sendable {
    /// Owned; freed in deinit. Valid as long as this object.
    let pointer: OpaquePointer

    /// Takes ownership of the key, or throws libcrypto's reason where there is none.
    init(owning pointer: OpaquePointer?, _ operation: String) throws(CryptoError) {
        guard let pointer = unsafe pointer else { throw CryptoError.latest(operation) }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// Whether the key is of the type with this name (`ED25519`, `EC`, `RSA`).
    func isA(_ type: String) -> Bool { unsafe EVP_PKEY_is_a(pointer, type) == 1 }

    /// Signs without a digest of its own, as Ed25519 does.
    func signature(of message: RawSpan, byteCount: Int) throws(CryptoError) -> [UInt8] {
        guard let context = unsafe EVP_MD_CTX_new() else { throw CryptoError.latest("EVP_MD_CTX_new") }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestSignInit_ex(context, nil, nil, nil, nil, pointer, nil) == 1 else {
            throw CryptoError.latest("EVP_DigestSignInit_ex")
        }
        var signature = [UInt8](repeating: 0, count: byteCount)
        var written = byteCount
        let result = unsafe message.withUnsafeBytes { input in
            // `written` tells the room, which is the array's length; libcrypto refuses a smaller room than it needs.
            unsafe EVP_DigestSign(context, &signature, &written, input.baseAddress, input.count)
        }
        guard result == 1, written == byteCount else { throw CryptoError.latest("EVP_DigestSign") }
        return signature
    }

    /// Whether the signature is this key's over the message. `digest` is nil for Ed25519.
    func verifies(_ signature: [UInt8], of message: RawSpan, digest: String?) -> Bool {
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("no memory for a digest context") }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit_ex(context, nil, digest, nil, nil, pointer, nil) == 1 else {
            ERR_clear_error()
            return false
        }
        let result = unsafe message.withUnsafeBytes { input in
            // Both pointers go with their own lengths.
            unsafe EVP_DigestVerify(context, signature, signature.count, input.baseAddress, input.count)
        }
        // A refused signature leaves its reason in the queue that libssl reads too.
        if result != 1 { ERR_clear_error() }
        return result == 1
    }

    /// The private key as PKCS #8 PEM, unencrypted.
    func privatePEM() throws(CryptoError) -> [UInt8] {
        let bio = try MemoryBIO()
        guard unsafe PEM_write_bio_PKCS8PrivateKey(bio.pointer, pointer, nil, nil, 0, nil, nil) == 1 else {
            throw CryptoError.latest("PEM_write_bio_PKCS8PrivateKey")
        }
        return bio.contents
    }

    /// The private key in a PEM text. An encrypted one is refused; nobody is asked for a pass phrase.
    static func privateKey(pem: [UInt8]) throws(CryptoError) -> Key {
        let bio = try MemoryBIO()
        try bio.write(pem)
        // Without a callback libcrypto would ask on the terminal.
        return try unsafe Key(
            owning: PEM_read_bio_PrivateKey(bio.pointer, nil, { _, _, _, _ in -1 }, nil), "PEM_read_bio_PrivateKey")
    }
}

/// A BIO over memory: what libcrypto's PEM functions read from and write to.
@safe struct MemoryBIO: ~Copyable {
    // Owned by this value alone; freed in deinit.
    let pointer: OpaquePointer

    /// Empty.
    init() throws(CryptoError) {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw CryptoError.latest("BIO_new") }
        unsafe pointer = bio
    }

    /// Adds a copy of the bytes.
    func write(_ bytes: [UInt8]) throws(CryptoError) {
        guard !bytes.isEmpty else { return }
        let written = unsafe BIO_write(pointer, bytes, Int32(clamping: bytes.count))
        guard written == bytes.count else { throw CryptoError.latest("BIO_write") }
    }

    deinit { unsafe BIO_free(pointer) }

    /// What was written and not yet read.
    var contents: [UInt8] {
        var start: UnsafePointer<UInt8>?
        let count = unsafe usher_bio_contents(pointer, &start)
        // The bytes belong to the BIO, which lives through this copy.
        return unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }
}
