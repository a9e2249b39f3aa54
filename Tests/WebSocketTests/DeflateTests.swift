import CZlib
import Testing

@testable import WebSocket

struct DeflateTests {
    @Test(
        arguments: [
            // RFC 7692 section 7.2.3: one block, no compression, a final block, two blocks, the empty message.
            ([0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], "Hello"),
            ([0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00], "Hello"),
            ([0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], "Hello"),
            ([0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00], "Hello"),
            ([0x00], ""),
        ] as [([UInt8], String)])
    func `the examples of RFC 7692 are read`(payload: [UInt8], text: String) {
        var server = Endpoint(server: .roomy, deflate: 15)
        server.receive(frame(1, payload, rsv: 4))
        server.receive(frame(1, Array(payload.prefix(3)), fin: false, rsv: 4) + frame(0, Array(payload.dropFirst(3))))
        let events = server.events
        #expect(events == [.text(text), .text(text)])
    }

    @Test(arguments: [8, 9, 10, 12, 15] as [UInt8], [0, 1, 100, 256, 257, 1000, 20_000])
    func `what is compressed under any window is read back`(bits: UInt8, size: Int) {
        let words = ["concert ", "seat ", "hold ", "reservation ", "좌석 "]
        var random = SplitMix(state: UInt64(size) + UInt64(bits))
        var text: [UInt8] = []
        while text.count < size { text += words.randomElement(using: &random)!.utf8 }
        let payload = Array(text.prefix(size))
        let context = DeflateContext(thresholdBytes: 64)
        var server = Endpoint(server: .roomy, deflate: bits, context: context)
        var client = Endpoint(client: .roomy, deflate: 15, context: context)
        for _ in 0..<2 { server.send(.binary, payload, compressing: true) }
        let isCompressed = server.output[0] & 0x40 != 0
        #expect(isCompressed == (size >= 64 && (bits > 8 || size <= 256)))
        // No context takeover: the same message gives the same bytes.
        let half = server.output.count / 2
        #expect(server.output[..<half] == server.output[half...])
        client.receive(server.output, inPiecesOf: 1021)
        for _ in 0..<2 { client.send(.binary, payload, compressing: true) }
        server.receive(client.output)
        let events = (client.events, server.events)
        #expect(events.0 == [.binary(payload), .binary(payload)])
        #expect(events.1 == [.binary(payload), .binary(payload)])
        if isCompressed { #expect(inflatesWithin(bits: max(bits, 9), frameOf: server.output, payload)) }
    }

    /// An inflater with no larger window than was agreed must do.
    private func inflatesWithin(bits: UInt8, frameOf output: [UInt8], _ payload: [UInt8]) -> Bool {
        let header = output[1] < 126 ? 2 : output[1] == 126 ? 4 : 10
        let first = Array(output[header..<output.count / 2]) + [0, 0, 255, 255]
        var stream = unsafe z_stream()
        guard unsafe zlib_inflate_init_raw(&stream, Int32(bits)) == Z_OK else { return false }
        defer { unsafe inflateEnd(&stream) }
        var input = first
        var result = [UInt8](repeating: 0, count: payload.count + 10)
        let status = unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe result.withUnsafeMutableBufferPointer { result in
                unsafe stream.next_in = input.baseAddress
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = result.baseAddress
                unsafe stream.avail_out = UInt32(result.count)
                return unsafe inflate(&stream, Z_SYNC_FLUSH)
            }
        }
        return unsafe status == Z_OK && Int(stream.total_out) == payload.count && Array(result.prefix(payload.count)) == payload
    }

    @Test func `what would not get smaller, or is small, is sent as it is`() {
        var random = SplitMix(state: 5)
        let context = DeflateContext(thresholdBytes: 256)
        for payload in [random.bytes(5000), [UInt8](repeating: 0, count: 255)] {
            var server = Endpoint(server: .roomy, deflate: 15, context: context)
            server.send(.binary, payload, compressing: true)
            #expect(server.output == frame(2, payload, mask: nil))
        }
        var edge = Endpoint(server: .roomy, deflate: 15, context: context)
        edge.send(.binary, [UInt8](repeating: 0, count: 256), compressing: true)
        #expect(edge.output[0] == 0xc2)
        var plain = Endpoint(server: .roomy, context: context)
        plain.send(.binary, [UInt8](repeating: 0, count: 256), compressing: true)
        #expect(plain.output[0] == 0x82)
    }

    @Test func `a bomb is refused after inflating one byte more than is allowed`() {
        let context = DeflateContext()
        let bomb = compressed([UInt8](repeating: 0, count: 2 << 20), context)
        #expect(bomb.count < 64 << 10)
        for parts in [[bomb], [Array(bomb[..<9]), Array(bomb[9...])]] {
            var server = Endpoint(server: WebSocketLimits(maxMessageBytes: 64 << 10), deflate: 15, context: context)
            for (index, part) in parts.enumerated() {
                server.receive(frame(index == 0 ? 2 : 0, part, fin: index == parts.count - 1, rsv: index == 0 ? 4 : 0))
            }
            let events = server.events
            #expect(events == [.closed(1009, WebSocketFault.messageTooBig.reason, .messageTooBig)])
            let inflated = context.takeInflated()
            #expect(inflated.count <= (64 << 10) + 1)
        }
    }

    @Test func `the limit counts inflated bytes, at the edge and one past it`() {
        let context = DeflateContext()
        for (size, isTaken) in [(50_000, true), (50_001, false)] {
            let payload = [UInt8](repeating: 9, count: size)
            var server = Endpoint(server: WebSocketLimits(maxMessageBytes: 50_000), deflate: 15, context: context)
            server.receive(frame(2, compressed(payload, context), rsv: 4))
            let events = server.events
            #expect(
                events == (isTaken ? [.binary(payload)] : [.closed(1009, WebSocketFault.messageTooBig.reason, .messageTooBig)]))
        }
    }

    @Test func `an incompressible message of the largest size, in stored blocks, is taken`() {
        var random = SplitMix(state: 77)
        let payload = random.bytes(40_000)
        var stored: [UInt8] = []
        for start in stride(from: 0, to: payload.count, by: 16_383) {
            let block = payload[start..<min(start + 16_383, payload.count)]
            let n = UInt16(block.count)
            stored += [0, UInt8(n & 255), UInt8(n >> 8), UInt8(~n & 255), UInt8(~n >> 8)] + block
        }
        var server = Endpoint(server: WebSocketLimits(maxMessageBytes: 40_000), deflate: 15)
        server.receive(frame(2, stored + [0], rsv: 4))
        let events = server.events
        #expect(events == [.binary(payload)])

        // And a flood of empty blocks ends at the limit of what is gathered, or is one empty message.
        var flooded = Endpoint(server: WebSocketLimits(maxMessageBytes: 1000), deflate: 15)
        let flood = (0..<300).flatMap { _ in [0, 0, 0, 255, 255] as [UInt8] }
        flooded.receive(frame(2, flood, rsv: 4))
        let refused = flooded.events
        #expect(refused == [.closed(1009, WebSocketFault.messageTooBig.reason, .messageTooBig)])
    }

    @Test func `compressed text is checked, and an uncompressed message may follow`() {
        let context = DeflateContext(thresholdBytes: 0)
        var server = Endpoint(server: .roomy, deflate: 15, context: context)
        let bad = [UInt8](repeating: 65, count: 50) + [0xc2]
        server.receive(frame(1, compressed([UInt8](repeating: 65, count: 50), context), rsv: 4) + frame(1, [66]))
        server.receive(frame(1, compressed(bad, context), rsv: 4))
        let events = server.events
        #expect(
            events == [
                .text([UInt8](repeating: 65, count: 50)), .text("B"),
                .closed(1007, WebSocketFault.textNotUTF8.reason, .textNotUTF8),
            ])
    }

    @Test func `a message does not see the one before it`() {
        // The second message refers back beyond its own start.
        let context = DeflateContext(thresholdBytes: 0)
        var server = Endpoint(server: .roomy, deflate: 15, context: context)
        server.receive(frame(1, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], rsv: 4))
        server.receive(frame(1, [0xf2, 0x00, 0x11, 0x00, 0x00], rsv: 4))  // RFC 7692 section 7.2.3.2, with takeover
        let events = server.events
        #expect(events == [.text("Hello"), .closed(1007, WebSocketFault.deflateMalformed.reason, .deflateMalformed)])
    }

    @Test func `an echo may compress while the inflated message is still borrowed`() {
        let context = DeflateContext(thresholdBytes: 0)
        var server = Endpoint(server: .roomy, deflate: 15, context: context)
        server.recorder.echoes = true
        server.recorder.deflate = context
        let payload = [UInt8](repeating: 3, count: 5000)
        let deflated = compressed(payload, context)
        server.receive(frame(2, deflated, rsv: 4) + frame(2, deflated, rsv: 4))
        #expect(server.output == frame(2, deflated, rsv: 4, mask: nil) + frame(2, deflated, rsv: 4, mask: nil))
    }

    @Test func `a prepared frame goes compressed to whom it suits`() {
        let context = DeflateContext()
        let small = prepared([UInt8](repeating: 1, count: 500), context)
        let large = prepared([UInt8](repeating: 1, count: 2000), context)
        #expect(small.deflated != nil && large.deflated != nil)
        for (bits, smallIsCompressed, largeIsCompressed) in [(nil, false, false), (9, true, false), (15, true, true)]
            as [(UInt8?, Bool, Bool)]
        {
            let server = Endpoint(server: .roomy, deflate: bits)
            let chosen = (server.socket.bytes(of: small), server.socket.bytes(of: large))
            #expect(chosen.0 == (smallIsCompressed ? small.deflated : small.plain))
            #expect(chosen.1 == (largeIsCompressed ? large.deflated : large.plain))
        }
    }

    @Test func `large buffers are not kept`() {
        let context = DeflateContext()
        let payload = [UInt8](repeating: 3, count: 300_000)
        var server = Endpoint(server: .roomy, deflate: 15, context: context)
        server.receive(frame(2, compressed(payload, context), rsv: 4))
        let events = server.events
        #expect(events == [.binary(payload)])
        let inflated = context.takeInflated()
        #expect(inflated.isEmpty)
    }
}

private func prepared(_ payload: [UInt8], _ context: DeflateContext) -> PreparedFrame {
    WebSocket.encode(.binary, payload.raw, deflate: context)
}
