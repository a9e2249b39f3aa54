// The messages of protocol/usher/v1/operators.proto; what they mean is said there in full. How they lie on the wire is
// in Operators+Coding.swift.

public import Wire

/// What an operator decides about a concert.
public struct ConcertSettings: WireMessage {
    /// The id, 1 to 64 of a-z, 0-9 and '-'.
    public var id = ""
    /// The name for people, 1 to 200 bytes.
    public var title = ""
    /// Where it takes place, at most 200 bytes.
    public var venue = ""
    /// When joins are taken; 0: no lobby by itself.
    public var lobbyOpensMs: UInt64 = 0
    /// When admission starts; 0: an operator opens the line.
    public var opensMs: UInt64 = 0
    /// When the line closes; 0: an operator closes it.
    public var closesMs: UInt64 = 0
    /// How the lobby is ordered when the line opens.
    public var lobbyOrder: LobbyOrder = .unspecified
    /// Who is admitted and when.
    public var policy: AdmissionPolicy?
    /// Seats a user may hold or own of one performance; 0: 1.
    public var maxSeats: UInt32 = 0
    /// How long a hold lasts; 0: 5 min.
    public var holdTtlMs: UInt64 = 0
    /// How long a token stays active; 0: 10 min.
    public var activeTtlMs: UInt64 = 0
    /// How long an active token may go without a call; 0: 3 min.
    public var idleTtlMs: UInt64 = 0
    /// How long an absent waiter keeps the place; 0: 30 min.
    public var graceMs: UInt64 = 0
    /// How long before the performance a paid reservation can still be cancelled; 0: until it starts.
    public var cancelUntilMs: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        id: String = "", title: String = "", venue: String = "", lobbyOpensMs: UInt64 = 0, opensMs: UInt64 = 0,
        closesMs: UInt64 = 0, lobbyOrder: LobbyOrder = .unspecified, policy: AdmissionPolicy? = nil,
        maxSeats: UInt32 = 0, holdTtlMs: UInt64 = 0, activeTtlMs: UInt64 = 0, idleTtlMs: UInt64 = 0,
        graceMs: UInt64 = 0, cancelUntilMs: UInt64 = 0
    ) {
        self.id = id
        self.title = title
        self.venue = venue
        self.lobbyOpensMs = lobbyOpensMs
        self.opensMs = opensMs
        self.closesMs = closesMs
        self.lobbyOrder = lobbyOrder
        self.policy = policy
        self.maxSeats = maxSeats
        self.holdTtlMs = holdTtlMs
        self.activeTtlMs = activeTtlMs
        self.idleTtlMs = idleTtlMs
        self.graceMs = graceMs
        self.cancelUntilMs = cancelUntilMs
    }
}

/// The request of `Operators/PutConcert`.
public struct PutConcertRequest: WireMessage {
    /// What it shall be.
    public var settings: ConcertSettings?

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(settings: ConcertSettings? = nil) {
        self.settings = settings
    }
}

/// Seats `firstSeat` to `lastSeat` cost price each. Where bands overlap the later one counts.
public struct PriceBand: WireMessage {
    /// The first seat of the band.
    public var firstSeat: UInt32 = 0
    /// The last seat of the band.
    public var lastSeat: UInt32 = 0
    /// What it costs.
    public var price: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(firstSeat: UInt32 = 0, lastSeat: UInt32 = 0, price: UInt64 = 0) {
        self.firstSeat = firstSeat
        self.lastSeat = lastSeat
        self.price = price
    }
}

/// What an operator decides about a performance.
public struct PerformanceSettings: WireMessage {
    /// The id, 1 to 64 of a-z, 0-9 and '-'; unique over all concerts.
    public var id = ""
    /// The concert's id.
    public var concert = ""
    /// When it starts.
    public var startsMs: UInt64 = 0
    /// How many seats there are, 1 to 65,535; 0: 50.
    public var seatCount: UInt32 = 0
    /// What the seats cost; every seat needs a band.
    public var prices: [PriceBand] = []

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        id: String = "", concert: String = "", startsMs: UInt64 = 0, seatCount: UInt32 = 0, prices: [PriceBand] = []
    ) {
        self.id = id
        self.concert = concert
        self.startsMs = startsMs
        self.seatCount = seatCount
        self.prices = prices
    }
}

/// The request of `Operators/PutPerformance`.
public struct PutPerformanceRequest: WireMessage {
    /// What it shall be.
    public var settings: PerformanceSettings?

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(settings: PerformanceSettings? = nil) {
        self.settings = settings
    }
}

/// The request of `Operators/SetPolicy`.
public struct SetPolicyRequest: WireMessage {
    /// The concert's id.
    public var concert = ""
    /// Who is admitted and when.
    public var policy: AdmissionPolicy?

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "", policy: AdmissionPolicy? = nil) {
        self.concert = concert
        self.policy = policy
    }
}

/// The request of operators' calls that move a line.
public struct LineRequest: WireMessage {
    /// The concert's id.
    public var concert = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "") {
        self.concert = concert
    }
}

/// The request of `Operators/SendNotice`.
public struct SendNoticeRequest: WireMessage {
    /// The concert's id.
    public var concert = ""
    /// The notice, at most 1,000 bytes.
    public var text = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "", text: String = "") {
        self.concert = concert
        self.text = text
    }
}

/// The response of operators' calls.
public struct OperatorResponse: WireMessage {
    /// The concert as it is now.
    public var concert: Concert?

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: Concert? = nil) {
        self.concert = concert
    }
}

/// The request of `Operators/Stats`, `Operators/WatchStats`.
public struct StatsRequest: WireMessage {
    /// Which concert; empty: all.
    public var concert = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "") {
        self.concert = concert
    }
}

/// The live numbers of one concert.
public struct LineStats: WireMessage {
    /// The concert's id.
    public var concert = ""
    /// The state of its line.
    public var lineState: LineState = .unspecified
    /// Tokens ever given.
    public var joined: UInt64 = 0
    /// Live tokens that wait.
    public var waiting: UInt64 = 0
    /// How many of those waiting are present.
    public var present: UInt64 = 0
    /// Tokens whose turn it is.
    public var active: UInt64 = 0
    /// Tokens ever admitted.
    public var admitted: UInt64 = 0
    /// Tokens admitted in the last 60 s.
    public var admittedLastMinute: UInt32 = 0
    /// Payments not refunded.
    public var paid: UInt64 = 0
    /// The sum of payments not refunded.
    public var revenue: UInt64 = 0
    /// Seats nobody has.
    public var seatsAvailable: UInt64 = 0
    /// Seats set aside.
    public var seatsHeld: UInt64 = 0
    /// Seats sold.
    public var seatsSold: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        concert: String = "", lineState: LineState = .unspecified, joined: UInt64 = 0, waiting: UInt64 = 0,
        present: UInt64 = 0, active: UInt64 = 0, admitted: UInt64 = 0, admittedLastMinute: UInt32 = 0,
        paid: UInt64 = 0, revenue: UInt64 = 0, seatsAvailable: UInt64 = 0, seatsHeld: UInt64 = 0,
        seatsSold: UInt64 = 0
    ) {
        self.concert = concert
        self.lineState = lineState
        self.joined = joined
        self.waiting = waiting
        self.present = present
        self.active = active
        self.admitted = admitted
        self.admittedLastMinute = admittedLastMinute
        self.paid = paid
        self.revenue = revenue
        self.seatsAvailable = seatsAvailable
        self.seatsHeld = seatsHeld
        self.seatsSold = seatsSold
    }
}

/// The response of `Operators/Stats`, `Operators/WatchStats`.
public struct StatsResponse: WireMessage {
    /// One for each concert asked for.
    public var lines: [LineStats] = []
    /// Connections of this instance.
    public var connections: UInt64 = 0
    /// The journal position applied.
    public var position: UInt64 = 0
    /// The instance's wall clock.
    public var timeMs: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(lines: [LineStats] = [], connections: UInt64 = 0, position: UInt64 = 0, timeMs: UInt64 = 0) {
        self.lines = lines
        self.connections = connections
        self.position = position
        self.timeMs = timeMs
    }
}
