// The few places where bytes change their view. Everything else in this module works on these.

extension [UInt8] {
    /// The elements as borrowed bytes.
    @usableFromInline
    var raw: RawSpan {
        @_lifetime(borrow self)
        get {
            // Safe: UInt8 has no padding and every bit pattern is a value.
            unsafe span.bytes
        }
    }

    /// Appends a copy of `bytes`.
    mutating func append(_ bytes: RawSpan) {
        // Safe: the pointer does not outlive the closure.
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}

extension RawSpan {
    /// The byte at `offset`, bounds checked.
    subscript(offset: Int) -> UInt8 {
        // Safe: the load is bounds checked and every bit pattern is a UInt8.
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The unsigned integer of `count` big-endian bytes at `offset`.
    func bigEndian(at offset: Int, count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in offset..<offset + count { value = value << 8 | UInt64(self[index]) }
        return value
    }

    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    @usableFromInline
    var text: String {
        // Safe: the pointer does not outlive the closure.
        unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
