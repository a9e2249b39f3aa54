// The wire format of the messages of protocol/usher/v1/catalogue.proto: fields in ascending order of number.

public import Wire

extension Concert {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, id)
        writer.string(2, title)
        writer.string(3, venue)
        writer.enumeration(4, lineState)
        writer.uint64(5, lobbyOpensMs)
        writer.uint64(6, opensMs)
        writer.uint64(7, closesMs)
        writer.enumeration(8, lobbyOrder)
        writer.bytes(9, drawCommitment)
        writer.bytes(10, drawSeed)
        writer.uint64(11, drawn)
        writer.message(12, policy)
        writer.uint64(13, waiting)
        writer.uint64(14, active)
        writer.uint32(15, performances)
        writer.uint32(16, maxSeats)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &id)
            case 2: try reader.string(field, &title)
            case 3: try reader.string(field, &venue)
            case 4: try reader.enumeration(field, &lineState)
            case 5: try reader.uint64(field, &lobbyOpensMs)
            case 6: try reader.uint64(field, &opensMs)
            case 7: try reader.uint64(field, &closesMs)
            case 8: try reader.enumeration(field, &lobbyOrder)
            case 9: try reader.bytes(field, &drawCommitment)
            case 10: try reader.bytes(field, &drawSeed)
            case 11: try reader.uint64(field, &drawn)
            case 12: try reader.message(field, &policy)
            case 13: try reader.uint64(field, &waiting)
            case 14: try reader.uint64(field, &active)
            case 15: try reader.uint32(field, &performances)
            case 16: try reader.uint32(field, &maxSeats)
            default: try reader.skip(field)
            }
        }
    }
}

extension ListConcertsRequest {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, after)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &after)
            default: try reader.skip(field)
            }
        }
    }
}

extension ListConcertsResponse {
    public func encode(to writer: inout WireWriter) {
        writer.messages(1, concerts)
        writer.bool(2, more)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.messages(field, &concerts)
            case 2: try reader.bool(field, &more)
            default: try reader.skip(field)
            }
        }
    }
}

extension Performance {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, id)
        writer.string(2, concert)
        writer.uint64(3, startsMs)
        writer.uint32(4, seatCount)
        writer.uint32(5, seatsLeft)
        writer.uint64(6, priceMin)
        writer.uint64(7, priceMax)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &id)
            case 2: try reader.string(field, &concert)
            case 3: try reader.uint64(field, &startsMs)
            case 4: try reader.uint32(field, &seatCount)
            case 5: try reader.uint32(field, &seatsLeft)
            case 6: try reader.uint64(field, &priceMin)
            case 7: try reader.uint64(field, &priceMax)
            default: try reader.skip(field)
            }
        }
    }
}

extension ListPerformancesRequest {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, concert)
        writer.uint64(2, fromMs)
        writer.bool(3, includeSoldOut)
        writer.string(4, after)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &concert)
            case 2: try reader.uint64(field, &fromMs)
            case 3: try reader.bool(field, &includeSoldOut)
            case 4: try reader.string(field, &after)
            default: try reader.skip(field)
            }
        }
    }
}

extension ListPerformancesResponse {
    public func encode(to writer: inout WireWriter) {
        writer.messages(1, performances)
        writer.enumeration(2, availability)
        writer.bool(3, more)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.messages(field, &performances)
            case 2: try reader.enumeration(field, &availability)
            case 3: try reader.bool(field, &more)
            default: try reader.skip(field)
            }
        }
    }
}

extension ListSeatsRequest {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, performance)
        writer.uint32(2, firstSeat)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &performance)
            case 2: try reader.uint32(field, &firstSeat)
            default: try reader.skip(field)
            }
        }
    }
}

extension StreamSeatsRequest {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, concert)
        writer.uint64(2, fromMs)
        writer.bool(3, includeSoldOut)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &concert)
            case 2: try reader.uint64(field, &fromMs)
            case 3: try reader.bool(field, &includeSoldOut)
            default: try reader.skip(field)
            }
        }
    }
}

extension WatchSeatsRequest {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, performance)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &performance)
            default: try reader.skip(field)
            }
        }
    }
}

extension Seat {
    public func encode(to writer: inout WireWriter) {
        writer.uint32(1, number)
        writer.uint64(2, price)
        writer.enumeration(3, state)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint32(field, &number)
            case 2: try reader.uint64(field, &price)
            case 3: try reader.enumeration(field, &state)
            default: try reader.skip(field)
            }
        }
    }
}

extension SeatList {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, performance)
        writer.messages(2, seats)
        writer.uint32(3, seatsLeft)
        writer.enumeration(4, availability)
        writer.uint32(5, nextSeat)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &performance)
            case 2: try reader.messages(field, &seats)
            case 3: try reader.uint32(field, &seatsLeft)
            case 4: try reader.enumeration(field, &availability)
            case 5: try reader.uint32(field, &nextSeat)
            default: try reader.skip(field)
            }
        }
    }
}
