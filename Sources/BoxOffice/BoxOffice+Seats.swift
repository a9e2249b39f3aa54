// Which seats a hold gets. A suggestion that is no longer free, or was never a good one, does not fail the hold: the
// state machine then chooses by itself, by the same function that made the suggestion.

internal import SeatMap
internal import UsherAPI

extension BoxOffice {
    /// The seats a hold gets, ascending: those named, or n as the loop suggests, or n others.
    func chooseSeats(_ hold: Hold, _ performance: Int, _ caller: Caller) throws(Refusal) -> [UInt16] {
        let seatCount = performances[performance].seats.count
        let wanted = hold.bestAvailable > 0 ? Int(hold.bestAvailable) : hold.seats.count
        guard wanted > 0 else { throw .seatsInvalid("No seat is named.") }
        guard wanted <= SaleLimits.seatsPerHold else { throw .seatsInvalid("These are too many seats for one hold.") }
        let named = try hold.bestAvailable > 0 ? [] : namedSeats(hold.seats, seatCount: seatCount)
        let limit = Int(concerts[performances[performance].concert].settings.maxSeats)
        guard seatsOfUser(caller.user, performance) + wanted <= limit else { throw .tooManySeats(limit: limit) }
        if hold.bestAvailable > 0 { return try bestSeats(wanted, suggested: hold.seats, performance) }
        let taken = named.filter { performances[performance].seats[Int($0) - 1] != 0 }
        guard taken.isEmpty else { throw .seatsTaken(taken.map { UInt32($0) }) }
        return named
    }

    /// The named seats in ascending order, if they exist and none is named twice.
    private func namedSeats(_ seats: [UInt32], seatCount: Int) throws(Refusal) -> [UInt16] {
        let unknown = seats.filter { $0 < 1 || $0 > UInt32(clamping: seatCount) }
        guard unknown.isEmpty else { throw .seatsUnknown(unknown, seatCount: seatCount) }
        var sorted = seats.map { UInt16(truncatingIfNeeded: $0) }
        sorted.sort()
        for index in sorted.indices.dropFirst() where sorted[index] == sorted[index - 1] {
            throw .seatsInvalid("Seat \(sorted[index]) is named twice.")
        }
        return sorted
    }

    private func bestSeats(_ count: Int, suggested: [UInt32], _ performance: Int) throws(Refusal) -> [UInt16] {
        let seats = performances[performance].seats
        if suggested.count == count, let named = try? namedSeats(suggested, seatCount: seats.count),
            named.allSatisfy({ seats[Int($0) - 1] == 0 })
        {
            return named
        }
        guard performances[performance].available > 0 else { throw .soldOut }
        guard let choice = bestAvailable(seatCount: seats.count, count: count, isFree: { seats[$0] == 0 }) else {
            throw .notEnoughSeats(left: performances[performance].available)
        }
        return choice.seats.map { $0 + 1 }
    }

    /// Seats of the performance that the user holds or owns.
    private func seatsOfUser(_ user: Int, _ performance: Int) -> Int {
        var count = 0
        var link = users[user].lastReservation
        while link != 0 {
            let record = reservations[Int(link) - 1]
            if Int(record.performance) == performance,
                record.state == ReservationRecord.held || record.state == ReservationRecord.paid
            {
                count += Int(record.seatCount)
            }
            link = record.previousOfUser
        }
        return count
    }
}
