import Testing
import Wire

@Suite struct WireWriterTests {
    @Test(
        arguments: [
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

    @Test(arguments: [0, 1, 125, 126, 127, 128, 129, 16_380, 16_381, 16_382, 16_383, 16_384, 2_097_151, 2_097_152])
    func `a nested message has its length before it, however many bytes the length needs`(size: Int) throws {
        var inner = Node()
        inner.blob = [UInt8](repeating: 7, count: size)
        let blob = size == 0 ? [] : [0x42] + varint(UInt64(size)) + inner.blob
        var node = Node()
        node.child = inner
        node.nodes = [inner]
        let length = varint(UInt64(blob.count))
        #expect(node.encoded() == [0x12] + length + blob + [0x6A] + length + blob)
        // Twice as deep, behind something, with something behind.
        var outer = Node()
        outer.number = 1
        outer.child = node
        outer.text = "behind"
        let nested = node.encoded()
        let before = [0x08, 1, 0x12] + varint(UInt64(nested.count))
        #expect(outer.encoded() == before + nested + [0x3A, 6] + Array("behind".utf8))
        #expect(outer.encodedSize == outer.encoded().count)
    }

    @Test func `a bytes field that holds an empty message is left out`() {
        struct Carrier: WireEncodable {
            var inner: Node
            func encode(to writer: inout WireWriter) {
                writer.uint64(1, 5)
                writer.bytes(2000, encoding: inner)
            }
        }
        var node = Node()
        #expect(Carrier(inner: node).encoded() == [0x08, 5])
        #expect(Carrier(inner: node).encodedSize == 2)
        node.number = 9
        #expect(Carrier(inner: node).encoded() == [0x08, 5] + varint(2000 << 3 | 2) + [2, 0x08, 9])
    }
}
