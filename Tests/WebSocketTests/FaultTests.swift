import Testing

@testable import WebSocket

struct Illegal: Sendable, CustomTestStringConvertible {
    var name: String
    var input: [UInt8]
    var fault: WebSocketFault
    var code: UInt16
    var deflate = false
    var isFromServer = false

    var testDescription: String { name }
}

struct FaultTests {
    static let cases: [Illegal] =
        [
            Illegal(name: "RSV1 not negotiated", input: frame(1, [65], rsv: 4), fault: .reservedBits, code: 1002),
            Illegal(name: "RSV2", input: frame(1, [65], rsv: 2), fault: .reservedBits, code: 1002),
            Illegal(name: "RSV3", input: frame(2, [65], rsv: 1), fault: .reservedBits, code: 1002),
            Illegal(name: "RSV3 on a ping", input: frame(9, [], rsv: 1), fault: .reservedBits, code: 1002),
            Illegal(name: "RSV2 beside RSV1", input: frame(1, [65], rsv: 6), fault: .reservedBits, code: 1002, deflate: true),
            Illegal(name: "RSV1 on a ping", input: frame(9, [], rsv: 4), fault: .reservedBits, code: 1002, deflate: true),
            Illegal(name: "RSV1 on a close", input: frame(8, [], rsv: 4), fault: .reservedBits, code: 1002, deflate: true),
            Illegal(
                name: "RSV1 on a continuation", input: frame(1, [65], fin: false) + frame(0, [65], rsv: 4),
                fault: .reservedBits,
                code: 1002, deflate: true),
        ]
        + [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map { opcode in
            Illegal(name: "opcode \(opcode)", input: frame(opcode, []), fault: .unknownOpcode, code: 1002)
        }
        + [
            Illegal(name: "unmasked from a client", input: frame(1, [65], mask: nil), fault: .unmaskedFromClient, code: 1002),
            Illegal(name: "unmasked and empty", input: frame(9, [], mask: nil), fault: .unmaskedFromClient, code: 1002),
            Illegal(
                name: "masked from a server", input: frame(1, [65]), fault: .maskedFromServer, code: 1002, isFromServer: true),
            Illegal(
                name: "16-bit length of 125", input: frame(2, [UInt8](repeating: 0, count: 125), length: .medium),
                fault: .lengthNotMinimal, code: 1002),
            Illegal(name: "16-bit length of 0", input: frame(2, [], length: .medium), fault: .lengthNotMinimal, code: 1002),
            Illegal(
                name: "64-bit length of 65535", input: frame(2, [UInt8](repeating: 0, count: 65535), length: .long),
                fault: .lengthNotMinimal, code: 1002),
            Illegal(
                name: "64-bit length with the top bit", input: [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4],
                fault: .lengthTopBit, code: 1002),
            Illegal(
                name: "64-bit length of all ones", input: [0x82, 0xff] + [UInt8](repeating: 255, count: 12),
                fault: .lengthTopBit, code: 1002),
            Illegal(
                name: "the largest 63-bit length", input: [0x82, 0xff, 0x7f] + [UInt8](repeating: 255, count: 11),
                fault: .messageTooBig, code: 1009),
            Illegal(name: "fragmented ping", input: frame(9, [], fin: false), fault: .controlFragmented, code: 1002),
            Illegal(name: "fragmented close", input: frame(8, [], fin: false), fault: .controlFragmented, code: 1002),
            Illegal(
                name: "ping of 126", input: frame(9, [UInt8](repeating: 0, count: 126)), fault: .controlTooLong, code: 1002),
            Illegal(name: "pong with a 64-bit length", input: frame(10, [], length: .long), fault: .controlTooLong, code: 1002),
            Illegal(
                name: "close of 126", input: closeFrame(1000, String(repeating: "x", count: 124)), fault: .controlTooLong,
                code: 1002),
            Illegal(name: "continuation first", input: frame(0, [65]), fault: .continuationWithoutStart, code: 1002),
            Illegal(
                name: "continuation after a whole message", input: frame(1, [65]) + frame(0, [65]),
                fault: .continuationWithoutStart, code: 1002),
            Illegal(
                name: "message inside a message", input: frame(1, [65], fin: false) + frame(1, [65]),
                fault: .messageInsideMessage, code: 1002),
            Illegal(name: "close of one byte", input: frame(8, [3]), fault: .closePayloadOfOneByte, code: 1002),
            Illegal(
                name: "close reason not UTF-8", input: frame(8, [3, 232, 0xce, 0xba, 0xe1]), fault: .closeReasonNotUTF8,
                code: 1007),
            Illegal(name: "text not UTF-8", input: frame(1, [0xff]), fault: .textNotUTF8, code: 1007),
            Illegal(name: "text ends inside a character", input: frame(1, [0xe2, 0x82]), fault: .textNotUTF8, code: 1007),
            Illegal(
                name: "compressed garbage", input: frame(2, [0x07, 0xff], rsv: 4), fault: .deflateMalformed, code: 1007,
                deflate: true),
            Illegal(
                name: "compressed into nothing, where 00 would be the empty message", input: frame(2, [], rsv: 4),
                fault: .deflateMalformed, code: 1007, deflate: true),
            Illegal(
                name: "compressed message cut off", input: frame(2, [0xf2, 0x48], rsv: 4), fault: .deflateMalformed,
                code: 1007, deflate: true),
        ]

    @Test(arguments: cases)
    func `what is illegal is answered with its close code, once, and nothing after it is heard`(illegal: Illegal) {
        for size in [Int.max, 1] {
            let bits: UInt8? = illegal.deflate ? 15 : nil
            var endpoint =
                illegal.isFromServer ? Endpoint(client: .roomy, deflate: bits) : Endpoint(server: .roomy, deflate: bits)
            endpoint.receive(illegal.input, inPiecesOf: size)
            endpoint.receive(illegal.input + frame(9, [1]) + closeFrame(1000), inPiecesOf: size)
            let closes = endpoint.events.filter { if case .closed = $0 { true } else { false } }
            #expect(closes == [.closed(illegal.code, illegal.fault.reason, illegal.fault)])
            #expect(endpoint.events.last == closes.last)
            if !illegal.isFromServer {
                #expect(endpoint.output == closeFrame(illegal.code, illegal.fault.reason, mask: nil))
            }
            let state = (endpoint.socket.isClosed, endpoint.socket.bufferedBytes)
            #expect(state == (true, 0))
            let sent = endpoint.send(.text, [65])
            #expect(!sent)
        }
    }

    @Test func `a fault is told by its second byte, without waiting for the rest`() {
        for input in [[0x83, 0x80], [0x81, 0x00], [0x89, 0xfe], [0x09, 0x80], [0xc1, 0x80]] as [[UInt8]] {
            var server = Endpoint(server: .roomy)
            server.receive(input)
            let isClosed = server.socket.isClosed
            #expect(isClosed, "\(input)")
        }
    }

    @Test(arguments: WebSocketFault.allCases)
    func `every reason fits into a Close frame`(fault: WebSocketFault) {
        #expect(fault.reason.utf8.count <= 123)
        #expect(fault.closeCode.mayBeSent)
    }
}

struct LimitTests {
    static let limits = WebSocketLimits(maxMessageBytes: 300, maxFragments: 4)

    @Test(arguments: [Int.max, 1])
    func `a message of the largest size is taken and one byte more is 1009`(size: Int) {
        var server = Endpoint(server: Self.limits)
        server.receive(frame(2, [UInt8](repeating: 1, count: 300)), inPiecesOf: size)
        server.receive(
            frame(2, [UInt8](repeating: 1, count: 200), fin: false) + frame(0, [UInt8](repeating: 1, count: 100)),
            inPiecesOf: size)
        let good = server.events
        #expect(good == [.binary([UInt8](repeating: 1, count: 300)), .binary([UInt8](repeating: 1, count: 300))])

        for input in [
            Array(frame(2, [UInt8](repeating: 1, count: 301))[..<8]),  // refused by its header alone
            frame(2, [UInt8](repeating: 1, count: 200), fin: false) + Array(frame(0, [UInt8](repeating: 1, count: 101))[..<6]),
        ] {
            var server = Endpoint(server: Self.limits)
            server.receive(input, inPiecesOf: size)
            let bad = server.events
            #expect(bad == [.closed(1009, WebSocketFault.messageTooBig.reason, .messageTooBig)])
        }
    }

    @Test(arguments: [[UInt8](), [7]])
    func `the most fragments are taken and one more is 1009, however small they are`(part: [UInt8]) {
        let start = frame(2, part, fin: false) + frame(0, part, fin: false) + frame(0, part, fin: false)
        var server = Endpoint(server: Self.limits)
        server.receive(start + frame(0, part) + start + frame(0, part))
        let good = server.events
        #expect(good.count == 2 && !good.contains { if case .closed = $0 { true } else { false } })

        var strict = Endpoint(server: Self.limits)
        strict.receive(start + frame(0, part, fin: false) + frame(0, part))
        let bad = strict.events
        #expect(bad == [.closed(1009, WebSocketFault.tooManyFragments.reason, .tooManyFragments)])
    }

    @Test func `control frames between fragments do not count`() {
        var server = Endpoint(server: Self.limits)
        server.receive(frame(2, [1], fin: false) + (0..<20).flatMap { _ in frame(10) } + frame(0, [2]))
        let last = server.events.last
        #expect(last == .binary([1, 2]))
    }

    @Test func `a declared length reserves nothing`() {
        var server = Endpoint(server: WebSocketLimits(maxMessageBytes: 1 << 30))
        server.receive([0x82, 0xff, 0, 0, 0, 0, 0x3f, 0, 0, 0, 1, 2, 3, 4, 5])
        let capacity = server.socket.buffer.capacity
        #expect(capacity < 1024)
    }
}
