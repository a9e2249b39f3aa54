// What operators do: concerts, performances, policies, notices. The states of a line are in +Admission.

internal import UsherAPI

extension BoxOffice {
    /// Creates a concert or changes one. Times that have passed already take effect at once.
    mutating func putConcert(_ put: PutConcert, _ effects: inout Effects) throws(Refusal) -> Committed {
        guard let given = put.settings else { throw .settingsInvalid("The concert's settings are missing.") }
        let settings = try SettingsRules.checked(given)
        let policy = settings.policy ?? AdmissionPolicy()
        let concert: Int
        if let known = concertIndexes[settings.id] {
            concert = known
            try checkChange(settings, of: known, seed: put.drawSeed)
            concerts[known].settings = settings
            if concerts[known].drawSeed.isEmpty, settings.lobbyOrder == .draw { concerts[known].drawSeed = put.drawSeed }
        } else {
            guard concerts.count < SaleLimits.concerts else { throw .tableFull("concerts", limit: SaleLimits.concerts) }
            try checkSeed(put.drawSeed, settings)
            concert = concerts.count
            let seed = put.drawSeed.count == Draw.seedBytes ? put.drawSeed : []
            concerts.append(ConcertRecord(settings: settings, policy: policy, drawSeed: seed))
            concertIndexes[settings.id] = concert
        }
        effects.catalogueChanged = true
        scheduleLine(concert)
        adopt(policy, concert, &effects)
        moveByTime(concert, &effects)
        return .operatorDone(concert: concert)
    }

    private func checkChange(_ settings: ConcertSettings, of concert: Int, seed: [UInt8]) throws(Refusal) {
        let now = concerts[concert].settings
        if concerts[concert].state == .scheduled {
            if concerts[concert].drawSeed.isEmpty { try checkSeed(seed, settings) }
            return
        }
        guard settings.lobbyOrder == now.lobbyOrder else {
            throw .settingFixed("lobby_order can be changed only while the line is scheduled.")
        }
        guard settings.lobbyOpensMs == now.lobbyOpensMs else {
            throw .settingFixed("lobby_opens_ms can be changed only while the line is scheduled.")
        }
    }

    private func checkSeed(_ seed: [UInt8], _ settings: ConcertSettings) throws(Refusal) {
        guard settings.lobbyOrder != .draw || seed.count == Draw.seedBytes else {
            throw .settingsInvalid("A draw needs a seed of \(Draw.seedBytes) bytes.")
        }
    }

    /// Does what the line's times, as they are now, have already brought.
    private mutating func moveByTime(_ concert: Int, _ effects: inout Effects) {
        let now = clock
        let settings = concerts[concert].settings
        let isDue = { (time: UInt64) in time != 0 && time <= now }
        if concerts[concert].state == .scheduled, isDue(settings.lobbyOpensMs) { setState(concert, .lobby, &effects) }
        if concerts[concert].state == .scheduled || concerts[concert].state == .lobby, isDue(settings.opensMs) {
            openLine(concert, &effects)
        }
        if concerts[concert].state != .closed, isDue(settings.closesMs) { closeLine(concert, &effects) }
    }

    /// Creates a performance or changes its date and prices. Reservations keep the prices they were made at.
    mutating func putPerformance(_ given: PerformanceSettings, _ effects: inout Effects) throws(Refusal) -> Committed {
        guard let concert = concertIndexes[given.concert] else { throw .concertUnknown }
        var wanted = given
        if let known = performanceIndexes[given.id] {
            let now = performances[known].settings
            if wanted.seatCount == 0 { wanted.seatCount = now.seatCount }
            guard wanted.concert == now.concert else {
                throw .settingFixed("The performance belongs to concert \(now.concert), which cannot be changed.")
            }
            guard wanted.seatCount == now.seatCount else {
                throw .settingFixed("The performance has \(now.seatCount) seats, which cannot be changed.")
            }
            let (settings, prices) = try SettingsRules.checked(wanted)
            performances[known].settings = settings
            performances[known].prices = prices
        } else {
            let (settings, prices) = try SettingsRules.checked(wanted)
            guard performances.count < SaleLimits.performances else {
                throw .tableFull("performances", limit: SaleLimits.performances)
            }
            guard seatTotal + prices.count <= SaleLimits.seats else { throw .tableFull("seats", limit: SaleLimits.seats) }
            addPerformance(settings, prices, concert: concert)
        }
        effects.catalogueChanged = true
        return .operatorDone(concert: concert)
    }

    mutating func addPerformance(_ settings: PerformanceSettings, _ prices: [UInt64], concert: Int) {
        let seats = [UInt32](repeating: 0, count: prices.count)
        performances.append(PerformanceRecord(settings: settings, concert: concert, seats: seats, prices: prices))
        performanceIndexes[settings.id] = performances.count - 1
        concerts[concert].performances.append(performances.count - 1)
        seatTotal += prices.count
    }

    mutating func setPolicy(_ request: SetPolicyRequest, _ effects: inout Effects) throws(Refusal) -> Committed {
        guard let concert = concertIndexes[request.concert] else { throw .concertUnknown }
        let policy = try SettingsRules.checked(request.policy)
        effects.catalogueChanged = true
        adopt(policy, concert, &effects)
        return .operatorDone(concert: concert)
    }

    mutating func sendNotice(_ request: SendNoticeRequest, _ effects: inout Effects) throws(Refusal) -> Committed {
        guard let concert = concertIndexes[request.concert] else { throw .concertUnknown }
        guard (1...SaleLimits.noticeBytes).contains(request.text.utf8.count) else {
            throw .settingsInvalid("A notice must be 1 to \(SaleLimits.noticeBytes) bytes long.")
        }
        concerts[concert].noticesSent &+= 1
        let notice = Notice(number: concerts[concert].noticesSent, text: request.text, sentMs: clock)
        concerts[concert].notices.append(notice)
        if concerts[concert].notices.count > SaleLimits.notices { concerts[concert].notices.removeFirst() }
        effects.notices.append(SentNotice(concert: concert, notice: notice))
        return .operatorDone(concert: concert)
    }
}
