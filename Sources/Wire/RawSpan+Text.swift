extension String {
    /// A copy of `bytes` as text; nil when they are not UTF-8.
    public init?(utf8 bytes: RawSpan) {
        // Safe: any byte is a UInt8.
        let codeUnits = unsafe bytes._unsafeView(as: UInt8.self)
        do {
            self.init(copying: try UTF8Span(validating: codeUnits))
        } catch {
            return nil
        }
    }
}

extension [UInt8] {
    /// The array's bytes, borrowed.
    public var rawSpan: RawSpan {
        @_lifetime(borrow self)
        get {
            // Safe: every bit of a UInt8 is a value bit, there is no padding to leak.
            unsafe span.bytes
        }
    }

    /// A copy of `bytes`.
    public init(copying bytes: RawSpan) {
        // Safe: the pointer does not leave the closure.
        self = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}

extension RawSpan {
    /// Whether the bytes are exactly those of `text` in UTF-8.
    public func equals(_ text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        for offset in byteOffsets {
            // Safe: a static string is never freed, and its length was compared above.
            guard unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) == text.utf8Start[offset] else { return false }
        }
        return true
    }
}
