import Testing
import UsherAPI
import Wire

/// The codec of every message against the tests' own reading of the `.proto` files.
@Suite struct CodecTests {
    static let types = ProtoSchema.usher.messages.keys.sorted()

    @Test func `every message of the proto files has its type`() {
        #expect(messageTypesByName.keys.sorted() == Self.types)
    }

    @Test(arguments: types)
    func `a default message is zero bytes and back`(type: String) throws {
        let message = messageTypesByName[type]!.init()
        #expect(message.encoded().isEmpty)
        #expect(message.encodedSize == 0)
        #expect(describe(try decode(type, [])) == "{}")
    }

    @Test(arguments: types)
    func `every field is read and written under its number, name and type`(type: String) throws {
        for seed in 0..<12 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let record = ProtoRecord.random(type, density: 4, using: &random)
            let message = try decode(type, record.bytes)
            #expect(describe(message) == record.text, "seed \(seed)")
            #expect(message.encoded() == record.bytes, "seed \(seed)")
            #expect(message.encodedSize == record.bytes.count, "seed \(seed)")
        }
    }

    @Test(arguments: types)
    func `sparse messages leave their defaults out`(type: String) throws {
        for seed in 0..<12 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let record = ProtoRecord.random(type, density: 2, using: &random)
            let message = try decode(type, record.bytes)
            #expect(describe(message) == record.text, "seed \(seed)")
            #expect(message.encoded() == record.bytes, "seed \(seed)")
        }
    }

    @Test(arguments: types)
    func `a message appended to an array leaves what is before it`(type: String) {
        var random = SeededGenerator(seed: 1)
        let record = ProtoRecord.random(type, using: &random)
        var output: [UInt8] = [1, 2, 3]
        try! decode(type, record.bytes).append(to: &output)
        #expect(output == [1, 2, 3] + record.bytes)
    }

    @Test(arguments: types)
    func `equal messages have equal bytes and unequal ones do not`(type: String) throws {
        var random = SeededGenerator(seed: 2)
        let record = ProtoRecord.random(type, density: 4, using: &random)
        func equal<M: WireMessage>(_ left: M, _ right: any WireMessage) -> Bool { left == right as! M }
        let message = try decode(type, record.bytes)
        #expect(equal(message, try decode(type, record.bytes)))
        for index in record.entries.indices {
            var changed = record
            changed.entries.remove(at: index)
            #expect(!equal(message, try decode(type, changed.bytes)), "without field \(record.entries[index].field.name)")
        }
    }

    @Test func `every enum value has its number, and other numbers are kept`() throws {
        // One field of each enum type, found through the schema.
        var seen: Set<String> = []
        for (type, fields) in ProtoSchema.usher.messages {
            for field in fields {
                guard case .enumeration(let name) = field.kind, seen.insert(name).inserted else { continue }
                let named = Set(ProtoSchema.usher.enums[name]!.values)
                for number in Set([-1, 1000, .min, .max]).union(named) where number != 0 {
                    let value = ProtoValue.number(UInt64(bitPattern: Int64(number)))
                    let record = ProtoRecord(type: type, entries: [.init(field: field, values: [value])])
                    let message = try decode(type, record.bytes)
                    #expect(describe(message) == record.text)
                    let isUnrecognised = enumText(of: message, field).hasPrefix("unrecognized")
                    #expect(isUnrecognised != named.contains(number), "\(name) \(number)")
                }
            }
        }
        #expect(seen == Set(ProtoSchema.usher.enums.keys).subtracting(["FrameKind"]))
        for (name, number) in ProtoSchema.usher.enums["FrameKind"]! {
            #expect(FrameKind(rawValue: number).rawValue == number)
            #expect(!"\(FrameKind(rawValue: number))".hasPrefix("unrecognized"), "\(name)")
        }
    }

    @Test func `the words of status codes are those of the proto files`() {
        for (name, number) in ProtoSchema.usher.enums["StatusCode"]! {
            #expect("\(StatusCode(rawValue: number))" == name.camelCased)
        }
    }

    private func enumText(of message: any WireMessage, _ field: ProtoField) -> String {
        let value = Mirror(reflecting: message).children.first { $0.label == field.swiftName }!.value
        return if let values = value as? [any WireEnum] { "\(values[0])" } else { "\(value)" }
    }
}

func decode(_ type: String, _ bytes: [UInt8]) throws(WireError) -> any WireMessage {
    try messageTypesByName[type]!.init(decoding: bytes)
}
