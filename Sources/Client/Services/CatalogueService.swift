internal import Calls
public import UsherAPI
internal import Wire

extension UsherClient {
    /// Concerts, their dates, their seats.
    public var catalogue: CatalogueService { CatalogueService(client: self) }
}

/// What is on sale. Dates and seats need one's turn, unless the sale says otherwise.
public struct CatalogueService: Sendable {
    let client: UsherClient

    /// All concerts, by id. Open to all.
    public func concerts(_ settings: CallSettings = CallSettings()) async throws(UsherError) -> [Concert] {
        var all: [Concert] = []
        while true {
            let page: ListConcertsResponse = try await client.call(
                .listConcerts, ListConcertsRequest(after: all.last?.id ?? ""), settings, about: .nothing)
            all += page.concerts
            guard page.more, !page.concerts.isEmpty else { return all }
        }
    }

    /// A concert's performances from a time on, in order of (start, id), and why there are none if so.
    public func performances(
        of concert: String, from fromMilliseconds: UInt64 = 0, includingSoldOut: Bool = false,
        _ settings: CallSettings = CallSettings()
    ) async throws(UsherError) -> (performances: [Performance], availability: Availability) {
        var all: [Performance] = []
        while true {
            let request = ListPerformancesRequest(
                concert: concert, fromMs: fromMilliseconds, includeSoldOut: includingSoldOut, after: all.last?.id ?? "")
            let page: ListPerformancesResponse = try await client.call(
                .listPerformances, request, settings, about: .concert(concert))
            client.shared.learn(page.performances)
            all += page.performances
            guard page.more, !page.performances.isEmpty else { return (all, page.availability) }
        }
    }

    /// All seats of one performance.
    public func seats(of performance: String, _ settings: CallSettings = CallSettings()) async throws(UsherError) -> SeatBoard {
        var board = SeatBoard(performance: performance)
        var first: UInt32 = 0
        repeat {
            let page: SeatList = try await client.call(
                .listSeats, ListSeatsRequest(performance: performance, firstSeat: first), settings,
                about: .performance(performance))
            board.apply(page)
            first = page.nextSeat
        } while first != 0
        return board
    }

    /// The seats of every performance from a time on, one list (or more, see `SeatList.nextSeat`) for each.
    ///
    /// Not resumed: if the connection is lost in the middle the stream fails; ask again.
    public func streamSeats(
        of concert: String, from fromMilliseconds: UInt64 = 0, includingSoldOut: Bool = false,
        _ settings: CallSettings = CallSettings()
    ) -> Pushes<SeatList> {
        client.stream(
            .streamSeats,
            StreamSeatsRequest(concert: concert, fromMs: fromMilliseconds, includeSoldOut: includingSoldOut), settings,
            about: .concert(concert),
            UsherClient.StreamKind<SeatList, SeatList>(shape: { .list }, element: { $0.payload }))
    }

    /// The seats of one performance as they change: lists to give to ``SeatBoard/apply(_:)-(SeatChange)``, a snapshot
    /// first (in one or several lists), then changes only. After a lost connection just what was missed.
    ///
    /// - Parameter lastSequence: go on after that change, which an earlier stream has shown; 0: from a snapshot.
    public func watchSeats(
        of performance: String, after lastSequence: UInt64 = 0, _ settings: CallSettings = CallSettings()
    ) -> Pushes<SeatChange> {
        client.stream(
            .watchSeats, WatchSeatsRequest(performance: performance), settings, about: .performance(performance),
            lastSequence: lastSequence,
            UsherClient.StreamKind<SeatList, SeatChange>(
                shape: { .changes(leavesIncomplete: CatalogueService.leavesIncomplete) },
                element: { SeatChange(list: $0.payload, sequence: $0.sequence, reset: $0.reset) }))
    }

    /// Whether a snapshot is incomplete after a message of a watch; nil for changes, which leave that as it is.
    private static func leavesIncomplete(_ message: MessageView) -> Bool? {
        guard let list = try? SeatList(decoding: message.payload), !list.performance.isEmpty else { return nil }
        return list.nextSeat != 0
    }
}

/// One message of a watch.
public struct SeatChange: Sendable, Equatable {
    /// The seats that changed, or a part of the snapshot.
    public var list: SeatList
    /// The revision it brings the seats to.
    public var sequence: UInt64
    /// A snapshot begins: what was known before is void.
    public var reset: Bool

    /// A change from its parts.
    public init(list: SeatList, sequence: UInt64, reset: Bool) {
        self.list = list
        self.sequence = sequence
        self.reset = reset
    }
}
