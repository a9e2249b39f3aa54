// The wire format of the messages of protocol/usher/v1/line.proto: fields in ascending order of number.

public import Wire

extension JoinRequest {
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

extension CheckRequest {
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

extension LeaveRequest {
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

extension LeaveResponse {
    public func encode(to writer: inout WireWriter) {}

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() { try reader.skip(field) }
    }
}

extension LineUpdate {
    public func encode(to writer: inout WireWriter) {
        writer.enumeration(1, state)
        writer.uint64(2, position)
        writer.uint64(3, behind)
        writer.message(4, estimate)
        writer.enumeration(5, lineState)
        writer.uint64(6, place)
        writer.uint64(7, joinNumber)
        writer.uint64(8, activeUntilMs)
        writer.uint64(9, idleUntilMs)
        writer.enumeration(10, endReason)
        writer.messages(11, reservations)
        writer.enumerations(12, warnings)
        writer.messages(13, notices)
        writer.string(14, queueToken)
        writer.string(15, pass)
        writer.uint64(16, passExpiresMs)
        writer.uint64(17, opensMs)
        writer.string(18, concert)
        writer.bool(19, stalled)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.enumeration(field, &state)
            case 2: try reader.uint64(field, &position)
            case 3: try reader.uint64(field, &behind)
            case 4: try reader.message(field, &estimate)
            case 5: try reader.enumeration(field, &lineState)
            case 6: try reader.uint64(field, &place)
            case 7: try reader.uint64(field, &joinNumber)
            case 8: try reader.uint64(field, &activeUntilMs)
            case 9: try reader.uint64(field, &idleUntilMs)
            case 10: try reader.enumeration(field, &endReason)
            case 11: try reader.messages(field, &reservations)
            case 12: try reader.enumerations(field, &warnings)
            case 13: try reader.messages(field, &notices)
            case 14: try reader.string(field, &queueToken)
            case 15: try reader.string(field, &pass)
            case 16: try reader.uint64(field, &passExpiresMs)
            case 17: try reader.uint64(field, &opensMs)
            case 18: try reader.string(field, &concert)
            case 19: try reader.bool(field, &stalled)
            default: try reader.skip(field)
            }
        }
    }
}

extension Estimate {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, lowMs)
        writer.uint64(2, highMs)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &lowMs)
            case 2: try reader.uint64(field, &highMs)
            default: try reader.skip(field)
            }
        }
    }
}
