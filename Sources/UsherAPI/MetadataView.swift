import Wire

/// One pair of metadata, borrowed.
public struct MetadataView: ~Escapable {
    /// The name, UTF-8.
    public let key: RawSpan
    /// The value: UTF-8 text, or bytes if the key ends in `-bin`.
    public let value: RawSpan

    /// Whether the key is one that may be sent: 1 or more of a–z, 0–9, `-`, `_` and `.`.
    public var isKeyValid: Bool {
        let key = key.codeUnits
        for index in key.indices {
            switch key[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "."):
                continue
            default: return false
            }
        }
        return !key.isEmpty
    }

    /// Whether the value is of the form that the key asks for: any bytes if it ends in `-bin`, else UTF-8.
    public var isValueValid: Bool {
        if key.byteCount >= 4, key.extracting(last: 4).equals("-bin") { return true }
        return (try? UTF8Span(validating: value.codeUnits)) != nil
    }

    /// Reads the pair that follows in `reader`, a field of type `Metadata`.
    @_lifetime(copy reader)
    init(reading reader: inout WireReader) throws(WireError) {
        var key = RawSpan()
        var value = RawSpan()
        var pair = try reader.message()
        while let field = try pair.nextField() {
            switch (field.number, field.type) {
            case (1, .lengthDelimited): key = try pair.text().span.rawSpan
            case (2, .lengthDelimited): value = try pair.bytes()
            default: try pair.skip(field)
            }
        }
        self.key = key
        self.value = value
    }
}
