// The wire format of the messages of protocol/usher/v1/payments.proto: fields in ascending order of number.

public import Wire

extension PayRequest {
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

extension PayResponse {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, payment)
        writer.uint64(2, balance)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &payment)
            case 2: try reader.uint64(field, &balance)
            default: try reader.skip(field)
            }
        }
    }
}

extension ListPaymentsRequest {
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

extension ListPaymentsResponse {
    public func encode(to writer: inout WireWriter) {
        writer.messages(1, payments)
        writer.bool(2, more)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.messages(field, &payments)
            case 2: try reader.bool(field, &more)
            default: try reader.skip(field)
            }
        }
    }
}
