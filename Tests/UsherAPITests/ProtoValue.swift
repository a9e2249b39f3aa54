// Messages as trees of values, built and written by the schema alone: the tests' second opinion on the codec.

/// A value of one field, or one element of a repeated one.
indirect enum ProtoValue: Equatable {
    case number(UInt64)
    case bytes([UInt8])
    case record(ProtoRecord)
}

/// A message: the fields that are not at their default, by ascending number.
struct ProtoRecord: Equatable {
    struct Entry: Equatable {
        var field: ProtoField
        var values: [ProtoValue]
    }

    var type: String
    var entries: [Entry] = []
}

// MARK: - Text, to compare with what `describe(_:)` says of a message and conformance.py of Python's

extension ProtoRecord {
    var text: String {
        "{"
            + entries.map { entry in
                let values = entry.values.map { $0.text(entry.field) }
                return entry.field.swiftName + ":"
                    + (entry.field.isRepeated ? "[" + values.joined(separator: ",") + "]" : values[0])
            }.joined(separator: ",") + "}"
    }
}

extension ProtoValue {
    fileprivate func text(_ field: ProtoField) -> String {
        switch self {
        case .number(let number):
            if case .enumeration = field.kind { String(Int32(truncatingIfNeeded: number)) } else { String(number) }
        case .bytes(let bytes): "'" + bytes.hex + "'"
        case .record(let record): record.text
        }
    }
}

// MARK: - Bytes

extension ProtoRecord {
    /// The canonical bytes.
    var bytes: [UInt8] { chunks.flatMap(\.bytes) }

    /// The fields as they lie on the wire, one chunk of tag and value for each.
    var chunks: [Chunk] {
        entries.flatMap { entry -> [Chunk] in
            let field = entry.field
            if field.isRepeated, !field.isMessage {
                return [Chunk(field, .bytes(entry.values.flatMap { varint($0.number) }))]
            }
            return entry.values.map { Chunk(field, $0) }
        }
    }

    struct Chunk {
        var field: ProtoField
        var bytes: [UInt8]

        init(_ field: ProtoField, _ value: ProtoValue) {
            self.field = field
            bytes =
                switch value {
                case .number(let number) where field.kind == .fixed64:
                    tag(field.number, 1) + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
                case .number(let number): tag(field.number, 0) + varint(number)
                case .bytes(let bytes): lengthDelimited(field.number, bytes)
                case .record(let record): lengthDelimited(field.number, record.bytes)
                }
        }
    }
}

extension ProtoValue {
    var number: UInt64 { if case .number(let number) = self { number } else { preconditionFailure() } }
}

func varint(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
}

func tag(_ number: Int, _ wireType: UInt64) -> [UInt8] { varint(UInt64(number) << 3 | wireType) }

func lengthDelimited(_ number: Int, _ bytes: [UInt8]) -> [UInt8] {
    tag(number, 2) + varint(UInt64(bytes.count)) + bytes
}

extension [UInt8] {
    var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    init(hex: String) {
        let digits = Array<Character>(hex)
        self = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! }
    }
}

// MARK: - Random

/// Numbers from a seed (SplitMix64), the same on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension ProtoRecord {
    /// A message with each field set with a chance of `density` in 4, at most one of each oneof; 4 fills it.
    static func random(_ type: String, density: Int = 3, using random: inout SeededGenerator) -> ProtoRecord {
        let fields = ProtoSchema.usher.messages[type]!
        var record = ProtoRecord(type: type)
        var chosen: [String: Int] = [:]
        for field in fields where field.oneof != nil {
            let siblings = fields.filter { $0.oneof == field.oneof }.map(\.number)
            if chosen[field.oneof!] == nil { chosen[field.oneof!] = siblings.randomElement(using: &random) }
        }
        for field in fields {
            guard Int.random(in: 0..<4, using: &random) < density else { continue }
            if let oneof = field.oneof, chosen[oneof] != field.number { continue }
            let count = field.isRepeated ? Int.random(in: 1...5, using: &random) : 1
            let values = (0..<count).map { _ in
                ProtoValue.random(field, allowsDefault: field.isRepeated || field.hasPresence, density, &random)
            }
            record.entries.append(Entry(field: field, values: values))
        }
        return record
    }
}

extension ProtoValue {
    fileprivate static func random(
        _ field: ProtoField, allowsDefault: Bool, _ density: Int, _ random: inout SeededGenerator
    ) -> ProtoValue {
        while true {
            let value: ProtoValue
            switch field.kind {
            case .uint32: value = .number(UInt64(UInt32(truncatingIfNeeded: spread(&random))))
            case .uint64, .fixed64: value = .number(spread(&random))
            case .bool: value = .number(UInt64.random(in: 0...1, using: &random))
            case .enumeration(let name):
                let known = ProtoSchema.usher.enums[name]!.values.sorted()
                let number =
                    Int.random(in: 0..<8, using: &random) > 0
                    ? known.randomElement(using: &random)! : Int32(truncatingIfNeeded: spread(&random))
                value = .number(UInt64(bitPattern: Int64(number)))
            case .string:
                let pieces = ["", "a", "Seat 7", "é", "漢字", "🎻", "\u{0}", "\u{7F}\u{80}", "\u{FFFF}\u{10FFFF}", "~/.-_"]
                let count = Int.random(in: 0...6, using: &random)
                value = .bytes((0..<count).flatMap { _ in Array(pieces.randomElement(using: &random)!.utf8) })
            case .bytes:
                let count = [0, 1, 9, 127, 128, 300].randomElement(using: &random)!
                value = .bytes((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
            case .message(let type): return .record(.random(type, density: density, using: &random))
            }
            if allowsDefault || (value != .number(0) && value != .bytes([])) { return value }
        }
    }

    /// Any number of bits is as likely as any other, and the edges come often.
    private static func spread(_ random: inout SeededGenerator) -> UInt64 {
        if Int.random(in: 0..<4, using: &random) == 0 {
            return [1, 127, 128, 16_383, 16_384, 1 << 31, 1 << 32 - 1, 1 << 32, 1 << 63, .max].randomElement(using: &random)!
        }
        return random.next() >> UInt64.random(in: 0..<64, using: &random)
    }
}
