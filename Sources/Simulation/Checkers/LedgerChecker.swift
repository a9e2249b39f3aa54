// What clients know when all is answered, against the final state: nothing of the journal or of the plain sale is asked.
//
//   I1  seats paid and not cancelled are disjoint, and just those are SOLD
//   I2  charges − payments + refunds of the answers = balance
//   I3  join numbers: nobody has another's; who was answered before another asked is before them
//   I5  what was acknowledged is there, once

internal import BoxOffice
internal import UsherAPI

/// Compares clients' own books with the box office's.
enum LedgerChecker {
    static func problems(_ shopper: Shopper, _ office: borrowing BoxOffice) -> [String] {
        var problems: [String] = []
        var balance: UInt64 = 0
        var refunds: UInt64 = 0
        var payments: UInt64 = 0
        let transactions = office.transactions(of: shopper.user).items
        for deed in shopper.deeds {
            switch deed.outcome {
            case .charged(let id, let amount, _):
                balance += amount
                if transactions.count(where: { $0.id == id && $0.amount == amount && $0.kind == .charge }) != 1 {
                    problems.append("the charge \(id) of \(amount) is not in the account once")
                }
            case .paid(let id, let reservation, let amount, _):
                payments += amount
                if office.payments(of: shopper.user).items.count(where: { $0.id == id && $0.reservation == reservation }) != 1 {
                    problems.append("payment \(id) is not there once")
                }
            case .cancelled(let reservation, let amount, _):
                refunds += amount
                if office.reservation(reservation)?.reservation.state != .cancelled {
                    problems.append("reservation \(reservation) is not cancelled")
                }
            case .held(let reservation, let seats, _, _):
                if office.reservation(reservation)?.reservation.seats != seats {
                    problems.append("reservation \(reservation) does not have the seats \(seats)")
                }
            default: break
            }
        }
        let total = office.balance(of: shopper.user)
        if balance + refunds != total + payments {
            problems.append("has \(total), and charged \(balance), paid \(payments), got \(refunds) back")
        }
        return problems
    }

    static func problems(_ shoppers: [Shopper], _ office: borrowing BoxOffice) -> [String] {
        var problems: [String] = []
        var sold: [UInt32] = []
        var joins: [(number: UInt64, user: Uuid, sent: UInt64, answered: UInt64)] = []
        for shopper in shoppers {
            let cancelled = shopper.deeds.compactMap { deed -> UInt64? in
                if case .cancelled(let reservation, _, _) = deed.outcome { reservation } else { nil }
            }
            for deed in shopper.deeds {
                if case .paid(_, let reservation, _, _) = deed.outcome, !cancelled.contains(reservation) {
                    sold += office.reservation(reservation)?.reservation.seats ?? []
                }
                if case .joined(_, let number) = deed.outcome, let first = deed.answers.first(where: \.ruling.isDone) {
                    joins.append((number, shopper.user, deed.firstSentAt ?? 0, first.at))
                }
            }
        }
        let seats = (1...(office.performance(0)?.prices.count ?? 1)).filter {
            office.seatState(performance: 0, seat: $0)?.state == .sold
        }
        if sold.sorted() != seats.map({ UInt32($0) }) {
            problems.append("clients own the seats \(sold.sorted()); sold are \(seats)")
        }
        for (index, join) in joins.enumerated() {
            for other in joins[..<index] {
                if other.number == join.number, other.user != join.user {
                    problems.append("two have join number \(join.number)")
                }
                if other.answered < join.sent, other.number > join.number, !isOlder(join, joins) {
                    problems.append("number \(other.number) was answered before \(join.number) was asked for")
                }
                if join.answered < other.sent, join.number > other.number, !isOlder(other, joins) {
                    problems.append("number \(join.number) was answered before \(other.number) was asked for")
                }
            }
        }
        return problems
    }

    /// Whether the join found a place that its user had already.
    private static func isOlder(
        _ join: (number: UInt64, user: Uuid, sent: UInt64, answered: UInt64),
        _ joins: [(number: UInt64, user: Uuid, sent: UInt64, answered: UInt64)]
    ) -> Bool {
        joins.contains { $0.user == join.user && $0.number == join.number && $0.sent < join.sent }
    }
}
