import Calls
import Client
import Reactor
import UsherAPI
import Wire

// The place in the line: taking it, hearing of it, giving it up.

extension Fan {
    /// Takes a place, or comes back to it with its queue token.
    func join() {
        guard let connection, connection.isReady else { return }
        if phase == .connected { phase = .joining }
        if record.joinSentUs == 0 { record.joinSentUs = Clocks.monotonic() }
        crowd.book(traffic)
        hasFirstUpdate = false
        let options = CallOptions(
            metadata: presented, requestID: joinRequest, attempts: joinAttempts, credit: 16)
        joinAttempts += 1
        joinCall = try? connection.open(.join, JoinRequest(concert: crowd.plan.concert), options)
        if joinCall == nil { hastenMove() }
    }

    /// The queue token as metadata, where Join has not bound it to the connection.
    var presented: [Metadata] {
        token.isEmpty || isBound ? [] : [Metadata(key: "queue-token", value: Array(token.utf8))]
    }

    func heard(_ update: LineUpdate) {
        let isFirst = !hasFirstUpdate
        let isReturn = isFirst && record.joinNumber != 0
        hasFirstUpdate = true
        isBound = true
        if !update.queueToken.isEmpty { token = update.queueToken }
        if record.joinNumber != 0, update.joinNumber != record.joinNumber {
            // What more is said of a place that it is giving up is not of the one that its record is about.
            if isReturn { lostPlace(update) }
            return
        }
        if isFirst { placed(update) }
        if phase == .waiting { crowd.record.waitingUpdates += 1 }
        take(update, isReturn: isReturn)
        if isFirst, phase != .gone {
            returned()
            if going.isNew { settleElsewhere() }
            // From here on it polls, if that is its way: the stream has shown the token.
            if isPolling, let call = joinCall {
                joinCall = nil
                connection?.cancel(call)
                if phase == .waiting {
                    next(.check, after: .random(in: 0...crowd.plan.pollMilliseconds!, using: &persona.numbers))
                }
            }
        }
    }

    /// The first update of a stream: where it stands.
    private func placed(_ update: LineUpdate) {
        if record.joinNumber == 0 {
            record.joinedUs = Clocks.monotonic()
            record.joinNumber = update.joinNumber
            crowd.note(.join, microseconds: record.joinedUs - record.joinSentUs)
            crowd.tally.joined.add()
        } else if record.place != 0, update.place != record.place, update.place != 0 {
            problem("came back with place \(update.place) instead of \(record.place)")
        }
        // Should it have to ask again, then as somebody who comes back, not as somebody who repeats.
        joinRequest = .random()
        joinAttempts = 0
    }

    /// Came back, but to another place. A turn may run out while one is away; a place in line may not. Gives it up.
    private func lostPlace(_ update: LineUpdate) {
        if phase != .active { problem("came back with join number \(update.joinNumber) instead of \(record.joinNumber)") }
        endAbsence()
        leave(as: phase == .active ? .expired : .failed)
        // Not the leaving of the place that the record is about.
        record.leaveSentUs = 0
    }

    /// Facts of the line, pushed or asked for.
    ///
    /// - Parameter askedUs: wall time of the question, if it was one.
    func take(_ update: LineUpdate, isReturn: Bool, askedUs: UInt64? = nil) {
        if update.place != 0 { record.place = update.place }
        switch update.state {
        case .waiting:
            record.lastWaitingUs = askedUs ?? Clocks.wall()
            if phase == .joining { beginWaiting() }
            if phase == .active { problem("was sent back to wait") }
            if update.position != 0 {
                if lastPosition != 0, update.position > lastPosition {
                    problem("position grew from \(lastPosition) to \(update.position)")
                }
                lastPosition = update.position
                show(update.position)
            }
        case .active:
            if phase == .joining || phase == .waiting { beginTurn(update, isReturn: isReturn) }
            for reservation in update.reservations {
                if reservation.state == .expired { holdExpired(reservation) }
                if reservation.state == .held { holdGoesOn(reservation, isStalled: update.stalled) }
            }
        case .ended:
            tokenEnded(update.endReason)
        case .unspecified, .unrecognized:
            problem("a token without a state")
        }
    }

    private func beginWaiting() {
        phase = .waiting
        waitingSince = Clocks.monotonic()
        crowd.tally.waiting.add()
        maybeLose(.waiting, within: 8_000)
        // Beside the main course, which may be that of a poller; looked at only if it still waits then.
        if let patience = persona.patience { loop.schedule(after: patience, self, tag: Alarm.giveUp.rawValue) }
    }

    /// Notes what the fan sees from now on; 0: nothing that it would go by, as once it has asked to leave.
    func show(_ position: UInt64) {
        guard position == 0 || record.leaveSentUs == 0 else { return }
        let shown = UInt32(clamping: position)
        guard record.views.last?.position ?? 0 != shown else { return }
        record.views.append(ScreenView(sinceUs: Clocks.wall(), position: shown))
    }

    private func beginTurn(_ update: LineUpdate, isReturn: Bool) {
        show(0)
        if phase == .waiting {
            crowd.tally.waiting.subtract()
            crowd.record.waitedUs += Clocks.monotonic() - waitingSince
        }
        phase = .active
        crowd.tally.active.add()
        crowd.tally.admitted.add()
        record.admittedMs = update.activeUntilMs - min(update.activeUntilMs, crowd.plan.activeMilliseconds)
        record.surelyActiveUntilMs = record.admittedMs
        turnHeardUs = Clocks.wall()
        // Whoever comes back hears of an admission that may be older.
        if !isReturn {
            let now = Clocks.wall()
            crowd.note(.admission, microseconds: now - min(now, record.admittedMs * 1000))
        }
        maybeLose(.thinking, within: 600)
        next(.choose, after: persona.thought())
    }

    /// Stands in line no longer than its patience, or once all is over.
    func giveUp() {
        guard phase == .waiting, command == nil else { return }
        leave()
    }

    func tokenEnded(_ reason: EndReason) {
        guard command == nil else {
            endHeard = reason
            return
        }
        switch reason {
        case .paid:
            if record.payments.isEmpty { problem("the token ended as paid, but no payment was acknowledged") }
            goHome(.paid)
        case .left: goHome(leavingAs)
        case .closed: goHome(.closed)
        case .expired:
            if record.away.isEmpty, awayFromUs == nil {
                crowd.noteOddity("token expired in the middle of its turn", wasAt)
            }
            goHome(.expired)
        case .absent, .unspecified, .unrecognized:
            problem("the token ended for \(reason)")
            goHome(.failed)
        }
    }

    /// How far its turn has come.
    private var wasAt: String {
        let now = Clocks.wall()
        let late = (turnHeardUs - min(turnHeardUs, record.admittedMs * 1000)) / 1000
        let ago = (now - min(now, turnHeardUs)) / 1000
        let asked = command.map { "\($0.method)" } ?? query.map { "\($0.method)" } ?? "nothing"
        let seats = watch.map { $0.isComplete ? "seats shown" : "seats not shown yet" } ?? "no seats asked for"
        return
            "fan \(record.index) heard of its turn \(late) ms after its beginning and \(ago) ms ago; round \(rounds), waits for an answer to \(asked), \(seats)"
    }

    func joinEnded(_ status: Status) {
        guard phase != .gone else { return }
        guard status.code != .ok else {
            guard endHeard == nil else { return }
            if hasFirstUpdate { problem("the line stream ended without an end of the token") }
            goHome(.failed)
            return
        }
        if let delay = retryDelay(status) {
            next(.rejoin, after: delay)
        } else if status.reason == Reason.lineClosed.rawValue || status.reason == Reason.lineDraining.rawValue {
            goHome(.closed)
        } else {
            odd("Join", status)
            fail("Join was refused: \(status.reason) \(status.message)")
        }
    }

    /// What a client does by itself: come again, with the same request id.
    func retryDelay(_ status: Status) -> UInt64? {
        switch Reason(rawValue: status.reason) {
        case .notStarted, .notCaughtUp, .journalUnavailable, .outcomeUnknown, .rateLimited, .shuttingDown:
            UInt64(status.details?.retryAfterMs ?? 0) + .random(in: 20...120, using: &persona.numbers)
        default: nil
        }
    }

    // MARK: Polling

    /// Asks where it stands, instead of being told.
    func check() {
        guard phase == .waiting || phase == .active || phase == .joining, query == nil else { return }
        crowd.tally.checks.add()
        ask(.check)
    }

    func checked(_ update: LineUpdate) {
        let isReturn = awayFromUs != nil
        take(update, isReturn: isReturn, askedUs: Clocks.wall() - (Clocks.monotonic() - queryStarted))
        guard phase != .gone else { return }
        returned()
        if going.isNew { settleElsewhere() }
        if phase == .waiting { next(.check, after: crowd.plan.pollMilliseconds!) }
    }
}
