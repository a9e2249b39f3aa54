// Reading a snapshot: the records as they were written, then everything that follows from them.

internal import UsherAPI

extension BoxOffice {
    mutating func readAll(_ reader: inout SnapshotReader) throws(SnapshotError) {
        try readSale(&reader)
        for _ in 0..<(try reader.count()) {
            var user = UserRecord(id: try reader.uuid())
            user.balance = try reader.number()
            guard userIndex[user.id] == nil else { throw reader.malformed() }
            users.append(user)
            userIndex.insert(user.id, at: users.count - 1)
        }
        for _ in 0..<(try reader.count()) { try readConcert(&reader) }
        for _ in 0..<(try reader.count()) { try readPerformance(&reader) }
        try readTokens(&reader)
        for _ in 0..<(try reader.count()) { try readReservation(&reader) }
        for _ in 0..<(try reader.count()) { try readPayment(&reader) }
        for _ in 0..<(try reader.count()) { try readTransaction(&reader) }
        for _ in 0..<(try reader.count()) { try readInstance(&reader) }
        kept = try reader.members(below: tokens.count)
        for _ in 0..<(try reader.count()) { try readRemembered(&reader) }
        countPresence()
        rebuildDeadlines()
        pruneDeadlines()
    }

    private mutating func readSale(_ reader: inout SnapshotReader) throws(SnapshotError) {
        position = try reader.number()
        clock = try reader.number()
        digest = try reader.fixed()
        rules = try reader.small(UInt32.self)
        settings.accountNeedsActiveToken = try reader.flag()
        settings.maxCharge = try reader.number()
        settings.maxBalance = try reader.number()
        quietUntil = try reader.number()
        respiteUntil = try reader.number()
        serial = try reader.number()
        for _ in 0..<(try reader.count()) {
            keys.append(
                PublishedKey(
                    instance: try reader.small(UInt32.self), ed25519: try reader.data(), publishedMs: try reader.number()))
        }
    }

    private mutating func readConcert(_ reader: inout SnapshotReader) throws(SnapshotError) {
        let settings = try reader.message(ConcertSettings.self)
        let policy = try reader.message(AdmissionPolicy.self)
        let state = LineState(rawValue: try reader.small(Int32.self))
        var concert = ConcertRecord(settings: settings, policy: policy, drawSeed: try reader.data())
        concert.state = state
        let drawn = try reader.number(upTo: SaleLimits.joinsPerLine)
        let shuffled = try reader.number(upTo: SaleLimits.joinsPerLine)
        let shuffleLeft = try reader.number(upTo: shuffled)
        guard drawn == 0 || shuffled == 0, (shuffled == 0) == (shuffleLeft == 0) else { throw reader.malformed() }
        concert.restoreDraw(drawn: drawn, shuffled: shuffled, left: shuffleLeft)
        concert.admitted = try reader.number()
        concert.gridStart = try reader.number()
        concert.nextTick = try reader.number()
        concert.payments = try reader.number()
        concert.revenue = try reader.number()
        concert.noticesSent = try reader.number()
        let second = try reader.number()
        var counts: [UInt32] = []
        for _ in 0..<MinuteCount.seconds { counts.append(try reader.small(UInt32.self)) }
        concert.lastMinute = MinuteCount(counts: counts, second: second)
        for _ in 0..<(try reader.count()) { concert.notices.append(try reader.message(Notice.self)) }
        guard concertIndexes[settings.id] == nil else { throw reader.malformed() }
        concertIndexes[settings.id] = concerts.count
        concerts.append(concert)
    }

    private mutating func readPerformance(_ reader: inout SnapshotReader) throws(SnapshotError) {
        let settings = try reader.message(PerformanceSettings.self)
        let concert = try reader.number(upTo: concerts.count - 1)
        let revision = try reader.number()
        guard concerts.indices.contains(concert), performanceIndexes[settings.id] == nil,
            let checked = try? SettingsRules.checked(settings)
        else { throw reader.malformed() }
        addPerformance(checked.0, checked.1, concert: concert)
        performances[performances.count - 1].revision = revision
    }

    private mutating func readTokens(_ reader: inout SnapshotReader) throws(SnapshotError) {
        var joined = [Int](repeating: 0, count: concerts.count)
        for _ in 0..<(try reader.count()) {
            let user = try reader.number(upTo: users.count - 1)
            let concert = try reader.number(upTo: concerts.count - 1)
            guard users.indices.contains(user), concerts.indices.contains(concert) else { throw reader.malformed() }
            joined[concert] += 1
            guard try reader.number(upTo: SaleLimits.joinsPerLine) == joined[concert] else { throw reader.malformed() }
            var token = TokenRecord(user: user, concert: concert, joinNumber: joined[concert])
            guard try reader.number(upTo: SaleLimits.joinsPerLine) == concerts[concert].place(ofJoin: token.joinNumber) else {
                throw reader.malformed()
            }
            guard let phase = Phase(rawValue: try reader.small(UInt8.self)) else { throw reader.malformed() }
            token.writtenPhase = phase
            token.endReason = try reader.small(UInt8.self)
            token.hasPaid = try reader.flag()
            token.activeUntil = try reader.number()
            token.until = try reader.number()
            token.admittedAt = try reader.number()
            // Nobody waits in a line that is closed.
            guard phase != .waiting || concerts[concert].state != .closed else { throw reader.malformed() }
            if phase != .ended {
                token.nextLive = users[user].liveTokens
                users[user].liveTokens = UInt32(truncatingIfNeeded: tokens.count + 1)
                liveTokens += 1
            }
            tokens.append(token)
            concerts[concert].tokenOfJoin.append(UInt32(truncatingIfNeeded: tokens.count))
            switch phase {
            case .waiting: concerts[concert].waiting.insert(place(of: tokens.count - 1))
            case .active: concerts[concert].active += 1
            case .ended: break
            }
        }
        for concert in concerts.indices {
            let drawn = max(concerts[concert].order.count, concerts[concert].shuffle?.count ?? 0)
            guard drawn <= joined[concert] else { throw reader.malformed() }
        }
    }

    private mutating func readReservation(_ reader: inout SnapshotReader) throws(SnapshotError) {
        let user = try reader.number(upTo: users.count - 1)
        let token = try reader.number(upTo: tokens.count - 1)
        let performance = try reader.number(upTo: performances.count - 1)
        guard users.indices.contains(user), tokens.indices.contains(token), performances.indices.contains(performance) else {
            throw reader.malformed()
        }
        let seatCount = try reader.number(upTo: SaleLimits.seatsPerHold)
        let start = heldSeats.count
        for _ in 0..<seatCount {
            let seat = try reader.number(upTo: performances[performance].seats.count)
            guard seat >= 1 else { throw reader.malformed() }
            heldSeats.append(UInt16(truncatingIfNeeded: seat))
        }
        let state = try reader.small(UInt8.self)
        var record = ReservationRecord(
            user: UInt32(truncatingIfNeeded: user), token: UInt32(truncatingIfNeeded: token),
            performance: UInt32(truncatingIfNeeded: performance), seatCount: UInt16(truncatingIfNeeded: seatCount),
            seatStart: UInt64(start), price: try reader.number(), created: try reader.number(), deadline: try reader.number())
        record.ended = try reader.number()
        record.state = state
        record.previousOfUser = users[user].lastReservation
        record.previousOfToken = tokens[token].lastReservation
        let link = UInt32(truncatingIfNeeded: reservations.count + 1)
        users[user].lastReservation = link
        tokens[token].lastReservation = link
        reservations.append(record)

        guard state == ReservationRecord.held || state == ReservationRecord.paid else { return }
        for index in seatRange(of: record) {
            let seat = Int(heldSeats[index]) - 1
            guard performances[performance].seats[seat] == 0 else { throw reader.malformed() }
            performances[performance].seats[seat] = link
        }
        if state == ReservationRecord.held {
            tokens[token].openHolds &+= 1
            performances[performance].held += seatCount
        } else {
            performances[performance].sold += seatCount
        }
    }

    private mutating func readPayment(_ reader: inout SnapshotReader) throws(SnapshotError) {
        let reservation = try reader.number(upTo: reservations.count - 1)
        guard reservations.indices.contains(reservation), reservations[reservation].payment == 0 else {
            throw reader.malformed()
        }
        let user = reservations[reservation].user
        var payment = PaymentRecord(
            user: user, reservation: UInt32(truncatingIfNeeded: reservation), paid: try reader.number())
        payment.refunded = try reader.number()
        payment.previousOfUser = users[Int(user)].lastPayment
        payments.append(payment)
        users[Int(user)].lastPayment = UInt32(truncatingIfNeeded: payments.count)
        reservations[reservation].payment = UInt32(truncatingIfNeeded: payments.count)
    }

    private mutating func readTransaction(_ reader: inout SnapshotReader) throws(SnapshotError) {
        let user = try reader.number(upTo: users.count - 1)
        guard users.indices.contains(user) else { throw reader.malformed() }
        var record = TransactionRecord(
            user: UInt32(truncatingIfNeeded: user),
            reservation: UInt32(truncatingIfNeeded: try reader.number(upTo: reservations.count)),
            kind: try reader.small(UInt8.self), amount: try reader.number(), balanceAfter: try reader.number(),
            time: try reader.number())
        record.previousOfUser = users[user].lastTransaction
        transactions.append(record)
        users[user].lastTransaction = UInt32(truncatingIfNeeded: transactions.count)
    }

    private mutating func readInstance(_ reader: inout SnapshotReader) throws(SnapshotError) {
        var instance = InstanceRecord(id: try reader.small(UInt32.self))
        guard instances.last.map({ $0.id < instance.id }) ?? true else { throw reader.malformed() }
        instance.incarnation = try reader.number()
        instance.number = try reader.number()
        instance.isAlive = try reader.flag()
        instance.rules = try reader.small(UInt32.self)
        instance.name = try reader.text()
        instance.address = try reader.text()
        instance.lastSign = try reader.number()
        instance.lastBeat = try reader.number()
        for _ in 0..<(try reader.number(upTo: RuleTimes.beatsUntilGone)) { instance.beats.append(try reader.number()) }
        for _ in 0..<(try reader.number(upTo: SaleLimits.sourcesPerInstance)) {
            instance.sources.append(try reader.members(below: tokens.count))
        }
        instances.append(instance)
    }

    private mutating func readRemembered(_ reader: inout SnapshotReader) throws(SnapshotError) {
        let requestId = try reader.uuid()
        let contents = try reader.fixed()
        let time = try reader.number()
        let user = try reader.number(upTo: users.count - 1)
        guard users.indices.contains(user) else { throw reader.malformed() }
        let code = try reader.small(UInt8.self)
        var refusal: Refusal?
        var committed = Committed.none
        if code == OutcomeCode.refused {
            guard let reason = Reason(rawValue: try reader.text()) else { throw reader.malformed() }
            let message = try reader.text()
            refusal = Refusal(reason, message, try reader.message(ErrorDetails.self))
        } else {
            committed = Committed(code: code, first: try reader.number(), second: try reader.number())
            guard isSound(committed) else { throw reader.malformed() }
        }
        let packed = committed.packed
        let record = RememberedOutcome(
            requestId: requestId, contents: contents, time: time, user: UInt32(truncatingIfNeeded: user), code: code,
            first: packed.first, second: packed.second)
        users[user].lastRemembered = remembered.append(record, refusal: refusal, last: users[user].lastRemembered)
        users[user].requestTraces.add(requestId)
    }

    /// Whether what the outcome names is there.
    private func isSound(_ committed: Committed) -> Bool {
        switch committed {
        case .joined(let token), .left(let token): tokens.indices.contains(token)
        case .held(let reservation, _), .released(let reservation): reservations.indices.contains(reservation)
        case .paid(let payment, let transaction):
            payments.indices.contains(payment) && transactions.indices.contains(transaction)
        case .cancelled(let reservation, let transaction):
            reservations.indices.contains(reservation) && transactions.indices.contains(transaction)
        case .charged(let transaction): transactions.indices.contains(transaction)
        case .operatorDone(let concert): concerts.indices.contains(concert)
        case .none: false
        }
    }

    /// Counts where each token is present, and who of the waiting can therefore be admitted.
    private mutating func countPresence() {
        for source in instances.flatMap(\.sources) + [kept] {
            for token in source.members { tokens[token].presence &+= 1 }
        }
        for token in tokens.indices where phase(of: token) == .waiting && tokens[token].presence > 0 {
            concerts[Int(tokens[token].concert)].ready.insert(place(of: token))
        }
        unfinished = concerts.indices.filter { isUnfinished($0) }
    }
}
