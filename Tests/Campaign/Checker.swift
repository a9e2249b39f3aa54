import UsherAPI

// What must be true after any number of crashes, from the clients' own logs. Pure: a test of its own shows for each
// promise a log that breaks it (CheckerTests).
//
//   exactly once   what was acknowledged is in the user's own history once, and nothing is there that was not asked for;
//                  a command without an answer may be there, whole, or not
//   money          each account is the sum of its transactions, and those are the acknowledged ones
//   seats          no seat belongs to two at one time; the final map is what the histories say; a watcher saw the same
//   places         join numbers are 1 … n without gaps, in the order of the joins; nobody's number ever changed
//   order          nobody was admitted before somebody ahead who was there
//   fail-stop      nothing was acknowledged while the disk had failed
//   conduct        no answer that a correct server does not give, and the server came back each time
//   one truth      several servers remember the same of everybody, show the same seats, and have the same digest of their
//                  whole state at the same position

/// A broken promise, in words.
struct Violation: Error, Equatable, CustomStringConvertible {
    enum Promise: String, CaseIterable {
        case exactlyOnce = "exactly once"
        case money
        case seats
        case places
        case order
        case failStop = "fail-stop"
        case conduct
        case oneTruth = "one truth"
    }

    var promise: Promise
    var what: String

    var description: String { "\(promise.rawValue): \(what)" }
}

enum Checker {
    static func violations(_ evidence: Evidence) -> [Violation] {
        var found: [(Violation.Promise, [String])] = [
            (.exactlyOnce, evidence.shoppers.flatMap { history($0, evidence.audits[$0.user]) }),
            (.money, evidence.shoppers.flatMap { money($0, evidence.audits[$0.user]) }),
            (.seats, seats(evidence)),
            (.places, places(evidence.shoppers)),
            (.order, order(evidence.shoppers, evidence.hurts)),
            (.failStop, failStop(evidence)),
            (.oneTruth, oneTruth(evidence.testimonies)),
        ]
        found.append(
            (.conduct, evidence.serverFaults + evidence.shoppers.flatMap { log in log.oddities.map { "\(log.user): \($0)" } }))
        return found.flatMap { promise, words in words.map { Violation(promise: promise, what: $0) } }
    }

    // MARK: Exactly once

    /// The user's payments, reservations and transactions against what was acknowledged.
    static func history(_ log: ShopperLog, _ audit: Audit?) -> [String] {
        guard let audit else {
            return log.commands.contains { $0.answer != nil } ? ["\(log.user): its history could not be asked for"] : []
        }
        return (transactions(log, audit) + payments(log, audit) + reservations(log, audit)).map { "\(log.user): \($0)" }
    }

    /// A user's commands come one after the other, so its transactions are theirs, in their order.
    private static func transactions(_ log: ShopperLog, _ audit: Audit) -> [String] {
        var words: [String] = []
        var rest = audit.transactions[...]
        for command in log.commands {
            let expected: (matches: (Transaction) -> Bool, what: String)
            switch (command.asked, command.end) {
            case (.charge(let amount), .done(.charged(let told))):
                expected = ({ $0 == told && $0.kind == .charge && $0.amount == amount }, "charge \(told.id) of \(amount)")
            case (.pay(let reservation), .done(.paid(let payment, _))):
                expected = (
                    { $0.kind == .payment && $0.amount == payment.amount && $0.reservation == reservation },
                    "payment \(payment.id) for reservation \(reservation)"
                )
            case (.cancel(let reservation), .done(.cancelled(_, let refunded, _))):
                expected = (
                    { $0.kind == .refund && $0.amount == refunded && $0.reservation == reservation },
                    "refund of \(refunded) for reservation \(reservation)"
                )
            case (.charge(let amount), .open):
                if let next = rest.first, next.kind == .charge, next.amount == amount { rest.removeFirst() }
                continue
            case (.pay(let reservation), .open):
                if let next = rest.first, next.kind == .payment, next.reservation == reservation { rest.removeFirst() }
                continue
            case (.cancel(let reservation), .open):
                if let next = rest.first, next.kind == .refund, next.reservation == reservation { rest.removeFirst() }
                continue
            default: continue
            }
            if let next = rest.first, expected.matches(next) {
                rest.removeFirst()
            } else {
                words.append(
                    "\(expected.what) was acknowledged, but in its place stands \(rest.first.map { "\($0)" } ?? "nothing")")
                // Go on behind it where it stands later: one fault, one sentence.
                if let later = rest.firstIndex(where: expected.matches) { rest = rest[(later + 1)...] }
            }
        }
        if let next = rest.first { words.append("\(rest.count) transactions that nobody asked for, such as \(next)") }
        return words
    }

    private static func payments(_ log: ShopperLog, _ audit: Audit) -> [String] {
        var words: [String] = []
        var listed = Dictionary(grouping: audit.payments, by: \.id)
        var cancelled: Set<UInt64> = []
        var openCancels: Set<UInt64> = []
        for command in log.commands {
            guard case .cancel(let reservation) = command.asked else { continue }
            if command.answer != nil { cancelled.insert(reservation) }
            if command.end == .open { openCancels.insert(reservation) }
        }
        for command in log.commands {
            guard case .done(.paid(let told, _)) = command.end else { continue }
            guard let found = listed.removeValue(forKey: told.id), found.count == 1 else {
                words.append("payment \(told.id) was acknowledged and is not listed once")
                continue
            }
            var payment = found[0]
            if !openCancels.contains(told.reservation), (payment.refundedMs != 0) != cancelled.contains(told.reservation) {
                words.append(
                    "payment \(told.id) is \(payment.refundedMs == 0 ? "not " : "")refunded, its user was told otherwise")
            }
            payment.refundedMs = told.refundedMs
            if payment != told { words.append("payment \(told.id) was \(told) and is \(payment)") }
        }
        let open = Set(log.commands.compactMap { if case .pay(let id) = $0.asked, $0.end == .open { id } else { nil } })
        for payment in listed.values.joined() where !open.contains(payment.reservation) {
            words.append("payment \(payment.id) is listed and was never acknowledged")
        }
        return words
    }

    private static func reservations(_ log: ShopperLog, _ audit: Audit) -> [String] {
        var words: [String] = []
        var listed = Dictionary(grouping: audit.reservations, by: \.id)
        /// What a reservation was last known to be by its owner, and whether a command about it is open.
        var known: [UInt64: (state: ReservationState, isOpen: Bool)] = [:]
        for command in log.commands {
            switch (command.asked, command.end) {
            case (.hold, .done(.held(let told))): known[told.id] = (.held, false)
            case (.release(let id), .done): known[id]?.state = .released
            case (.pay(let id), .done): known[id]?.state = .paid
            case (.cancel(let id), .done): known[id]?.state = .cancelled
            case (.release(let id), .open), (.pay(let id), .open), (.cancel(let id), .open): known[id]?.isOpen = true
            default: break
            }
        }
        for command in log.commands {
            guard case .done(.held(let told)) = command.end, let last = known[told.id] else { continue }
            guard let found = listed.removeValue(forKey: told.id), found.count == 1 else {
                words.append("reservation \(told.id) was acknowledged and is not listed once")
                continue
            }
            let now = found[0]
            if now.seats != told.seats || now.performance != told.performance || now.price != told.price
                || now.createdMs != told.createdMs
            {
                words.append("reservation \(told.id) was \(told) and is \(now)")
            }
            // A hold that nobody has ended may have run out, or gone with its token.
            let isAsKnown = last.state == .held ? now.state != .paid && now.state != .cancelled : now.state == last.state
            if !isAsKnown, !last.isOpen { words.append("reservation \(told.id) was last \(last.state) and is \(now.state)") }
        }
        let openHolds = log.commands.count { if case .hold = $0.asked, $0.end == .open { true } else { false } }
        if listed.count > openHolds {
            words.append("\(listed.count) reservations that nobody was told of, such as \(listed.values.first!)")
        }
        return words
    }

    // MARK: Money

    static func money(_ log: ShopperLog, _ audit: Audit?) -> [String] {
        guard let audit else { return [] }
        var words: [String] = []
        var balance: Int64 = 0
        for transaction in audit.transactions {
            switch transaction.kind {
            case .charge, .refund: balance += Int64(transaction.amount)
            case .payment: balance -= Int64(transaction.amount)
            case .unspecified, .unrecognized: words.append("\(log.user): transaction \(transaction.id) is of no kind")
            }
            if balance < 0 || Int64(transaction.balanceAfter) != balance {
                words.append(
                    "\(log.user): after transaction \(transaction.id) the balance is \(transaction.balanceAfter), not \(balance)"
                )
            }
        }
        var told: Int64 = 0
        for command in log.commands {
            switch command.end {
            case .done(.charged(let transaction)): told += Int64(transaction.amount)
            case .done(.paid(let payment, _)): told -= Int64(payment.amount)
            case .done(.cancelled(_, let refunded, _)): told += Int64(refunded)
            case .open: return words  // its outcome is anybody's guess
            default: break
            }
        }
        if told != balance { words.append("\(log.user): was told of \(told) in all, and has \(balance)") }
        return words
    }

    // MARK: Fail-stop

    static func failStop(_ evidence: Evidence) -> [String] {
        evidence.outages.flatMap { outage in
            evidence.shoppers.flatMap { log in
                log.commands.filter { $0.answer != nil && $0.sent > outage.noticed && $0.ended < outage.killed }.map {
                    "\(log.user): \($0.asked) was acknowledged after the disk had failed"
                }
            }
        }
    }
}
