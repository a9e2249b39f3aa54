// Questions to the state, on the thread that owns it. They change nothing and answer for any argument.

public import UsherAPI

/// A part of a list, newest first.
public struct Page<Item: Sendable & Equatable>: Sendable, Equatable {
    /// The items.
    public var items: [Item] = []
    /// Whether there are older ones.
    public var more = false
}

/// A performance as it stands.
public struct PerformanceStatus: Sendable, Equatable {
    /// Date, number of seats, price bands.
    public var settings: PerformanceSettings
    /// Index of its concert.
    public var concert: Int
    /// Price of each seat, seat 1 first.
    public var prices: [UInt64]
    /// Counts the changes of its seats.
    public var revision: UInt64
    /// Seats that nobody has.
    public var available: Int
    /// Seats held.
    public var held: Int
    /// Seats sold.
    public var sold: Int
}

extension BoxOffice {
    // MARK: Catalogue

    /// The number of concerts; their indexes are 0..<this, in the order they were created, for ever.
    public var concertCount: Int { concerts.count }
    /// The number of performances; their indexes are 0..<this, in the order they were created, for ever.
    public var performanceCount: Int { performances.count }
    /// The index of the concert with this id.
    public func concertIndex(_ id: String) -> Int? { concertIndexes[id] }
    /// The index of the performance with this id.
    public func performanceIndex(_ id: String) -> Int? { performanceIndexes[id] }

    /// The concert as clients see it.
    public func concert(_ index: Int) -> Concert? {
        guard concerts.indices.contains(index) else { return nil }
        let record = concerts[index]
        let seed = record.drawSeed
        return Concert(
            id: record.settings.id, title: record.settings.title, venue: record.settings.venue, lineState: record.state,
            lobbyOpensMs: record.settings.lobbyOpensMs, opensMs: record.settings.opensMs, closesMs: record.settings.closesMs,
            lobbyOrder: record.settings.lobbyOrder,
            drawCommitment: record.settings.lobbyOrder == .draw && !seed.isEmpty ? Draw.commitment(seed: seed) : [],
            drawSeed: record.order.count > 0 ? seed : [], drawn: UInt64(record.order.count), policy: record.policy,
            waiting: UInt64(record.waiting.count), active: UInt64(record.active),
            performances: UInt32(truncatingIfNeeded: record.performances.count), maxSeats: record.settings.maxSeats)
    }

    /// The concert's settings, defaults filled in.
    public func settings(ofConcert index: Int) -> ConcertSettings? {
        concerts.indices.contains(index) ? concerts[index].settings : nil
    }

    /// The indexes of the concert's performances, in the order they were created.
    public func performances(ofConcert index: Int) -> [Int] {
        concerts.indices.contains(index) ? concerts[index].performances : []
    }

    /// The concert's last 16 notices, oldest first.
    public func notices(ofConcert index: Int) -> [Notice] {
        concerts.indices.contains(index) ? concerts[index].notices : []
    }

    /// The performance with its prices.
    public func performance(_ index: Int) -> PerformanceStatus? {
        guard performances.indices.contains(index) else { return nil }
        let record = performances[index]
        return PerformanceStatus(
            settings: record.settings, concert: record.concert, prices: record.prices, revision: record.revision,
            available: record.available, held: record.held, sold: record.sold)
    }

    /// The state of a seat, counted from 1, and the reservation that holds or owns it (0: none).
    public func seatState(performance: Int, seat: Int) -> (state: SeatState, reservation: UInt64)? {
        guard performances.indices.contains(performance), seat >= 1, seat <= performances[performance].seats.count else {
            return nil
        }
        let link = performances[performance].seats[seat - 1]
        guard link != 0 else { return (.available, 0) }
        return (reservations[Int(link) - 1].state == ReservationRecord.paid ? .sold : .held, UInt64(link))
    }

    // MARK: Line

    /// The token, live or ended.
    public func token(_ id: UInt64) -> TokenStatus? {
        tokenIndex(id).map { status(of: $0) }
    }

    /// The user's live token in the concert's line.
    public func liveToken(user: Uuid, concert: Int) -> TokenStatus? {
        guard let user = userIndex[user], let token = liveToken(ofUser: user, concert: concert) else { return nil }
        return status(of: token)
    }

    /// Live waiting tokens ahead of a waiting token, plus one; nil unless it waits, and while a draw is still to come.
    public func queuePosition(token id: UInt64) -> UInt64? {
        guard let token = tokenIndex(id), phase(of: token) == .waiting else { return nil }
        let position = position(of: token)
        return position == 0 ? nil : UInt64(position)
    }

    /// The places of the live waiting tokens.
    public func waitingPlaces(ofConcert index: Int) -> PlaceSet {
        concerts.indices.contains(index) ? concerts[index].waiting : PlaceSet()
    }

    /// The places of the active tokens. Linear in the number of joins.
    public func activePlaces(ofConcert index: Int) -> PlaceSet {
        var places = PlaceSet()
        guard concerts.indices.contains(index) else { return places }
        for number in concerts[index].tokenOfJoin.indices {
            let token = Int(concerts[index].tokenOfJoin[number]) - 1
            if phase(of: token) == .active { places.insert(place(of: token)) }
        }
        return places
    }

    /// How many places the concert's line has given so far.
    public func joined(concert index: Int) -> UInt64 {
        concerts.indices.contains(index) ? UInt64(concerts[index].joined) : 0
    }

    /// The token at a place of the concert's line.
    public func token(atPlace place: UInt64, concert index: Int) -> UInt64? {
        guard concerts.indices.contains(index), place >= 1, place <= UInt64(concerts[index].joined) else { return nil }
        return UInt64(concerts[index].token(atPlace: Int(place)) + 1)
    }

    /// The numbers an operator looks at.
    public func stats(ofConcert index: Int) -> LineStats? {
        guard concerts.indices.contains(index) else { return nil }
        let record = concerts[index]
        var stats = LineStats(
            concert: record.settings.id, lineState: record.state, joined: UInt64(record.joined),
            waiting: UInt64(record.waiting.count), present: UInt64(record.ready.count), active: UInt64(record.active),
            admitted: record.admitted, admittedLastMinute: record.lastMinute.total(at: clock), paid: record.payments,
            revenue: record.revenue)
        for performance in record.performances {
            stats.seatsAvailable += UInt64(performances[performance].available)
            stats.seatsHeld += UInt64(performances[performance].held)
            stats.seatsSold += UInt64(performances[performance].sold)
        }
        return stats
    }

    // MARK: Instances

    /// Instances that live: have started, and have neither stopped nor fallen silent.
    public var livingInstanceCount: Int { instances.count { $0.isAlive } }

    // MARK: Users

    /// The user's balance; 0 for a user never seen.
    public func balance(of user: Uuid) -> UInt64 {
        userIndex[user].map { users[$0].balance } ?? 0
    }

    /// The user's transactions, newest first: ids below `before` (0: from the newest), at most `limit`.
    public func transactions(of user: Uuid, before: UInt64 = 0, limit: Int = 100) -> Page<Transaction> {
        page(from: userIndex[user].map { users[$0].lastTransaction }, before, limit) {
            transactions[$0].previousOfUser
        } item: {
            transactionMessage($0)
        }
    }

    /// The user's reservations, newest first: ids below `before` (0: from the newest), at most `limit`.
    public func reservations(of user: Uuid, before: UInt64 = 0, limit: Int = 100) -> Page<Reservation> {
        page(from: userIndex[user].map { users[$0].lastReservation }, before, limit) {
            reservations[$0].previousOfUser
        } item: {
            reservationMessage($0)
        }
    }

    /// The user's payments, newest first: ids below `before` (0: from the newest), at most `limit`.
    public func payments(of user: Uuid, before: UInt64 = 0, limit: Int = 100) -> Page<Payment> {
        page(from: userIndex[user].map { users[$0].lastPayment }, before, limit) {
            payments[$0].previousOfUser
        } item: {
            paymentMessage($0)
        }
    }

    /// The reservation with this id, and whose it is.
    public func reservation(_ id: UInt64) -> (reservation: Reservation, user: Uuid, token: UInt64)? {
        guard id >= 1, id <= UInt64(reservations.count) else { return nil }
        let record = reservations[Int(id) - 1]
        return (reservationMessage(Int(id) - 1), users[Int(record.user)].id, UInt64(record.token) + 1)
    }

    private func page<Item>(
        from newest: UInt32?, _ before: UInt64, _ limit: Int, previous: (Int) -> UInt32, item: (Int) -> Item
    ) -> Page<Item> {
        var page = Page<Item>()
        var link = newest ?? 0
        while link != 0 {
            let index = Int(link) - 1
            if before == 0 || UInt64(link) < before {
                guard page.items.count < limit else {
                    page.more = true
                    break
                }
                page.items.append(item(index))
            }
            link = previous(index)
        }
        return page
    }

    // MARK: Instances

    /// Whether this incarnation's entries count: it has begun and has neither stopped nor been declared gone.
    public func isAlive(instance: UInt32, incarnation: UInt64) -> Bool {
        instances.contains { $0.id == instance && $0.incarnation == incarnation && $0.isAlive }
    }

    /// The last incarnation seen of an instance; nil: none.
    public func incarnation(of instance: UInt32) -> UInt64? { instances.first { $0.id == instance }?.incarnation }

    /// How many instances live whose number is smaller.
    public func rank(of instance: UInt32) -> Int { instances.count { $0.isAlive && $0.id < instance } }

    /// The instances that live, by id.
    public var livingInstances: [UInt32] { instances.filter(\.isAlive).map(\.id) }

    /// The addresses of the others that live, by id; empty texts for those that have none of their own.
    public func neighbours(of instance: UInt32) -> [String] {
        instances.filter { $0.isAlive && $0.id != instance }.map(\.address)
    }
}
