// The wire format of the messages of protocol/usher/v1/reservations.proto: fields in ascending order of number.

public import Wire

extension HoldRequest {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, performance)
        writer.uint32s(2, seats)
        writer.uint32(3, bestAvailable)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &performance)
            case 2: try reader.uint32s(field, &seats)
            case 3: try reader.uint32(field, &bestAvailable)
            default: try reader.skip(field)
            }
        }
    }
}

extension HoldResponse {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, reservation)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &reservation)
            default: try reader.skip(field)
            }
        }
    }
}

extension ReleaseRequest {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, reservation)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &reservation)
            default: try reader.skip(field)
            }
        }
    }
}

extension ReleaseResponse {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, reservation)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &reservation)
            default: try reader.skip(field)
            }
        }
    }
}

extension CancelReservationRequest {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, reservation)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &reservation)
            default: try reader.skip(field)
            }
        }
    }
}

extension CancelReservationResponse {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, reservation)
        writer.uint64(2, refunded)
        writer.uint64(3, balance)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &reservation)
            case 2: try reader.uint64(field, &refunded)
            case 3: try reader.uint64(field, &balance)
            default: try reader.skip(field)
            }
        }
    }
}

extension ListReservationsRequest {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, before)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &before)
            default: try reader.skip(field)
            }
        }
    }
}

extension ListReservationsResponse {
    public func encode(to writer: inout WireWriter) {
        writer.messages(1, reservations)
        writer.bool(2, more)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.messages(field, &reservations)
            case 2: try reader.bool(field, &more)
            default: try reader.skip(field)
            }
        }
    }
}
