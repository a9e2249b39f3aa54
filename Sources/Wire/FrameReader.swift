/// Why a WebSocket message is not a sequence of frames, and where.
public enum FrameError: Error, Equatable, Sendable {
    /// The message holds no frame at all.
    case empty
    /// The message ends within a header.
    case truncatedHeader(at: Int)
    /// A body reaches past the end of the message: a frame never crosses messages.
    case bodyPastEnd(at: Int)
    /// A body is longer than the limit told in WELCOME.
    case tooLarge(at: Int, byteCount: Int)
    /// The reserved flag is set.
    case reservedFlag(at: Int)
}

/// One frame, borrowed from the WebSocket message it came in.
public struct Frame: ~Escapable {
    /// The frame's header.
    public let header: FrameHeader
    /// The frame's body, exactly as long as the header says.
    public let body: RawSpan

    @_lifetime(copy body)
    init(header: FrameHeader, body: RawSpan) {
        self.header = header
        self.body = body
    }
}

/// Splits a WebSocket message into its frames, in order, without copying.
public struct FrameReader: ~Copyable, ~Escapable {
    private let message: RawSpan
    private let bodyBytesMax: Int
    private var position = 0

    /// A reader at the first frame of `message`, refusing bodies of more than `bodyBytesMax` bytes.
    @_lifetime(copy message)
    public init(_ message: RawSpan, bodyBytesMax: Int) {
        self.message = message
        self.bodyBytesMax = bodyBytesMax
    }

    /// The next frame, or nil after the last one.
    ///
    /// - Throws: `FrameError`, with the position of the offending frame's first byte. The frames before it were good;
    ///   whether they count is the caller's decision.
    @_lifetime(copy self)
    public mutating func next() throws(FrameError) -> Frame? {
        let start = position
        let left = message.byteCount - start
        guard left > 0 else {
            if start == 0 { throw .empty }
            return nil
        }
        guard left >= FrameHeader.byteCount else { throw .truncatedHeader(at: start) }
        let header = FrameHeader(message.extracting(droppingFirst: start))
        guard !header.flags.contains(.reserved) else { throw .reservedFlag(at: start) }
        let bodyByteCount = Int(header.bodyByteCount)
        guard bodyByteCount <= bodyBytesMax else { throw .tooLarge(at: start, byteCount: bodyByteCount) }
        guard bodyByteCount <= left - FrameHeader.byteCount else { throw .bodyPastEnd(at: start) }
        let bodyStart = start + FrameHeader.byteCount
        position = bodyStart + bodyByteCount
        return Frame(header: header, body: message.extracting(bodyStart..<position))
    }
}
