import BoxOffice
import Journal
import Sequencer
import UsherAPI
import Wire

@testable import Server

/// A sequencer whose batches are committed at once, and a loop's picture of it that is brought up to date by deltas, as
/// the gateway does it.
final class Sale {
    static let start: UInt64 = 1_800_000_000_000

    var sequencer = Sequencer(office: BoxOffice(), instance: 1, incarnation: 1)
    var publication = Publication(loops: 1)
    private(set) var now: UInt64 = 0
    private var position: UInt64 = 0
    private var requests: UInt64 = 0

    var picture = Picture()

    func submit(_ body: Command.Body, user: UInt64 = 1, token: UInt64 = 0) {
        requests += 1
        let command = Command(
            user: Self.user(user), requestId: Uuid(high: 0xB, low: requests), contents: requests, token: token,
            operator: "test", body: body)
        sequencer.submit(Submission(command), into: &publication)
    }

    /// Commits all that was submitted, or lets the clock act.
    func commit(after milliseconds: UInt64 = 0) throws {
        now += milliseconds
        while let batch = sequencer.nextBatch(now: now) {
            position += 1
            try sequencer.apply(
                JournalEntry(position: position, timeMilliseconds: Self.start + now, payload: batch), now: now,
                into: &publication)
        }
    }

    /// Brings the picture up to date with all that has been merged since the last time.
    func show() {
        picture.take(publication.delta)
        publication.delta = Delta()
    }

    static func user(_ number: UInt64) -> Uuid { Uuid(high: 0xA, low: number) }

    func concert(_ id: String, order: LobbyOrder = .arrival, maxActive: UInt32 = 3) -> Command.Body {
        var settings = ConcertSettings()
        settings.id = id
        settings.title = id
        settings.lobbyOrder = order
        settings.policy = AdmissionPolicy(maxActive: maxActive)
        settings.maxSeats = 5
        settings.holdTtlMs = 1_500
        return .putConcert(PutConcert(settings: settings, drawSeed: Array(repeating: 7, count: 32)))
    }

    func performance(_ id: String, of concert: String, seats: UInt32 = 12) -> Command.Body {
        var settings = PerformanceSettings()
        settings.id = id
        settings.concert = concert
        settings.seatCount = seats
        settings.prices = [PriceBand(firstSeat: 1, lastSeat: seats, price: 10)]
        return .putPerformance(settings)
    }
}

/// What a loop keeps of the sale.
struct Picture {
    var catalogue = Catalogue()
    var lines: [LineView] = []
    var feeds: [SeatFeed] = []
    var keys: [[UInt8]] = []

    init() {}

    init(_ image: SaleImage) {
        catalogue = image.catalogue
        lines = image.lines.map { LineView($0) }
        feeds = image.seats.map { SeatFeed($0) }
        keys = image.keys
    }

    mutating func take(_ delta: Delta, kept: Int = 8) {
        if let catalogue = delta.catalogue {
            self.catalogue = catalogue
            while lines.count < catalogue.concerts.count { lines.append(LineView(.new)) }
            while feeds.count < catalogue.performances.count {
                let seatCount = catalogue.performances[feeds.count].prices.count
                feeds.append(SeatFeed(SeatImage(revision: 0, states: Array(repeating: .available, count: seatCount))))
            }
        }
        for change in delta.lines { lines[change.line].apply(change, at: delta.timeMilliseconds) }
        for change in delta.seats { feeds[change.performance].apply(change, kept: kept) }
        keys += delta.keys
    }
}

/// A seeded source of numbers (SplitMix64), so that a failing run can be repeated.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
