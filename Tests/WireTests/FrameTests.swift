import Testing
import Wire

@Suite struct FrameTests {
    @Test(
        arguments: [
            (FrameHeader(kind: 0), [0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (
                FrameHeader(kind: 5, flags: .end, bodyByteCount: 0x0102_0304, callID: 0xA0B0_C0D0),
                [0x2A, 1, 2, 3, 4, 0xA0, 0xB0, 0xC0, 0xD0]
            ),
            (
                FrameHeader(kind: 31, flags: [.ignorable, .end, .reserved], bodyByteCount: .max, callID: .max),
                [UInt8](repeating: 0xFF, count: 9)
            ),
        ] as [(FrameHeader, [UInt8])])
    func `a header is nine bytes, big-endian`(header: FrameHeader, bytes: [UInt8]) {
        var output: [UInt8] = [7]
        header.append(to: &output)
        #expect(output == [7] + bytes)
    }

    @Test func `frames come out as they went in`() throws {
        var node = Node()
        var message: [UInt8] = []
        for index in 0..<5 as Range<UInt32> {
            node.number = UInt64(index) * 1000
            message.appendFrame(kind: UInt8(index), flags: index == 4 ? .end : [], callID: index, body: node)
        }
        var reader = FrameReader(message.rawSpan, bodyBytesMax: 16)
        for index in 0..<5 as Range<UInt32> {
            let frame = try reader.next()!
            let (header, body) = (frame.header, [UInt8](copying: frame.body))
            node.number = UInt64(index) * 1000
            let flags: FrameFlags = index == 4 ? .end : []
            let expected = FrameHeader(
                kind: UInt8(index), flags: flags, bodyByteCount: UInt32(node.encodedSize), callID: index)
            #expect(header == expected)
            #expect(body == node.encoded())
        }
        let isDone = try reader.next() == nil
        #expect(isDone)
    }

    @Test func `a message without a frame is refused`() {
        #expect(throws: FrameError.empty) { try split([], bodyBytesMax: 16) }
    }

    @Test func `every strict prefix that ends within a frame is refused`() throws {
        var message: [UInt8] = []
        for body in [[], [1, 2, 3]] as [[UInt8]] {
            FrameHeader(kind: 1, bodyByteCount: UInt32(body.count), callID: 1).append(to: &message)
            message += body
        }
        #expect(try split(message, bodyBytesMax: 3) == 2)
        for length in 1..<message.count {
            let prefix = Array(message.prefix(length))
            let error: FrameError? =
                switch length {
                case 1..<9: .truncatedHeader(at: 0)
                case 9: nil
                case 10..<18: .truncatedHeader(at: 9)
                default: .bodyPastEnd(at: 9)
                }
            if let error {
                #expect(throws: error) { try split(prefix, bodyBytesMax: 3) }
            } else {
                #expect(try split(prefix, bodyBytesMax: 3) == 1)
            }
        }
    }

    @Test func `a body may be as long as the limit and no longer`() throws {
        func frame(_ byteCount: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            FrameHeader(kind: 1, bodyByteCount: UInt32(byteCount)).append(to: &bytes)
            return bytes + [UInt8](repeating: 0, count: byteCount)
        }
        #expect(try split(frame(16), bodyBytesMax: 16) == 1)
        #expect(throws: FrameError.tooLarge(at: 0, byteCount: 17)) { try split(frame(17), bodyBytesMax: 16) }
        // Said before the body has come: nothing is waited for.
        #expect(throws: FrameError.tooLarge(at: 0, byteCount: Int(UInt32.max))) {
            try split([0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], bodyBytesMax: 1 << 16)
        }
    }

    @Test func `the reserved flag is refused`() {
        #expect(throws: FrameError.reservedFlag(at: 9)) {
            try split([UInt8](repeating: 0, count: 9) + [0x0C, 0, 0, 0, 0, 0, 0, 0, 0], bodyBytesMax: 16)
        }
    }

    /// The number of frames.
    private func split(_ message: [UInt8], bodyBytesMax: Int) throws(FrameError) -> Int {
        var reader = FrameReader(message.rawSpan, bodyBytesMax: bodyBytesMax)
        var count = 0
        while try reader.next() != nil { count += 1 }
        return count
    }
}
