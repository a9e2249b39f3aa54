// The promises, checked against the whole state. For tests and the simulator: linear in everything there is.
//
//   I1  a seat has at most one holder or owner; SOLD seats have exactly one PAID reservation
//   I2  charges - payments + refunds = balance, for each account, never negative at any step
//   I3  join numbers are 1...n, places a permutation of them; nobody waits who could have been admitted
//   I4  nobody is admitted past the cap: seen as counts that agree (the rest needs the history: tests watch the effects)
//   I5  a remembered request id has one outcome

internal import UsherAPI

extension BoxOffice {
    /// Sentences about what is broken; empty when all is sound.
    public func checkInvariants() -> [String] {
        seatProblems() + moneyProblems() + lineProblems() + tokenProblems() + rememberedProblems()
    }

    private func seatProblems() -> [String] {
        var problems: [String] = []
        var held = [Int](repeating: 0, count: performances.count)
        var sold = held
        for index in reservations.indices {
            let record = reservations[index]
            let performance = Int(record.performance)
            guard record.state == ReservationRecord.held || record.state == ReservationRecord.paid else { continue }
            if record.state == ReservationRecord.held { held[performance] += Int(record.seatCount) }
            if record.state == ReservationRecord.paid { sold[performance] += Int(record.seatCount) }
            for seat in seatRange(of: record).map({ Int(heldSeats[$0]) })
            where performances[performance].seats[seat - 1] != UInt32(index + 1) {
                problems.append("I1: reservation \(index + 1) has seat \(seat), which is another's")
            }
            if record.state == ReservationRecord.paid, record.payment == 0 {
                problems.append("I1: reservation \(index + 1) is paid without a payment")
            }
            if record.state == ReservationRecord.held, phase(of: Int(record.token)) != .active {
                problems.append("I1: reservation \(index + 1) is held by a token that is not active")
            }
        }
        for (index, performance) in performances.enumerated() {
            let taken = performance.seats.count { $0 != 0 }
            if taken != held[index] + sold[index] || performance.held != held[index] || performance.sold != sold[index] {
                problems.append("I1: performance \(index) counts \(performance.held) + \(performance.sold) of \(taken) seats")
            }
        }
        return problems
    }

    private func moneyProblems() -> [String] {
        var balances = [UInt64](repeating: 0, count: users.count)
        var problems: [String] = []
        for index in transactions.indices {
            let record = transactions[index]
            let user = Int(record.user)
            if record.kind == TransactionRecord.payment {
                if balances[user] < record.amount { problems.append("I2: transaction \(index + 1) makes a balance negative") }
                balances[user] &-= record.amount
            } else {
                balances[user] &+= record.amount
            }
            if balances[user] != record.balanceAfter { problems.append("I2: transaction \(index + 1) has the wrong balance") }
        }
        for user in users.indices where users[user].balance != balances[user] {
            problems.append("I2: user \(user) has \(users[user].balance), the transactions make \(balances[user])")
        }
        return problems
    }

    private func lineProblems() -> [String] {
        var problems: [String] = []
        for (index, concert) in concerts.enumerated() {
            var waiting = PlaceSet()
            var ready = PlaceSet()
            var active = 0
            var joinNumbers = PlaceSet()
            for place in 1..<(concert.joined + 1) {
                let id = concert.token(atPlace: place)
                let token = tokens[id]
                if self.place(of: id) != place || Int(token.concert) != index {
                    problems.append("I3: place \(place) is not its token's")
                }
                joinNumbers.insert(Int(token.joinNumber))
                let phase = phase(of: id)
                if phase == .waiting { waiting.insert(place) }
                if phase == .waiting, token.presence > 0 { ready.insert(place) }
                if phase == .active { active += 1 }
            }
            if joinNumbers.count != concert.joined || joinNumbers.rank(below: concert.joined + 1) != concert.joined {
                problems.append("I3: the join numbers of line \(index) are not 1...\(concert.joined)")
            }
            if waiting != concert.waiting || ready != concert.ready {
                problems.append("I3: line \(index) is wrong about who waits")
            }
            if active != concert.active { problems.append("I4: line \(index) counts \(concert.active) of \(active) active") }
            if canAdmit(index), !unfinished.contains(index) {
                problems.append("I3: line \(index) keeps somebody waiting who could enter")
            }
        }
        return problems
    }

    private func tokenProblems() -> [String] {
        var problems: [String] = []
        var presence = [Int](repeating: 0, count: tokens.count)
        for source in instances.flatMap(\.sources) + [kept] {
            for token in source.members { presence[token] += 1 }
        }
        var live = 0
        for index in tokens.indices {
            let token = tokens[index]
            if presence[index] != Int(token.presence) { problems.append("token \(index + 1) is wrong about its presence") }
            if phase(of: index) != .ended {
                live += 1
                if liveToken(ofUser: Int(token.user), concert: Int(token.concert)) != index {
                    problems.append("I3: token \(index + 1) is not its user's only live one")
                }
            }
            var open = 0
            var link = token.lastReservation
            while link != 0 {
                if reservations[Int(link) - 1].state == ReservationRecord.held { open += 1 }
                link = reservations[Int(link) - 1].previousOfToken
            }
            if open != Int(token.openHolds) { problems.append("token \(index + 1) counts \(token.openHolds) of \(open) holds") }
            if let deadline = deadline(of: index), deadline != .max, token.scheduled == 0 || token.scheduled > deadline {
                problems.append("token \(index + 1) has a deadline nobody looks at")
            }
        }
        if live != liveTokens { problems.append("\(liveTokens) of \(live) tokens counted as live") }
        return problems
    }

    private func rememberedProblems() -> [String] {
        var problems: [String] = []
        for user in users.indices {
            var seen: Set<Uuid> = []
            var last = users[user].lastRemembered
            while last > remembered.numbers.lowerBound {
                let record = remembered[last - 1]
                if users[user].requestTraces.excludes(record.requestId) {
                    problems.append("I5: the traces of user \(user) miss an id")
                }
                if Int(record.user) != user { problems.append("I5: user \(user) has another's outcome") }
                if record.time.saturatingAdd(SaleLimits.rememberedMilliseconds) > clock, !seen.insert(record.requestId).inserted
                {
                    problems.append("I5: user \(user) has two outcomes of one id")
                }
                guard record.back > 0, last > UInt64(record.back) else { break }
                last -= UInt64(record.back)
            }
        }
        return problems
    }
}
