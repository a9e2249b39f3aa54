// Setting seats aside and giving them back.
//
// A hold is all or nothing. Its price is that of its seats now and stays. A performance that has started sells no more.
// What a user may hold is counted over holds and paid reservations of the performance, whatever tokens made them.
//
// While a token has a hold open, neither of its clocks ends it. When the last one ends unpaid, a token that has paid for
// another ends PAID; one whose active time is over ends EXPIRED; any other has its idle time anew, so that an expiry,
// which the user has just been told, does not come together with the end of the turn.

internal import UsherAPI

extension BoxOffice {
    /// Sets seats aside, all or nothing.
    mutating func hold(_ hold: Hold, _ caller: Caller, _ effects: inout Effects) throws(Refusal) -> Committed {
        let token = try activeToken(caller)
        guard let performance = performanceIndexes[hold.performance] else { throw .performanceUnknown }
        let concert = performances[performance].concert
        guard concert == Int(tokens[token].concert) else { throw .tokenOtherConcert }
        guard clock < activeUntil(of: token) else { throw .activeTimeOver }
        let starts = performances[performance].settings.startsMs
        guard starts == 0 || clock < starts else { throw .performanceStarted }
        guard reservations.count < SaleLimits.records else {
            throw .tableFull("reservations", limit: SaleLimits.records)
        }

        let seats = try chooseSeats(hold, performance, caller)
        let reservation = reservations.count
        var price: UInt64 = 0
        for seat in seats { price = price.saturatingAdd(performances[performance].prices[Int(seat) - 1]) }
        let deadline = clock.saturatingAdd(concerts[concert].settings.holdTtlMs)
        var record = ReservationRecord(
            user: UInt32(truncatingIfNeeded: caller.user), token: UInt32(truncatingIfNeeded: token),
            performance: UInt32(truncatingIfNeeded: performance), seatCount: UInt16(truncatingIfNeeded: seats.count),
            seatStart: UInt64(heldSeats.count), price: price, created: clock, deadline: deadline)
        let link = UInt32(truncatingIfNeeded: reservation + 1)
        record.previousOfUser = users[caller.user].lastReservation
        record.previousOfToken = tokens[token].lastReservation
        users[caller.user].lastReservation = link
        tokens[token].lastReservation = link
        tokens[token].openHolds &+= 1
        reservations.append(record)
        for seat in seats {
            heldSeats.append(seat)
            setSeat(performance, Int(seat), to: link, .held, &effects)
        }
        performances[performance].held += seats.count
        deadlines.add(.hold, reservation, at: deadline)
        report(token, &effects)
        return .held(reservation: reservation, deadline: holdDeadline(of: reservation))
    }

    /// Gives held seats back.
    mutating func release(_ release: Release, _ caller: Caller, _ effects: inout Effects) throws(Refusal) -> Committed {
        let token = try activeToken(caller)
        let reservation = try heldReservation(release.reservation, caller, token)
        endHold(reservation, ReservationRecord.released, &effects)
        holdEnded(token, &effects)
        return .released(reservation: reservation)
    }

    /// The hold's time is up.
    mutating func expire(_ reservation: Int, _ effects: inout Effects) {
        endHold(reservation, ReservationRecord.expired, &effects)
        holdEnded(Int(reservations[reservation].token), &effects)
    }

    /// All open holds of a token that ends.
    mutating func releaseHolds(of token: Int, _ effects: inout Effects) {
        var link = tokens[token].lastReservation
        while link != 0, tokens[token].openHolds > 0 {
            let reservation = Int(link) - 1
            if reservations[reservation].state == ReservationRecord.held {
                endHold(reservation, ReservationRecord.released, &effects)
            }
            link = reservations[reservation].previousOfToken
        }
    }

    /// The caller's held reservation, or why it is not to be had. `token` is the caller's active token.
    func heldReservation(_ id: UInt64, _ caller: Caller, _ token: Int) throws(Refusal) -> Int {
        guard id >= 1, id <= UInt64(reservations.count) else { throw .reservationUnknown }
        let reservation = Int(id) - 1
        let record = reservations[reservation]
        guard Int(record.user) == caller.user else { throw .reservationForeign }
        guard performances[Int(record.performance)].concert == Int(tokens[token].concert) else { throw .tokenOtherConcert }
        guard record.state != ReservationRecord.expired else { throw .holdExpired }
        guard record.state == ReservationRecord.held else {
            throw .notHeld(ReservationState(rawValue: Int32(record.state)))
        }
        return reservation
    }

    /// Takes a hold out of force without payment: its seats are free.
    private mutating func endHold(_ reservation: Int, _ state: UInt8, _ effects: inout Effects) {
        let record = reservations[reservation]
        reservations[reservation].deadline = holdDeadline(of: reservation)
        reservations[reservation].state = state
        reservations[reservation].ended = clock
        performances[Int(record.performance)].held -= Int(record.seatCount)
        budget -= Int(record.seatCount)
        freeSeats(of: record, &effects)
        let token = Int(record.token)
        if tokens[token].openHolds > 0 { tokens[token].openHolds -= 1 }
        report(token, &effects)
    }

    mutating func freeSeats(of record: ReservationRecord, _ effects: inout Effects) {
        for index in seatRange(of: record) {
            setSeat(Int(record.performance), Int(heldSeats[index]), to: 0, .available, &effects)
        }
    }

    /// What follows for a token when one of its holds has ended unpaid.
    private mutating func holdEnded(_ token: Int, _ effects: inout Effects) {
        guard phase(of: token) == .active, tokens[token].openHolds == 0 else { return }
        if tokens[token].hasPaid {
            end(token, .paid, &effects)
        } else if clock >= activeUntil(of: token) {
            end(token, .expired, &effects)
        } else {
            let idle = clock.saturatingAdd(concerts[Int(tokens[token].concert)].settings.idleTtlMs)
            tokens[token].until = max(tokens[token].until, idle)
            scheduleToken(token)
        }
    }

    mutating func setSeat(_ performance: Int, _ seat: Int, to link: UInt32, _ state: SeatState, _ effects: inout Effects) {
        performances[performance].seats[seat - 1] = link
        performances[performance].revision &+= 1
        effects.seats.append(
            SeatChange(
                performance: performance, revision: performances[performance].revision,
                seat: UInt32(truncatingIfNeeded: seat), state: state, reservation: UInt64(link)))
    }

    func seatRange(of record: ReservationRecord) -> Range<Int> {
        Int(record.seatStart)..<Int(record.seatStart) + Int(record.seatCount)
    }
}
