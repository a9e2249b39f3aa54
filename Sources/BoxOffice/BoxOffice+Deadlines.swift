// What happens by itself. The records say when (`due`), the heap says where to look next.

internal import UsherAPI

extension BoxOffice {
    /// What earlier entries had no room for.
    mutating func goOn(_ effects: inout Effects) {
        if quietUntil == 0 { letGo() }
        let lines = unfinished
        unfinished = []
        for concert in lines {
            if concerts[concert].shuffle != nil { goOnDrawing(concert, &effects) } else { admit(concert, &effects) }
        }
    }

    /// Does what is due at the clock's time, in order of (deadline, kind, id), as far as the entry's budget goes. (Only
    /// what happens counts, not what the heap had to look through: that differs from instance to instance.)
    mutating func fireDeadlines(_ effects: inout Effects) {
        while budget > 0, let (next, time) = deadlines.first(respite: respiteUntil), time <= clock {
            deadlines.remove(first: next)
            guard isTrue(next) else { continue }
            budget -= 1
            switch next.kind {
            case .quietEnds: endQuiet(&effects)
            case .lobbyOpens: setState(next.id, .lobby, &effects)
            case .opens: openLine(next.id, &effects)
            case .closes: closeLine(next.id, &effects)
            case .tick: tick(next.id, &effects)
            case .hold: expire(next.id, &effects)
            case .token: end(next.id, phase(of: next.id) == .waiting ? .absent : .expired, &effects)
            }
        }
    }

    /// Takes away entries at the top of the heap that nothing stands behind, so that `nextDeadline` is true; not all at
    /// once if there are many, since a time that comes too early costs an empty entry and no more.
    mutating func pruneDeadlines() {
        for _ in 0..<SaleLimits.workPerEntry {
            guard let next = deadlines.first(respite: respiteUntil)?.deadline else { return }
            if next.kind != .token {
                if due(next) == next.time { return }
                deadlines.remove(first: next)
            } else {
                if next.time == tokens[next.id].scheduled, deadline(of: next.id) == next.time { return }
                deadlines.remove(first: next)
                _ = isTrue(next)
            }
        }
    }

    /// Whether the entry just taken off the heap is what its record says. A token's entry that came up too early is put
    /// where it belongs.
    private mutating func isTrue(_ entry: Deadline) -> Bool {
        guard entry.kind == .token else { return due(entry) == entry.time }
        guard tokens[entry.id].scheduled == entry.time else { return false }
        tokens[entry.id].scheduled = 0
        if deadline(of: entry.id) == entry.time { return true }
        scheduleToken(entry.id)
        return false
    }

    /// When, by the record, what the entry announces is due; a respite apart.
    private func due(_ entry: Deadline) -> UInt64? {
        let id = entry.id
        switch entry.kind {
        case .quietEnds: return quietUntil
        case .lobbyOpens: return concerts[id].state == .scheduled ? concerts[id].settings.lobbyOpensMs : nil
        case .opens:
            // A draw under way opens the line by itself.
            guard concerts[id].shuffle == nil else { return nil }
            let isBefore = concerts[id].state == .scheduled || concerts[id].state == .lobby
            return isBefore ? concerts[id].settings.opensMs : nil
        case .closes: return concerts[id].state == .closed ? nil : concerts[id].settings.closesMs
        case .tick: return concerts[id].nextTick
        case .hold: return reservations[id].state == ReservationRecord.held ? reservations[id].deadline : nil
        case .token: return deadline(of: id)
        }
    }

    /// Sees to it that the heap comes up for the token no later than its deadline.
    mutating func scheduleToken(_ token: Int) {
        guard let deadline = deadline(of: token), deadline != .max else { return }
        guard tokens[token].scheduled == 0 || deadline < tokens[token].scheduled else { return }
        tokens[token].scheduled = deadline
        deadlines.add(.token, token, at: deadline)
    }

    /// Enters the times at which the line moves by itself.
    mutating func scheduleLine(_ concert: Int) {
        let settings = concerts[concert].settings
        if settings.lobbyOpensMs != 0 { deadlines.add(.lobbyOpens, concert, at: settings.lobbyOpensMs) }
        if settings.opensMs != 0 { deadlines.add(.opens, concert, at: settings.opensMs) }
        if settings.closesMs != 0 { deadlines.add(.closes, concert, at: settings.closesMs) }
    }

    /// Makes the heap anew from the records.
    mutating func rebuildDeadlines() {
        deadlines.removeAll()
        if quietUntil != 0 { deadlines.add(.quietEnds, 0, at: quietUntil) }
        for concert in concerts.indices {
            scheduleLine(concert)
            if concerts[concert].nextTick != 0 { deadlines.add(.tick, concert, at: concerts[concert].nextTick) }
        }
        for reservation in reservations.indices where reservations[reservation].state == ReservationRecord.held {
            deadlines.add(.hold, reservation, at: reservations[reservation].deadline)
        }
        for token in tokens.indices {
            tokens[token].scheduled = 0
            scheduleToken(token)
        }
    }
}
