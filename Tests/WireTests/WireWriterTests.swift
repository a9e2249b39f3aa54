import Testing
import Wire

@Suite struct WireWriterTests {
    @Test(arguments: [
        (1, [0x08, 0x01]), (127, [0x08, 0x7F]), (128, [0x08, 0x80, 0x01]), (16_383, [0x08, 0xFF, 0x7F]),
        (16_384, [0x08, 0x80, 0x80, 0x01]), (.max, [0x08] + [UInt8](repeating: 0xFF, count: 9) + [0x01]),
    ] as [(UInt64, [UInt8])])
    func `varints are the shortest`(number: UInt64, bytes: [UInt8]) throws {
        var node = Node()
        node.number = number
        #expect(node.encoded() == bytes)
        #expect(node.encodedSize == bytes.count)
    }

    @Test func `sizes are right at every power of two`() {
        for shift in 0..<64 as Range<UInt64> {
            for number in [1 << shift, 1 << shift - 1] as [UInt64] {
                var node = Node()
                node.number = number
                #expect(node.encodedSize == (number == 0 ? 0 : 1 + varint(number).count))
                #expect(node.encoded().count == node.encodedSize)
            }
        }
    }

    @Test func `each kind of field has its bytes`() throws {
        var node = Node()
        node.small = .max
        node.fixed = 0x0102
        node.flag = true
        node.text = "é"
        node.blob = [0, 255]
        node.colour = .unrecognized(-1)
        node.smalls = [0, 300]
        node.numbers = [.max]
        node.colours = [.red, .none, .unrecognized(-2)]
        node.nodes = [Node()]
        node.child = Node()
        let bytes: [UInt8] = [
            0x12, 0,
            0x20, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F,
            0x29, 2, 1, 0, 0, 0, 0, 0, 0,
            0x30, 1,
            0x3A, 2, 0xC3, 0xA9,
            0x42, 2, 0, 255,
            0x48, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1,
            0x52, 3, 0, 0xAC, 2,
            0x5A, 10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1,
            0x62, 12, 1, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1,
            0x6A, 0,
        ]
        #expect(node.encoded() == bytes)
        #expect(node.encodedSize == bytes.count)
        #expect(try Node(decoding: bytes) == node)
    }

    @Test func `a message is appended after what an array holds, into the room it has`() {
        var node = Node()
        node.text = String(repeating: "x", count: 200)
        var output: [UInt8] = []
        output.reserveCapacity(10_000)
        let capacity = output.capacity
        for _ in 0..<40 { node.append(to: &output) }
        #expect(output.capacity == capacity)
        #expect(output == (0..<40).flatMap { _ in node.encoded() })
    }

    @Test func `text that is not stored as UTF-8 in one piece is written whole`() throws {
        for text in ["", "small", String(repeating: "漢字🎻", count: 50), String("a\u{0}b".reversed())] {
            var node = Node()
            node.text = text
            #expect(try Node(decoding: node.encoded()).text == text)
        }
    }
}
