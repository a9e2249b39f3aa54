import BoxOffice
import Calls
import Reactor
import Sequencer
import UsherAPI
import Wire

/// Concerts, performances and seats: all from the loop's own picture.
extension Gateway {
    // MARK: Lists

    func listConcerts(_ request: ListConcertsRequest, _ call: IncomingCall, _ session: Session) {
        let page = catalogue.concertsByID.drop { catalogue.concerts[$0].settings.id <= request.after }.prefix(
            limits.pageItems + 1)
        var response = ListConcertsResponse()
        response.concerts = page.prefix(limits.pageItems).map { concertFacts($0) }
        response.more = page.count > limits.pageItems
        reply(call.id, response, of: session)
    }

    /// What everybody may know of a concert and its line.
    func concertFacts(_ index: Int) -> Concert {
        let record = catalogue.concerts[index]
        let line = lines[index]
        var concert = Concert()
        concert.id = record.settings.id
        concert.title = record.settings.title
        concert.venue = record.settings.venue
        concert.lineState = line.state
        concert.lobbyOpensMs = record.settings.lobbyOpensMs
        concert.opensMs = record.settings.opensMs
        concert.closesMs = record.settings.closesMs
        concert.lobbyOrder = record.settings.lobbyOrder
        if record.settings.lobbyOrder == .draw {
            concert.drawCommitment = record.drawCommitment
            concert.drawSeed = line.drawSeed
            concert.drawn = UInt64(line.drawn)
        }
        concert.policy = record.settings.policy
        concert.waiting = UInt64(line.waiting.count)
        concert.active = UInt64(line.active.count)
        concert.performances = UInt32(clamping: record.performances.count)
        concert.maxSeats = record.settings.maxSeats
        return concert
    }

    func listPerformances(_ request: ListPerformancesRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let concert = try concert(request.concert)
        if !settings.datesPublic {
            let identity = try identity(of: call, session)
            if !identity.isOperator {
                guard try activeToken(for: concert, call, identity, session) != nil else { return }
            }
        }
        let after = catalogue.performance(request.after)
        let dates = catalogue.concerts[concert].performances.filter {
            catalogue.performances[$0].settings.startsMs >= request.fromMs
        }
        let listed = dates.drop { $0 != after && after != nil }.dropFirst(after == nil ? 0 : 1)
            .filter { request.includeSoldOut || feeds[$0].left > 0 }.prefix(limits.pageItems + 1)
        var response = ListPerformancesResponse()
        response.performances = listed.prefix(limits.pageItems).map { performanceFacts($0) }
        response.more = listed.count > limits.pageItems
        response.availability = availability(of: dates)
        reply(call.id, response, of: session)
    }

    private func performanceFacts(_ index: Int) -> Performance {
        let record = catalogue.performances[index]
        return Performance(
            id: record.settings.id, concert: record.settings.concert, startsMs: record.settings.startsMs,
            seatCount: UInt32(record.prices.count), seatsLeft: UInt32(feeds[index].left),
            priceMin: record.priceRange.lowerBound,
            priceMax: record.priceRange.upperBound)
    }

    private func availability(of performances: some Sequence<Int>) -> Availability {
        var isListed = false
        for performance in performances {
            if feeds[performance].left > 0 { return .onSale }
            isListed = true
        }
        return isListed ? .soldOut : .noneListed
    }

    // MARK: Seats

    private func performance(_ id: String) throws(Status) -> Int {
        guard let index = catalogue.performance(id) else {
            throw Status(.unknownPerformance, "There is no performance '\(id)'.")
        }
        return index
    }

    func listSeats(_ request: ListSeatsRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let performance = try performance(request.performance)
        let concert = catalogue.performances[performance].concert
        guard try activeToken(for: concert, call, try identity(of: call, session), session) != nil else { return }
        reply(call.id, seatList(performance, from: max(1, request.firstSeat)), of: session)
    }

    /// Seats of a list or snapshot that fit a frame: at most 26 bytes each.
    private static let seatsPerPart = 2_000

    private func seatList(_ performance: Int, from first: UInt32) -> SeatList {
        let feed = feeds[performance]
        let end = min(Int(first) - 1 + Self.seatsPerPart, feed.states.count)
        var list = SeatList()
        list.performance = catalogue.performances[performance].settings.id
        list.seats = (min(Int(first) - 1, end)..<end).map { seat($0, of: performance) }
        list.seatsLeft = UInt32(feed.left)
        list.availability = feed.left > 0 ? .onSale : .soldOut
        list.nextSeat = end < feed.states.count ? UInt32(end + 1) : 0
        return list
    }

    private func seat(_ index: Int, of performance: Int) -> Seat {
        Seat(
            number: UInt32(index + 1), price: catalogue.performances[performance].prices[index],
            state: feeds[performance].states[index])
    }

    /// Every performance from a date on, each in as many parts as it needs; sent as credit allows by the same means as a
    /// watch, without what comes after the snapshot.
    func streamSeats(_ request: StreamSeatsRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let concert = try concert(request.concert)
        guard let token = try activeToken(for: concert, call, try identity(of: call, session), session) else { return }
        let dates = catalogue.concerts[concert].performances.filter {
            catalogue.performances[$0].settings.startsMs >= request.fromMs
        }
        let listed = dates.filter { request.includeSoldOut || feeds[$0].left > 0 }
        try checkStreams(seatWatches[token.id]?.count ?? 0)
        guard let first = listed.first else {
            let list = SeatList(availability: availability(of: dates))
            session.calls.message(call.id, sequence: position, position: position, payload: list, output: &frames)
            session.calls.close(call.id, .ok, position: position, output: &frames)
            return
        }
        let watch = SeatWatch(session: session, call: call.id, token: token.id, performance: first, revision: nil)
        watch.afterwards = Array(listed.dropFirst())
        begin(watch)
    }

    func watchSeats(_ request: WatchSeatsRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let performance = try performance(request.performance)
        let concert = catalogue.performances[performance].concert
        guard let token = try activeToken(for: concert, call, try identity(of: call, session), session) else { return }
        try checkStreams(seatWatches[token.id]?.count ?? 0)
        let isResumable =
            session.seenPosition != nil && feeds[performance].canResume(after: call.lastSequence)
        let watch = SeatWatch(
            session: session, call: call.id, token: token.id, performance: performance,
            revision: isResumable ? call.lastSequence : nil)
        feeds[performance].add(watch)
        metrics.seatWatches.add()
        begin(watch)
    }

    private func begin(_ watch: SeatWatch) {
        watch.session.seatWatches.append(watch)
        seatWatches[watch.token, default: []].append(watch)
        sendSeats(watch)
    }

    /// Brings a watch up to date as far as credit and its reader allow: parts of a snapshot, then what changed since.
    func sendSeats(_ watch: SeatWatch) {
        while true {
            guard watch.session.calls.canSend(watch.call), !watch.session.mustWait() else {
                watch.isOwed = true
                return
            }
            watch.isOwed = false
            if let revision = watch.revision {
                sendChanges(watch, after: revision)
                return
            }
            sendPart(watch)
            if watch.nextSeat == 0, !finishSnapshot(watch) { return }
        }
    }

    private func sendPart(_ watch: SeatWatch) {
        let feed = feeds[watch.performance]
        if watch.nextSeat == 1 { watch.snapshotRevision = feed.revision }
        let list = seatList(watch.performance, from: watch.nextSeat)
        watch.session.calls.message(
            watch.call, sequence: watch.snapshotRevision, position: position, reset: watch.nextSeat == 1, payload: list,
            output: &frames)
        watch.nextSeat = list.nextSeat
    }

    /// After the last part: a watch goes on with changes, counted from the first part; a list with its next performance.
    ///
    /// - Returns: whether there is more to send.
    private func finishSnapshot(_ watch: SeatWatch) -> Bool {
        watch.nextSeat = 1
        guard let afterwards = watch.afterwards else {
            watch.revision = watch.snapshotRevision
            return watch.snapshotRevision < feeds[watch.performance].revision
        }
        guard let next = afterwards.first else {
            endSeatWatch(watch, .ok)
            return false
        }
        watch.performance = next
        watch.afterwards = Array(afterwards.dropFirst())
        return true
    }

    private func sendChanges(_ watch: SeatWatch, after revision: UInt64) {
        let feed = feeds[watch.performance]
        guard revision < feed.revision else { return }
        guard let seats = feed.seats(changedAfter: revision), seats.count <= Self.seatsPerPart else {
            watch.revision = nil
            sendSeats(watch)
            return
        }
        let prepared = preparedChanges(seats, of: watch.performance, from: revision)
        if watch.session.calls.message(watch.call, prepared, output: &frames) == .sent {
            watch.revision = feed.revision
            metrics.seatPushes.add()
        } else {
            watch.isOwed = true
        }
    }

    /// Most watches of a performance are at the same revision: their message is encoded once.
    private func preparedChanges(_ seats: [UInt32], of performance: Int, from revision: UInt64) -> PreparedMessage {
        let feed = feeds[performance]
        if let last = lastChanges, last.performance == performance, last.from == revision, last.to == feed.revision {
            return last.message
        }
        var list = SeatList()
        list.seats = seats.map { seat(Int($0) - 1, of: performance) }
        list.seatsLeft = UInt32(feed.left)
        list.availability = feed.left > 0 ? .onSale : .soldOut
        let message = PreparedMessage(sequence: feed.revision, position: position, payload: list)
        lastChanges = (performance, revision, feed.revision, message)
        return message
    }

    /// After a delta: everybody who watches these performances is told.
    func pushSeats(of performances: Set<Int>) {
        for performance in performances.sorted() {
            for watch in feeds[performance].watches where !watch.isOwed {
                sendSeats(watch)
                watch.session.flush()
            }
        }
    }

    /// Takes a watch out of the picture; its call is not answered here.
    func dropSeatWatch(_ watch: SeatWatch) {
        feeds[watch.performance].remove(watch)
        seatWatches[watch.token]?.removeAll { $0 === watch }
        if seatWatches[watch.token]?.isEmpty == true { seatWatches[watch.token] = nil }
    }

    func endSeatWatch(_ watch: SeatWatch, _ status: Status) {
        watch.session.seatWatches.removeAll { $0 === watch }
        dropSeatWatch(watch)
        watch.session.calls.close(watch.call, status, position: position, output: &frames)
    }
}
