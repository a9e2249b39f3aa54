// Who is admitted, when; and the states of a line.
//
//   SCHEDULED ──▶ LOBBY ──▶ OPEN ◀──▶ PAUSED          OPEN, PAUSED ──▶ DRAINING ──▶ OPEN          any ──▶ CLOSED
//        └───────────────────▲
//
// lobby_opens moves SCHEDULED, opens moves SCHEDULED and LOBBY, closes moves any; where an operator has been faster, a
// time finds nothing to do. CLOSED is for good: the waiting end (CLOSED), the active go on to their own deadlines.
//
// The teller admits whenever there is room. The turnstile turns on a grid: at opening, then each interval from there; at
// each turn it lets in at most `batch`, under the cap if there is one. Between turns nobody enters, what a turn did not
// use is not kept, and turns missed (paused, an outage, a late entry) are not made up. So at most `batch` enter in any
// interval. A policy with another interval, or the first with a turnstile, starts a new grid, one interval from its change.
// A turn is a deadline only while somebody is there to enter.

internal import UsherAPI

extension BoxOffice {
    /// Lets in those who may enter by the teller's rule; where there is a turnstile, sees to its next turn.
    mutating func admit(_ concert: Int, _ effects: inout Effects) {
        guard concerts[concert].isAdmitting, quietUntil == 0 else { return }
        if concerts[concert].policy.batch > 0 {
            scheduleTick(concert)
        } else {
            admitBatch(concert, atMost: max(budget, 0), &effects)
            if canAdmit(concert) { goOnLater(concert) }
        }
    }

    /// Whether the teller's rule would let somebody in.
    func canAdmit(_ concert: Int) -> Bool {
        concerts[concert].canAdmit && quietUntil == 0
    }

    /// Whether the line has an admission or a draw to go on with.
    func isUnfinished(_ concert: Int) -> Bool { canAdmit(concert) || concerts[concert].shuffle != nil }

    /// The line is gone on with at the next entry.
    private mutating func goOnLater(_ concert: Int) {
        let index = unfinished.firstIndex { $0 >= concert } ?? unfinished.count
        if index == unfinished.count || unfinished[index] != concert { unfinished.insert(concert, at: index) }
    }

    /// Admits the lowest present places, up to `limit` and the cap.
    private mutating func admitBatch(_ concert: Int, atMost limit: Int, _ effects: inout Effects) {
        var left = limit
        var from = 1
        while left > 0, concerts[concert].hasRoom, let place = concerts[concert].ready.firstMember(from: from) {
            admitPlace(concert, place, &effects)
            from = place + 1
            left -= 1
            budget -= 1
        }
    }

    private mutating func admitPlace(_ concert: Int, _ place: Int, _ effects: inout Effects) {
        concerts[concert].waiting.remove(place)
        concerts[concert].ready.remove(place)
        concerts[concert].active += 1
        concerts[concert].admitted &+= 1
        concerts[concert].lastMinute.add(at: clock)
        let token = concerts[concert].token(atPlace: place)
        tokens[token].writtenPhase = .active
        tokens[token].admittedAt = clock
        tokens[token].activeUntil = clock.saturatingAdd(concerts[concert].settings.activeTtlMs)
        tokens[token].until = clock.saturatingAdd(concerts[concert].settings.idleTtlMs)
        scheduleToken(token)
        effects.lines.append(.admitted(line: concert, place: UInt64(place), token: UInt64(token + 1)))
        report(token, &effects)
    }

    // MARK: The turnstile

    /// One turn, due now.
    mutating func tick(_ concert: Int, _ effects: inout Effects) {
        concerts[concert].nextTick = 0
        guard concerts[concert].isAdmitting, quietUntil == 0, concerts[concert].policy.batch > 0 else { return }
        admitBatch(concert, atMost: Int(concerts[concert].policy.batch), &effects)
        scheduleTick(concert)
    }

    /// Makes the next turn of the grid a deadline, if it is not one already and somebody could enter.
    private mutating func scheduleTick(_ concert: Int) {
        let record = concerts[concert].policy
        guard concerts[concert].nextTick == 0, concerts[concert].ready.count > 0, concerts[concert].hasRoom else { return }
        let interval = UInt64(max(record.intervalMs, 1))
        let turns = clock.saturatingSubtract(concerts[concert].gridStart) / interval
        let (ahead, overflow) = (turns &+ 1).multipliedReportingOverflow(by: interval)
        let next = overflow ? .max : concerts[concert].gridStart.saturatingAdd(ahead)
        concerts[concert].nextTick = next
        deadlines.add(.tick, concert, at: next)
    }

    /// Puts a policy in force.
    mutating func adopt(_ policy: AdmissionPolicy, _ concert: Int, _ effects: inout Effects) {
        let old = concerts[concert].policy
        concerts[concert].policy = policy
        concerts[concert].settings.policy = policy
        if policy.batch > 0, old.batch == 0 || old.intervalMs != policy.intervalMs {
            concerts[concert].gridStart = clock
            concerts[concert].nextTick = 0
        }
        admit(concert, &effects)
    }

    // MARK: States

    /// What an operator asks for, if the line's state allows it.
    mutating func changeLine(_ change: ChangeLine, _ effects: inout Effects) throws(Refusal) -> Committed {
        guard let concert = concertIndexes[change.concert] else { throw .concertUnknown }
        let state = concerts[concert].state
        switch (change.action, state) {
        case (.openLobby, .scheduled): setState(concert, .lobby, &effects)
        case (.openLine, .scheduled), (.openLine, .lobby), (.openLine, .draining): openLine(concert, &effects)
        case (.pauseLine, .open): setState(concert, .paused, &effects)
        case (.resumeLine, .paused): openLine(concert, &effects)
        case (.drainLine, .open), (.drainLine, .paused):
            setState(concert, .draining, &effects)
            admit(concert, &effects)
        case (.closeLine, .closed): break
        case (.closeLine, _): closeLine(concert, &effects)
        case (.openLobby, _): throw .lineTransition(from: state, "open its lobby: only a scheduled line can")
        case (.openLine, _): throw .lineTransition(from: state, "open: only a scheduled or draining line or a lobby can")
        case (.pauseLine, _): throw .lineTransition(from: state, "pause: only an open line can")
        case (.resumeLine, _): throw .lineTransition(from: state, "resume: only a paused line can")
        case (.drainLine, _): throw .lineTransition(from: state, "drain: only an open or paused line can")
        case (.unspecified, _), (.unrecognized, _):
            throw .settingsInvalid("The action must be to open the lobby, open, pause, resume, drain or close the line.")
        }
        return .operatorDone(concert: concert)
    }

    mutating func setState(_ concert: Int, _ state: LineState, _ effects: inout Effects) {
        concerts[concert].state = state
        effects.lines.append(.state(line: concert, state))
        effects.catalogueChanged = true
    }

    /// Opens the line: after a lobby that is drawn, draws it first. Until that is done it stays a lobby; who joins
    /// meanwhile stands behind those who are drawn.
    mutating func openLine(_ concert: Int, _ effects: inout Effects) {
        guard concerts[concert].shuffle == nil else { return }
        let joined = concerts[concert].joined
        if concerts[concert].state == .lobby, concerts[concert].settings.lobbyOrder == .draw, joined > 0 {
            concerts[concert].shuffle = Draw.Shuffle(seed: concerts[concert].drawSeed, count: joined)
            goOnDrawing(concert, &effects)
        } else {
            open(concert, &effects)
        }
    }

    private mutating func open(_ concert: Int, _ effects: inout Effects) {
        let isFirst = concerts[concert].state == .scheduled || concerts[concert].state == .lobby
        setState(concert, .open, &effects)
        if isFirst {
            concerts[concert].gridStart = clock
            if concerts[concert].policy.batch > 0 {
                tick(concert, &effects)
                return
            }
        }
        admit(concert, &effects)
    }

    /// Draws some places; once there is nothing left to draw but little time has been spent, puts the order in force.
    mutating func goOnDrawing(_ concert: Int, _ effects: inout Effects) {
        let left = concerts[concert].shuffle?.left ?? 0
        concerts[concert].shuffle?.advance(by: SaleLimits.drawPerEntry)
        guard left <= SaleLimits.drawPerEntry / 2, let shuffle = concerts[concert].shuffle.take() else {
            goOnLater(concert)
            return
        }
        let order = Draw.Order(shuffle)
        concerts[concert].order = order
        concerts[concert].waiting.permute(order.places)
        concerts[concert].ready.permute(order.places)
        effects.lines.append(.drawn(line: concert, seed: concerts[concert].drawSeed, places: order.places))
        open(concert, &effects)
    }

    /// Ends everybody who waits, however many they are, by saying so (`phase(of:)`).
    mutating func closeLine(_ concert: Int, _ effects: inout Effects) {
        setState(concert, .closed, &effects)
        liveTokens -= concerts[concert].waiting.count
        concerts[concert].shuffle = nil
        concerts[concert].waiting.removeAll()
        concerts[concert].ready.removeAll()
    }
}
