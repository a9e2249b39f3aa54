// The records of the state. Small structs without references, named by their index in a `Paged` list; the id outside is
// the index plus one. A link is an index plus one in 32 bits, 0 for none. Chains run from the newest to the oldest.
//
// What can be computed from the rest (links, open holds, presence counts, `scheduled`, `reported`) is not in snapshots.

internal import UsherAPI

/// One user: the account and where the chains of their things begin; 64 bytes.
struct UserRecord {
    let id: Uuid
    var balance: UInt64 = 0
    /// Chain of live tokens, at most one for each concert.
    var liveTokens: UInt32 = 0
    var lastReservation: UInt32 = 0
    var lastPayment: UInt32 = 0
    var lastTransaction: UInt32 = 0
    /// Number in `RememberedOutcomes` plus one.
    var lastRemembered: UInt64 = 0
    var requestTraces = RequestTraces()
}

/// One queue token, 64 bytes.
struct TokenRecord {
    let user: UInt32
    let concert: UInt32
    let joinNumber: UInt32
    /// Of the user's live tokens.
    var nextLive: UInt32 = 0
    var lastReservation: UInt32 = 0
    var openHolds: UInt16 = 0
    /// In how many sources' sets it is.
    var presence: UInt16 = 0
    /// As it was last written: for what it is, ask `BoxOffice.phase(of:)`.
    var writtenPhase = Phase.waiting
    var endReason: UInt8 = 0
    /// It has paid for something while another hold was open.
    var hasPaid = false
    /// Low bits of the serial of the entry whose effects name it.
    var reported: UInt32 = 0
    var activeUntil: UInt64 = 0
    /// While active: end of the idle time. While waiting and absent: end of the grace.
    var until: UInt64 = 0
    var admittedAt: UInt64 = 0
    /// Time of its entry in the heap; 0: none.
    var scheduled: UInt64 = 0

    init(user: Int, concert: Int, joinNumber: Int) {
        self.user = UInt32(truncatingIfNeeded: user)
        self.concert = UInt32(truncatingIfNeeded: concert)
        self.joinNumber = UInt32(truncatingIfNeeded: joinNumber)
    }
}

/// One reservation; its seats lie in `BoxOffice.heldSeats`.
struct ReservationRecord {
    let user: UInt32
    let token: UInt32
    let performance: UInt32
    let seatCount: UInt16
    var state: UInt8 = 1
    let seatStart: UInt64
    let price: UInt64
    let created: UInt64
    var deadline: UInt64
    var ended: UInt64 = 0
    /// Link.
    var payment: UInt32 = 0
    var previousOfUser: UInt32 = 0
    var previousOfToken: UInt32 = 0

    static let held: UInt8 = 1
    static let paid: UInt8 = 2
    static let released: UInt8 = 3
    static let expired: UInt8 = 4
    static let cancelled: UInt8 = 5
}

/// One payment.
struct PaymentRecord {
    let user: UInt32
    let reservation: UInt32
    let paid: UInt64
    var refunded: UInt64 = 0
    var previousOfUser: UInt32 = 0
}

/// One line of an account.
struct TransactionRecord {
    let user: UInt32
    /// Link.
    let reservation: UInt32
    let kind: UInt8
    let amount: UInt64
    let balanceAfter: UInt64
    let time: UInt64
    var previousOfUser: UInt32 = 0

    static let charge: UInt8 = 1
    static let payment: UInt8 = 2
    static let refund: UInt8 = 3
}

/// One performance.
struct PerformanceRecord {
    var settings: PerformanceSettings
    let concert: Int
    /// Of each seat: link of the reservation that holds or owns it.
    var seats: [UInt32]
    var prices: [UInt64]
    var held = 0
    var sold = 0
    var revision: UInt64 = 0

    var available: Int { seats.count - held - sold }
}

/// One concert and its line.
struct ConcertRecord {
    /// With the defaults filled in.
    var settings: ConcertSettings
    var policy: AdmissionPolicy
    var state = LineState.scheduled
    var performances: [Int] = []
    var drawSeed: [UInt8]
    /// The draw that is under way, between the entry that opens the line and the one by which it is open.
    var shuffle: Draw.Shuffle?
    /// What the draw made of the join numbers; empty: no draw yet.
    var order = Draw.Order()

    /// Token (link) of each join number, number 1 at index 0.
    var tokenOfJoin = Paged<UInt32>()
    var waiting = PlaceSet()
    /// Those of the waiting whose users are present: who can be admitted.
    var ready = PlaceSet()
    var active = 0
    var admitted: UInt64 = 0

    /// The turnstile's grid begins here; 0: never opened.
    var gridStart: UInt64 = 0
    /// When it turns next; 0: not running.
    var nextTick: UInt64 = 0

    var lastMinute = MinuteCount()
    var payments: UInt64 = 0
    var revenue: UInt64 = 0
    var noticesSent: UInt64 = 0
    var notices: [Notice] = []

    init(settings: ConcertSettings, policy: AdmissionPolicy, drawSeed: [UInt8]) {
        self.settings = settings
        self.policy = policy
        self.drawSeed = drawSeed
    }

    /// The draw as a snapshot tells it: done, under way with so many places left, or neither.
    mutating func restoreDraw(drawn: Int, shuffled: Int, left: Int) {
        var shuffle = Draw.Shuffle(seed: drawSeed, count: max(drawn, shuffled))
        shuffle.advance(by: drawn > 0 ? drawn : shuffled - left)
        if drawn > 0 { order = Draw.Order(shuffle) }
        if shuffled > 0 { self.shuffle = shuffle }
    }

    var joined: Int { tokenOfJoin.count }

    /// Where a join number stands: itself, unless the draw permuted it.
    func place(ofJoin number: UInt32) -> Int { order.place(ofJoin: Int(number)) }

    /// The token at a place from 1 to `joined`.
    func token(atPlace place: Int) -> Int { Int(tokenOfJoin[order.joinNumber(atPlace: place) - 1]) - 1 }

    /// Whether the line lets people in at all.
    var isAdmitting: Bool { state == .open || state == .draining }

    /// Whether one more may be active.
    var hasRoom: Bool { policy.maxActive == 0 || active < Int(policy.maxActive) }

    /// Whether the teller's rule would let somebody in.
    var canAdmit: Bool { isAdmitting && policy.batch == 0 && hasRoom && ready.count > 0 }

    /// When joins begin; 0: not known.
    var joinsBegin: UInt64 {
        settings.lobbyOpensMs == 0
            ? settings.opensMs
            : settings.opensMs == 0 ? settings.lobbyOpensMs : min(settings.lobbyOpensMs, settings.opensMs)
    }
}

/// Counts what happened in the last 60 seconds, by the second.
struct MinuteCount: Equatable {
    static let seconds = 60
    private(set) var counts = [UInt32](repeating: 0, count: seconds)
    /// The second that the newest count belongs to.
    private(set) var second: UInt64 = 0

    init() {}

    init(counts: [UInt32], second: UInt64) {
        for (index, count) in counts.prefix(Self.seconds).enumerated() { self.counts[index] = count }
        self.second = second
    }

    mutating func add(at milliseconds: UInt64) {
        let now = milliseconds / 1_000
        if now > second {
            let steps = min(now - second, UInt64(Self.seconds))
            for step in 0..<steps { counts[Int((now - step) % UInt64(Self.seconds))] = 0 }
            second = now
        }
        counts[Int(now % UInt64(Self.seconds))] &+= 1
    }

    func total(at milliseconds: UInt64) -> UInt32 {
        let now = milliseconds / 1_000
        var total: UInt32 = 0
        for age in 0..<UInt64(Self.seconds) where age <= second {
            let of = second - age
            if of.saturatingAdd(UInt64(Self.seconds)) > now { total &+= counts[Int(of % UInt64(Self.seconds))] }
        }
        return total
    }
}

/// One instance of the server, as the journal knows it.
struct InstanceRecord {
    let id: UInt32
    var incarnation: UInt64 = 0
    /// Of its last entry.
    var number: UInt64 = 0
    var isAlive = false
    var rules: UInt32 = 0
    var name = ""
    /// Where clients reach it; empty: it has no address of its own.
    var address = ""
    /// Who is present at each of its sources.
    var sources: [TokenSet] = []
    /// Serial of its last entry.
    var lastSign: UInt64 = 0
    /// Time of its last counted heartbeat.
    var lastBeat: UInt64 = 0
    /// Serials of its last heartbeats, oldest first.
    var beats: [UInt64] = []

    init(id: UInt32) {
        self.id = id
    }
}

/// A key published by an instance.
public struct PublishedKey: Equatable, Sendable {
    /// Who published it.
    public var instance: UInt32
    /// Ed25519, 32 bytes.
    public var ed25519: [UInt8]
    /// When.
    public var publishedMs: UInt64
}

/// Settings of the whole sale.
public struct SaleSettings: Equatable, Sendable {
    /// Whether charging and reading an account needs an active token.
    public var accountNeedsActiveToken = true
    /// Largest amount of one charge.
    public var maxCharge: UInt64 = 10_000_000
    /// Largest balance.
    public var maxBalance: UInt64 = 100_000_000
}
