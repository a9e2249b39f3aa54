import Wire

/// A message that nests in itself, with one field of each kind.
struct Node: WireMessage {
    var number: UInt64 = 0
    private var children: [Node] = []
    var small: UInt32 = 0
    var fixed: UInt64 = 0
    var flag = false
    var text = ""
    var blob: [UInt8] = []
    var colour = Colour.none
    var smalls: [UInt32] = []
    var numbers: [UInt64] = []
    var colours: [Colour] = []
    var nodes: [Node] = []

    /// A struct cannot hold itself, an array of it can.
    var child: Node? {
        get { children.first }
        set { children = newValue.map { [$0] } ?? [] }
    }

    func encode(to writer: inout WireWriter) {
        writer.uint64(1, number)
        writer.message(2, child)
        writer.uint32(4, small)
        writer.fixed64(5, fixed)
        writer.bool(6, flag)
        writer.string(7, text)
        writer.bytes(8, blob)
        writer.enumeration(9, colour)
        writer.uint32s(10, smalls)
        writer.uint64s(11, numbers)
        writer.enumerations(12, colours)
        writer.messages(13, nodes)
    }

    mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &number)
            case 2:
                var merged = child
                try reader.message(field, &merged)
                child = merged
            case 4: try reader.uint32(field, &small)
            case 5: try reader.fixed64(field, &fixed)
            case 6: try reader.bool(field, &flag)
            case 7: try reader.string(field, &text)
            case 8: try reader.bytes(field, &blob)
            case 9: try reader.enumeration(field, &colour)
            case 10: try reader.uint32s(field, &smalls)
            case 11: try reader.uint64s(field, &numbers)
            case 12: try reader.enumerations(field, &colours)
            case 13: try reader.messages(field, &nodes)
            default: try reader.skip(field)
            }
        }
    }
}

enum Colour: WireEnum {
    case none
    case red
    case unrecognized(Int32)

    init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .none
        case 1: self = .red
        default: self = .unrecognized(rawValue)
        }
    }

    var rawValue: Int32 {
        switch self {
        case .none: 0
        case .red: 1
        case .unrecognized(let number): number
        }
    }
}

func varint(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
}
