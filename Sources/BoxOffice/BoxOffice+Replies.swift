// From records to messages: what commands and queries answer.

internal import UsherAPI

extension BoxOffice {
    /// The reply to a committed outcome, the first time and every time after: it says what was so then. What it names
    /// may have gone on since, so only what stays is read from the records.
    func reply(for committed: Committed) -> Reply {
        switch committed {
        case .joined(let token): return .joined(status(of: token))
        case .left(let token): return .left(token: UInt64(token + 1))
        case .held(let index, let deadline):
            var reservation = reservationMessage(index)
            reservation.state = .held
            reservation.deadlineMs = deadline
            reservation.endedMs = 0
            reservation.payment = 0
            return .held(reservation)
        case .released(let index): return .released(reservationMessage(index))
        case .paid(let index, let transaction):
            var payment = paymentMessage(index)
            payment.refundedMs = 0
            return .paid(payment, balance: transactions[transaction].balanceAfter)
        case .cancelled(let index, let transaction):
            let refund = transactions[transaction]
            return .cancelled(reservationMessage(index), refunded: refund.amount, balance: refund.balanceAfter)
        case .charged(let index): return .charged(transactionMessage(index), balance: transactions[index].balanceAfter)
        case .operatorDone(let concert): return .operatorDone(concert: concert)
        case .none: return .none
        }
    }

    func reservationMessage(_ index: Int) -> Reservation {
        let record = reservations[index]
        let performance = Int(record.performance)
        return Reservation(
            id: UInt64(index + 1), concert: performances[performance].settings.concert,
            performance: performances[performance].settings.id, seats: seatRange(of: record).map { UInt32(heldSeats[$0]) },
            state: ReservationState(rawValue: Int32(record.state)), price: record.price, createdMs: record.created,
            deadlineMs: record.state == ReservationRecord.held ? holdDeadline(of: index) : record.deadline,
            endedMs: record.ended, payment: UInt64(record.payment))
    }

    func paymentMessage(_ index: Int) -> Payment {
        let record = payments[index]
        let reservation = reservations[Int(record.reservation)]
        let performance = Int(reservation.performance)
        return Payment(
            id: UInt64(index + 1), reservation: UInt64(record.reservation) + 1,
            concert: performances[performance].settings.concert, performance: performances[performance].settings.id,
            seats: seatRange(of: reservation).map { UInt32(heldSeats[$0]) }, amount: reservation.price, paidMs: record.paid,
            refundedMs: record.refunded)
    }

    func transactionMessage(_ index: Int) -> Transaction {
        let record = transactions[index]
        return Transaction(
            id: UInt64(index + 1), kind: TransactionKind(rawValue: Int32(record.kind)), amount: record.amount,
            balanceAfter: record.balanceAfter, timeMs: record.time, reservation: UInt64(record.reservation))
    }

    func status(of token: Int) -> TokenStatus {
        let record = tokens[token]
        let phase = phase(of: token)
        var status = TokenStatus()
        status.id = UInt64(token + 1)
        status.user = users[Int(record.user)].id
        status.concert = Int(record.concert)
        status.joinNumber = UInt64(record.joinNumber)
        status.place = UInt64(place(of: token))
        status.state = phase.state
        status.endReason = phase == .ended ? endReason(of: token) : .unspecified
        status.activeUntil = phase == .active ? activeUntil(of: token) : record.activeUntil
        status.idleUntil = phase == .active ? idleUntil(of: token) : 0
        status.admittedAt = record.admittedAt
        status.present = record.presence > 0
        var ended = 0
        var link = record.lastReservation
        while link != 0 {
            let reservation = Int(link) - 1
            link = reservations[reservation].previousOfToken
            if reservations[reservation].state != ReservationRecord.held {
                ended += 1
                if ended > SaleLimits.endedReservationsShown { continue }
            }
            status.reservations.append(reservationMessage(reservation))
        }
        return status
    }
}
