import Testing

@testable import WebSocket

/// However a conversation is cut into pieces, the same events and the same answers come of it.
struct ChunkingTests {
    static let korean = "한글 자막 — 좌석 🎫 é"

    static func conversation(_ context: DeflateContext) -> [UInt8] {
        let text = Array(korean.utf8)
        let big = [UInt8](repeating: 0x61, count: 700)
        let deflated = compressed(big, context)
        var all = frame(1, text) + frame(2, []) + frame(1, [])
        all += frame(1, Array(text[..<4]), fin: false)  // in the middle of a character
        all += frame(9, [1, 2, 3])
        all += frame(0, [], fin: false)
        all += frame(10, [4])
        all += frame(0, Array(text[4...]))
        all += frame(2, big)
        all += frame(2, deflated, rsv: 4)
        all += frame(1, Array(deflated[..<3]), fin: false, rsv: 4)
        all += frame(9, [])
        all += frame(0, Array(deflated[3...]))
        all += frame(2, [UInt8](repeating: 5, count: 66000))
        all += closeFrame(4001, "끝")
        return all + frame(1, text)  // comes too late
    }

    static let expected: [Event] = [
        .text(korean), .binary([]), .text([]), .ping([1, 2, 3]), .pong([4]), .text(korean),
        .binary([UInt8](repeating: 0x61, count: 700)), .binary([UInt8](repeating: 0x61, count: 700)),
        .ping([]), .text([UInt8](repeating: 0x61, count: 700)), .binary([UInt8](repeating: 5, count: 66000)),
        .closed(4001, "끝", nil),
    ]
    static let answers = frame(10, [1, 2, 3], mask: nil) + frame(10, [], mask: nil) + closeFrame(4001, mask: nil)

    @Test(arguments: [1, 2, 3, 5, 7, 13, 64, 1000, 65536, Int.max])
    func `pieces of one size`(size: Int) {
        let context = DeflateContext(thresholdBytes: 0)
        var server = Endpoint(server: .roomy, deflate: 15, context: context)
        server.receive(Self.conversation(context), inPiecesOf: size)
        let events = server.events
        #expect(events == Self.expected)
        #expect(server.output == Self.answers)
        let isClosed = server.socket.isClosed
        #expect(isClosed)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `pieces of random sizes`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let context = DeflateContext(thresholdBytes: 0)
        var server = Endpoint(server: .roomy, deflate: 15, context: context)
        var rest = Self.conversation(context)[...]
        while !rest.isEmpty {
            let size = Int.random(in: 1...(Bool.random(using: &random) ? 9 : 5000), using: &random)
            server.receive(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        let events = server.events
        #expect(events == Self.expected, "seed \(seed)")
        #expect(server.output == Self.answers, "seed \(seed)")
    }

    @Test func `a conversation cut at any one place`() {
        let context = DeflateContext(thresholdBytes: 0)
        let all =
            frame(1, Array(Self.korean.utf8)) + frame(9, [1]) + frame(2, [1], fin: false) + frame(0, [2])
            + closeFrame(1000, "bye")
        for cut in 0...all.count {
            var server = Endpoint(server: .roomy, context: context)
            server.receive(Array(all[..<cut]))
            server.receive(Array(all[cut...]))
            let events = server.events
            #expect(events == [.text(Self.korean), .ping([1]), .binary([1, 2]), .closed(1000, "bye", nil)], "cut at \(cut)")
        }
    }

    @Test(arguments: 0..<120 as Range<UInt64>)
    func `random bytes never do harm, and end in a fault or in waiting`(seed: UInt64) {
        var random = SplitMix(state: seed)
        var input = random.bytes(400)
        // Now and then a likely first byte, so that more than the first check is reached.
        if seed % 2 == 0 { input[0] = [0x81, 0x82, 0x01, 0x88, 0x89, 0xc1][Int(seed / 2 % 6)]; input[1] |= 0x80 }
        var whole = Endpoint(server: WebSocketLimits(maxMessageBytes: 300, maxFragments: 3), deflate: 15)
        var single = Endpoint(server: WebSocketLimits(maxMessageBytes: 300, maxFragments: 3), deflate: 15)
        whole.receive(input)
        single.receive(input, inPiecesOf: 1)
        let events = (whole.events, single.events)
        #expect(events.0 == events.1, "seed \(seed)")
        #expect(whole.output == single.output, "seed \(seed)")
    }
}

func compressed(_ payload: [UInt8], _ context: DeflateContext, bits: UInt8 = 15) -> [UInt8] {
    guard let count = context.deflate(payload.raw, windowBits: bits) else { fatalError("not compressible") }
    return Array(context.deflated[..<count])
}
