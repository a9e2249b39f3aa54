// The way of nearly every frame there is: a whole message of a client, in one frame, that lies whole in the given bytes. With
// many small messages in one read, the way through the states of `advance` cost more than unmasking and answering them; this
// one reads the header at once and leaves no trace in the connection.

extension WebSocket {
    /// Takes the frame at `cursor` if it is a whole message, uncompressed and shorter than 64 KiB, from a client, complete in
    /// `bytes`, with nothing under way that it would belong to or break into.
    ///
    /// - Returns: nil for every other frame, with nothing changed: `takeHeader` and `takePayload` say what is wrong with it, if
    ///   anything is.
    @inline(__always)
    mutating func takeWholeMessage(_ bytes: inout MutableRawSpan, _ cursor: inout Int) throws(WebSocketFault) -> Step? {
        guard phase == .open, keys == nil, !isInPayload, headerCount == 0, messageKind == nil,
            let frame = WholeFrame(at: cursor, of: bytes.bytes), frame.payload.count <= maxMessageBytes
        else { return nil }
        _ = bytes.mask(frame.payload, with: frame.maskingKey)
        if frame.kind == .text {
            var text = UTF8Checker()
            guard text.take(bytes.bytes.extracting(frame.payload)), text.isComplete else { throw .textNotUTF8 }
        }
        cursor = frame.payload.upperBound
        return .message(frame.kind, .given(frame.payload))
    }
}

/// A final, masked, uncompressed data frame, complete in the bytes it was found in.
private struct WholeFrame {
    let kind: MessageKind
    /// Where the payload lies in those bytes.
    let payload: Range<Int>
    let maskingKey: UInt32

    /// Nil if what begins at `cursor` is anything else.
    @inline(__always)
    init?(at cursor: Int, of bytes: RawSpan) {
        let rest = bytes.extracting(droppingFirst: cursor)
        guard rest.byteCount >= 6, rest[1] & 0x80 != 0 else { return nil }
        // The only first bytes of a message that is final and has no reserved bit set.
        switch rest[0] {
        case 0x80 | Opcode.binary.rawValue: kind = .binary
        case 0x80 | Opcode.text.rawValue: kind = .text
        default: return nil
        }
        var length = Int(rest[1] & 0x7f)
        var headerBytes = 6
        if length > 125 {
            guard length == 126, rest.byteCount >= 8 else { return nil }
            length = Int(rest.bigEndian(at: 2, as: UInt16.self))
            guard length > 125 else { return nil }
            headerBytes = 8
        }
        guard length <= rest.byteCount - headerBytes else { return nil }
        maskingKey = rest.littleEndian(at: headerBytes - 4, as: UInt32.self)
        payload = cursor + headerBytes..<cursor + headerBytes + length
    }
}
