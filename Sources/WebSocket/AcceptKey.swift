import COpenSSL

/// The value of Sec-WebSocket-Accept that answers a key: SHA-1 of the key's text and the fixed GUID, in base64
/// (RFC 6455 section 4.2.2; SHA-1 proves only that the server speaks WebSocket).
func acceptKey(for key: String) -> String {
    let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
    var digest = [UInt8](repeating: 0, count: 20)
    // Safe: both buffers are valid for the call, and SHA-1 writes 20 bytes.
    let result = unsafe text.withUnsafeBufferPointer { text in
        unsafe digest.withUnsafeMutableBufferPointer { digest in
            unsafe EVP_Digest(text.baseAddress, text.count, digest.baseAddress, nil, EVP_sha1(), nil)
        }
    }
    guard result == 1 else { fatalError("libcrypto without SHA-1") }
    return Base64.encode(digest)
}
