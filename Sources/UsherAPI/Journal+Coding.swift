// The wire format of the messages of protocol/usher/v1/journal.proto: fields in ascending order of number.

public import Wire

extension Entry {
    public func encode(to writer: inout WireWriter) {
        writer.uint32(1, instance)
        writer.uint64(2, incarnation)
        writer.uint64(3, number)
        writer.messages(4, commands)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint32(field, &instance)
            case 2: try reader.uint64(field, &incarnation)
            case 3: try reader.uint64(field, &number)
            case 4: try reader.messages(field, &commands)
            default: try reader.skip(field)
            }
        }
    }
}

extension Command {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, user)
        writer.message(2, requestId)
        writer.fixed64(3, contents)
        writer.uint64(4, token)
        writer.uint32(5, source)
        writer.string(6, `operator`)
        switch body {
        case .join(let join): writer.message(10, join)
        case .leave(let leave): writer.message(11, leave)
        case .hold(let hold): writer.message(12, hold)
        case .release(let release): writer.message(13, release)
        case .pay(let pay): writer.message(14, pay)
        case .cancel(let cancel): writer.message(15, cancel)
        case .charge(let charge): writer.message(16, charge)
        case .presence(let presence): writer.message(17, presence)
        case .touched(let touched): writer.message(18, touched)
        case .putConcert(let putConcert): writer.message(19, putConcert)
        case .putPerformance(let putPerformance): writer.message(20, putPerformance)
        case .setPolicy(let setPolicy): writer.message(21, setPolicy)
        case .changeLine(let changeLine): writer.message(22, changeLine)
        case .notice(let notice): writer.message(23, notice)
        case .configure(let configure): writer.message(24, configure)
        case .instanceStarted(let instanceStarted): writer.message(25, instanceStarted)
        case .instanceStopped(let instanceStopped): writer.message(26, instanceStopped)
        case .publishKey(let publishKey): writer.message(27, publishKey)
        case .checkpoint(let checkpoint): writer.message(28, checkpoint)
        case nil: break
        }
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &user)
            case 2: try reader.message(field, &requestId)
            case 3: try reader.fixed64(field, &contents)
            case 4: try reader.uint64(field, &token)
            case 5: try reader.uint32(field, &source)
            case 6: try reader.string(field, &`operator`)
            case 10:
                var join: Join? = if case .join(let held) = body { held } else { nil }
                try reader.message(field, &join)
                if let join { body = .join(join) }
            case 11:
                var leave: Leave? = if case .leave(let held) = body { held } else { nil }
                try reader.message(field, &leave)
                if let leave { body = .leave(leave) }
            case 12:
                var hold: Hold? = if case .hold(let held) = body { held } else { nil }
                try reader.message(field, &hold)
                if let hold { body = .hold(hold) }
            case 13:
                var release: Release? = if case .release(let held) = body { held } else { nil }
                try reader.message(field, &release)
                if let release { body = .release(release) }
            case 14:
                var pay: Pay? = if case .pay(let held) = body { held } else { nil }
                try reader.message(field, &pay)
                if let pay { body = .pay(pay) }
            case 15:
                var cancel: CancelReservation? = if case .cancel(let held) = body { held } else { nil }
                try reader.message(field, &cancel)
                if let cancel { body = .cancel(cancel) }
            case 16:
                var charge: Charge? = if case .charge(let held) = body { held } else { nil }
                try reader.message(field, &charge)
                if let charge { body = .charge(charge) }
            case 17:
                var presence: Presence? = if case .presence(let held) = body { held } else { nil }
                try reader.message(field, &presence)
                if let presence { body = .presence(presence) }
            case 18:
                var touched: Touched? = if case .touched(let held) = body { held } else { nil }
                try reader.message(field, &touched)
                if let touched { body = .touched(touched) }
            case 19:
                var putConcert: PutConcert? = if case .putConcert(let held) = body { held } else { nil }
                try reader.message(field, &putConcert)
                if let putConcert { body = .putConcert(putConcert) }
            case 20:
                var putPerformance: PerformanceSettings? = if case .putPerformance(let held) = body { held } else { nil }
                try reader.message(field, &putPerformance)
                if let putPerformance { body = .putPerformance(putPerformance) }
            case 21:
                var setPolicy: SetPolicyRequest? = if case .setPolicy(let held) = body { held } else { nil }
                try reader.message(field, &setPolicy)
                if let setPolicy { body = .setPolicy(setPolicy) }
            case 22:
                var changeLine: ChangeLine? = if case .changeLine(let held) = body { held } else { nil }
                try reader.message(field, &changeLine)
                if let changeLine { body = .changeLine(changeLine) }
            case 23:
                var notice: SendNoticeRequest? = if case .notice(let held) = body { held } else { nil }
                try reader.message(field, &notice)
                if let notice { body = .notice(notice) }
            case 24:
                var configure: Configure? = if case .configure(let held) = body { held } else { nil }
                try reader.message(field, &configure)
                if let configure { body = .configure(configure) }
            case 25:
                var instanceStarted: InstanceStarted? = if case .instanceStarted(let held) = body { held } else { nil }
                try reader.message(field, &instanceStarted)
                if let instanceStarted { body = .instanceStarted(instanceStarted) }
            case 26:
                var instanceStopped: InstanceStopped? = if case .instanceStopped(let held) = body { held } else { nil }
                try reader.message(field, &instanceStopped)
                if let instanceStopped { body = .instanceStopped(instanceStopped) }
            case 27:
                var publishKey: PublishKey? = if case .publishKey(let held) = body { held } else { nil }
                try reader.message(field, &publishKey)
                if let publishKey { body = .publishKey(publishKey) }
            case 28:
                var checkpoint: Checkpoint? = if case .checkpoint(let held) = body { held } else { nil }
                try reader.message(field, &checkpoint)
                if let checkpoint { body = .checkpoint(checkpoint) }
            default: try reader.skip(field)
            }
        }
    }
}

extension Join {
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

extension Leave {
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

extension Hold {
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

extension Release {
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

extension Pay {
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

extension CancelReservation {
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

extension Charge {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, amount)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &amount)
            default: try reader.skip(field)
            }
        }
    }
}

extension Presence {
    public func encode(to writer: inout WireWriter) {
        writer.uint64s(1, arrived)
        writer.uint64s(2, departed)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64s(field, &arrived)
            case 2: try reader.uint64s(field, &departed)
            default: try reader.skip(field)
            }
        }
    }
}

extension Touched {
    public func encode(to writer: inout WireWriter) {
        writer.uint64s(1, tokens)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64s(field, &tokens)
            default: try reader.skip(field)
            }
        }
    }
}

extension PutConcert {
    public func encode(to writer: inout WireWriter) {
        writer.message(1, settings)
        writer.bytes(2, drawSeed)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.message(field, &settings)
            case 2: try reader.bytes(field, &drawSeed)
            default: try reader.skip(field)
            }
        }
    }
}

extension ChangeLine {
    public func encode(to writer: inout WireWriter) {
        writer.string(1, concert)
        writer.enumeration(2, action)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.string(field, &concert)
            case 2: try reader.enumeration(field, &action)
            default: try reader.skip(field)
            }
        }
    }
}

extension Configure {
    public func encode(to writer: inout WireWriter) {
        writer.bool(1, accountNeedsNoToken)
        writer.uint64(2, maxCharge)
        writer.uint64(3, maxBalance)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.bool(field, &accountNeedsNoToken)
            case 2: try reader.uint64(field, &maxCharge)
            case 3: try reader.uint64(field, &maxBalance)
            default: try reader.skip(field)
            }
        }
    }
}
