import UsherAPI

extension Checker {
    // MARK: Seats

    private struct Seat: Hashable, Comparable {
        var performance: String
        var number: UInt32

        static func < (left: Seat, right: Seat) -> Bool {
            (left.performance, left.number) < (right.performance, right.number)
        }
    }

    private struct Tenure {
        var reservation: UInt64
        var from: UInt64
        var until: UInt64
        var state: ReservationState
    }

    static func seats(_ evidence: Evidence) -> [String] {
        var words: [String] = []
        var tenures: [Seat: [Tenure]] = [:]
        for reservation in evidence.audits.values.lazy.flatMap(\.reservations) {
            let isOver = reservation.state != .held && reservation.state != .paid
            let tenure = Tenure(
                reservation: reservation.id, from: reservation.createdMs, until: isOver ? reservation.endedMs : .max,
                state: reservation.state)
            for seat in reservation.seats {
                tenures[Seat(performance: reservation.performance, number: seat), default: []].append(tenure)
            }
        }
        for (seat, held) in tenures.sorted(by: { $0.key < $1.key }) {
            let inOrder = held.sorted { ($0.from, $0.until, $0.reservation) < ($1.from, $1.until, $1.reservation) }
            for (first, second) in zip(inOrder, inOrder.dropFirst()) where first.until > second.from {
                words.append(
                    "\(seat.performance) seat \(seat.number) was held by reservations \(first.reservation) and \(second.reservation) at once"
                )
            }
        }
        words += soldTwice(evidence)
        words += map(evidence, tenures.mapValues { $0.first { $0.until == .max }?.state })
        for (performance, seen) in evidence.watched.sorted(by: { $0.key < $1.key }) {
            let wrong = (evidence.seats[performance] ?? [:]).filter { seen[$0.key] != $0.value }
            if !wrong.isEmpty {
                words.append("a watcher of \(performance) ended with seats \(wrong.keys.sorted().prefix(8)) in another state")
            }
        }
        return words
    }

    /// From the acknowledgements alone, whatever the server remembers: two users who were both told "paid" and never
    /// cancelled.
    private static func soldTwice(_ evidence: Evidence) -> [String] {
        var owners: [Seat: Uuid] = [:]
        var words: [String] = []
        for log in evidence.shoppers {
            var cancelled: Set<UInt64> = []
            for command in log.commands {
                if case .cancel(let reservation) = command.asked, command.answer != nil || command.end == .open {
                    cancelled.insert(reservation)
                }
            }
            for command in log.commands {
                guard case .done(.paid(let payment, _)) = command.end, !cancelled.contains(payment.reservation) else {
                    continue
                }
                for number in payment.seats {
                    let seat = Seat(performance: payment.performance, number: number)
                    if let other = owners.updateValue(log.user, forKey: seat) {
                        words.append("\(seat.performance) seat \(number) was sold to \(other) and to \(log.user)")
                    }
                }
            }
        }
        return words
    }

    /// The final map against what the histories say.
    private static func map(_ evidence: Evidence, _ last: [Seat: ReservationState?]) -> [String] {
        var words: [String] = []
        for (performance, seats) in evidence.seats.sorted(by: { $0.key < $1.key }) {
            for (number, state) in seats.sorted(by: { $0.key < $1.key }) {
                let expected: SeatState =
                    switch last[Seat(performance: performance, number: number)] ?? nil {
                    case .paid: .sold
                    case .held: .held
                    default: .available
                    }
                // What was held when its owner was asked may have run out when the map was.
                if state != expected, !(expected == .held && state == .available) {
                    words.append("\(performance) seat \(number) is \(state), its reservations make it \(expected)")
                }
            }
        }
        return words
    }
}
