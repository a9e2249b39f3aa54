// The wire format of the messages of protocol/usher/v1/session.proto: fields in ascending order of number.

public import Wire

extension AuthenticateRequest {
    public func encode(to writer: inout WireWriter) {
        switch identity {
        case .jwt(let jwt): writer.string(1, present: jwt)
        case .user(let user): writer.message(2, user)
        case nil: break
        }
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1:
                var jwt: String?
                try reader.string(field, &jwt)
                if let jwt { identity = .jwt(jwt) }
            case 2:
                var user: Uuid? = if case .user(let held) = identity { held } else { nil }
                try reader.message(field, &user)
                if let user { identity = .user(user) }
            default: try reader.skip(field)
            }
        }
    }
}

extension AuthenticateResponse {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, user)
        writer.uint64(2, expiresMs)
        writer.bool(3, isOperator)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &user)
            case 2: try reader.uint64(field, &expiresMs)
            case 3: try reader.bool(field, &isOperator)
            default: try reader.skip(field)
            }
        }
    }
}
