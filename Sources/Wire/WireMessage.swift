/// What can be written as a message.
public protocol WireEncodable: Sendable {
    /// Writes all fields that are not at their default, in ascending order of number.
    func encode(to writer: inout WireWriter)
}

/// A message that encodes and decodes itself.
///
/// A default message is zero bytes. `merge(from:)` reads fields in any order until `nextField()` is nil and skips those
/// it does not know.
public protocol WireMessage: WireEncodable, Equatable {
    /// A message with every field at its default.
    init()

    /// Reads fields into this message, over what it holds already: scalars are replaced, repeated fields appended to,
    /// submessages merged.
    ///
    /// - Throws: `WireError`; the fields before the offending one have been merged by then.
    mutating func merge(from reader: inout WireReader) throws(WireError)
}

extension WireEncodable {
    /// The number of bytes of the message on the wire.
    @inlinable public var encodedSize: Int {
        var counter = WireWriter()
        encode(to: &counter)
        return counter.counted
    }

    /// The message's bytes.
    @inlinable public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// Appends the message's bytes to `output`. Allocates only when its capacity is too small.
    @inlinable public func append(to output: inout [UInt8]) {
        output.append(message: self, sized: encodedSize)
    }
}

extension WireMessage {
    /// A message from exactly these bytes.
    @inlinable public init(decoding bytes: RawSpan) throws(WireError) {
        self.init()
        var reader = WireReader(bytes)
        try merge(from: &reader)
    }

    /// A message from exactly these bytes.
    @inlinable public init(decoding bytes: [UInt8]) throws(WireError) {
        try self.init(decoding: bytes.rawSpan)
    }
}

extension [UInt8] {
    /// Appends `message`, whose `encodedSize` is `size`.
    @inlinable mutating func append(message: some WireEncodable, sized size: Int) {
        append(addingCapacity: size) { room in
            // Safe: the buffer is uninitialised memory that lives until the closure ends, and `filled` is set to what
            // was written into it from its start.
            unsafe room.withUnsafeMutableBufferPointer { buffer, filled in
                let raw = UnsafeMutableRawBufferPointer(buffer)
                var writer = unsafe WireWriter(OutputRawSpan(buffer: raw, initializedCount: 0))
                message.encode(to: &writer)
                filled = writer.room.byteCount
                precondition(filled == size, "encode(to:) wrote less than it had counted")
            }
        }
    }
}
