import Testing

@testable import WebSocket

struct FrameTests {
    static let hello = Array("Hello".utf8)

    @Test func `a server reads the masked Hello of RFC 6455 section 5.7`() {
        var server = Endpoint(server: .roomy)
        server.receive([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
        let events = server.events
        #expect(events == [.text("Hello")])
        #expect(server.output.isEmpty)
    }

    @Test func `a client reads the examples of RFC 6455 section 5.7`() {
        var client = Endpoint(client: .roomy)
        client.receive([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
        client.receive([0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f])
        client.receive([0x8a, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
        client.receive([0x82, 0x7e, 0x01, 0x00] + [UInt8](repeating: 7, count: 256))
        client.receive([0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0] + [UInt8](repeating: 8, count: 65536))
        let events = client.events
        #expect(
            events == [
                .text("Hello"), .text("Hello"), .pong(Self.hello), .binary([UInt8](repeating: 7, count: 256)),
                .binary([UInt8](repeating: 8, count: 65536)),
            ])
    }

    @Test func `a ping is answered by a pong with its payload`() {
        var server = Endpoint(server: .roomy)
        server.receive(frame(9, Self.hello))
        let events = server.events
        #expect(events == [.ping(Self.hello)])
        #expect(server.output == [0x8a, 0x05] + Self.hello)
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536, 100_000])
    func `what one side sends the other reads, with the length in its shortest form`(size: Int) {
        var random = SplitMix(state: UInt64(size))
        let payload = random.bytes(size)
        let header = size < 126 ? 2 : size < 65536 ? 4 : 10

        var server = Endpoint(server: .roomy)
        var client = Endpoint(client: .roomy)
        let sent = server.send(.binary, payload)
        #expect(sent)
        #expect(server.output == frame(2, payload, mask: nil))
        client.receive(server.output)
        client.send(.text, [UInt8](repeating: 65, count: size))
        #expect(client.output.count == header + 4 + size)
        server.receive(client.output)

        let received = (client.events, server.events)
        #expect(received.0 == [.binary(payload)])
        #expect(received.1 == [.text([UInt8](repeating: 65, count: size))])
    }

    @Test func `a header with its payload written behind it is a message`() {
        var server = Endpoint(server: .roomy)
        let begun = server.socket.begin(.binary, payloadBytes: 300, to: &server.output)
        #expect(begun)
        server.output += [UInt8](repeating: 1, count: 300)
        #expect(server.output == frame(2, [UInt8](repeating: 1, count: 300), mask: nil))
    }

    @Test func `a client masks every frame with another key`() {
        var client = Endpoint(client: .roomy)
        let zeros = [UInt8](repeating: 0, count: 4)
        var keys: Set<[UInt8]> = []
        for _ in 0..<100 {
            client.output = []
            client.send(.binary, zeros)
            keys.insert(Array(client.output[2..<6]))
            #expect(client.output[2..<6] == client.output[6..<10])  // zeros under the mask show the key
        }
        #expect(keys.count == 100)
    }

    @Test func `a prepared frame is what sending would write`() {
        let prepared = WebSocket.encode(.text, Self.hello.raw)
        var server = Endpoint(server: .roomy)
        server.socket.send(prepared, to: &server.output)
        #expect(server.output == [0x81, 0x05] + Self.hello)
        #expect(prepared.deflated == nil)
    }

    @Test func `the state of a connection is small and owns nothing while idle`() {
        #expect(MemoryLayout<WebSocket>.size <= 100)
        var server = Endpoint(server: .roomy)
        server.receive(frame(1, Self.hello, fin: false))
        let during = server.socket.bufferedBytes
        #expect(during == 5)
        server.receive(frame(0, Self.hello) + frame(9, [1, 2, 3]))
        let after = (server.socket.bufferedBytes, server.socket.buffer.capacity, server.socket.control.capacity)
        #expect(after == (0, 0, 0))
    }
}

struct MaskingTests {
    @Test func `masking agrees with the definition at every length, offset and split`() {
        var random = SplitMix(state: 11)
        let key: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        let word = UInt32(key[0]) | UInt32(key[1]) << 8 | UInt32(key[2]) << 16 | UInt32(key[3]) << 24
        var wrong: [String] = []  // an expectation for each of the many cases would take its time
        for length in 0..<40 {
            for offset in 0..<9 {
                let original = random.bytes(offset + length + 3)
                var expected = original
                for index in 0..<length { expected[offset + index] ^= key[index % 4] }
                for split in 0...length {
                    var copy = original
                    var elements = copy.mutableSpan
                    var raw = unsafe elements.mutableBytes
                    let rest = raw.mask(offset..<offset + split, with: word)
                    _ = raw.mask(offset + split..<offset + length, with: rest)
                    if copy != expected { wrong.append("length \(length), offset \(offset), split \(split)") }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `the keys come from SipHash-2-4`() {
        // The reference vector for the message 00 01 … 07 under the key 00 01 … 0F.
        #expect(
            MaskingKeys.sipHash(of: 0x0706_0504_0302_0100, 0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
                == 0x93f5_f579_9a93_2462)
    }
}
