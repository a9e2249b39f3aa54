import Calls
import Testing
import UsherAPI
import Wire

@testable import Server
@testable import WebSocket

/// RFC 6455 and 7692 as this server keeps them, over real sockets.
@Suite(.timeLimit(.minutes(1)))
struct WebSocketWallTests {
    @Test func `whoever breaks the WebSocket protocol is closed with the code that says how`() async throws {
        let hello = UsherFrame.hello().bytes
        let largest = CallLimits.visitor.messageBytes
        func frame(_ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true) -> [UInt8] {
            WebSocketFrame(opcode, payload, isFinal: isFinal).bytes
        }
        func header(_ first: UInt8, _ rest: [UInt8]) -> [UInt8] { [first] + rest + [0, 0, 0, 0] }
        let cases: [(name: String, bytes: [UInt8], code: UInt16)] = [
            ("unmasked", WebSocketFrame(Opcode.binary, hello).unmaskedBytes, 1002),
            ("text", frame(Opcode.text, Array("hello".utf8)), 1003),
            ("text that is not UTF-8", frame(Opcode.text, [0xff]), 1007),
            ("compressed, without agreement", WebSocketFrame(Opcode.binary, hello, isCompressed: true).bytes, 1002),
            ("reserved bit 2", header(0x82 | 0x20, [0x80]), 1002),
            ("unknown data opcode", frame(3), 1002),
            ("unknown control opcode", frame(11), 1002),
            ("a ping in fragments", frame(Opcode.ping, isFinal: false), 1002),
            ("a ping of 126 bytes", frame(Opcode.ping, Array(repeating: 0, count: 126)), 1002),
            ("a continuation of nothing", frame(Opcode.continuation), 1002),
            ("a message inside a message", frame(Opcode.binary, hello, isFinal: false) + frame(Opcode.binary, hello), 1002),
            ("a length longer than need be", header(0x82, [0xfe, 0, 5]), 1002),
            ("a length with the top bit", header(0x82, [0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), 1002),
            ("a message one byte too large", header(0x82, [0xff] + bigEndian(UInt64(largest + 1))), 1009),
            (
                "a message too large in the sum",
                frame(Opcode.binary, Array(repeating: 0, count: largest), isFinal: false) + frame(Opcode.continuation, [0]),
                1009
            ),
            (
                "65 fragments",
                WebSocketFrame.fragments(hello.map { [$0] } + Array(repeating: [], count: 65 - hello.count)).flatMap(\.bytes),
                1009
            ),
            ("65 empty fragments", WebSocketFrame.fragments(Array(repeating: [], count: 65)).flatMap(\.bytes), 1009),
            ("a close of one byte", frame(Opcode.close, [3]), 1002),
            ("a close with 1005", frame(Opcode.close, bigEndian(UInt16(1005))), 1002),
            ("a close with 999", frame(Opcode.close, bigEndian(UInt16(999))), 1002),
            ("a close with a reason that is not UTF-8", frame(Opcode.close, bigEndian(UInt16(1000)) + [0xc3]), 1007),
        ]
        try await withSale { sale in
            for (name, bytes, code) in cases {
                let (client, _) = try await sale.rawSocket()
                client.send(bytes)
                #expect(try await client.closeCode() == code, "\(name)")
            }
        }
    }

    @Test func `a message may come in 64 fragments, empty ones counted, with pings between, a byte at a time`() async throws {
        try await withSale { sale in
            let hello = UsherFrame.hello().bytes
            let parts = hello.map { [$0] } + Array(repeating: [], count: 64 - hello.count)
            let (client, _) = try await sale.rawSocket()
            var bytes: [UInt8] = []
            for (index, frame) in WebSocketFrame.fragments(parts).enumerated() {
                if index % 20 == 1 { bytes += WebSocketFrame(Opcode.ping, [UInt8(index)]).bytes }
                bytes += frame.bytes
            }
            for byte in bytes { client.send([byte]) }
            _ = try await client.welcome()
            let pongs = try await client.take("pongs") { inbox, _ in inbox.controls }
            #expect(pongs == [1, 21, 41, 61].map { WebSocketFrame(Opcode.pong, [$0]) })
        }
    }

    @Test func `a ping of 125 bytes is answered with its payload`() async throws {
        try await withSale { sale in
            let (client, _) = try await sale.rawSocket()
            let payload = Array(UInt8(1)...125)
            client.send(WebSocketFrame(Opcode.ping), WebSocketFrame(Opcode.pong, [1]), WebSocketFrame(Opcode.ping, payload))
            #expect(try await client.webSocketFrame() == WebSocketFrame(Opcode.pong))
            #expect(try await client.webSocketFrame() == WebSocketFrame(Opcode.pong, payload))
        }
    }

    @Test func `a close is answered with its code, once, and ends the connection`() async throws {
        try await withSale { sale in
            let client = try await sale.rawCalls()
            // What follows a close frame is of no effect.
            client.send(
                WebSocketFrame(Opcode.close, bigEndian(UInt16(1000)) + Array("bye".utf8)), WebSocketFrame(Opcode.text, [0xff]))
            #expect(try await client.closeCode() == 1000)
            let silent = try await sale.rawCalls()
            silent.send(WebSocketFrame(Opcode.close))
            #expect(try await silent.closing() == RawClient.Closing(code: nil, reason: ""))
            let own = try await sale.rawCalls()
            own.send(WebSocketFrame(Opcode.close, bigEndian(UInt16(4999))))
            #expect(try await own.closeCode() == 4999)
        }
    }

    // MARK: permessage-deflate

    private func deflated(_ bytes: [UInt8]) throws -> [UInt8] {
        let context = DeflateContext(thresholdBytes: 0)
        let compressed = context.deflate(bytes.rawSpan, windowBits: 15)
        let count = try #require(compressed)
        return Array(context.deflated.prefix(count))
    }

    private func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
        let context = DeflateContext()
        let count = try context.inflate(bytes.rawSpan, bytesMax: 1 << 20, isText: false)
        return Array(context.takeInflated().prefix(count))
    }

    @Test func `compression is agreed upon without context takeover, or not at all`() async throws {
        let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        let cases: [(offer: String, answer: String?)] = [
            ("permessage-deflate", both), ("permessage-deflate; client_max_window_bits", both), (both, both),
            ("permessage-deflate; server_max_window_bits=9", both + "; server_max_window_bits=9"),
            ("permessage-deflate; server_max_window_bits=16", nil), ("permessage-deflate; mystery", nil),
            ("x-webkit-deflate-frame", nil),
            ("permessage-deflate; mystery, permessage-deflate", both),
        ]
        try await withSale { sale in
            for (offer, expected) in cases {
                let (_, answer) = try await sale.rawSocket([("Sec-WebSocket-Extensions", offer)])
                #expect(answer.fields["sec-websocket-extensions"] == expected, "\(offer)")
            }
        }
    }

    @Test func `compressed messages are read, whole and in fragments, and sent where agreed`() async throws {
        try await withSale({ $0.echo = true }) { sale in
            let deflate: [(name: String, value: String?)] = [("Sec-WebSocket-Extensions", "permessage-deflate")]
            let hello = try deflated(UsherFrame.hello(clientName: String(repeating: "a", count: 300)).bytes)
            let (whole, _) = try await sale.rawSocket(deflate)
            whole.send(WebSocketFrame(Opcode.binary, hello, isCompressed: true))
            _ = try await whole.welcome()
            let (parts, _) = try await sale.rawSocket(deflate)
            let middle = hello.count / 2
            let frames = WebSocketFrame.fragments([Array(hello[..<middle]), [], Array(hello[middle...])], isCompressed: true)
            parts.send(frames.flatMap(\.bytes))
            _ = try await parts.welcome()

            let (echo, _) = try await sale.rawSocket(path: "/echo", deflate + [("Sec-WebSocket-Protocol", nil)])
            let text = Array(String(repeating: "to and fro ", count: 500).utf8)
            for _ in 0..<2 {
                echo.send(WebSocketFrame(Opcode.text, try deflated(text), isCompressed: true))
                let answer = try await echo.webSocketFrame()
                #expect(answer.isCompressed && answer.opcode == Opcode.text && answer.payload.count < 200)
                #expect(try inflated(answer.payload) == text)
            }
            // Not worth compressing, and so not.
            echo.send(WebSocketFrame(Opcode.binary, [1, 2, 3]))
            #expect(try await echo.webSocketFrame() == WebSocketFrame(Opcode.binary, [1, 2, 3]))
        }
    }

    @Test func `what unfolds into more than a message may hold is 1009, what does not unfold 1007`() async throws {
        let largest = CallLimits.visitor.messageBytes
        // An ignorable frame of an unknown kind that fills the message exactly.
        let filler = UsherFrame(number: 31, Array(repeating: 0, count: largest - 9), flags: UsherFrame.ignorable).bytes
        try await withSale { sale in
            let deflate: [(name: String, value: String?)] = [("Sec-WebSocket-Extensions", "permessage-deflate")]
            let cases: [(name: String, message: [UInt8], code: UInt16?)] = [
                ("as much as may be", try deflated(filler), nil), ("one byte more", try deflated(filler + [0]), 1009),
                ("a bomb", try deflated(Array(repeating: 0, count: 16 << 20)), 1009), ("no DEFLATE", [0xff, 0xff, 0xff], 1007),
                ("a stored block of 50 bytes, 45 of them missing", [0x00, 50, 0, 205, 255, 1, 2, 3, 4, 5], 1007),
            ]
            for (name, message, code) in cases {
                let (client, _) = try await sale.rawSocket(deflate)
                client.send(.hello())
                _ = try await client.welcome()
                client.send(WebSocketFrame(Opcode.binary, message, isCompressed: true))
                if let code {
                    #expect(try await client.closeCode() == code, "\(name)")
                } else {
                    try await client.roundTrip()
                }
            }
        }
    }
}
