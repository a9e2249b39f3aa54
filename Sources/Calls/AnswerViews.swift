public import UsherAPI
import Wire

// MESSAGE and CLOSE without copying their payload; what they read is what `UsherAPI.Message` and `.Close` read.

/// A MESSAGE frame, borrowed for as long as the handler looks at it.
public struct MessageView: ~Escapable {
    /// The revision of the stream's state.
    public let sequence: UInt64
    /// The journal position it reflects.
    public let position: UInt64
    /// Forget what this stream said before: a snapshot begins.
    public let reset: Bool
    /// The response message, encoded.
    public let payload: RawSpan

    @_lifetime(copy body)
    init(_ body: RawSpan) throws(WireError) {
        var reader = WireReader(body)
        var sequence: UInt64 = 0
        var position: UInt64 = 0
        var reset = false
        var payload = RawSpan()
        while let field = try reader.nextField() {
            switch (field.number, field.type) {
            case (1, _): try reader.uint64(field, &sequence)
            case (2, _): try reader.uint64(field, &position)
            case (3, _): try reader.bool(field, &reset)
            case (4, .lengthDelimited): payload = try reader.bytes()
            default: try reader.skip(field)
            }
        }
        self.sequence = sequence
        self.position = position
        self.reset = reset
        self.payload = payload
    }
}

/// The end of a call, borrowed for as long as the handler looks at it.
public struct CloseView: ~Escapable {
    /// How the call ended.
    public let status: Status
    /// The journal position the answer reflects.
    public let position: UInt64
    /// Keys and values after the answer.
    public let trailers: [Metadata]
    /// A unary call's response message, encoded.
    public let payload: RawSpan

    /// An end that no frame has brought: decided on this side.
    @_lifetime(immortal)
    init(_ status: Status) {
        self.status = status
        position = 0
        trailers = []
        payload = RawSpan()
    }

    @_lifetime(copy body)
    init(_ body: RawSpan) throws(WireError) {
        var reader = WireReader(body)
        var status = Status.ok
        var position: UInt64 = 0
        var trailers: [Metadata] = []
        var payload = RawSpan()
        while let field = try reader.nextField() {
            switch (field.number, field.type) {
            case (1, _): try reader.enumeration(field, &status.code)
            case (2, _): try reader.string(field, &status.reason)
            case (3, _): try reader.string(field, &status.message)
            case (4, _): try reader.message(field, &status.details)
            case (5, _): try reader.messages(field, &trailers)
            case (6, _): try reader.uint64(field, &position)
            case (7, .lengthDelimited): payload = try reader.bytes()
            default: try reader.skip(field)
            }
        }
        self.status = status
        self.position = position
        self.trailers = trailers
        self.payload = payload
    }
}
