internal import Synchronization
internal import UsherAPI

/// What the loop tells and callers may read at any time.
final class SharedState: Sendable {
    let loop: ClientLoop
    private let facts = Mutex(Facts())
    private let nextOperation = Atomic<UInt64>(1)
    let events: AsyncStream<ConnectionEvent>
    private let eventSource: AsyncStream<ConnectionEvent>.Continuation

    struct Facts {
        var welcome: Welcome?
        var epoch: Uuid?
        var position: UInt64 = 0
        var server: ServerURL?
        /// Queue tokens by concert.
        var tokens: [String: String] = [:]
        /// Concerts whose token was last known to be active.
        var active: Set<String> = []
        /// Which concert a performance or a reservation belongs to, as far as answers have told.
        var concertOfPerformance: [String: String] = [:]
        var concertOfReservation: [UInt64: String] = [:]
    }

    /// Entries of each of the two tables above, which only save a question: emptied when full.
    private static let tableEntriesMax = 10_000

    init(loop: ClientLoop) {
        self.loop = loop
        (events, eventSource) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
    }

    deinit { eventSource.finish() }

    func newOperationID() -> UInt64 { nextOperation.wrappingAdd(1, ordering: .relaxed).oldValue }

    func tell(_ event: ConnectionEvent) {
        eventSource.yield(event)
        if case .over = event { eventSource.finish() }
    }

    // MARK: Connection

    var welcome: Welcome? { facts.withLock { $0.welcome } }
    var server: ServerURL? { facts.withLock { $0.server } }

    var seen: (epoch: Uuid, position: UInt64)? {
        facts.withLock { facts in facts.epoch.map { ($0, facts.position) } }
    }

    func set(server: ServerURL) { facts.withLock { $0.server = server } }

    func set(welcome: Welcome) { facts.withLock { $0.welcome = welcome } }

    func set(epoch: Uuid?, position: UInt64) {
        facts.withLock {
            $0.epoch = epoch
            $0.position = position
        }
    }

    func set(position: UInt64) { facts.withLock { $0.position = max($0.position, position) } }

    // MARK: Places

    func token(of concert: String) -> String? { facts.withLock { $0.tokens[concert] } }

    func set(token: String?, of concert: String) { facts.withLock { $0.tokens[concert] = token } }

    /// Places of another journal mean nothing.
    func forgetPlaces() {
        facts.withLock {
            $0.tokens = [:]
            $0.active = []
        }
    }

    /// Learns from what the line said.
    func learn(_ update: LineUpdate, concert: String) {
        facts.withLock {
            if !update.queueToken.isEmpty { $0.tokens[concert] = update.queueToken }
            switch update.state {
            case .active: $0.active.insert(concert)
            case .ended:
                $0.active.remove(concert)
                $0.tokens[concert] = nil
            case .waiting, .unspecified, .unrecognized: $0.active.remove(concert)
            }
        }
        update.reservations.forEach(learn)
    }

    func learn(_ performances: [Performance]) {
        facts.withLock { facts in
            if facts.concertOfPerformance.count > Self.tableEntriesMax { facts.concertOfPerformance = [:] }
            for performance in performances { facts.concertOfPerformance[performance.id] = performance.concert }
        }
    }

    func learn(_ reservation: Reservation) {
        facts.withLock { facts in
            if facts.concertOfReservation.count > Self.tableEntriesMax { facts.concertOfReservation = [:] }
            facts.concertOfReservation[reservation.id] = reservation.concert
            facts.concertOfPerformance[reservation.performance] = reservation.concert
        }
    }

    /// The token for a call about `subject`, if this client has one that can be meant: a wrong one would be refused
    /// where none at all would do.
    func token(for subject: Subject) -> String? {
        facts.withLock { facts in
            let concert: String?
            switch subject {
            case .nothing: return nil
            case .concert(let id): return facts.tokens[id]
            case .performance(let id): concert = facts.concertOfPerformance[id]
            case .reservation(let id): concert = facts.concertOfReservation[id]
            case .account: concert = facts.tokens.keys.first { facts.active.contains($0) }
            }
            if let concert { return facts.tokens[concert] }
            return facts.tokens.count == 1 ? facts.tokens.first?.value : nil
        }
    }

    /// What a call is about, to find the place in line it uses.
    enum Subject: Sendable {
        case nothing
        case concert(String)
        case performance(String)
        case reservation(UInt64)
        case account
    }
}
