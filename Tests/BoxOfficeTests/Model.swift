// The sale again, as slowly and plainly as the requirements say it: lists that are searched from end to end. One concert,
// one performance, no draw, no remembering. What it says must be what the box office says, after every entry.

import UsherAPI

struct Model {
    struct Token {
        var user: String
        var place: Int
        var state = TokenState.waiting
        var end = EndReason.unspecified
        var sources: Set<UInt32> = []
        var kept = false
        var graceEnds: UInt64 = 0
        var activeUntil: UInt64 = 0
        var idleUntil: UInt64 = 0
        var hasPaid = false
        var isPresent: Bool { kept || !sources.isEmpty }
    }

    struct Booking {
        var user: String
        var token: Int
        var seats: [UInt32]
        var state = ReservationState.held
        var deadline: UInt64
        var price: UInt64
    }

    let settings: ConcertSettings
    let seatCount: UInt32
    let price: UInt64
    var policy: AdmissionPolicy
    var state = LineState.open
    var tokens: [Token] = []
    var bookings: [Booking] = []
    var balances: [String: UInt64] = [:]
    var now: UInt64
    var grid: UInt64
    /// A turn is to come only once there is somebody to enter: what frees a place late does not bring back a turn.
    var nextTurn: UInt64?
    var quietUntil: UInt64 = 0

    // MARK: Looking

    func live(_ user: String) -> Int? { tokens.indices.first { tokens[$0].user == user && tokens[$0].state != .ended } }
    var active: Int { tokens.count { $0.state == .active } }
    func holds(of token: Int) -> [Int] {
        bookings.indices.filter { bookings[$0].token == token && bookings[$0].state == .held }
    }
    func booking(of seat: UInt32) -> Booking? {
        bookings.first { $0.seats.contains(seat) && ($0.state == .held || $0.state == .paid) }
    }
    func position(of token: Int) -> Int {
        tokens.count { $0.state == .waiting && $0.place < tokens[token].place } + 1
    }

    // MARK: Time

    /// Begins an entry at this time.
    mutating func begin(at time: UInt64) {
        let silence = time - now
        now = time
        if silence > 5_000, tokens.contains(where: { $0.state != .ended }) { outage() }
        while let (_, event) = nextEvent() { event(&self) }
    }

    private mutating func outage() {
        for index in bookings.indices where bookings[index].state == .held {
            bookings[index].deadline = max(bookings[index].deadline, now + 60_000)
        }
        for index in tokens.indices {
            if tokens[index].isPresent, tokens[index].state != .ended { tokens[index].kept = true }
            tokens[index].graceEnds = max(tokens[index].graceEnds, now + 60_000)
            if tokens[index].state == .active {
                tokens[index].activeUntil = max(tokens[index].activeUntil, now + 60_000)
                tokens[index].idleUntil = max(tokens[index].idleUntil, now + 60_000)
            }
        }
        quietUntil = now + 10_000
    }

    private typealias Event = (inout Model) -> Void

    /// The event due first, by (time, kind, id).
    private func nextEvent() -> (order: (UInt64, Int, Int), event: Event)? {
        var due: [((UInt64, Int, Int), Event)] = []
        if quietUntil != 0, quietUntil <= now { due.append(((quietUntil, 0, 0), { $0.endQuiet() })) }
        if let turn = nextTurn, turn <= now { due.append(((turn, 4, 0), { $0.turn() })) }
        for (index, booking) in bookings.enumerated() where booking.state == .held && booking.deadline <= now {
            due.append(((booking.deadline, 5, index), { $0.endHold(index, .expired) }))
        }
        for (index, token) in tokens.enumerated() {
            if token.state == .waiting, !token.isPresent, token.graceEnds <= now {
                due.append(((token.graceEnds, 6, index), { $0.end(index, .absent) }))
            }
            let until = min(token.activeUntil, token.idleUntil)
            if token.state == .active, until <= now, holds(of: index).isEmpty {
                due.append(((until, 6, index), { $0.end(index, .expired) }))
            }
        }
        return due.min { $0.0 < $1.0 }
    }

    private mutating func endQuiet() {
        quietUntil = 0
        for index in tokens.indices where tokens[index].kept {
            tokens[index].kept = false
            if !tokens[index].isPresent { tokens[index].graceEnds = now + settings.graceMs }
        }
        admit()
    }

    // MARK: Admission

    private var mayAdmit: Bool {
        (state == .open || state == .draining) && quietUntil == 0 && (policy.maxActive == 0 || active < Int(policy.maxActive))
            && tokens.contains { $0.state == .waiting && $0.isPresent }
    }

    mutating func admit() {
        if policy.batch == 0 { admit(atMost: .max) }
        if policy.batch > 0, nextTurn == nil, mayAdmit {
            nextTurn = grid + ((now - grid) / UInt64(policy.intervalMs) + 1) * UInt64(policy.intervalMs)
        }
    }

    private mutating func turn() {
        nextTurn = nil
        guard policy.batch > 0 else { return }
        admit(atMost: Int(policy.batch))
        admit()
    }

    private mutating func admit(atMost limit: Int) {
        for index in tokens.indices.filter({ tokens[$0].state == .waiting && tokens[$0].isPresent }).prefix(limit) {
            guard mayAdmit else { return }
            tokens[index].state = .active
            tokens[index].activeUntil = now + settings.activeTtlMs
            tokens[index].idleUntil = now + settings.idleTtlMs
        }
    }

    mutating func setPolicy(_ new: AdmissionPolicy) {
        if new.batch > 0, policy.batch == 0 || policy.intervalMs != new.intervalMs {
            grid = now
            nextTurn = nil
        }
        policy = new
        admit()
    }

    // MARK: Tokens

    mutating func end(_ token: Int, _ reason: EndReason) {
        tokens[token].state = .ended
        tokens[token].end = reason
        for hold in holds(of: token) { bookings[hold].state = .released }
        admit()
    }

    mutating func touch(_ token: Int) {
        if tokens[token].state == .active { tokens[token].idleUntil = max(tokens[token].idleUntil, now + settings.idleTtlMs) }
    }

    mutating func arrive(_ token: Int, _ source: UInt32) {
        guard tokens[token].state != .ended else { return }
        tokens[token].sources.insert(source)
        admit()
    }

    mutating func depart(_ token: Int, _ source: UInt32) {
        let was = tokens[token].isPresent
        tokens[token].sources.remove(source)
        if was, !tokens[token].isPresent { tokens[token].graceEnds = now + settings.graceMs }
    }

    mutating func join(_ user: String, _ source: UInt32) -> Reason? {
        if let token = live(user) {
            touch(token)
            arrive(token, source)
            return nil
        }
        if state == .draining { return .lineDraining }
        if state == .closed { return .lineClosed }
        tokens.append(Token(user: user, place: tokens.count + 1))
        arrive(tokens.count - 1, source)
        return nil
    }

    mutating func close() {
        state = .closed
        for index in tokens.indices where tokens[index].state == .waiting { end(index, .closed) }
    }

    // MARK: Seats and money

    /// Why the token may not act.
    func refusal(_ token: Int?, _ user: String) -> Reason? {
        guard let token else { return .tokenMissing }
        if tokens[token].user != user { return .tokenInvalid }
        return tokens[token].state == .active ? nil : tokens[token].state == .waiting ? .tokenWaiting : .tokenEnded
    }

    mutating func hold(_ user: String, _ token: Int?, _ seats: [UInt32]) -> Reason? {
        if let refusal = refusal(token, user) { return refusal }
        let token = token ?? 0
        touch(token)
        if now >= tokens[token].activeUntil { return .activeTimeOver }
        if seats.isEmpty { return .invalidField }
        if seats.contains(where: { $0 < 1 || $0 > seatCount }) { return .unknownSeat }
        if Set(seats).count < seats.count { return .invalidField }
        let has = bookings.filter { $0.user == user && ($0.state == .held || $0.state == .paid) }.flatMap(\.seats).count
        if has + seats.count > Int(settings.maxSeats) { return .tooManySeats }
        if seats.contains(where: { booking(of: $0) != nil }) { return .seatTaken }
        bookings.append(
            Booking(
                user: user, token: token, seats: seats.sorted(), deadline: now + settings.holdTtlMs,
                price: price * UInt64(seats.count)))
        return nil
    }

    private mutating func endHold(_ booking: Int, _ state: ReservationState) {
        bookings[booking].state = state
        let token = bookings[booking].token
        guard holds(of: token).isEmpty else { return }
        if tokens[token].hasPaid {
            end(token, .paid)
        } else if now >= tokens[token].activeUntil {
            end(token, .expired)
        } else {
            touch(token)
        }
    }

    private func heldRefusal(_ user: String, _ booking: Int) -> Reason? {
        guard bookings.indices.contains(booking) else { return .unknownReservation }
        if bookings[booking].user != user { return .notYours }
        if bookings[booking].state == .expired { return .holdExpired }
        return bookings[booking].state == .held ? nil : .reservationNotHeld
    }

    mutating func release(_ user: String, _ token: Int?, _ booking: Int) -> Reason? {
        if let refusal = refusal(token, user) { return refusal }
        touch(token ?? 0)
        if let refusal = heldRefusal(user, booking) { return refusal }
        endHold(booking, .released)
        return nil
    }

    mutating func pay(_ user: String, _ token: Int?, _ booking: Int) -> Reason? {
        if let refusal = refusal(token, user) { return refusal }
        let token = token ?? 0
        touch(token)
        if let refusal = heldRefusal(user, booking) { return refusal }
        if balances[user, default: 0] < bookings[booking].price { return .insufficientBalance }
        balances[user, default: 0] -= bookings[booking].price
        bookings[booking].state = .paid
        tokens[token].hasPaid = true
        if holds(of: token).isEmpty { end(token, .paid) }
        return nil
    }

    mutating func cancel(_ user: String, _ token: Int?, _ booking: Int) -> Reason? {
        if let token, tokens[token].user == user { touch(token) }
        guard bookings.indices.contains(booking) else { return .unknownReservation }
        if bookings[booking].user != user { return .notYours }
        if bookings[booking].state != .paid { return .reservationNotPaid }
        bookings[booking].state = .cancelled
        balances[user, default: 0] += bookings[booking].price
        return nil
    }

    mutating func charge(_ user: String, _ token: Int?, _ amount: UInt64) -> Reason? {
        if let refusal = refusal(token, user) { return refusal }
        touch(token ?? 0)
        if amount < 1 { return .amountOutOfRange }
        balances[user, default: 0] += amount
        return nil
    }
}
