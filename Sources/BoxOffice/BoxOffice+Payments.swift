// Paying and cancelling: money, seats, reservation, payment and token move in one step or not at all.

internal import UsherAPI

extension BoxOffice {
    /// Pays a held reservation; ends the token once no other hold of it is open.
    mutating func pay(_ pay: Pay, _ caller: Caller, _ effects: inout Effects) throws(Refusal) -> Committed {
        let token = try activeToken(caller)
        let reservation = try heldReservation(pay.reservation, caller, token)
        let record = reservations[reservation]
        // A due hold has expired before any command; this holds even if that ever changes.
        guard clock < holdDeadline(of: reservation) else { throw .holdExpired }
        let balance = users[caller.user].balance
        guard balance >= record.price else { throw .insufficientBalance(missing: record.price - balance) }
        guard payments.count < SaleLimits.records, transactions.count < SaleLimits.records else {
            throw .tableFull("payments", limit: SaleLimits.records)
        }

        users[caller.user].balance = balance - record.price
        let transaction = addTransaction(caller.user, TransactionRecord.payment, record.price, reservation: reservation)
        var payment = PaymentRecord(
            user: UInt32(truncatingIfNeeded: caller.user), reservation: UInt32(truncatingIfNeeded: reservation), paid: clock)
        payment.previousOfUser = users[caller.user].lastPayment
        payments.append(payment)
        users[caller.user].lastPayment = UInt32(truncatingIfNeeded: payments.count)
        reservations[reservation].deadline = holdDeadline(of: reservation)
        reservations[reservation].state = ReservationRecord.paid
        reservations[reservation].ended = clock
        reservations[reservation].payment = UInt32(truncatingIfNeeded: payments.count)
        let performance = Int(record.performance)
        performances[performance].held -= Int(record.seatCount)
        performances[performance].sold += Int(record.seatCount)
        let link = UInt32(truncatingIfNeeded: reservation + 1)
        for index in seatRange(of: record) { setSeat(performance, Int(heldSeats[index]), to: link, .sold, &effects) }
        let concert = performances[performance].concert
        concerts[concert].payments &+= 1
        concerts[concert].revenue = concerts[concert].revenue.saturatingAdd(record.price)

        if tokens[token].openHolds > 0 { tokens[token].openHolds -= 1 }
        tokens[token].hasPaid = true
        report(token, &effects)
        if tokens[token].openHolds == 0 { end(token, .paid, &effects) }
        return .paid(payment: payments.count - 1, transaction: transaction)
    }

    /// Cancels a paid reservation: money back, seats available. Needs no token. A refund that would carry the balance
    /// past its maximum is refused, so that the maximum holds whatever happens.
    mutating func cancel(_ cancel: CancelReservation, _ caller: Caller, _ effects: inout Effects) throws(Refusal) -> Committed {
        let id = cancel.reservation
        guard id >= 1, id <= UInt64(reservations.count) else { throw .reservationUnknown }
        let reservation = Int(id) - 1
        let record = reservations[reservation]
        guard Int(record.user) == caller.user else { throw .reservationForeign }
        guard record.state == ReservationRecord.paid else { throw .notPaid }
        let performance = Int(record.performance)
        let concert = performances[performance].concert
        let starts = performances[performance].settings.startsMs
        let until = starts.saturatingSubtract(concerts[concert].settings.cancelUntilMs)
        guard starts == 0 || clock < until else { throw .cancelTooLate(until: until) }
        let balance = users[caller.user].balance.saturatingAdd(record.price)
        guard record.price == 0 || balance <= settings.maxBalance else { throw .balanceTooLarge(limit: settings.maxBalance) }
        guard transactions.count < SaleLimits.records else { throw .tableFull("transactions", limit: SaleLimits.records) }

        users[caller.user].balance = balance
        let transaction = addTransaction(caller.user, TransactionRecord.refund, record.price, reservation: reservation)
        reservations[reservation].state = ReservationRecord.cancelled
        reservations[reservation].ended = clock
        if record.payment != 0 { payments[Int(record.payment) - 1].refunded = clock }
        performances[performance].sold -= Int(record.seatCount)
        freeSeats(of: record, &effects)
        concerts[concert].payments = concerts[concert].payments.saturatingSubtract(1)
        concerts[concert].revenue = concerts[concert].revenue.saturatingSubtract(record.price)
        if phase(of: Int(record.token)) == .active { report(Int(record.token), &effects) }
        return .cancelled(reservation: reservation, transaction: transaction)
    }
}
