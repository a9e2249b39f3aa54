import Testing
import UsherAPI
import Wire

/// What every message makes of bytes that no honest encoder writes.
@Suite struct HostileBytesTests {
    static let types = CodecTests.types
    static let seeds: Range<UInt64> = 0..<2

    @Test(arguments: types)
    func `a strict prefix is refused, unless it ends between two fields`(type: String) throws {
        for (record, seed) in records(type, density: 2) {
            var boundaries: [Int: ProtoRecord] = [:]
            var length = 0
            for (index, chunk) in record.chunks.enumerated() {
                boundaries[length] = shortened(record, toChunks: index)
                length += chunk.bytes.count
            }
            for length in 0..<record.bytes.count {
                let prefix = Array(record.bytes.prefix(length))
                if let shorter = boundaries[length] {
                    #expect(describe(try decode(type, prefix)) == shorter.text, "seed \(seed), \(length) bytes")
                } else {
                    #expect(throws: WireError.self, "seed \(seed), \(length) bytes") { try decode(type, prefix) }
                }
            }
        }
    }

    @Test(arguments: types)
    func `unknown fields are skipped wherever they stand`(type: String) throws {
        let unknown: [[UInt8]] = [
            tag(1000, 0) + varint(.max),
            tag(1000, 1) + [UInt8](repeating: 0xFF, count: 8),
            lengthDelimited(1000, [0xFF, 0xFE]),
            tag(1000, 3) + tag(1, 0) + [5] + tag(1001, 3) + lengthDelimited(2, [1]) + tag(1001, 4) + tag(1000, 4),
            tag(1000, 5) + [1, 2, 3, 4],
            tag(Field.numberMax, 0) + [0],
        ]
        for (record, seed) in records(type) {
            let chunks = record.chunks.map(\.bytes)
            for position in 0...chunks.count {
                for extra in unknown {
                    let bytes = (chunks[..<position] + [extra] + chunks[position...]).flatMap { $0 }
                    #expect(describe(try decode(type, bytes)) == record.text, "seed \(seed), before field \(position)")
                }
            }
        }
    }

    @Test(arguments: types)
    func `fields may come in any order`(type: String) throws {
        for (record, seed) in records(type) {
            // Only fields of different numbers change places: the order of a repeated field's elements counts.
            let groups = Dictionary(grouping: record.chunks, by: \.field.number)
            var random = SeededGenerator(seed: seed)
            let shuffled = groups.keys.sorted().shuffled(using: &random)
            let bytes = shuffled.flatMap { groups[$0]!.flatMap(\.bytes) }
            #expect(try decode(type, bytes).encoded() == record.bytes, "seed \(seed)")
        }
    }

    @Test(arguments: types)
    func `the last one of a scalar wins`(type: String) throws {
        for (record, seed) in records(type) {
            var random = SeededGenerator(seed: seed &+ 100)
            let other = ProtoRecord.random(type, density: 4, using: &random)
            let scalars = Set(record.entries.map(\.field.number))
            let earlier = other.chunks.filter {
                !$0.field.isRepeated && !$0.field.isMessage && scalars.contains($0.field.number)
            }
            let bytes = earlier.flatMap(\.bytes) + record.bytes
            #expect(describe(try decode(type, bytes)) == record.text, "seed \(seed)")
        }
    }

    @Test(arguments: types)
    func `submessages that come twice are merged, and another member of a oneof replaces`(type: String) throws {
        for field in ProtoSchema.usher.messages[type]! where field.isMessage && !field.isRepeated {
            guard case .message(let inner) = field.kind else { continue }
            var random = SeededGenerator(seed: 3)
            let whole = ProtoRecord.random(inner, density: 4, using: &random)
            let expected = ProtoRecord(type: type, entries: [.init(field: field, values: [.record(whole)])])
            for index in 0...whole.chunks.count {
                let halves = [whole.chunks[..<index], whole.chunks[index...]]
                let bytes = halves.flatMap { lengthDelimited(field.number, $0.flatMap(\.bytes)) }
                #expect(describe(try decode(type, bytes)) == expected.text, "\(field.name) at \(index)")
            }
            for sibling in ProtoSchema.usher.messages[type]!
            where sibling.oneof != nil && sibling.oneof == field.oneof && sibling.number != field.number {
                let bytes = lengthDelimited(sibling.number, []) + expected.bytes
                #expect(describe(try decode(type, bytes)) == expected.text, "\(sibling.name), then \(field.name)")
            }
        }
    }

    @Test(arguments: types)
    func `repeated numbers are read unpacked too, and in several packs`(type: String) throws {
        for (record, seed) in records(type) {
            let bytes = record.entries.flatMap { entry -> [UInt8] in
                guard entry.field.isRepeated, !entry.field.isMessage else {
                    return ProtoRecord(type: type, entries: [entry]).bytes
                }
                return entry.values.enumerated().flatMap { index, value in
                    let number = varint(value.number)
                    return index % 2 == 0 ? tag(entry.field.number, 0) + number : lengthDelimited(entry.field.number, number)
                }
            }
            #expect(try decode(type, bytes).encoded() == record.bytes, "seed \(seed)")
        }
    }

    @Test(arguments: types)
    func `a field of another wire type than its own is an unknown field`(type: String) throws {
        let values: [(wireType: UInt64, bytes: [UInt8])] = [
            (0, [7]), (1, [1, 2, 3, 4, 5, 6, 7, 8]), (2, [2, 8, 1]), (5, [1, 2, 3, 4]),
        ]
        for field in ProtoSchema.usher.messages[type]! {
            for (wireType, bytes) in values where wireType != field.wireType {
                if field.isRepeated, !field.isMessage, wireType == 2 || wireType == 0 { continue }
                let message = try decode(type, tag(field.number, wireType) + bytes)
                #expect(describe(message) == "{}", "\(field.name) as wire type \(wireType)")
            }
        }
    }

    @Test(arguments: types)
    func `a varint longer than ten bytes is refused`(type: String) throws {
        for field in ProtoSchema.usher.messages[type]! where field.wireType == 0 {
            let start = tag(field.number, 0)
            let tenBytes = [UInt8](repeating: 0x80, count: 9)
            #expect(
                describe(try decode(type, start + tenBytes + [0])) == (field.isRepeated ? "{\(field.swiftName):[0]}" : "{}"))
            #expect(throws: WireError.overlongVarint(at: start.count), "\(field.name)") {
                try decode(type, start + tenBytes + [0x80, 0])
            }
        }
    }

    @Test(arguments: types)
    func `numbers keep as many bits as their type has`(type: String) throws {
        for field in ProtoSchema.usher.messages[type]! where field.wireType == 0 && !field.isRepeated {
            let expected: (UInt64) -> String? = { number in
                switch field.kind {
                case .uint64: String(number)
                case .uint32: number & 0xFFFF_FFFF == 0 ? nil : String(number & 0xFFFF_FFFF)
                case .enumeration: number & 0xFFFF_FFFF == 0 ? nil : String(Int32(truncatingIfNeeded: number))
                case .bool: "1"
                default: nil
                }
            }
            for number in [1, 1 << 31, 1 << 32 - 1, 1 << 32, 1 << 32 + 5, 1 << 63, .max] as [UInt64] {
                let message = try decode(type, tag(field.number, 0) + varint(number))
                #expect(describe(message) == (expected(number).map { "{\(field.swiftName):\($0)}" } ?? "{}"), "\(number)")
            }
        }
    }

    @Test(arguments: types)
    func `a length that reaches past the end is refused`(type: String) throws {
        for field in ProtoSchema.usher.messages[type]! where field.wireType == 2 {
            let start = tag(field.number, 2)
            for length in [1, 127, 1 << 31 - 1, 1 << 31, 1 << 32, 1 << 35 - 1] as [UInt64] {
                #expect(throws: WireError.lengthPastEnd(at: start.count), "\(field.name), \(length)") {
                    try decode(type, start + varint(length))
                }
            }
            #expect(throws: WireError.overlongVarint(at: start.count), "\(field.name)") {
                try decode(type, start + varint(.max))
            }
            // Inside a submessage the submessage's end counts, not the whole message's.
            guard case .message(let inner) = field.kind,
                let nested = ProtoSchema.usher.messages[inner]!.first(where: { $0.wireType == 2 })
            else { continue }
            let lie = lengthDelimited(field.number, tag(nested.number, 2) + [5])
            #expect(throws: WireError.lengthPastEnd(at: lie.count - 1), "\(field.name).\(nested.name)") {
                try decode(type, lie + [0, 0, 0, 0, 0, 0])
            }
        }
    }

    @Test(arguments: types)
    func `text that is not UTF-8 is refused`(type: String) throws {
        let wrong: [[UInt8]] = [
            [0x80], [0xC0, 0x80], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF], [0x61, 0xFE],
        ]
        for field in ProtoSchema.usher.messages[type]! where field.kind == .string {
            for text in wrong {
                #expect(throws: WireError.invalidUTF8(at: tag(field.number, 2).count + 1), "\(field.name)") {
                    try decode(type, lengthDelimited(field.number, text))
                }
            }
        }
    }

    @Test(arguments: types)
    func `changed bytes are read or refused, and what is read can be written and read again`(type: String) throws {
        for seed in 0..<20 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var bytes = ProtoRecord.random(type, using: &random).bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let message = try? decode(type, bytes) else { continue }
            let again = try decode(type, message.encoded())
            #expect(describe(again) == describe(message), "seed \(seed)")
        }
    }

    private func records(_ type: String, density: Int = 3) -> [(ProtoRecord, UInt64)] {
        Self.seeds.map { seed in
            var random = SeededGenerator(seed: seed)
            return (ProtoRecord.random(type, density: density, using: &random), seed)
        }
    }

    /// What the first `count` chunks say.
    private func shortened(_ record: ProtoRecord, toChunks count: Int) -> ProtoRecord {
        var left = count
        var shorter = ProtoRecord(type: record.type)
        for entry in record.entries where left > 0 {
            let isPacked = entry.field.isRepeated && !entry.field.isMessage
            let values = isPacked ? entry.values : Array(entry.values.prefix(left))
            shorter.entries.append(.init(field: entry.field, values: values))
            left -= isPacked ? 1 : values.count
        }
        return shorter
    }
}

extension ProtoField {
    /// The wire type of the field, or of its elements.
    var wireType: UInt64 {
        switch kind {
        case .uint32, .uint64, .bool, .enumeration: 0
        case .fixed64: 1
        case .string, .bytes, .message: 2
        }
    }
}
