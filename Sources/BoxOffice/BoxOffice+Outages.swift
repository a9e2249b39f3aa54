// Our outage must cost no user, and the fastest to reconnect must overtake nobody.
//
// An outage shows as a start while no other instance lives, or as a silence of the journal of more than 5 s (which, while
// somebody is in a line, never lasts that long: see `nextDeadline`). Then, before anything else happens:
//
//   - for 60 s nothing lapses: no hold, no turn and no grace ends by itself;
//   - for 10 s nobody is admitted, and whoever is present, or was at an instance that is no more, counts as present: who
//     departs is in the set `kept`.
//
// Afterwards those who did not come back are absent, and their grace begins. With nobody in any line there is nothing to
// protect, and an outage is no event.
//
// So an outage sets two times and goes through nobody, however many wait: what it means for each is seen where the times
// are asked for. What a record says of a deadline counts from the end of the respite on (`holdDeadline`, `activeUntil`,
// `idleUntil` say what is true); a record whose hold or turn ends keeps what was true by then.

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
            respiteUntil = clock.saturatingAdd(RuleTimes.respite)
            quietUntil = clock.saturatingAdd(RuleTimes.quiet)
            deadlines.add(.quietEnds, 0, at: quietUntil)
        }
        // The dead have nobody any more but in what is kept.
        for instance in instances.indices where !instances[instance].isAlive || instance == starting {
            dropSources(of: instance)
        }
    }

    // MARK: Respite

    /// By when a held reservation must be paid.
    func holdDeadline(of reservation: Int) -> UInt64 { max(reservations[reservation].deadline, respiteUntil) }

    /// By when an active token's last hold must have begun.
    func activeUntil(of token: Int) -> UInt64 { max(tokens[token].activeUntil, respiteUntil) }

    /// By when an active token's next call must come.
    func idleUntil(of token: Int) -> UInt64 { max(tokens[token].until, respiteUntil) }

    // MARK: Quiet

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
