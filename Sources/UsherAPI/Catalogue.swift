// The messages of protocol/usher/v1/catalogue.proto; what they mean is said there in full. How they lie on the wire is
// in Catalogue+Coding.swift.

public import Wire

/// Something on sale, as everyone may see it.
public struct Concert: WireMessage {
    /// Its id.
    public var id = ""
    /// Its name for people.
    public var title = ""
    /// Where it takes place.
    public var venue = ""
    /// The state of its line.
    public var lineState: LineState = .unspecified
    /// When joins are taken; 0: no lobby.
    public var lobbyOpensMs: UInt64 = 0
    /// When admission starts; 0: an operator opens the line.
    public var opensMs: UInt64 = 0
    /// When the line closes; 0: an operator closes it.
    public var closesMs: UInt64 = 0
    /// How the lobby is ordered when the line opens.
    public var lobbyOrder: LobbyOrder = .unspecified
    /// SHA-256 of the draw's seed, shown from the start.
    public var drawCommitment: [UInt8] = []
    /// The seed of the draw, once drawn.
    public var drawSeed: [UInt8] = []
    /// How many join numbers the draw permuted, once drawn.
    public var drawn: UInt64 = 0
    /// Who is admitted and when.
    public var policy: AdmissionPolicy?
    /// Live tokens that wait.
    public var waiting: UInt64 = 0
    /// Tokens whose turn it is.
    public var active: UInt64 = 0
    /// How many performances it has.
    public var performances: UInt32 = 0
    /// Seats a user may hold or own of one performance.
    public var maxSeats: UInt32 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        id: String = "", title: String = "", venue: String = "", lineState: LineState = .unspecified,
        lobbyOpensMs: UInt64 = 0, opensMs: UInt64 = 0, closesMs: UInt64 = 0, lobbyOrder: LobbyOrder = .unspecified,
        drawCommitment: [UInt8] = [], drawSeed: [UInt8] = [], drawn: UInt64 = 0, policy: AdmissionPolicy? = nil,
        waiting: UInt64 = 0, active: UInt64 = 0, performances: UInt32 = 0, maxSeats: UInt32 = 0
    ) {
        self.id = id
        self.title = title
        self.venue = venue
        self.lineState = lineState
        self.lobbyOpensMs = lobbyOpensMs
        self.opensMs = opensMs
        self.closesMs = closesMs
        self.lobbyOrder = lobbyOrder
        self.drawCommitment = drawCommitment
        self.drawSeed = drawSeed
        self.drawn = drawn
        self.policy = policy
        self.waiting = waiting
        self.active = active
        self.performances = performances
        self.maxSeats = maxSeats
    }
}

/// The request of `Catalogue/ListConcerts`.
public struct ListConcertsRequest: WireMessage {
    /// Page: ids after this one.
    public var after = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(after: String = "") {
        self.after = after
    }
}

/// The response of `Catalogue/ListConcerts`.
public struct ListConcertsResponse: WireMessage {
    /// In order of their ids.
    public var concerts: [Concert] = []
    /// Whether another page follows.
    public var more = false

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concerts: [Concert] = [], more: Bool = false) {
        self.concerts = concerts
        self.more = more
    }
}

/// One date of a concert.
public struct Performance: WireMessage {
    /// Its id.
    public var id = ""
    /// The concert's id.
    public var concert = ""
    /// When it starts.
    public var startsMs: UInt64 = 0
    /// How many seats it has.
    public var seatCount: UInt32 = 0
    /// How many seats are available.
    public var seatsLeft: UInt32 = 0
    /// The lowest price of a seat.
    public var priceMin: UInt64 = 0
    /// The highest price of a seat.
    public var priceMax: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        id: String = "", concert: String = "", startsMs: UInt64 = 0, seatCount: UInt32 = 0, seatsLeft: UInt32 = 0,
        priceMin: UInt64 = 0, priceMax: UInt64 = 0
    ) {
        self.id = id
        self.concert = concert
        self.startsMs = startsMs
        self.seatCount = seatCount
        self.seatsLeft = seatsLeft
        self.priceMin = priceMin
        self.priceMax = priceMax
    }
}

/// Whether anything is left, said outright.
public enum Availability: WireEnum {
    /// Never sent on purpose: not said, or not understood.
    case unspecified
    /// There is something.
    case onSale
    /// There are performances (or seats), but none is left.
    case soldOut
    /// There are no performances from that date on.
    case noneListed
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .onSale
        case 2: self = .soldOut
        case 3: self = .noneListed
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .onSale: 1
        case .soldOut: 2
        case .noneListed: 3
        case .unrecognized(let number): number
        }
    }
}

/// The request of `Catalogue/ListPerformances`.
public struct ListPerformancesRequest: WireMessage {
    /// The concert's id.
    public var concert = ""
    /// From this time on.
    public var fromMs: UInt64 = 0
    /// Whether to include performances without a seat left.
    public var includeSoldOut = false
    /// Page: performances after this one, in order of (`startsMs`, id).
    public var after = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "", fromMs: UInt64 = 0, includeSoldOut: Bool = false, after: String = "") {
        self.concert = concert
        self.fromMs = fromMs
        self.includeSoldOut = includeSoldOut
        self.after = after
    }
}

/// The response of `Catalogue/ListPerformances`.
public struct ListPerformancesResponse: WireMessage {
    /// In order of (`startsMs`, id).
    public var performances: [Performance] = []
    /// Whether anything is left, said outright.
    public var availability: Availability = .unspecified
    /// Whether another page follows.
    public var more = false

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(performances: [Performance] = [], availability: Availability = .unspecified, more: Bool = false) {
        self.performances = performances
        self.availability = availability
        self.more = more
    }
}

/// The request of `Catalogue/ListSeats`.
public struct ListSeatsRequest: WireMessage {
    /// The performance's id.
    public var performance = ""
    /// Page: from this number on.
    public var firstSeat: UInt32 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(performance: String = "", firstSeat: UInt32 = 0) {
        self.performance = performance
        self.firstSeat = firstSeat
    }
}

/// The request of `Catalogue/StreamSeats`.
public struct StreamSeatsRequest: WireMessage {
    /// The concert's id.
    public var concert = ""
    /// From this time on.
    public var fromMs: UInt64 = 0
    /// Whether to include performances without a seat left.
    public var includeSoldOut = false

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "", fromMs: UInt64 = 0, includeSoldOut: Bool = false) {
        self.concert = concert
        self.fromMs = fromMs
        self.includeSoldOut = includeSoldOut
    }
}

/// The request of `Catalogue/WatchSeats`.
public struct WatchSeatsRequest: WireMessage {
    /// The performance's id.
    public var performance = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(performance: String = "") {
        self.performance = performance
    }
}

/// One seat of a performance.
public struct Seat: WireMessage {
    /// Its number, from 1.
    public var number: UInt32 = 0
    /// What it costs.
    public var price: UInt64 = 0
    /// Whether it can be had.
    public var state: SeatState = .unspecified

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(number: UInt32 = 0, price: UInt64 = 0, state: SeatState = .unspecified) {
        self.number = number
        self.price = price
        self.state = state
    }
}

/// Seats of one performance: a page, a snapshot or changes.
public struct SeatList: WireMessage {
    /// The performance's id; left out in changes of a watch.
    public var performance = ""
    /// Seats, ascending by number.
    public var seats: [Seat] = []
    /// How many seats of the performance are available.
    public var seatsLeft: UInt32 = 0
    /// Whether any seat is left, said outright.
    public var availability: Availability = .unspecified
    /// Of a list: the next page's `firstSeat`; of a snapshot in parts: more parts follow; 0: complete.
    public var nextSeat: UInt32 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        performance: String = "", seats: [Seat] = [], seatsLeft: UInt32 = 0,
        availability: Availability = .unspecified, nextSeat: UInt32 = 0
    ) {
        self.performance = performance
        self.seats = seats
        self.seatsLeft = seatsLeft
        self.availability = availability
        self.nextSeat = nextSeat
    }
}
