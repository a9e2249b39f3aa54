// The wire format of the messages of protocol/usher/v1/accounts.proto: fields in ascending order of number.

public import Wire

extension Transaction {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, id)
        writer.enumeration(2, kind)
        writer.uint64(3, amount)
        writer.uint64(4, balanceAfter)
        writer.uint64(5, timeMs)
        writer.uint64(6, reservation)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &id)
            case 2: try reader.enumeration(field, &kind)
            case 3: try reader.uint64(field, &amount)
            case 4: try reader.uint64(field, &balanceAfter)
            case 5: try reader.uint64(field, &timeMs)
            case 6: try reader.uint64(field, &reservation)
            default: try reader.skip(field)
            }
        }
    }
}

extension ChargeRequest {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, amount)
        writer.message(2, user)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &amount)
            case 2: try reader.message(field, &user)
            default: try reader.skip(field)
            }
        }
    }
}

extension ChargeResponse {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, transaction)
        writer.uint64(2, balance)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &transaction)
            case 2: try reader.uint64(field, &balance)
            default: try reader.skip(field)
            }
        }
    }
}

extension GetBalanceRequest {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, user)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &user)
            default: try reader.skip(field)
            }
        }
    }
}

extension GetBalanceResponse {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, balance)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &balance)
            default: try reader.skip(field)
            }
        }
    }
}

extension ListTransactionsRequest {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, user)
        writer.uint64(2, before)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &user)
            case 2: try reader.uint64(field, &before)
            default: try reader.skip(field)
            }
        }
    }
}

extension ListTransactionsResponse {
    public func encode(to writer: inout WireWriter) {
        writer.messages(1, transactions)
        writer.bool(2, more)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.messages(field, &transactions)
            case 2: try reader.bool(field, &more)
            default: try reader.skip(field)
            }
        }
    }
}
