import Calls
import Client
import UsherAPI
import Wire

// The turn: choosing a date, watching its seats, holding, doubting, charging, paying.
//
//     choose ─▶ dates ─▶ watch ─▶ hold ─┬─▶ charge ─▶ pay ─▶ home
//        ▲                ▲       │     ├─▶ release ──┐
//        │                └ taken ┘     └─▶ let pass ─┤
//        └────────────────────────────────────────────┘

/// The seats of one performance as this fan has been told.
struct WatchedSeats {
    let performance: String
    let call: CallID
    /// Seat n at index n − 1.
    var seats: [(price: UInt64, state: SeatState)] = []
    var isComplete = false
    /// The snapshot came in parts, whose states may be newer than its revision.
    var isInParts = false
    let startedUs: UInt64
}

extension Fan {
    private static let roundsMax = 40

    /// Goes on where a lost connection has left it.
    func resumeTurn() {
        guard phase == .active, command == nil else { return }
        if let held {
            next(balance >= held.price || persona.isBroke ? .pay : .charge, after: persona.thought())
        } else {
            next(.choose, after: persona.thought())
        }
    }

    func leave(as outcome: FanRecord.Outcome = .left) {
        guard command == nil else { return }
        leavingAs = outcome
        record.leaveSentUs = Clocks.wall()
        show(0)
        command(.leave, LeaveRequest(concert: crowd.plan.concert))
    }

    // MARK: Dates and seats

    func choose() {
        guard phase == .active, command == nil, query == nil else { return }
        rounds += 1
        if persona.onlyWaits || rounds > Self.roundsMax { leave() } else { ask(.dates) }
    }

    func datesHeard(_ list: ListPerformancesResponse) {
        guard phase == .active else { return }
        for performance in list.performances where performance.seatsLeft == 0 {
            problem("\(performance.id) is listed with no seat left")
        }
        guard !list.performances.isEmpty else {
            if list.availability == .unspecified || list.availability == .onSale {
                problem("no performance listed, and no word that it is sold out")
            }
            leave(as: .soldOut)
            return
        }
        let index = min(Int(persona.date * Double(list.performances.count)), list.performances.count - 1)
        let performance = list.performances[index]
        guard watch?.performance != performance.id else {
            next(.hold, after: persona.thought() / 2)
            return
        }
        guard let connection, connection.isReady else { return }
        if let watch { connection.cancel(watch.call) }
        watch = nil
        let options = CallOptions(metadata: presented, credit: 16)
        guard let call = try? connection.open(.watchSeats, WatchSeatsRequest(performance: performance.id), options) else {
            hastenMove()
            return
        }
        watch = WatchedSeats(performance: performance.id, call: call, startedUs: Clocks.monotonic())
    }

    func heard(_ list: SeatList, revision: UInt64, isSnapshot: Bool) {
        guard watch != nil else { return }
        if isSnapshot { watch!.seats.removeAll() }
        let isDelta = watch!.isComplete && !isSnapshot
        if !isDelta, list.nextSeat != 0 { watch!.isInParts = true }
        let performance = watch!.performance
        for seat in list.seats {
            let index = Int(seat.number) - 1
            while watch!.seats.count <= index { watch!.seats.append((0, .unspecified)) }
            watch!.seats[index] = (seat.price, seat.state)
            if isDelta || !watch!.isInParts {
                crowd.record.sightings[performance, default: SeatSightings()].saw(
                    index, isSold: seat.state == .sold, revision: revision)
            }
            if isDelta, seat.state == .held {
                let key = SeatKey(performance: 0, seat: seat.number)
                crowd.record.holdSightings.append(
                    (performance, HoldSighting(seat: key, heardUs: Clocks.wall(), instance: target)))
            }
        }
        if isDelta || list.nextSeat != 0 { return }
        if watch!.seats.contains(where: { $0.state == .unspecified }) {
            problem("a snapshot of \(performance) with seats left out")
        }
        if !watch!.isComplete {
            watch!.isComplete = true
            crowd.note(.seats, since: watch!.startedUs)
            if phase == .active, command == nil, held == nil { next(.hold, after: persona.thought()) }
        }
    }

    // MARK: Hold

    func hold() {
        guard phase == .active, command == nil, held == nil else { return }
        guard let watch, watch.isComplete else {
            choose()
            return
        }
        if persona.wantsBest {
            command(.hold, HoldRequest(performance: watch.performance, bestAvailable: UInt32(wants)))
            return
        }
        let favourite = Int(persona.favourite * Double(watch.seats.count))
        let free = watch.seats.indices.filter { watch.seats[$0].state == .available }.sorted {
            abs($0 - favourite) < abs($1 - favourite)
        }
        let chosen = free.prefix(wants)
        guard !chosen.isEmpty else {
            // All held or sold: perhaps another date, perhaps somebody gives one back.
            next(.choose, after: persona.thought() * 2)
            return
        }
        command(.hold, HoldRequest(performance: watch.performance, seats: chosen.map { UInt32($0 + 1) }.sorted()))
    }

    func holdDone(_ response: HoldResponse, _ done: FanCommand) {
        guard let reservation = response.reservation, reservation.state == .held, !reservation.seats.isEmpty,
            reservation.seats.count <= wants
        else {
            problem("a hold that is none: \(response)")
            return
        }
        let answered = Clocks.wall()
        crowd.record.instances[target].holds += 1
        if done.attempts == 0 { crowd.noteStamp(reservation.createdMs, sentUs: done.startedWallUs, answeredUs: answered) }
        record.surelyActiveUntilMs = max(record.surelyActiveUntilMs, reservation.createdMs)
        for seat in reservation.seats {
            let key = SeatKey(performance: 0, seat: seat)
            crowd.record.holdFacts.append(
                (
                    reservation.performance,
                    HoldFact(seat: key, createdMs: reservation.createdMs, answeredUs: answered, instance: target)
                ))
        }
        guard expiredUnheld != reservation.id else {
            next(.choose, after: persona.thought())
            return
        }
        setHeld(reservation)
        let doubt = persona.doubt
        persona.doubt = .none
        switch doubt {
        case .release: next(.release, after: persona.thought())
        case .letPass where crowd.plan.mayLetPass: letPass(reservation)
        case .letPass, .none:
            next(persona.isBroke || balance >= reservation.price ? .pay : .charge, after: persona.thought())
        }
    }

    func release() {
        guard let held, command == nil else { return }
        command(.release, ReleaseRequest(reservation: held.id))
    }

    private func letPass(_ reservation: Reservation) {
        let milliseconds = reservation.deadlineMs - min(reservation.deadlineMs, reservation.createdMs)
        next(.letPassed, after: milliseconds + (isPolling ? 1_000 : 5_000))
    }

    /// While the journal stands still no hold ends, and after an outage it has longer than was said.
    func holdGoesOn(_ reservation: Reservation, isStalled: Bool) {
        guard let held, held.id == reservation.id, isStalled || reservation.deadlineMs > held.deadlineMs else { return }
        self.held = reservation
        if isLettingPass { letPass(reservation) }
    }

    /// The hold's time was over, and nobody said so.
    func holdOverdue() {
        guard held != nil else { return }
        if !isPolling { problem("a hold ran out five seconds ago and was not told") }
        setHeld(nil)
        choose()
    }

    /// The hold has ended, as the line stream tells.
    func holdExpired(_ reservation: Reservation) {
        guard held?.id == reservation.id else {
            // Pushes overtake answers: its own answer may still be to come.
            expiredUnheld = reservation.id
            return
        }
        if reservation.endedMs < reservation.deadlineMs {
            problem("hold \(reservation.id) expired at \(reservation.endedMs), before its deadline \(reservation.deadlineMs)")
        }
        setHeld(nil)
        if command == nil { next(.choose, after: persona.thought()) }
    }

    // MARK: Money

    func charge() {
        guard let held, command == nil else { return }
        let missing = held.price - min(held.price, balance)
        let spare = persona.isBroke ? 0 : UInt64.random(in: 0...20_000, using: &persona.numbers)
        command(.charge, ChargeRequest(amount: max(1, missing + spare)))
    }

    func chargeDone(_ response: ChargeResponse, _ done: FanCommand) {
        guard let transaction = response.transaction, transaction.kind == .charge else {
            problem("a charge without its transaction")
            return
        }
        if done.attempts == 0 { crowd.noteStamp(transaction.timeMs, sentUs: done.startedWallUs, answeredUs: Clocks.wall()) }
        record.surelyActiveUntilMs = max(record.surelyActiveUntilMs, transaction.timeMs)
        record.charged += transaction.amount
        balance += transaction.amount
        if response.balance != balance { problem("after a charge the balance is \(response.balance), not \(balance)") }
        // The hold may have run out while the charge was under way.
        next(held == nil ? .choose : .pay, after: persona.thought())
    }

    func pay() {
        guard let held, command == nil else { return }
        command(.pay, PayRequest(reservation: held.id))
    }

    func payDone(_ response: PayResponse, _ done: FanCommand) {
        guard let payment = response.payment, let held else {
            problem("a payment for nothing held: \(response)")
            return
        }
        if done.attempts == 0 { crowd.noteStamp(payment.paidMs, sentUs: done.startedWallUs, answeredUs: Clocks.wall()) }
        record.surelyActiveUntilMs = max(record.surelyActiveUntilMs, payment.paidMs)
        if payment.reservation != held.id || payment.amount != held.price || payment.seats != held.seats
            || payment.performance != held.performance
        {
            problem("paid for \(held), but the payment says \(payment)")
        }
        record.payments.append(payment)
        balance -= min(balance, payment.amount)
        if response.balance != balance { problem("after paying the balance is \(response.balance), not \(balance)") }
        crowd.tally.paid.add()
        crowd.tally.seatsSold.add(payment.seats.count)
        setHeld(nil)
        // The push that says so has come already or is on its way; a poller goes by the answer.
        if isPolling || (!isBound && endHeard == nil) { goHome(.paid) } else { next(.endOverdue, after: 5_000) }
    }

    func endOverdue() {
        problem("paid five seconds ago, but the end of the token was not told")
        goHome(.paid)
    }

    // MARK: Refusals

    func refused(_ done: FanCommand, _ status: Status) {
        switch (done.method, Reason(rawValue: status.reason)) {
        case (.hold, .seatTaken?), (.hold, .seatContended?):
            if status.reason == Reason.seatTaken.rawValue {
                crowd.record.instances[target].taken += 1
            } else {
                crowd.record.instances[target].contended += 1
            }
            rounds += 1
            if rounds > Self.roundsMax { leave() } else { next(.hold, after: .random(in: 20...200, using: &persona.numbers)) }
        case (.hold, .notEnoughSeats?), (.hold, .soldOut?):
            next(.choose, after: persona.thought())
        case (.hold, .activeTimeOver?):
            leave()
        case (.release, .holdExpired?), (.release, .reservationNotHeld?), (.pay, .holdExpired?):
            setHeld(nil)
            next(.choose, after: persona.thought())
        case (.pay, .insufficientBalance?) where held == nil:
            next(.choose, after: persona.thought())
        case (.pay, .insufficientBalance?):
            let missing = (held?.price ?? 0) - min(held?.price ?? 0, balance)
            if status.details?.missingAmount != missing {
                problem("\(missing) is missing, but the refusal says \(status.details?.missingAmount ?? 0)")
            }
            next(.charge, after: persona.thought())
        case (.leave, .unknownToken?), (.leave, .tokenEnded?):
            goHome(leavingAs)
        case (_, .tokenEnded?):
            if endHeard == nil { tokenEnded(status.details?.endReason ?? .unspecified) }
        default:
            odd("\(done.method)", status)
            fail("\(done.method) was refused: \(status.reason) \(status.message)")
        }
    }
}
