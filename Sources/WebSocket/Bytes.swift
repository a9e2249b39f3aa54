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

    /// The big-endian integer at `offset`, bounds checked.
    func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Integer.Type) -> Integer {
        // Safe: the load is bounds checked, need not be aligned, and every bit pattern is an integer.
        Integer(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The little-endian integer at `offset`, bounds checked.
    func littleEndian<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Integer.Type) -> Integer {
        // Safe: as above.
        Integer(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    @usableFromInline
    var text: String {
        // Safe: the pointer does not outlive the closure.
        unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
