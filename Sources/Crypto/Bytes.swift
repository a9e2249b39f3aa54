import COpenSSL

extension [UInt8] {
    /// The elements as borrowed bytes.
    var rawSpan: RawSpan {
        @_lifetime(borrow self)
        // Any bit pattern of UInt8 is initialised memory, so viewing it as bytes is sound.
        borrowing get { unsafe span.bytes }
    }
}

/// `count` bytes from libcrypto's generator, which the kernel seeds.
///
/// Traps if the generator fails: without randomness no further step of the process is safe.
/// - Precondition: `0 ≤ count ≤ Int32.max`.
public func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    fillRandom(&bytes)
    return bytes
}

/// Overwrites every element with random bytes; see ``randomBytes(_:)``.
public func fillRandom(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    let result = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
        // The buffer is as long as the count given.
        unsafe RAND_bytes(buffer.baseAddress, Int32(buffer.count))
    }
    guard result == 1 else { fatalError("libcrypto has no random bytes: \(CryptoError.latest("RAND_bytes"))") }
}

/// Whether both hold the same bytes, in a time that depends on their lengths only.
public func constantTimeEqual(_ left: RawSpan, _ right: RawSpan) -> Bool {
    guard left.byteCount == right.byteCount else { return false }
    guard left.byteCount > 0 else { return true }
    return unsafe left.withUnsafeBytes { l in
        // Both buffers are non-empty and l.count bytes long.
        unsafe right.withUnsafeBytes { r in unsafe CRYPTO_memcmp(l.baseAddress!, r.baseAddress!, l.count) == 0 }
    }
}

/// Whether both hold the same bytes, in a time that depends on their lengths only.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    constantTimeEqual(left.rawSpan, right.rawSpan)
}
