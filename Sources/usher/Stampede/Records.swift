import Histogram
import UsherAPI

// What the fans of one loop have seen, handed over when the loop ends. Times: `…Us` are microseconds of this machine's
// clocks, `…Ms` milliseconds of the journal's.

/// One fan's own account of what happened.
struct FanRecord: Sendable {
    enum Outcome: String, Sendable, CaseIterable {
        case unfinished, paid, left, soldOut, expired, closed, failed
    }

    var index: Int
    var user: Uuid
    var outcome = Outcome.unfinished
    var joinNumber: UInt64 = 0
    var place: UInt64 = 0
    var joinSentUs: UInt64 = 0
    var joinedUs: UInt64 = 0
    /// Journal time of the admission; 0: none was heard of.
    var admittedMs: UInt64 = 0
    /// Until then it was active for certain: the latest stamp of what only an active token can do.
    var surelyActiveUntilMs: UInt64 = 0
    /// Wall time at which it was last told that it waits; of a Check, when that was asked.
    var lastWaitingUs: UInt64 = 0
    /// Wall time at which it asked to leave; 0: never.
    var leaveSentUs: UInt64 = 0
    /// When nobody could take it for present for certain: from losing the connection until a moment after its return.
    var away: [ClosedRange<UInt64>] = []
    var returns = 0
    /// What its screen showed while it waited, in order of time.
    var views: [ScreenView] = []
    /// As acknowledged.
    var payments: [Payment] = []
    var charged: UInt64 = 0
    /// A Charge or Pay was sent whose end was never heard.
    var hasOpenCommand = false
    var audit: Audit?
    var problems: [String] = []

    /// What the server says at the end.
    struct Audit: Sendable {
        var payments: [Payment]
        var transactions: [Transaction]
    }
}

/// Bounds on when a seat was seen in which state, by revision of its performance: no two fans may have seen it sold at a
/// revision and not sold at a later one.
struct SeatSightings: Sendable {
    private(set) var soldFrom: [UInt64] = []
    private(set) var unsoldUntil: [UInt64] = []

    mutating func saw(_ seat: Int, isSold: Bool, revision: UInt64) {
        while soldFrom.count <= seat {
            soldFrom.append(.max)
            unsoldUntil.append(0)
        }
        if isSold {
            soldFrom[seat] = min(soldFrom[seat], revision)
        } else {
            unsoldUntil[seat] = max(unsoldUntil[seat], revision)
        }
    }

    mutating func merge(_ other: SeatSightings) {
        for seat in other.soldFrom.indices {
            if other.soldFrom[seat] < .max { saw(seat, isSold: true, revision: other.soldFrom[seat]) }
            if other.unsoldUntil[seat] > 0 { saw(seat, isSold: false, revision: other.unsoldUntil[seat]) }
        }
    }

    /// Seats that were seen free or held after they had been seen sold.
    var contradictions: [Int] { soldFrom.indices.filter { soldFrom[$0] < unsoldUntil[$0] } }
}

/// A seat was held, as its holder heard.
struct HoldFact: Sendable {
    var seat: SeatKey
    var createdMs: UInt64
    var answeredUs: UInt64
    /// Which of the plan's targets answered.
    var instance: Int
}

/// A watcher heard that a seat is held.
struct HoldSighting: Sendable {
    var seat: SeatKey
    var heardUs: UInt64
    /// Which of the plan's targets told it.
    var instance: Int
}

/// A seat of a performance, by the performance's number in the crowd.
struct SeatKey: Hashable, Sendable {
    var performance: Int
    var seat: UInt32
}

typealias Latencies = Histogram<UInt64>

extension Latencies {
    /// Microseconds up to an hour, to three digits.
    static func ofMicroseconds() -> Latencies {
        Latencies(highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
    }

    mutating func note(_ microseconds: UInt64) { record(Swift.min(microseconds, 3_600_000_000)) }
}

/// What is measured, each in microseconds.
enum Measure: String, CaseIterable, Sendable {
    case connect, join, admission, check, dates, seats, hold, charge, pay, release
}

/// What a connection is for, as bytes are counted.
enum Traffic: Int, CaseIterable, Sendable {
    case connecting, joining, waiting, active, gone
}

/// What fans met at one instance.
struct InstanceRecord: Sendable, Encodable {
    var server: String
    /// Those who began here.
    var fans = 0
    /// Times that somebody was welcomed.
    var welcomes = 0
    /// Connections that it ended without a warning.
    var lost = 0
    /// Connections moved elsewhere at its request.
    var moved = 0
    var holds = 0
    /// Holds refused since another was faster: SEAT_TAKEN.
    var taken = 0
    /// Holds refused since another was just being decided about: SEAT_CONTENDED.
    var contended = 0

    init(server: String) { self.server = server }

    mutating func add(_ other: InstanceRecord) {
        fans += other.fans
        welcomes += other.welcomes
        lost += other.lost
        moved += other.moved
        holds += other.holds
        taken += other.taken
        contended += other.contended
    }
}

/// All that one loop's fans bring home.
struct CrowdRecord: Sendable {
    var fans: [FanRecord] = []
    /// In the order of the plan's targets.
    var instances: [InstanceRecord] = []
    var latencies: [Measure: Latencies] = [:]
    var sightings: [String: SeatSightings] = [:]
    var holdFacts: [(performance: String, fact: HoldFact)] = []
    var holdSightings: [(performance: String, sighting: HoldSighting)] = []
    var received = [UInt64](repeating: 0, count: Traffic.allCases.count)
    var sent = [UInt64](repeating: 0, count: Traffic.allCases.count)
    var waitingUpdates: UInt64 = 0
    var waitedUs: UInt64 = 0
    /// Answers nobody should get here, and ends of connections, with how often.
    var refusals: [String: Int] = [:]
    var oddities: [String: (count: Int, example: String)] = [:]
    /// What acknowledged commands say of the journal's clock against this machine's, in microseconds: wall time minus
    /// journal time is at least `clockLow` and at most `clockHigh`.
    var clockLow = Int64.min
    var clockHigh = Int64.max
    var lost = 0
    var reconnects = 0
    var handshakesFull: UInt64 = 0
}
