// Joining, leaving, and a token's end.

internal import UsherAPI

extension BoxOffice {
    /// A place at the back of the line, or the one the user has.
    mutating func join(_ join: Join, _ caller: Caller, _ effects: inout Effects) throws(Refusal) -> Committed {
        guard let concert = concertIndexes[join.concert] else { throw .concertUnknown }
        if let token = liveToken(ofUser: caller.user, concert: concert) {
            arrive(token, instance: caller.instance, source: caller.source, &effects)
            return .joined(token: token)
        }
        switch concerts[concert].state {
        case .lobby, .open, .paused: break
        case .draining: throw .lineDraining
        case .closed: throw .lineClosed
        case .scheduled, .unspecified, .unrecognized: throw .lineScheduled(opens: concerts[concert].joinsBegin)
        }
        guard concerts[concert].joined < SaleLimits.joinsPerLine else {
            throw .tableFull("joins of this line", limit: SaleLimits.joinsPerLine)
        }
        guard tokens.count < SaleLimits.records else { throw .tableFull("tokens", limit: SaleLimits.records) }

        let token = tokens.count
        let joinNumber = concerts[concert].joined + 1
        var record = TokenRecord(user: caller.user, concert: concert, joinNumber: joinNumber)
        record.nextLive = users[caller.user].liveTokens
        tokens.append(record)
        users[caller.user].liveTokens = UInt32(truncatingIfNeeded: token + 1)
        liveTokens += 1
        concerts[concert].tokenOfJoin.append(UInt32(truncatingIfNeeded: token + 1))
        concerts[concert].waiting.insert(joinNumber)
        effects.lines.append(.joined(line: concert, joinNumber: UInt64(joinNumber), token: UInt64(token + 1)))
        arrive(token, instance: caller.instance, source: caller.source, &effects)
        // A source that cannot be counted leaves the user absent from the start.
        if tokens[token].presence == 0 { becameAbsent(token) }
        return .joined(token: token)
    }

    /// Gives the user's place up, waiting or active.
    mutating func leave(_ leave: Leave, _ caller: Caller, _ effects: inout Effects) throws(Refusal) -> Committed {
        guard let concert = concertIndexes[leave.concert] else { throw .concertUnknown }
        guard let token = liveToken(ofUser: caller.user, concert: concert) else { throw .notInLine }
        end(token, .left, &effects)
        return .left(token: token)
    }

    /// Ends a live token. Any end but payment releases its open holds; an active one's place goes to the next.
    mutating func end(_ token: Int, _ reason: EndReason, _ effects: inout Effects) {
        let concert = Int(tokens[token].concert)
        let place = place(of: token)
        let phase = phase(of: token)
        guard phase != .ended else { return }
        if phase == .waiting {
            concerts[concert].waiting.remove(place)
            concerts[concert].ready.remove(place)
            effects.lines.append(.left(line: concert, place: UInt64(place)))
        } else {
            if tokens[token].openHolds > 0 { releaseHolds(of: token, &effects) }
            concerts[concert].active -= 1
            effects.lines.append(.ended(line: concert, place: UInt64(place)))
        }
        if phase == .active { tokens[token].activeUntil = activeUntil(of: token) }
        tokens[token].writtenPhase = .ended
        tokens[token].endReason = UInt8(truncatingIfNeeded: reason.rawValue)
        unlinkLive(token)
        liveTokens -= 1
        report(token, &effects)
        if phase == .active { admit(concert, &effects) }
    }

    // MARK: Where a token stands

    /// Waiting, active or ended. When a line closes all who wait in it have ended at a stroke: nobody goes through them.
    func phase(of token: Int) -> Phase {
        let written = tokens[token].writtenPhase
        return written == .waiting && concerts[Int(tokens[token].concert)].state == .closed ? .ended : written
    }

    /// Why an ended token ended.
    func endReason(of token: Int) -> EndReason {
        tokens[token].writtenPhase == .waiting ? .closed : EndReason(rawValue: Int32(tokens[token].endReason))
    }

    /// The place in the order: the join number until a draw.
    func place(of token: Int) -> Int {
        concerts[Int(tokens[token].concert)].place(ofJoin: tokens[token].joinNumber)
    }

    /// When something happens to the token by itself, if nothing else does; a respite apart.
    func deadline(of token: Int) -> UInt64? {
        let record = tokens[token]
        return switch phase(of: token) {
        case .waiting: record.presence == 0 ? record.until : nil
        case .active: record.openHolds == 0 ? min(record.activeUntil, record.until) : nil
        case .ended: nil
        }
    }

    /// The user's live token in the line of the concert.
    func liveToken(ofUser user: Int, concert: Int) -> Int? {
        var link = users[user].liveTokens
        while link != 0 {
            let token = Int(link) - 1
            if Int(tokens[token].concert) == concert, phase(of: token) != .ended { return token }
            link = tokens[token].nextLive
        }
        return nil
    }

    private mutating func unlinkLive(_ token: Int) {
        let user = Int(tokens[token].user)
        let target = UInt32(truncatingIfNeeded: token + 1)
        if users[user].liveTokens == target {
            users[user].liveTokens = tokens[token].nextLive
        } else {
            var link = users[user].liveTokens
            while link != 0 {
                let before = Int(link) - 1
                link = tokens[before].nextLive
                if link == target { tokens[before].nextLive = tokens[token].nextLive }
            }
        }
        tokens[token].nextLive = 0
    }

    /// The index of the token with this id.
    func tokenIndex(_ id: UInt64) -> Int? {
        guard id >= 1, id <= UInt64(tokens.count) else { return nil }
        return Int(id) - 1
    }

    /// The caller's token if it may act: there, the caller's own, and active. The one authoritative check.
    func activeToken(_ caller: Caller) throws(Refusal) -> Int {
        guard caller.token != 0 else { throw .tokenMissing }
        guard let token = tokenIndex(caller.token) else { throw .tokenInvalid }
        guard Int(tokens[token].user) == caller.user else { throw .tokenForeign }
        switch phase(of: token) {
        case .active: return token
        case .waiting: throw .tokenWaiting(position: position(of: token))
        case .ended: throw .tokenEnded(endReason(of: token))
        }
    }

    /// Live waiting tokens ahead, plus one; 0 while a draw is still to come.
    func position(of token: Int) -> Int {
        let concert = Int(tokens[token].concert)
        if concerts[concert].state == .lobby, concerts[concert].settings.lobbyOrder == .draw { return 0 }
        return concerts[concert].waiting.rank(below: place(of: token)) + 1
    }
}
