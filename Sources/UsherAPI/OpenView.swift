public import Wire

/// The body of an OPEN frame, looked at where it lies: one pass over the bytes, no allocation.
///
/// Accepts and refuses exactly what `Open(decoding:)` does. Everything borrowed here ends with the frame's bytes.
public struct OpenView: ~Escapable {
    /// The path of the method, UTF-8; see ``Method/init(path:)``.
    public let method: RawSpan
    /// Remaining time in ms; 0: none.
    public private(set) var timeoutMs: UInt32 = 0
    /// The id of the command; nil where the frame has none.
    public private(set) var requestID: Uuid?
    /// How many times this request id was sent before.
    public private(set) var attempts: UInt32 = 0
    /// For a stream: messages that may be sent at once.
    public private(set) var credit: UInt32 = 0
    /// For a stream: resume after this one; 0: from the start.
    public private(set) var lastSequence: UInt64 = 0
    /// Answer only once this journal position is applied.
    public private(set) var position: UInt64 = 0
    /// The request message's bytes, not yet decoded.
    public let request: RawSpan
    /// The sum of the bytes of all metadata keys and values.
    public private(set) var metadataByteCount = 0
    /// Whether all metadata are such as may be sent; see ``MetadataView/isKeyValid`` and ``MetadataView/isValueValid``.
    public private(set) var isMetadataValid = true

    private let body: RawSpan

    /// Reads the body of an OPEN frame.
    ///
    /// - Throws: what `Open(decoding:)` throws.
    @_lifetime(copy body)
    public init(_ body: RawSpan) throws(WireError) {
        var method = RawSpan()
        var request = RawSpan()
        var reader = WireReader(body)
        while let field = try reader.nextField() {
            switch (field.number, field.type) {
            case (1, .lengthDelimited): method = try reader.text().span.rawSpan
            case (2, _): try reader.uint32(field, &timeoutMs)
            case (3, .lengthDelimited):
                let pair = try MetadataView(reading: &reader)
                metadataByteCount += pair.key.byteCount + pair.value.byteCount
                if !pair.isKeyValid || !pair.isValueValid { isMetadataValid = false }
            case (4, _): try reader.message(field, &requestID)
            case (5, _): try reader.uint32(field, &attempts)
            case (6, _): try reader.uint32(field, &credit)
            case (7, _): try reader.uint64(field, &lastSequence)
            case (8, _): try reader.uint64(field, &position)
            case (9, .lengthDelimited): request = try reader.bytes()
            default: try reader.skip(field)
            }
        }
        self.body = body
        self.method = method
        self.request = request
    }

    /// The value of a metadata key; the last one where it comes more than once, nil where it does not come.
    ///
    /// Looks through the frame's body each time.
    @_lifetime(copy self)
    public func metadata(_ key: StaticString) -> RawSpan? {
        var found: RawSpan?
        var reader = WireReader(body)
        do throws(WireError) {
            while let field = try reader.nextField() {
                guard field == Field(number: 3, type: .lengthDelimited) else {
                    try reader.skip(field)
                    continue
                }
                let pair = try MetadataView(reading: &reader)
                if pair.key.equals(key) { found = pair.value }
            }
        } catch {
            preconditionFailure("the initialiser has read these bytes already: \(error)")
        }
        return found
    }
}
