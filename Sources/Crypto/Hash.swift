// SHA-1 and SHA-256 (FIPS 180-4). SHA-1 serves the WebSocket handshake alone (RFC 6455 §1.3), where it protects nothing.

import COpenSSL

/// A digest fetched once: the implicit fetch behind `EVP_sha256()` costs more than hashing a short message.
@safe private final class DigestAlgorithm: @unchecked Sendable {
    // Immutable after the fetch, never freed (lives as long as the process); libcrypto allows concurrent use of an EVP_MD.
    let pointer: OpaquePointer
    let byteCount: Int

    init(_ name: String, byteCount: Int) {
        guard let fetched = unsafe EVP_MD_fetch(nil, name, nil) else {
            fatalError("libcrypto offers no \(name): \(CryptoError.latest("EVP_MD_fetch"))")
        }
        unsafe pointer = fetched
        self.byteCount = byteCount
    }

    func digest(_ bytes: RawSpan) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        let result = unsafe bytes.withUnsafeBytes { input in
            // The digest has room for byteCount bytes, which is this algorithm's size.
            unsafe EVP_Digest(input.baseAddress, input.count, &digest, nil, pointer, nil)
        }
        guard result == 1 else { fatalError("hashing failed: \(CryptoError.latest("EVP_Digest"))") }
        return digest
    }

    static let sha256 = DigestAlgorithm("SHA256", byteCount: SHA256.byteCount)
}

/// SHA-256 of the bytes, 32 bytes long.
public func sha256(_ bytes: RawSpan) -> [UInt8] { DigestAlgorithm.sha256.digest(bytes) }
/// SHA-256 of the bytes, 32 bytes long.
public func sha256(_ bytes: [UInt8]) -> [UInt8] { sha256(bytes.rawSpan) }

/// SHA-256 in pieces: any cut of the input gives the digest of the whole.
@safe public struct SHA256: ~Copyable {
    /// Bytes in a digest.
    public static let byteCount = 32

    // Owned by this value alone; freed in deinit.
    private let context: OpaquePointer

    /// A hasher that has seen nothing.
    public init() {
        unsafe self.init(context: Self.makeContext())
        guard unsafe EVP_DigestInit_ex2(context, DigestAlgorithm.sha256.pointer, nil) == 1 else { Self.fail() }
    }

    private init(context: OpaquePointer) { unsafe self.context = context }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Hashes the bytes after all given before.
    public mutating func update(_ bytes: RawSpan) {
        let result = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        guard result == 1 else { Self.fail() }
    }

    /// Hashes the bytes after all given before.
    public mutating func update(_ bytes: [UInt8]) { update(bytes.rawSpan) }

    /// The digest of all bytes given; ends the hasher.
    public consuming func finalize() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        // The digest has room for the 32 bytes of SHA-256.
        guard unsafe EVP_DigestFinal_ex(context, &digest, nil) == 1 else { Self.fail() }
        return digest
    }

    private static func makeContext() -> OpaquePointer {
        guard let context = unsafe EVP_MD_CTX_new() else { fail() }
        return unsafe context
    }

    // Hashing fails only for want of memory or by misuse: ours, not a peer's.
    private static func fail() -> Never { fatalError("hashing failed: \(CryptoError.latest("EVP_Digest"))") }
}
