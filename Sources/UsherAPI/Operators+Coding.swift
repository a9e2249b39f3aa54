// The wire format of the messages of protocol/usher/v1/operators.proto: fields in ascending order of number.

public import Wire

extension ConcertSettings {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, id)
        writer.string(2, title)
        writer.string(3, venue)
        writer.uint64(4, lobbyOpensMs)
        writer.uint64(5, opensMs)
        writer.uint64(6, closesMs)
        writer.enumeration(7, lobbyOrder)
        writer.message(8, policy)
        writer.uint32(9, maxSeats)
        writer.uint64(10, holdTtlMs)
        writer.uint64(11, activeTtlMs)
        writer.uint64(12, idleTtlMs)
        writer.uint64(13, graceMs)
        writer.uint64(14, cancelUntilMs)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &id)
            case 2: try reader.string(field, &title)
            case 3: try reader.string(field, &venue)
            case 4: try reader.uint64(field, &lobbyOpensMs)
            case 5: try reader.uint64(field, &opensMs)
            case 6: try reader.uint64(field, &closesMs)
            case 7: try reader.enumeration(field, &lobbyOrder)
            case 8: try reader.message(field, &policy)
            case 9: try reader.uint32(field, &maxSeats)
            case 10: try reader.uint64(field, &holdTtlMs)
            case 11: try reader.uint64(field, &activeTtlMs)
            case 12: try reader.uint64(field, &idleTtlMs)
            case 13: try reader.uint64(field, &graceMs)
            case 14: try reader.uint64(field, &cancelUntilMs)
            default: try reader.skip(field)
            }
        }
    }
}

extension PutConcertRequest {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, settings)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &settings)
            default: try reader.skip(field)
            }
        }
    }
}

extension PriceBand {
    public func encode(to writer: inout WireWriter) {
        writer.uint32(1, firstSeat)
        writer.uint32(2, lastSeat)
        writer.uint64(3, price)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint32(field, &firstSeat)
            case 2: try reader.uint32(field, &lastSeat)
            case 3: try reader.uint64(field, &price)
            default: try reader.skip(field)
            }
        }
    }
}

extension PerformanceSettings {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, id)
        writer.string(2, concert)
        writer.uint64(3, startsMs)
        writer.uint32(4, seatCount)
        writer.messages(5, prices)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &id)
            case 2: try reader.string(field, &concert)
            case 3: try reader.uint64(field, &startsMs)
            case 4: try reader.uint32(field, &seatCount)
            case 5: try reader.messages(field, &prices)
            default: try reader.skip(field)
            }
        }
    }
}

extension PutPerformanceRequest {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, settings)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &settings)
            default: try reader.skip(field)
            }
        }
    }
}

extension SetPolicyRequest {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, concert)
        writer.message(2, policy)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &concert)
            case 2: try reader.message(field, &policy)
            default: try reader.skip(field)
            }
        }
    }
}

extension LineRequest {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, concert)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &concert)
            default: try reader.skip(field)
            }
        }
    }
}

extension SendNoticeRequest {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, concert)
        writer.string(2, text)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &concert)
            case 2: try reader.string(field, &text)
            default: try reader.skip(field)
            }
        }
    }
}

extension OperatorResponse {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, concert)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &concert)
            default: try reader.skip(field)
            }
        }
    }
}

extension StatsRequest {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, concert)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &concert)
            default: try reader.skip(field)
            }
        }
    }
}

extension LineStats {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, concert)
        writer.enumeration(2, lineState)
        writer.uint64(3, joined)
        writer.uint64(4, waiting)
        writer.uint64(5, present)
        writer.uint64(6, active)
        writer.uint64(7, admitted)
        writer.uint32(8, admittedLastMinute)
        writer.uint64(9, paid)
        writer.uint64(10, revenue)
        writer.uint64(11, seatsAvailable)
        writer.uint64(12, seatsHeld)
        writer.uint64(13, seatsSold)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &concert)
            case 2: try reader.enumeration(field, &lineState)
            case 3: try reader.uint64(field, &joined)
            case 4: try reader.uint64(field, &waiting)
            case 5: try reader.uint64(field, &present)
            case 6: try reader.uint64(field, &active)
            case 7: try reader.uint64(field, &admitted)
            case 8: try reader.uint32(field, &admittedLastMinute)
            case 9: try reader.uint64(field, &paid)
            case 10: try reader.uint64(field, &revenue)
            case 11: try reader.uint64(field, &seatsAvailable)
            case 12: try reader.uint64(field, &seatsHeld)
            case 13: try reader.uint64(field, &seatsSold)
            default: try reader.skip(field)
            }
        }
    }
}

extension StatsResponse {
    public func encode(to writer: inout WireWriter) {
        writer.messages(1, lines)
        writer.uint64(2, connections)
        writer.uint64(3, position)
        writer.uint64(4, timeMs)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.messages(field, &lines)
            case 2: try reader.uint64(field, &connections)
            case 3: try reader.uint64(field, &position)
            case 4: try reader.uint64(field, &timeMs)
            default: try reader.skip(field)
            }
        }
    }
}
