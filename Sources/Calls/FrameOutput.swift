import UsherAPI
import Wire

// Frames whose payload is encoded already. The bodies that carry somebody's message, MESSAGE and CLOSE, have it in
// their last field, so such a body is the coded rest of it followed by that field, and nothing is copied twice.
//
//      ┌─────────┬────────────────────────┬─────┬────────┬─────────┐
//      │ header  │ the other fields       │ tag │ length │ payload │
//      └─────────┴────────────────────────┴─────┴────────┴─────────┘

extension [UInt8] {
    /// Appends a frame of `head`, which must lack its payload, and `payload`.
    mutating func appendFrame<Head: PayloadLast>(_ head: Head, payload: RawSpan, callID: UInt32) {
        let size = head.encodedSize + payloadFieldSize(payload.byteCount)
        FrameHeader(
            kind: UInt8(Head.frameKind.rawValue), flags: Head.frameFlags, bodyByteCount: UInt32(size), callID: callID
        ).append(to: &self)
        appendBody(head, payload: payload)
    }

    /// Appends the body of such a frame.
    mutating func appendBody<Head: PayloadLast>(_ head: Head, payload: RawSpan) {
        head.append(to: &self)
        guard !payload.isEmpty else { return }
        append(Head.payloadTag)
        var length = UInt(payload.byteCount)
        while length >= 0x80 {
            append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        append(UInt8(length))
        // Safe: the pointer does not leave the closure.
        unsafe payload.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}

/// A frame's body whose last field is somebody's message.
protocol PayloadLast: FrameBody {
    /// The tag of that field.
    static var payloadTag: UInt8 { get }
}

extension Message: PayloadLast {
    static var payloadTag: UInt8 { 4 << 3 | 2 }
}

extension Close: PayloadLast {
    static var payloadTag: UInt8 { 7 << 3 | 2 }
}

/// Tag, length and payload; nothing for an empty one.
private func payloadFieldSize(_ payloadBytes: Int) -> Int {
    guard payloadBytes > 0 else { return 0 }
    let significantBits = Int.bitWidth - payloadBytes.leadingZeroBitCount
    return 1 + (significantBits + 6) / 7 + payloadBytes
}

extension RawSpan {
    /// The length of the longest run of whole frames at the start that fits into `bytesMax`, at least one frame.
    ///
    /// For putting a turn's output into WebSocket messages of at most ``CallLimits/messageBytes``. The bytes must be
    /// whole frames, as `ServerCalls` and `ClientCalls` append them; 0 for none.
    public func wholeFrames(within bytesMax: Int) -> Int {
        if byteCount <= bytesMax { return byteCount }
        var end = 0
        while end < byteCount {
            // Safe: any bytes are an integer, and the span checks the offset.
            let body = UInt32(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: end + 1, as: UInt32.self))
            let next = end + FrameHeader.byteCount + Int(body)
            if next > bytesMax, end > 0 { break }
            end = next
        }
        return end
    }
}
