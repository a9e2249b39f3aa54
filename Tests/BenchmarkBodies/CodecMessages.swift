// The messages of Tests/Benchmarks/bench.proto, written as those of UsherAPI are.

public import Wire

/// Where somebody stands.
public enum State: WireEnum {
    case unspecified
    case waiting
    case active
    case ended
    case unrecognized(Int32)

    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .waiting
        case 2: self = .active
        case 3: self = .ended
        default: self = .unrecognized(rawValue)
        }
    }

    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .waiting: 1
        case .active: 2
        case .ended: 3
        case .unrecognized(let number): number
        }
    }
}

/// A push about a place in line.
public struct Small: WireMessage {
    public var id: UInt64 = 0
    public var place: UInt32 = 0
    public var timeMs: UInt64 = 0
    public var user = ""
    public var state: State = .unspecified

    public init() {}

    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, id)
        writer.uint32(2, place)
        writer.uint64(3, timeMs)
        writer.string(4, user)
        writer.enumeration(5, state)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &id)
            case 2: try reader.uint32(field, &place)
            case 3: try reader.uint64(field, &timeMs)
            case 4: try reader.string(field, &user)
            case 5: try reader.enumeration(field, &state)
            default: try reader.skip(field)
            }
        }
    }

    /// The values measured: 57 bytes.
    public static var measured: Small {
        var small = Small()
        small.id = 8_589_934_592
        small.place = 250_000
        small.timeMs = 1_795_370_000_000
        small.user = "6f1f3a52-0c7e-4b0d-9d53-8e4f1c2ab907"
        small.state = .waiting
        return small
    }
}

/// `Small` read where it lies, as `OpenView` reads calls: the text is borrowed, not copied.
public struct SmallView: ~Escapable {
    public private(set) var id: UInt64 = 0
    public private(set) var place: UInt32 = 0
    public private(set) var timeMs: UInt64 = 0
    public private(set) var user: RawSpan
    public private(set) var state: State = .unspecified

    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) throws(WireError) {
        user = bytes.extracting(first: 0)
        var reader = WireReader(bytes)
        while let field = try reader.nextField() {
            switch (field.number, field.type) {
            case (1, .varint): id = try reader.varint()
            case (2, .varint): place = UInt32(truncatingIfNeeded: try reader.varint())
            case (3, .varint): timeMs = try reader.varint()
            case (4, .lengthDelimited): user = try reader.text().span.rawSpan
            case (5, .varint): state = State(rawValue: Int32(truncatingIfNeeded: try reader.varint()))
            default: try reader.skip(field)
            }
        }
    }
}

/// A seat.
public struct Seat: WireMessage {
    public var number: UInt32 = 0
    public var state: UInt32 = 0
    public var revision: UInt64 = 0

    public init() {}

    public func encode(to writer: inout WireWriter) {
        writer.uint32(1, number)
        writer.uint32(2, state)
        writer.uint64(3, revision)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint32(field, &number)
            case 2: try reader.uint32(field, &state)
            case 3: try reader.uint64(field, &revision)
            default: try reader.skip(field)
            }
        }
    }
}

/// The seats of a performance.
public struct SeatMapMessage: WireMessage {
    public var seats: [Seat] = []

    public init() {}

    public func encode(to writer: inout WireWriter) {
        writer.messages(1, seats)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.messages(field, &seats)
            default: try reader.skip(field)
            }
        }
    }

    /// The values measured: 50 seats, 424 bytes.
    public static var measured: SeatMapMessage {
        var map = SeatMapMessage()
        for number in 1...50 {
            var seat = Seat()
            seat.number = UInt32(number)
            seat.state = UInt32(number % 3 + 1)
            seat.revision = UInt64(101 + number)
            map.seats.append(seat)
        }
        return map
    }
}
