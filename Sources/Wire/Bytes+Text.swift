// Bytes seen as text and text as bytes. Any byte is a UInt8 and a UInt8 has no padding, so seeing one as the other is
// safe in both directions.

extension RawSpan {
    /// The bytes as UTF-8 code units, valid or not.
    public var codeUnits: Span<UInt8> {
        @_lifetime(copy self)
        get { unsafe _unsafeView(as: UInt8.self) }
    }

    /// Whether the bytes are exactly those of `text`.
    public func equals(_ text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        return unsafe withUnsafeBytes { bytes in
            // Safe: a static string is never freed, and the lengths are equal.
            unsafe bytes.elementsEqual(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
    }
}

extension String {
    /// A copy of `bytes`; nil when they are not UTF-8.
    public init?(utf8 bytes: RawSpan) {
        guard let text = try? UTF8Span(validating: bytes.codeUnits) else { return nil }
        self.init(copying: text)
    }
}

extension Span<UInt8> {
    /// The same bytes, untyped.
    public var rawSpan: RawSpan {
        @_lifetime(copy self)
        get { unsafe bytes }
    }
}

extension [UInt8] {
    /// The array's bytes, borrowed.
    public var rawSpan: RawSpan {
        @_lifetime(borrow self)
        get { unsafe span.bytes }
    }

    /// A copy of `bytes`.
    public init(copying bytes: RawSpan) {
        // Safe: the pointer does not leave the closure.
        self = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
