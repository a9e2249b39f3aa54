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

    /// Reads all fields of `reader` into this message, over what it holds already: scalars are replaced, repeated fields appended to,
    /// submessages merged.
    ///
    /// - Throws: `WireError`; the fields before the offending one have been merged by then.
    mutating func merge(from reader: consuming WireReader) throws(WireError)
}

extension WireEncodable {
    /// The number of bytes of the message on the wire.
    @inlinable public var encodedSize: Int {
        // Safe: a writer without capacity does not touch its room.
        var counter = unsafe WireWriter(UnsafeMutableRawPointer(bitPattern: -1)!, capacity: 0)
        encode(to: &counter)
        return counter.length
    }

    /// The message's bytes.
    @inlinable public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// Appends the message's bytes to `output`. Allocates only when its capacity is too small.
    @inlinable public func append(to output: inout [UInt8]) {
        output.append(message: self)
    }
}

extension WireMessage {
    /// A message from exactly these bytes.
    @inlinable public init(decoding bytes: RawSpan) throws(WireError) {
        self.init()
        try merge(from: WireReader(bytes))
    }

    /// A message from exactly these bytes.
    @inlinable public init(decoding bytes: [UInt8]) throws(WireError) {
        try self.init(decoding: bytes.rawSpan)
    }
}

extension [UInt8] {
    /// Appends `message`: into the room there is or, if it takes more, into as much as it has turned out to take.
    ///
    /// - Returns: its size.
    @inlinable @discardableResult
    mutating func append(message: some WireEncodable) -> Int {
        let free = capacity - count
        guard free > 0 else { return append(message, ofSize: message.encodedSize) }
        let size = append(message, ifWithin: free)
        return size <= free ? size : append(message, ofSize: size)
    }

    /// Appends `message`, for which there is no room yet.
    @inlinable @inline(never) mutating func append(_ message: some WireEncodable, ofSize size: Int) -> Int {
        // All empty arrays share one buffer, and even nothing appended writes to it.
        guard size > 0 else { return 0 }
        let written = append(message, ifWithin: size)
        precondition(written == size, "encode(to:) wrote something else than it had counted")
        return size
    }

    /// Appends `message` if it takes at most `room` bytes; its size.
    @inlinable mutating func append(_ message: some WireEncodable, ifWithin room: Int) -> Int {
        var size = 0
        append(addingCapacity: room) { output in
            // Safe: the buffer is uninitialised memory that lives until the closure ends, and `filled` grows by what was
            // written behind it.
            unsafe output.withUnsafeMutableBufferPointer { buffer, filled in
                guard let base = buffer.baseAddress else { return }
                let free = Swift.min(buffer.count - filled, room)
                var writer = unsafe WireWriter(UnsafeMutableRawPointer(base + filled), capacity: free)
                message.encode(to: &writer)
                size = writer.length
                if size <= free { filled += size }
            }
        }
        return size
    }
}
