// Who is present, and for how long absent ones keep their place; and what keeps an active token from idling.
//
// A token is present while it is in the set of at least one source, a loop of an instance. Sets make it idempotent: the
// same arrival twice counts once. Becoming absent starts the grace of a waiting token; coming back stops it and, if the
// token's turn had come meanwhile, admits it at once, since it is then the lowest present place. An active token's
// absence changes nothing: its own clocks run.

internal import UsherAPI

extension BoxOffice {
    mutating func notePresence(_ presence: Presence, instance: Int, source: UInt32, _ effects: inout Effects) {
        for id in presence.arrived {
            if let token = tokenIndex(id) { arrive(token, instance: instance, source: source, &effects) }
        }
        for id in presence.departed {
            if let token = tokenIndex(id) { depart(token, instance: instance, source: source) }
        }
    }

    /// The token's user is at this source. Ignored for ended tokens and sources past the bound.
    mutating func arrive(_ token: Int, instance: Int, source: UInt32, _ effects: inout Effects) {
        guard tokens.indices.contains(token), phase(of: token) != .ended else { return }
        guard source < SaleLimits.sourcesPerInstance else { return }
        let source = Int(source)
        while instances[instance].sources.count <= source { instances[instance].sources.append(TokenSet()) }
        if instances[instance].sources[source].insert(token) { countPresence(token, &effects) }
    }

    private mutating func depart(_ token: Int, instance: Int, source: UInt32) {
        guard Int(source) < instances[instance].sources.count else { return }
        guard instances[instance].sources[Int(source)].remove(token) else { return }
        // In the quiet after an outage presence stays as it was; whoever is kept already is so once.
        if clock < quietUntil, phase(of: token) != .ended, kept.insert(token) { return }
        uncountPresence(token)
    }

    private mutating func countPresence(_ token: Int, _ effects: inout Effects) {
        tokens[token].presence &+= 1
        guard tokens[token].presence == 1, phase(of: token) == .waiting else { return }
        let concert = Int(tokens[token].concert)
        concerts[concert].ready.insert(place(of: token))
        admit(concert, &effects)
    }

    mutating func uncountPresence(_ token: Int) {
        guard tokens[token].presence > 0 else { return }
        tokens[token].presence -= 1
        if tokens[token].presence == 0 { becameAbsent(token) }
    }

    mutating func becameAbsent(_ token: Int) {
        guard phase(of: token) == .waiting else { return }
        let concert = Int(tokens[token].concert)
        concerts[concert].ready.remove(place(of: token))
        tokens[token].until = clock.saturatingAdd(concerts[concert].settings.graceMs)
        scheduleToken(token)
    }

    // MARK: Idle time

    /// A call of the token's user: its idle time begins anew.
    mutating func touch(_ id: UInt64, _ effects: inout Effects) {
        guard let token = tokenIndex(id), phase(of: token) == .active else { return }
        let until = clock.saturatingAdd(concerts[Int(tokens[token].concert)].settings.idleTtlMs)
        guard until > tokens[token].until else { return }
        // Later than before, so the heap's entry may stay where it is.
        tokens[token].until = until
        report(token, &effects)
    }

    /// A command counts as a call of the token it names, if that is the caller's.
    mutating func touchCaller(_ caller: Caller, _ effects: inout Effects) {
        guard let token = tokenIndex(caller.token), Int(tokens[token].user) == caller.user else { return }
        touch(caller.token, &effects)
    }
}
