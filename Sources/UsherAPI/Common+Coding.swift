// The wire format of the messages of protocol/usher/v1/common.proto: fields in ascending order of number.

public import Wire

extension Uuid {
    public func encode(to writer: inout WireWriter) {
        writer.fixed64(1, high)
        writer.fixed64(2, low)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.fixed64(field, &high)
            case 2: try reader.fixed64(field, &low)
            default: try reader.skip(field)
            }
        }
    }
}

extension AdmissionPolicy {
    public func encode(to writer: inout WireWriter) {
        writer.uint32(1, maxActive)
        writer.uint32(2, batch)
        writer.uint32(3, intervalMs)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint32(field, &maxActive)
            case 2: try reader.uint32(field, &batch)
            case 3: try reader.uint32(field, &intervalMs)
            default: try reader.skip(field)
            }
        }
    }
}

extension Notice {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, number)
        writer.string(2, text)
        writer.uint64(3, sentMs)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &number)
            case 2: try reader.string(field, &text)
            case 3: try reader.uint64(field, &sentMs)
            default: try reader.skip(field)
            }
        }
    }
}

extension Reservation {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, id)
        writer.string(2, concert)
        writer.string(3, performance)
        writer.uint32s(4, seats)
        writer.enumeration(5, state)
        writer.uint64(6, price)
        writer.uint64(7, createdMs)
        writer.uint64(8, deadlineMs)
        writer.uint64(9, endedMs)
        writer.uint64(10, payment)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &id)
            case 2: try reader.string(field, &concert)
            case 3: try reader.string(field, &performance)
            case 4: try reader.uint32s(field, &seats)
            case 5: try reader.enumeration(field, &state)
            case 6: try reader.uint64(field, &price)
            case 7: try reader.uint64(field, &createdMs)
            case 8: try reader.uint64(field, &deadlineMs)
            case 9: try reader.uint64(field, &endedMs)
            case 10: try reader.uint64(field, &payment)
            default: try reader.skip(field)
            }
        }
    }
}

extension Payment {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, id)
        writer.uint64(2, reservation)
        writer.string(3, concert)
        writer.string(4, performance)
        writer.uint32s(5, seats)
        writer.uint64(6, amount)
        writer.uint64(7, paidMs)
        writer.uint64(8, refundedMs)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &id)
            case 2: try reader.uint64(field, &reservation)
            case 3: try reader.string(field, &concert)
            case 4: try reader.string(field, &performance)
            case 5: try reader.uint32s(field, &seats)
            case 6: try reader.uint64(field, &amount)
            case 7: try reader.uint64(field, &paidMs)
            case 8: try reader.uint64(field, &refundedMs)
            default: try reader.skip(field)
            }
        }
    }
}
