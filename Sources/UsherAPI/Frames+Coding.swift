// The wire format of the messages of protocol/usher/v1/frames.proto: fields in ascending order of number.

public import Wire

extension Metadata {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, key)
        writer.bytes(2, value)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &key)
            case 2: try reader.bytes(field, &value)
            default: try reader.skip(field)
            }
        }
    }
}

extension Hello {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, clientName)
        writer.string(2, clientVersion)
        writer.uint64(3, features)
        switch identity {
        case .jwt(let jwt): writer.string(4, present: jwt)
        case .user(let user): writer.message(5, user)
        case nil: break
        }
        writer.message(6, epoch)
        writer.uint64(7, position)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &clientName)
            case 2: try reader.string(field, &clientVersion)
            case 3: try reader.uint64(field, &features)
            case 4:
                var jwt: String?
                try reader.string(field, &jwt)
                if let jwt { identity = .jwt(jwt) }
            case 5:
                var user: Uuid? = if case .user(let held) = identity { held } else { nil }
                try reader.message(field, &user)
                if let user { identity = .user(user) }
            case 6: try reader.message(field, &epoch)
            case 7: try reader.uint64(field, &position)
            default: try reader.skip(field)
            }
        }
    }
}

extension Welcome {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, instance)
        writer.message(2, epoch)
        writer.uint64(3, features)
        writer.uint64(4, serverTimeMs)
        writer.uint32(5, pingIntervalMs)
        writer.message(6, limits)
        writer.message(7, user)
        writer.uint64(8, position)
        writer.bool(9, development)
        writer.bool(10, stalled)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &instance)
            case 2: try reader.message(field, &epoch)
            case 3: try reader.uint64(field, &features)
            case 4: try reader.uint64(field, &serverTimeMs)
            case 5: try reader.uint32(field, &pingIntervalMs)
            case 6: try reader.message(field, &limits)
            case 7: try reader.message(field, &user)
            case 8: try reader.uint64(field, &position)
            case 9: try reader.bool(field, &development)
            case 10: try reader.bool(field, &stalled)
            default: try reader.skip(field)
            }
        }
    }
}

extension Limits {
    public func encode(to writer: inout WireWriter) {
        writer.uint32(1, frameBytes)
        writer.uint32(2, runningCalls)
        writer.uint32(3, messageFragments)
        writer.uint32(4, outputBytes)
        writer.uint32(5, resumeChanges)
        writer.uint32(6, seatsPerHold)
        writer.uint32(7, pageItems)
        writer.uint32(8, metadataBytes)
        writer.uint32(9, requestIds)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint32(field, &frameBytes)
            case 2: try reader.uint32(field, &runningCalls)
            case 3: try reader.uint32(field, &messageFragments)
            case 4: try reader.uint32(field, &outputBytes)
            case 5: try reader.uint32(field, &resumeChanges)
            case 6: try reader.uint32(field, &seatsPerHold)
            case 7: try reader.uint32(field, &pageItems)
            case 8: try reader.uint32(field, &metadataBytes)
            case 9: try reader.uint32(field, &requestIds)
            default: try reader.skip(field)
            }
        }
    }
}

extension Open {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, method)
        writer.uint32(2, timeoutMs)
        writer.messages(3, metadata)
        writer.message(4, requestId)
        writer.uint32(5, attempts)
        writer.uint32(6, credit)
        writer.uint64(7, lastSequence)
        writer.uint64(8, position)
        writer.bytes(9, request)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &method)
            case 2: try reader.uint32(field, &timeoutMs)
            case 3: try reader.messages(field, &metadata)
            case 4: try reader.message(field, &requestId)
            case 5: try reader.uint32(field, &attempts)
            case 6: try reader.uint32(field, &credit)
            case 7: try reader.uint64(field, &lastSequence)
            case 8: try reader.uint64(field, &position)
            case 9: try reader.bytes(field, &request)
            default: try reader.skip(field)
            }
        }
    }
}

extension Message {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, sequence)
        writer.uint64(2, position)
        writer.bool(3, reset)
        writer.bytes(4, payload)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &sequence)
            case 2: try reader.uint64(field, &position)
            case 3: try reader.bool(field, &reset)
            case 4: try reader.bytes(field, &payload)
            default: try reader.skip(field)
            }
        }
    }
}

extension Close {
    public func encode(to writer: inout WireWriter) {
        writer.enumeration(1, code)
        writer.string(2, reason)
        writer.string(3, message)
        writer.message(4, details)
        writer.messages(5, trailers)
        writer.uint64(6, position)
        writer.bytes(7, payload)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.enumeration(field, &code)
            case 2: try reader.string(field, &reason)
            case 3: try reader.string(field, &message)
            case 4: try reader.message(field, &details)
            case 5: try reader.messages(field, &trailers)
            case 6: try reader.uint64(field, &position)
            case 7: try reader.bytes(field, &payload)
            default: try reader.skip(field)
            }
        }
    }
}

extension ErrorDetails {
    public func encode(to writer: inout WireWriter) {
        writer.uint32(1, retryAfterMs)
        writer.uint32s(2, seats)
        writer.uint64(3, missingAmount)
        writer.uint64(4, opensMs)
        writer.uint64(5, queuePosition)
        writer.enumeration(6, endReason)
        writer.bool(7, mayHaveHappened)
        writer.uint64(8, limit)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint32(field, &retryAfterMs)
            case 2: try reader.uint32s(field, &seats)
            case 3: try reader.uint64(field, &missingAmount)
            case 4: try reader.uint64(field, &opensMs)
            case 5: try reader.uint64(field, &queuePosition)
            case 6: try reader.enumeration(field, &endReason)
            case 7: try reader.bool(field, &mayHaveHappened)
            case 8: try reader.uint64(field, &limit)
            default: try reader.skip(field)
            }
        }
    }
}

extension Credit {
    public func encode(to writer: inout WireWriter) {
        writer.uint32(1, messages)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint32(field, &messages)
            default: try reader.skip(field)
            }
        }
    }
}

extension Cancel {
    public func encode(to writer: inout WireWriter) {}

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() { try reader.skip(field) }
    }
}

extension Ping {
    public func encode(to writer: inout WireWriter) {
        writer.fixed64(1, data)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.fixed64(field, &data)
            default: try reader.skip(field)
            }
        }
    }
}

extension Pong {
    public func encode(to writer: inout WireWriter) {
        writer.fixed64(1, data)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.fixed64(field, &data)
            default: try reader.skip(field)
            }
        }
    }
}

extension GoAway {
    public func encode(to writer: inout WireWriter) {
        writer.uint32(1, lastCall)
        writer.string(2, reason)
        writer.uint32(3, reconnectAfterMs)
        writer.uint32(4, jitterMs)
        writer.string(5, host)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint32(field, &lastCall)
            case 2: try reader.string(field, &reason)
            case 3: try reader.uint32(field, &reconnectAfterMs)
            case 4: try reader.uint32(field, &jitterMs)
            case 5: try reader.string(field, &host)
            default: try reader.skip(field)
            }
        }
    }
}
