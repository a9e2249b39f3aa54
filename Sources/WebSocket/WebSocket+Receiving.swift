// Receiving. `advance` is the state machine: it consumes bytes up to the next thing worth telling and names
// where its payload lies. `receive`, generic over the handler, only hands the payloads out, so that it can be
// specialised into the caller's module while the machine stays one.

extension WebSocket {
    /// Where the payload of a step lies.
    @usableFromInline
    enum Place {
        /// In the given bytes, at this range.
        case given(Range<Int>)
        /// In `buffer` (messages) or `control` (control frames).
        case buffered
        /// The first n bytes that the `DeflateContext` inflated.
        case inflated(Int)
    }

    @usableFromInline
    enum Step {
        case needMore
        case message(MessageKind, Place)
        case ping(Place)
        case pong(Place)
        /// The peer's Close frame; the reason lies at the place.
        case closed(WebSocketCloseCode, Place)
        case failed(WebSocketFault)
    }

    /// Takes bytes from the peer, all of them, in pieces of any size.
    ///
    /// A message that lies whole in `bytes` is unmasked there and handed on without copying. Pongs and the
    /// answer to a Close frame or fault are appended to `output`. After the connection is closed bytes are ignored.
    ///
    /// - Parameters:
    ///   - bytes: what was read; its contents are overwritten by unmasking.
    ///   - deflate: the loop's context; it is used only if compression was negotiated.
    @inlinable
    public mutating func receive<Handler: WebSocketHandler & ~Copyable>(
        _ bytes: inout MutableRawSpan, deflate: DeflateContext, output: inout [UInt8], handler: inout Handler
    ) {
        var cursor = 0
        while true {
            switch advance(&bytes, &cursor, deflate, &output) {
            case .needMore:
                return
            case .message(let kind, .given(let range)):
                handler.message(kind, bytes.bytes.extracting(range), socket: &self, output: &output)
            case .message(let kind, .buffered):
                let payload = takeBuffer()
                handler.message(kind, payload.raw, socket: &self, output: &output)
            case .message(let kind, .inflated(let count)):
                // The context may be used again by the handler, so its buffer is taken out for the call.
                let inflated = deflate.takeInflated()
                handler.message(kind, inflated.raw.extracting(0..<count), socket: &self, output: &output)
                deflate.giveBack(inflated: inflated)
            case .ping(let place):
                if case .given(let range) = place {
                    handler.ping(bytes.bytes.extracting(range))
                } else {
                    handler.ping(takeControl().raw)
                }
            case .pong(let place):
                if case .given(let range) = place {
                    handler.pong(bytes.bytes.extracting(range))
                } else {
                    handler.pong(takeControl().raw)
                }
            case .closed(let code, let place):
                if case .given(let range) = place {
                    handler.closed(code: code, reason: bytes.bytes.extracting(range).text, fault: nil)
                } else {
                    handler.closed(code: code, reason: takeReason(), fault: nil)
                }
            case .failed(let fault):
                handler.closed(code: fault.closeCode, reason: fault.reason, fault: fault)
            }
        }
    }

    @usableFromInline
    mutating func takeBuffer() -> [UInt8] {
        let bytes = buffer
        buffer = []
        return bytes
    }

    @usableFromInline
    mutating func takeControl() -> [UInt8] {
        let bytes = control
        control = []
        return bytes
    }

    /// The text after the code of the Close frame in `control`.
    @usableFromInline
    mutating func takeReason() -> String {
        takeControl().raw.extracting(droppingFirst: 2).text
    }

    /// Consumes bytes from `cursor` on until something is to be told or they are used up.
    @usableFromInline
    mutating func advance(
        _ bytes: inout MutableRawSpan, _ cursor: inout Int, _ deflate: DeflateContext, _ output: inout [UInt8]
    ) -> Step {
        do throws(WebSocketFault) {
            while phase != .closed {
                if let message = try takeWholeMessage(&bytes, &cursor) { return message }
                if !isInPayload {
                    guard try takeHeader(bytes.bytes, &cursor) else { return .needMore }
                }
                if let step = try takePayload(&bytes, &cursor, deflate, &output) { return step }
            }
            return .needMore
        } catch {
            return fail(error, &output)
        }
    }

    // MARK: Headers

    /// Takes a frame header, whole or the next part of one.
    ///
    /// - Returns: whether it is complete, and the payload begins at `cursor`.
    private mutating func takeHeader(_ bytes: RawSpan, _ cursor: inout Int) throws(WebSocketFault) -> Bool {
        if headerCount == 0, bytes.byteCount - cursor >= 2 {
            let header = try frameHeader(bytes[cursor], bytes[cursor + 1])
            if bytes.byteCount - cursor >= header.byteCount {
                try begin(header, bytes.extracting(cursor..<cursor + header.byteCount))
                cursor += header.byteCount
                return true
            }
        }
        while cursor < bytes.byteCount {
            header[Int(headerCount)] = bytes[cursor]
            headerCount += 1
            cursor += 1
            if headerCount >= 2 {
                let header = try frameHeader(self.header[0], self.header[1])
                if header.byteCount == Int(headerCount) {
                    headerCount = 0
                    let whole = self.header
                    // Safe: the same view of bytes as bytes as in Bytes.swift.
                    try begin(header, unsafe whole.span.bytes)
                    return true
                }
            }
        }
        return false
    }

    private func frameHeader(_ first: UInt8, _ second: UInt8) throws(WebSocketFault) -> WebSocketFrameHeader {
        let header = try WebSocketFrameHeader(
            first, second, isFromClient: keys == nil, allowsCompression: sendWindowBits != 0)
        switch header.opcode {
        case .continuation: guard messageKind != nil else { throw .continuationWithoutStart }
        case .text, .binary: guard messageKind == nil else { throw .messageInsideMessage }
        case .close, .ping, .pong: break
        }
        return header
    }

    /// Begins a frame: checks its length against the limits and sets the state for its payload.
    private mutating func begin(_ header: WebSocketFrameHeader, _ bytes: RawSpan) throws(WebSocketFault) {
        let length = try header.payloadBytes(in: bytes)
        if !header.opcode.isControl {
            if header.opcode != .continuation {
                messageKind = header.opcode == .text ? .text : .binary
                messageIsCompressed = header.isCompressed
                messageText = UTF8Checker()
                fragmentCount = 0
            }
            if phase == .open {
                guard fragmentCount < maxFragments else { throw .tooManyFragments }
                fragmentCount += 1
                let room = messageIsCompressed ? DeflateContext.deflatedBytesMax(of: maxMessageBytes) : maxMessageBytes
                guard length <= UInt64(room - buffer.count) else { throw .messageTooBig }
            }
        }
        frameOpcode = header.opcode
        frameIsFinal = header.isFinal
        maskingKey = header.maskingKey(in: bytes)
        payloadBytesLeft = Int(length)
        isInPayload = true
    }

    // MARK: Payloads

    /// Takes what there is of a frame's payload.
    ///
    /// - Returns: what is to be told; nil if the frame ended without anything to tell.
    private mutating func takePayload(
        _ bytes: inout MutableRawSpan, _ cursor: inout Int, _ deflate: DeflateContext, _ output: inout [UInt8]
    ) throws(WebSocketFault) -> Step? {
        let count = min(payloadBytesLeft, bytes.byteCount - cursor)
        let range = cursor..<cursor + count
        maskingKey = bytes.mask(range, with: maskingKey)
        cursor += count
        payloadBytesLeft -= count
        isInPayload = payloadBytesLeft > 0
        if frameOpcode.isControl {
            return try takeControl(bytes.bytes, range, &output)
        }
        return try takeData(bytes.bytes, range, deflate)
    }

    private mutating func takeData(
        _ bytes: RawSpan, _ range: Range<Int>, _ deflate: DeflateContext
    ) throws(WebSocketFault) -> Step? {
        guard let kind = messageKind else { preconditionFailure("a data frame belongs to a message") }
        let endsMessage = !isInPayload && frameIsFinal
        if endsMessage { messageKind = nil }
        guard phase == .open else { return isInPayload ? .needMore : nil }

        if kind == .text, !messageIsCompressed {
            guard messageText.take(bytes.extracting(range)), !endsMessage || messageText.isComplete else { throw .textNotUTF8 }
        }
        let place: Place
        if endsMessage, buffer.isEmpty {
            place = .given(range)
        } else {
            buffer.append(bytes.extracting(range))
            if isInPayload { return .needMore }
            if !endsMessage { return nil }
            place = .buffered
        }
        guard messageIsCompressed else { return .message(kind, place) }

        let inflatedCount: Int
        if case .given = place {
            inflatedCount = try deflate.inflate(bytes.extracting(range), bytesMax: maxMessageBytes, isText: kind == .text)
        } else {
            inflatedCount = try deflate.inflate(buffer.raw, bytesMax: maxMessageBytes, isText: kind == .text)
            buffer = []
        }
        return .message(kind, .inflated(inflatedCount))
    }

    private mutating func takeControl(
        _ bytes: RawSpan, _ range: Range<Int>, _ output: inout [UInt8]
    ) throws(WebSocketFault) -> Step? {
        if isInPayload || !control.isEmpty {
            control.append(bytes.extracting(range))
            if isInPayload { return .needMore }
            let payload = takeControl()
            let step = try finishControl(payload.raw, .buffered, &output)
            if step != nil { control = payload }
            return step
        }
        return try finishControl(bytes.extracting(range), .given(range), &output)
    }

    private mutating func finishControl(
        _ payload: RawSpan, _ place: Place, _ output: inout [UInt8]
    ) throws(WebSocketFault) -> Step? {
        switch frameOpcode {
        case .ping:
            guard phase == .open else { return nil }
            append(.pong, payload, to: &output)
            return .ping(place)
        case .pong:
            return phase == .open ? .pong(place) : nil
        case .close:
            let code = try closeCode(of: payload)
            if phase == .open {
                appendClose(code == .noStatus ? nil : code, reason: "", to: &output)
            }
            end()
            guard case .given(let range) = place else { return .closed(code, place) }
            return .closed(code, .given(range.dropFirst(2)))
        case .continuation, .text, .binary:
            preconditionFailure("not a control frame")
        }
    }

    private func closeCode(of payload: RawSpan) throws(WebSocketFault) -> WebSocketCloseCode {
        guard payload.byteCount > 0 else { return .noStatus }
        guard payload.byteCount > 1 else { throw .closePayloadOfOneByte }
        let code = WebSocketCloseCode(rawValue: payload.bigEndian(at: 0, as: UInt16.self))
        guard code.mayBeSent else { throw .closeCodeInvalid }
        guard UTF8Checker.accepts(payload.extracting(droppingFirst: 2)) else { throw .closeReasonNotUTF8 }
        return code
    }

    // MARK: Ends

    private mutating func fail(_ fault: WebSocketFault, _ output: inout [UInt8]) -> Step {
        if phase == .open {
            appendClose(fault.closeCode, reason: fault.reason, to: &output)
        }
        end()
        return .failed(fault)
    }

    private mutating func end() {
        phase = .closed
        messageKind = nil
        buffer = []
        control = []
    }
}
