// The commands of the plain sale: who may, what is checked in which order, what changes.

internal import UsherAPI

extension PlainSale {
    // MARK: Line

    mutating func join(_ user: Uuid, _ source: Source) -> Ruling {
        if let token = live(user) {
            arrive(token, source)
            return .joined(token: UInt64(token + 1), joinNumber: UInt64(tokens[token].place))
        }
        switch state {
        case .lobby, .open, .paused: break
        case .draining: return .refused(.lineDraining)
        case .closed: return .refused(.lineClosed)
        case .scheduled, .unspecified, .unrecognized: return .refused(.lineScheduled)
        }
        tokens.append(Token(user: user, place: tokens.count + 1))
        arrive(tokens.count - 1, source)
        return .joined(token: UInt64(tokens.count), joinNumber: UInt64(tokens.count))
    }

    mutating func leave(_ user: Uuid) -> Ruling {
        guard let token = live(user) else { return .refused(.unknownToken) }
        end(token, .left)
        return .left
    }

    /// A token's end: its holds are given back, and its place, if it was active, goes to the next.
    mutating func end(_ token: Int, _ reason: EndReason) {
        let wasActive = tokens[token].state == .active
        tokens[token].state = .ended
        tokens[token].end = reason
        for index in bookings.indices where bookings[index].token == token && bookings[index].state == .held {
            bookings[index].state = .released
        }
        if wasActive { admit() }
    }

    /// Why the token may not act.
    private func refusal(_ token: Int?, _ user: Uuid) -> Ruling? {
        guard let token else { return .refused(.tokenMissing) }
        guard tokens.indices.contains(token), tokens[token].user == user else { return .refused(.tokenInvalid) }
        switch tokens[token].state {
        case .active: return nil
        case .waiting: return .refused(.tokenWaiting)
        default: return .refused(.tokenEnded)
        }
    }

    // MARK: Seats

    mutating func hold(_ user: Uuid, _ token: Int?, _ hold: Hold) -> Ruling {
        if let refusal = refusal(token, user) { return refusal }
        guard let token, let concert, seatCount > 0, hold.performance == Sale.performance else {
            return .refused(.unknownPerformance)
        }
        if now >= tokens[token].activeUntil { return .refused(.activeTimeOver) }
        let wanted = hold.bestAvailable > 0 ? Int(hold.bestAvailable) : hold.seats.count
        if wanted == 0 || wanted > 64 { return .refused(.invalidField) }
        if hold.bestAvailable == 0 {
            if hold.seats.contains(where: { $0 < 1 || $0 > seatCount }) { return .refused(.unknownSeat) }
            if isAnyTwice(hold.seats) { return .refused(.invalidField) }
        }
        let has = bookings.filter { $0.user == user && $0.isOpen }.reduce(0) { $0 + $1.seats.count }
        if has + wanted > Int(concert.maxSeats) { return .refused(.tooManySeats) }

        var seats = hold.seats.sorted()
        let areFree = seats.allSatisfy { $0 >= 1 && $0 <= seatCount && booking(of: $0) == nil }
        if hold.bestAvailable == 0 {
            if !areFree { return .refused(.seatTaken) }
        } else if seats.count != wanted || !areFree || isAnyTwice(seats) {
            let free = (1...seatCount).filter { booking(of: $0) == nil }
            if free.isEmpty { return .refused(.soldOut) }
            if free.count < wanted { return .refused(.notEnoughSeats) }
            seats = best(wanted, of: free)
        }
        let price = seatPrice * UInt64(seats.count)
        bookings.append(Booking(user: user, token: token, seats: seats, deadline: fromNow(concert.holdTtlMs), price: price))
        return .held(
            reservation: UInt64(bookings.count), seats: seats, price: price, deadline: fromNow(concert.holdTtlMs))
    }

    private func isAnyTwice(_ seats: [UInt32]) -> Bool {
        seats.indices.contains { seats[..<$0].contains(seats[$0]) }
    }

    /// Seats next to each other that leave the fewest seats alone, the lowest of those; else the lowest free ones.
    private func best(_ count: Int, of free: [UInt32]) -> [UInt32] {
        func alone(_ free: [UInt32]) -> Int { free.count { !free.contains($0 + 1) && !free.contains($0 &- 1) } }
        var best: (seats: [UInt32], alone: Int)?
        for first in free {
            let seats = (0..<UInt32(count)).map { first + $0 }
            guard seats.allSatisfy(free.contains) else { continue }
            let left = alone(free.filter { !seats.contains($0) })
            if left < best?.alone ?? .max { best = (seats, left) }
        }
        return best?.seats ?? Array(free.prefix(count))
    }

    private func refusal(_ user: Uuid, booking: Int) -> Ruling? {
        guard bookings.indices.contains(booking) else { return .refused(.unknownReservation) }
        if bookings[booking].user != user { return .refused(.notYours) }
        if bookings[booking].state == .expired { return .refused(.holdExpired) }
        return bookings[booking].state == .held ? nil : .refused(.reservationNotHeld)
    }

    mutating func release(_ user: Uuid, _ token: Int?, _ booking: Int) -> Ruling {
        if let refusal = refusal(token, user) ?? refusal(user, booking: booking) { return refusal }
        endHold(booking, .released)
        return .released(reservation: UInt64(booking + 1))
    }

    /// A hold ends unpaid.
    mutating func endHold(_ booking: Int, _ state: ReservationState) {
        bookings[booking].state = state
        let token = bookings[booking].token
        guard tokens[token].state == .active, holds(of: token) == 0 else { return }
        if tokens[token].hasPaid {
            end(token, .paid)
        } else if now >= tokens[token].activeUntil {
            end(token, .expired)
        } else {
            touch(token)
        }
    }

    // MARK: Money

    mutating func pay(_ user: Uuid, _ token: Int?, _ booking: Int) -> Ruling {
        if let refusal = refusal(token, user) ?? refusal(user, booking: booking) { return refusal }
        guard let token else { return .refused(.tokenMissing) }
        let price = bookings[booking].price
        let balance = balance(of: user)
        if balance < price { return .refused(.insufficientBalance) }
        setBalance(of: user, balance - price)
        paymentCount += 1
        bookings[booking].state = .paid
        tokens[token].hasPaid = true
        if holds(of: token) == 0 { end(token, .paid) }
        return .paid(payment: paymentCount, reservation: UInt64(booking + 1), amount: price, balance: balance - price)
    }

    mutating func cancel(_ user: Uuid, _ booking: Int) -> Ruling {
        guard bookings.indices.contains(booking) else { return .refused(.unknownReservation) }
        if bookings[booking].user != user { return .refused(.notYours) }
        if bookings[booking].state != .paid { return .refused(.reservationNotPaid) }
        let price = bookings[booking].price
        let balance = balance(of: user) + price
        if balance > maxBalance { return .refused(.balanceOutOfRange) }
        setBalance(of: user, balance)
        bookings[booking].state = .cancelled
        return .cancelled(reservation: UInt64(booking + 1), refunded: price, balance: balance)
    }

    mutating func charge(_ user: Uuid, _ token: Int?, _ amount: UInt64) -> Ruling {
        if accountNeedsToken, let refusal = refusal(token, user) { return refusal }
        if amount < 1 || amount > maxCharge { return .refused(.amountOutOfRange) }
        let balance = balance(of: user) + amount
        if balance > maxBalance { return .refused(.balanceOutOfRange) }
        setBalance(of: user, balance)
        return .charged(transaction: transactionCount, amount: amount, balance: balance)
    }

    private mutating func setBalance(of user: Uuid, _ amount: UInt64) {
        transactionCount += 1
        if let index = balances.firstIndex(where: { $0.user == user }) {
            balances[index].amount = amount
        } else {
            balances.append((user, amount))
        }
    }

    // MARK: Operators

    mutating func putConcert(_ put: PutConcert) -> Ruling {
        guard let settings = put.settings, concert == nil else { return .operatorDone }
        concert = settings
        policy = settings.policy ?? AdmissionPolicy()
        return .operatorDone
    }

    mutating func putPerformance(_ settings: PerformanceSettings) -> Ruling {
        seatCount = settings.seatCount
        seatPrice = settings.prices.first?.price ?? 0
        return .operatorDone
    }

    mutating func setPolicy(_ request: SetPolicyRequest) -> Ruling {
        guard let new = request.policy else { return .refused(.invalidField) }
        if new.batch > 0, policy.batch == 0 || policy.intervalMs != new.intervalMs {
            grid = now
            nextTurn = nil
        }
        policy = new
        admit()
        return .operatorDone
    }

    mutating func changeLine(_ action: LineAction) -> Ruling {
        switch (action, state) {
        case (.openLobby, .scheduled): state = .lobby
        case (.openLine, .scheduled), (.openLine, .lobby):
            state = .open
            grid = now
            if policy.batch > 0 { turn() } else { admit() }
        case (.openLine, .draining), (.resumeLine, .paused):
            state = .open
            admit()
        case (.pauseLine, .open): state = .paused
        case (.drainLine, .open), (.drainLine, .paused):
            state = .draining
            admit()
        case (.closeLine, _):
            state = .closed
            for token in tokens.indices where tokens[token].state == .waiting { end(token, .closed) }
        default: return .refused(.lineState)
        }
        return .operatorDone
    }
}
