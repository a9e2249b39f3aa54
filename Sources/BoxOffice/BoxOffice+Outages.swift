// Our outage must cost no user, and the fastest to reconnect must overtake nobody.
//
// An outage shows as a start while no other instance lives, or as a silence of the journal of more than 5 s (which, while
// somebody is in a line, never lasts that long: see `nextDeadline`). Then, before anything else happens:
//
//   - deadlines of holds, active tokens and graces that are nearer than 60 s move to 60 s ahead;
//   - for 10 s nobody is admitted, and whoever was present counts as present, in the set `kept`.
//
// Afterwards those who did not come back are absent, and their grace begins. With nobody in any line there is nothing to
// protect, and an outage is no event.

extension BoxOffice {
    /// Sees whether there was an outage before the entry just accepted, which `starting` tells is an instance's first.
    mutating func noticeOutage(silence: UInt64, starting: Int?) {
        let isStartAlone: Bool
        if let starting {
            isStartAlone = !instances.indices.contains { $0 != starting && instances[$0].isAlive }
        } else {
            isStartAlone = false
        }
        guard isStartAlone || silence > RuleTimes.gap else { return }
        if liveTokens > 0 {
            giveRespite()
            quietUntil = clock.saturatingAdd(RuleTimes.quiet)
            deadlines.add(.quietEnds, 0, at: quietUntil)
        }
        // The dead have nobody any more but in what is kept.
        for instance in instances.indices where !instances[instance].isAlive || instance == starting {
            dropSources(of: instance)
        }
        if liveTokens > 0 { keepPresence() }
    }

    /// Everybody present stays so for now, wherever they are.
    private mutating func keepPresence() {
        for instance in instances.indices {
            for source in instances[instance].sources.indices {
                for token in instances[instance].sources[source].members where phase(of: token) != .ended {
                    if kept.insert(token) { tokens[token].presence &+= 1 }
                }
            }
        }
    }

    /// Moves what is too near. Whatever has a deadline is in the heap, at it or before it, so the heap names everybody
    /// concerned; who is named besides has nothing to move. Active tokens with a hold are named by the hold.
    private mutating func giveRespite() {
        let earliest = clock.saturatingAdd(RuleTimes.respite)
        for entry in Array(deadlines.all) {
            switch entry.kind {
            case .hold:
                let reservation = entry.id
                giveRespite(Int(reservations[reservation].token), until: earliest)
                guard reservations[reservation].state == ReservationRecord.held,
                    reservations[reservation].deadline < earliest
                else { continue }
                reservations[reservation].deadline = earliest
                deadlines.add(.hold, reservation, at: earliest)
            case .token where entry.time < earliest: giveRespite(entry.id, until: earliest)
            case .token, .quietEnds, .lobbyOpens, .opens, .closes, .tick: break
            }
        }
    }

    /// Its entry in the heap stays: it comes up too early, and is then put where it belongs.
    private mutating func giveRespite(_ token: Int, until earliest: UInt64) {
        switch phase(of: token) {
        case .active:
            tokens[token].activeUntil = max(tokens[token].activeUntil, earliest)
            tokens[token].until = max(tokens[token].until, earliest)
        case .waiting where tokens[token].presence == 0:
            tokens[token].until = max(tokens[token].until, earliest)
        case .waiting, .ended: break
        }
    }

    /// The quiet is over: whoever has not come back is absent now, and admission goes on.
    mutating func endQuiet(_ effects: inout Effects) {
        letGo()
        guard kept.isEmpty else {
            deadlines.add(.quietEnds, 0, at: quietUntil)
            return
        }
        quietUntil = 0
        for concert in concerts.indices { admit(concert, &effects) }
    }

    /// Lets go of those who are only kept as present, as far as the entry's budget goes.
    mutating func letGo() {
        guard budget > 0, !kept.words.isEmpty else { return }
        for token in kept.removeFirst(budget) {
            budget -= 1
            uncountPresence(token)
        }
    }
}
