// What happens by itself in the plain sale, and admission.

internal import UsherAPI

extension PlainSale {
    /// Moves the clock to an entry's time and does what is due, in order of (time, kind, id).
    mutating func begin(at time: UInt64, afterOutage isStartAlone: Bool) {
        let before = now
        now = max(now, time)
        if isStartAlone || now - before > 5_000 { outage() }
        while let event = nextEvent() {
            switch event {
            case .quietEnds: endQuiet()
            case .turn: turn()
            case .hold(let booking): endHold(booking, .expired)
            case .token(let token): end(token, tokens[token].state == .waiting ? .absent : .expired)
            }
        }
    }

    /// Our outage costs no user: for a minute nothing lapses, and for a while whoever is present stays so and nobody is
    /// admitted.
    private mutating func outage() {
        for index in tokens.indices where tokens[index].state != .ended && !tokens[index].sources.isEmpty {
            tokens[index].kept = true
        }
        for instance in instances where !instance.isAlive { dropSources(of: instance.id) }
        guard tokens.contains(where: { $0.state != .ended }) else { return }
        respiteUntil = now + 60_000
        for index in bookings.indices where bookings[index].state == .held {
            bookings[index].deadline = max(bookings[index].deadline, respiteUntil)
        }
        for index in tokens.indices {
            tokens[index].graceEnds = max(tokens[index].graceEnds, respiteUntil)
            guard tokens[index].state == .active else { continue }
            tokens[index].activeUntil = max(tokens[index].activeUntil, respiteUntil)
            tokens[index].idleUntil = max(tokens[index].idleUntil, respiteUntil)
        }
        quietUntil = now + 10_000
        outages += 1
    }

    /// A deadline so far ahead, or as far as the respite after an outage goes.
    func fromNow(_ milliseconds: UInt64) -> UInt64 { max(now + milliseconds, respiteUntil) }

    private enum Event {
        case quietEnds, turn, hold(Int), token(Int)
    }

    /// The event due first.
    private func nextEvent() -> Event? {
        var first: (order: (UInt64, Int, Int), event: Event)?
        func offer(_ time: UInt64, _ kind: Int, _ id: Int, _ event: Event) {
            guard time <= now else { return }
            if let first, first.order <= (time, kind, id) { return }
            first = ((time, kind, id), event)
        }
        if quietUntil != 0 { offer(quietUntil, 0, 0, .quietEnds) }
        if let nextTurn { offer(nextTurn, 1, 0, .turn) }
        for (index, booking) in bookings.enumerated() where booking.state == .held {
            offer(booking.deadline, 2, index, .hold(index))
        }
        for (index, token) in tokens.enumerated() {
            if token.state == .waiting, !token.isPresent { offer(token.graceEnds, 3, index, .token(index)) }
            if token.state == .active {
                let until = min(token.activeUntil, token.idleUntil)
                if until <= now, holds(of: index) == 0 { offer(until, 3, index, .token(index)) }
            }
        }
        return first?.event
    }

    private mutating func endQuiet() {
        quietUntil = 0
        for index in tokens.indices where tokens[index].kept {
            tokens[index].kept = false
            becomeAbsentIfGone(index)
        }
        admit()
    }

    // MARK: Admission

    private var mayAdmit: Bool {
        (state == .open || state == .draining) && quietUntil == 0 && (policy.maxActive == 0 || active < Int(policy.maxActive))
            && tokens.contains { $0.state == .waiting && $0.isPresent }
    }

    mutating func admit() {
        guard policy.batch > 0 else { return admit(atMost: .max) }
        guard nextTurn == nil, mayAdmit else { return }
        let interval = UInt64(policy.intervalMs)
        nextTurn = grid + ((now - grid) / interval + 1) * interval
    }

    mutating func turn() {
        nextTurn = nil
        guard policy.batch > 0 else { return }
        admit(atMost: Int(policy.batch))
        admit()
    }

    private mutating func admit(atMost limit: Int) {
        guard let concert else { return }
        var left = limit
        for index in tokens.indices where tokens[index].state == .waiting && tokens[index].isPresent {
            guard left > 0, mayAdmit else { return }
            left -= 1
            tokens[index].state = .active
            tokens[index].activeUntil = fromNow(concert.activeTtlMs)
            tokens[index].idleUntil = fromNow(concert.idleTtlMs)
        }
    }

    // MARK: Presence

    mutating func touch(_ token: Int) {
        guard tokens[token].state == .active, let concert else { return }
        tokens[token].idleUntil = max(tokens[token].idleUntil, fromNow(concert.idleTtlMs))
    }

    mutating func arrive(_ token: Int, _ source: Source) {
        guard tokens.indices.contains(token), tokens[token].state != .ended else { return }
        if !tokens[token].sources.contains(source) { tokens[token].sources.append(source) }
        admit()
    }

    mutating func depart(_ token: Int, _ source: Source) {
        guard tokens.indices.contains(token), tokens[token].sources.contains(source) else { return }
        tokens[token].sources.removeAll { $0 == source }
        keepInQuiet(token)
        becomeAbsentIfGone(token)
    }

    mutating func dropSources(of instance: UInt32) {
        for token in tokens.indices where tokens[token].sources.contains(where: { $0.instance == instance }) {
            tokens[token].sources.removeAll { $0.instance == instance }
            keepInQuiet(token)
            becomeAbsentIfGone(token)
        }
    }

    private mutating func keepInQuiet(_ token: Int) {
        if now < quietUntil, tokens[token].state != .ended { tokens[token].kept = true }
    }

    private mutating func becomeAbsentIfGone(_ token: Int) {
        if !tokens[token].isPresent, let concert { tokens[token].graceEnds = fromNow(concert.graceMs) }
    }
}
