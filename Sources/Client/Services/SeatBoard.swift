public import UsherAPI

/// The seats of one performance, put together from lists and changes.
public struct SeatBoard: Sendable, Equatable {
    /// The performance's id.
    public var performance: String
    /// By number, ascending.
    public private(set) var seats: [Seat] = []
    /// How many are available.
    public private(set) var seatsLeft: UInt32 = 0
    /// Why none is, if so.
    public private(set) var availability = Availability.unspecified
    /// Whether the snapshot is whole.
    public private(set) var isComplete = false

    /// A board without seats.
    public init(performance: String) { self.performance = performance }

    /// Takes a change of a watch.
    public mutating func apply(_ change: SeatChange) {
        if change.reset {
            seats = []
            isComplete = false
        }
        apply(change.list)
    }

    /// Takes a page or a part of a list, or changed seats.
    public mutating func apply(_ list: SeatList) {
        if !list.performance.isEmpty {
            performance = list.performance
            isComplete = list.nextSeat == 0
        }
        for seat in list.seats {
            let index = lowerBound(seat.number)
            if index < seats.count, seats[index].number == seat.number {
                seats[index].state = seat.state
                if seat.price > 0 { seats[index].price = seat.price }
            } else {
                seats.insert(seat, at: index)
            }
        }
        seatsLeft = list.seatsLeft
        availability = list.availability
    }

    /// The seat of a number.
    public subscript(number: UInt32) -> Seat? {
        let index = lowerBound(number)
        return index < seats.count && seats[index].number == number ? seats[index] : nil
    }

    /// The index of the first seat whose number is at least `number`. Mostly they come in order.
    private func lowerBound(_ number: UInt32) -> Int {
        if let last = seats.last, last.number < number { return seats.count }
        var low = 0
        var high = seats.count
        while low < high {
            let middle = (low + high) / 2
            if seats[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
