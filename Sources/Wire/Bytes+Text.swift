// Bytes seen as text and text as bytes. Any byte is a UInt8 and a UInt8 has no padding, so seeing one as the other is
// safe in both directions.

extension RawSpan {
    /// The bytes as UTF-8 code units, valid or not.
    @inlinable public var codeUnits: Span<UInt8> {
        @_lifetime(copy self)
        get { unsafe _unsafeView(as: UInt8.self) }
    }

    /// Whether no byte has its upper bit set, eight at a time: most text is so, and then needs no closer look.
    var isASCII: Bool {
        var seen: UInt64 = 0
        let last = byteCount &- 8
        if last >= 0 {
            var offset = 0
            while offset < last {
                // Safe: eight bytes from here on are within the span, and any eight bytes are a UInt64.
                seen |= unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
                offset &+= 8
            }
            // Safe: the last eight. Some of them may have been seen already.
            seen |= unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: last, as: UInt64.self)
        } else {
            for offset in 0..<byteCount {
                // Safe: within the span.
                seen |= UInt64(unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self))
            }
        }
        return seen & 0x8080_8080_8080_8080 == 0
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

extension UTF8Span {
    /// The bytes as text; nil when they are not UTF-8.
    @_lifetime(copy bytes)
    @usableFromInline @inline(never) init?(utf8 bytes: RawSpan) {
        if bytes.isASCII {
            // Safe: ASCII is UTF-8.
            self = unsafe UTF8Span(unchecked: bytes.codeUnits, isKnownASCII: true)
        } else if let text = try? UTF8Span(validating: bytes.codeUnits) {
            self = text
        } else {
            return nil
        }
    }
}

extension String {
    /// A copy of `bytes`; nil when they are not UTF-8.
    public init?(utf8 bytes: RawSpan) {
        guard let text = UTF8Span(utf8: bytes) else { return nil }
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
