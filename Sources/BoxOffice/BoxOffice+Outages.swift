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
        keepPresence()
        // The dead have nobody any more but in what is kept.
        for instance in instances.indices where !instances[instance].isAlive { dropSources(of: instance) }
        guard liveTokens > 0 else { return }
        giveRespite()
        quietUntil = clock.saturatingAdd(RuleTimes.quiet)
        rebuildDeadlines()
    }

    /// Everybody present stays so for now, wherever they are.
    private mutating func keepPresence() {
        for instance in instances.indices {
            for source in instances[instance].sources.indices {
                for token in instances[instance].sources[source].members where tokens[token].phase != .ended {
                    if kept.insert(token) { tokens[token].presence &+= 1 }
                }
            }
        }
    }

    private mutating func giveRespite() {
        let earliest = clock.saturatingAdd(RuleTimes.respite)
        for reservation in reservations.indices where reservations[reservation].state == ReservationRecord.held {
            reservations[reservation].deadline = max(reservations[reservation].deadline, earliest)
        }
        for token in tokens.indices {
            switch tokens[token].phase {
            case .active:
                tokens[token].activeUntil = max(tokens[token].activeUntil, earliest)
                tokens[token].until = max(tokens[token].until, earliest)
            case .waiting where tokens[token].presence == 0:
                tokens[token].until = max(tokens[token].until, earliest)
            case .waiting, .ended: break
            }
        }
    }

    /// The quiet is over: whoever has not come back is absent now, and admission goes on.
    mutating func endQuiet(_ effects: inout Effects) {
        quietUntil = 0
        let members = kept.members
        kept = TokenSet()
        for token in members { uncountPresence(token) }
        for concert in concerts.indices { admit(concert, &effects) }
    }
}
