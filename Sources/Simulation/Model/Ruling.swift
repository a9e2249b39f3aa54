package import BoxOffice
package import UsherAPI

/// What a command came to, in the fewest words: the one language in which the plain sale, the box office and what a client was
/// told are compared.
package enum Ruling: Equatable, Sendable {
    case joined(token: UInt64, joinNumber: UInt64)
    case left
    case held(reservation: UInt64, seats: [UInt32], price: UInt64, deadline: UInt64)
    case released(reservation: UInt64)
    case paid(payment: UInt64, reservation: UInt64, amount: UInt64, balance: UInt64)
    case cancelled(reservation: UInt64, refunded: UInt64, balance: UInt64)
    case charged(transaction: UInt64, amount: UInt64, balance: UInt64)
    case operatorDone
    /// Presence, touches, instances: nobody waits for an answer.
    case silent
    case refused(Reason)

    /// What the box office said.
    package init(_ outcome: Outcome) {
        switch outcome {
        case .refused(let refusal): self = .refused(refusal.reason)
        case .done(.joined(let status)): self = .joined(token: status.id, joinNumber: status.joinNumber)
        case .done(.left): self = .left
        case .done(.held(let reservation)): self = .held(reservation)
        case .done(.released(let reservation)): self = .released(reservation: reservation.id)
        case .done(.paid(let payment, let balance)):
            self = .paid(payment: payment.id, reservation: payment.reservation, amount: payment.amount, balance: balance)
        case .done(.cancelled(let reservation, let refunded, let balance)):
            self = .cancelled(reservation: reservation.id, refunded: refunded, balance: balance)
        case .done(.charged(let transaction, let balance)):
            self = .charged(transaction: transaction.id, amount: transaction.amount, balance: balance)
        case .done(.operatorDone): self = .operatorDone
        case .done(.none): self = .silent
        }
    }

    /// A hold as its reply tells it.
    static func held(_ reservation: Reservation) -> Ruling {
        .held(
            reservation: reservation.id, seats: reservation.seats, price: reservation.price, deadline: reservation.deadlineMs)
    }

    /// Whether it was carried out.
    var isDone: Bool {
        if case .refused = self { false } else { true }
    }
}
