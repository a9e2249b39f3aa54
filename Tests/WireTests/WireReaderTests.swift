import Testing
import Wire

@Suite struct WireReaderTests {
    @Test(
        arguments: [
            ([0x00], 0), ([0x01], 1), ([0x7F], 127), ([0x80, 0x01], 128), ([0xFF, 0x7F], 16_383), ([0x80, 0x80, 0x01], 16_384),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0x0F], 1 << 32 - 1),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], 1 << 63 - 1),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .max),
            ([0x80, 0x00], 0), ([0x81, 0x80, 0x00], 1),  // longer than needed, but not too long
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], .max),  // bits past the 64th are dropped
        ] as [([UInt8], UInt64)])
    func `a varint is seven bits a byte, the least significant first`(bytes: [UInt8], value: UInt64) throws {
        var reader = WireReader(bytes.rawSpan)
        #expect(try reader.varint() == value)
        let isAtEnd = reader.isAtEnd
        #expect(isAtEnd)
    }

    @Test func `every strict prefix of a varint is truncated`() {
        let bytes = [UInt8](repeating: 0xFF, count: 9) + [0x01]
        for length in 0..<bytes.count {
            let prefix = Array(bytes.prefix(length))
            #expect(throws: WireError.truncated(at: 0)) {
                var reader = WireReader(prefix.rawSpan)
                _ = try reader.varint()
            }
        }
    }

    @Test func `ten bytes make a varint, eleven do not`() throws {
        let ten = [UInt8](repeating: 0x80, count: 9) + [0x00]
        var reader = WireReader(ten.rawSpan)
        #expect(try reader.varint() == 0)
        let eleven = [UInt8](repeating: 0x80, count: 10) + [0x00]
        #expect(throws: WireError.overlongVarint(at: 0)) {
            var reader = WireReader(eleven.rawSpan)
            _ = try reader.varint()
        }
    }

    @Test(
        arguments: [
            ([0x08], Field(number: 1, type: .varint)),
            ([0x7D], Field(number: 15, type: .fixed32)),
            ([0x81, 0x01], Field(number: 16, type: .fixed64)),
            ([0xFA, 0xFF, 0xFF, 0xFF, 0x0F], Field(number: Field.numberMax, type: .lengthDelimited)),
            ([0x88, 0x80, 0x80, 0x80, 0x00], Field(number: 1, type: .varint)),  // five bytes at most
        ] as [([UInt8], Field)])
    func `a tag is number and wire type`(bytes: [UInt8], field: Field) throws {
        var reader = WireReader(bytes.rawSpan)
        #expect(try reader.nextField() == field)
    }

    @Test(
        arguments: [
            ([0x00], .invalidFieldNumber(at: 0)),  // number 0
            ([0x05], .invalidFieldNumber(at: 0)),
            ([0x80, 0x80, 0x80, 0x80, 0x10], .invalidFieldNumber(at: 0)),  // number 2²⁹
            ([0xF8, 0xFF, 0xFF, 0xFF, 0x7F], .invalidFieldNumber(at: 0)),
            ([0x0E], .invalidWireType(at: 0)),
            ([0x0F], .invalidWireType(at: 0)),
            ([0x0C], .unmatchedEndGroup(at: 0)),
            ([0x80], .truncated(at: 0)),
            ([0x88, 0x80, 0x80, 0x80, 0x80, 0x00], .overlongVarint(at: 0)),
        ] as [([UInt8], WireError)])
    func `other tags are refused`(bytes: [UInt8], error: WireError) {
        #expect(throws: error) {
            var reader = WireReader(bytes.rawSpan)
            _ = try reader.nextField()
        }
    }

    @Test func `an empty message has no field`() throws {
        var reader = WireReader(RawSpan())
        #expect(try reader.nextField() == nil)
        #expect(try reader.nextField() == nil)
    }

    @Test func `fixed numbers are little-endian and need all their bytes`() throws {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 0x88]
        var reader = WireReader(bytes.rawSpan)
        #expect(try reader.fixed64() == 0x8807_0605_0403_0201)
        reader = WireReader(bytes.rawSpan)
        #expect(try reader.fixed32() == 0x0403_0201)
        #expect(try reader.fixed32() == 0x8807_0605)
        #expect(throws: WireError.truncated(at: 5)) {
            var reader = WireReader(bytes.rawSpan)
            _ = try reader.varint()
            _ = try reader.fixed32()
            _ = try reader.fixed32()
        }
    }

    @Test func `bytes and text are borrowed where they lie`() throws {
        let input: [UInt8] = [3, 0xFF, 0xFE, 0xFD, 2, 0xC3, 0xA9, 0]
        var reader = WireReader(input.rawSpan)
        let bytes = try reader.bytes()
        let range = input.rawSpan.byteOffsets(of: bytes)
        #expect(range == 1..<4)
        #expect(try reader.string() == "é")
        #expect(try reader.text().isEmpty)
        let position = reader.position
        #expect(position == 8)
    }

    @Test func `a length must lie within the message`() {
        for length in [2, 127, 1 << 31, 1 << 35 - 1] as [UInt64] {
            let bytes = varint(length) + [0]
            #expect(throws: WireError.lengthPastEnd(at: 0)) {
                var reader = WireReader(bytes.rawSpan)
                _ = try reader.bytes()
            }
        }
    }

    @Test(
        arguments: [
            [0x0B, 0x0C],  // group 1, empty
            [0x0B, 0x08, 0x05, 0x12, 0x01, 0xFF, 0x0C],
            [0x0B, 0x13, 0x1D, 1, 2, 3, 4, 0x14, 0x0C],  // group 2 in it
        ] as [[UInt8]])
    func `a group is skipped with all it holds`(bytes: [UInt8]) throws {
        var reader = WireReader(bytes.rawSpan)
        let field = try #require(try reader.nextField())
        try reader.skip(field)
        #expect(try reader.nextField() == nil)
    }

    @Test(
        arguments: [
            ([0x0B], .truncated(at: 1)),
            ([0x0B, 0x08], .truncated(at: 2)),
            ([0x0B, 0x14], .unmatchedEndGroup(at: 1)),
            ([0x0B, 0x13, 0x0C, 0x14], .unmatchedEndGroup(at: 2)),
            ([0x0B, 0x12, 0x05, 0x0C], .lengthPastEnd(at: 2)),
            ([0x0B, 0x0F], .invalidWireType(at: 1)),
        ] as [([UInt8], WireError)])
    func `a group that is not whole is refused`(bytes: [UInt8], error: WireError) {
        #expect(throws: error) {
            var reader = WireReader(bytes.rawSpan)
            let field = try reader.nextField()!
            try reader.skip(field)
        }
    }

    @Test func `groups nest a hundred deep and no deeper`() throws {
        func groups(_ depth: Int) -> [UInt8] {
            [UInt8](repeating: 0x0B, count: depth) + [UInt8](repeating: 0x0C, count: depth)
        }
        #expect(try Node(decoding: groups(WireReader.depthMax)) == Node())
        #expect(throws: WireError.nestedTooDeep(at: WireReader.depthMax + 1)) {
            try Node(decoding: groups(WireReader.depthMax + 1))
        }
    }

    @Test func `messages nest a hundred deep and no deeper`() throws {
        func messages(_ depth: Int) -> [UInt8] {
            (0..<depth).reduce([0x08, 0x07]) { inner, _ in [0x12] + varint(UInt64(inner.count)) + inner }
        }
        #expect(try Node(decoding: messages(WireReader.depthMax)).encoded() == messages(WireReader.depthMax))
        #expect(throws: WireError.self) { try Node(decoding: messages(WireReader.depthMax + 1)) }
        // Groups inside messages count from where they stand.
        let groups: [UInt8] = [0x1B, 0x1C]
        let deepest = (0..<WireReader.depthMax).reduce(groups) { inner, _ in [0x12] + varint(UInt64(inner.count)) + inner }
        #expect(throws: WireError.self) { try Node(decoding: deepest) }
    }

    @Test func `depth is given back on the way out`() throws {
        let siblings = [UInt8]([0x12, 0x02, 0x12, 0x00]) + [0x0B, 0x0B, 0x0C, 0x0C]
        let bytes = (0..<200).flatMap { _ in siblings }
        #expect(try Node(decoding: bytes).child?.child == Node())
    }

    @Test func `errors in nested messages count from the outermost byte`() {
        let bytes: [UInt8] = [0x08, 0x01, 0x12, 0x04, 0x12, 0x02, 0x08, 0x80]
        #expect(throws: WireError.truncated(at: 7)) { try Node(decoding: bytes) }
    }
}
