// The messages of protocol/usher/v1/common.proto; what they mean is said there in full. How they lie on the wire is
// in Common+Coding.swift.

public import Wire

/// A 128-bit id (RFC 9562) as its two halves in network order: fixed size, no malformed value, cheap to compare. Users,
/// requests and journals are named by it. The nil UUID (both halves 0) means "none" and is refused where an id is
/// needed.
public struct Uuid: WireMessage, Hashable {
    /// The first eight bytes, big-endian.
    public var high: UInt64 = 0
    /// The last eight bytes, big-endian.
    public var low: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(high: UInt64 = 0, low: UInt64 = 0) {
        self.high = high
        self.low = low
    }
}

/// Where the line of a concert stands.
public enum LineState: WireEnum {
    /// Never sent on purpose: not said, or not understood.
    case unspecified
    /// Joins are refused, with the opening time.
    case scheduled
    /// Joins are taken, nobody is admitted.
    case lobby
    /// Joins and admissions.
    case open
    /// Joins, no admissions.
    case paused
    /// No joins, the rest is admitted.
    case draining
    /// Over: no joins, no admissions, tokens ended.
    case closed
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .scheduled
        case 2: self = .lobby
        case 3: self = .open
        case 4: self = .paused
        case 5: self = .draining
        case 6: self = .closed
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .scheduled: 1
        case .lobby: 2
        case .open: 3
        case .paused: 4
        case .draining: 5
        case .closed: 6
        case .unrecognized(let number): number
        }
    }
}

/// Where a queue token stands.
public enum TokenState: WireEnum {
    /// Never sent on purpose: not said, or not understood.
    case unspecified
    /// In line.
    case waiting
    /// The turn has come.
    case active
    /// Of no more use; the reason says why.
    case ended
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .waiting
        case 2: self = .active
        case 3: self = .ended
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .waiting: 1
        case .active: 2
        case .ended: 3
        case .unrecognized(let number): number
        }
    }
}

/// Why a queue token ended.
public enum EndReason: WireEnum {
    /// Never sent on purpose: not said, or not understood.
    case unspecified
    /// Paid for.
    case paid
    /// Its user left.
    case left
    /// `active_ttl` or `idle_ttl` ran out.
    case expired
    /// Away for longer than the grace.
    case absent
    /// The line was closed.
    case closed
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .paid
        case 2: self = .left
        case 3: self = .expired
        case 4: self = .absent
        case 5: self = .closed
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .paid: 1
        case .left: 2
        case .expired: 3
        case .absent: 4
        case .closed: 5
        case .unrecognized(let number): number
        }
    }
}

/// Whether a seat can be had.
public enum SeatState: WireEnum {
    /// Never sent on purpose: not said, or not understood.
    case unspecified
    /// Can be held.
    case available
    /// Set aside for one user.
    case held
    /// Bought.
    case sold
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .available
        case 2: self = .held
        case 3: self = .sold
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .available: 1
        case .held: 2
        case .sold: 3
        case .unrecognized(let number): number
        }
    }
}

/// Where a reservation stands.
public enum ReservationState: WireEnum {
    /// Never sent on purpose: not said, or not understood.
    case unspecified
    /// Set aside for one user.
    case held
    /// Paid for.
    case paid
    /// Given back.
    case released
    /// Not paid in time.
    case expired
    /// Paid, then cancelled.
    case cancelled
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .held
        case 2: self = .paid
        case 3: self = .released
        case 4: self = .expired
        case 5: self = .cancelled
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .held: 1
        case .paid: 2
        case .released: 3
        case .expired: 4
        case .cancelled: 5
        case .unrecognized(let number): number
        }
    }
}

/// How the lobby's joins are ordered when the line opens.
public enum LobbyOrder: WireEnum {
    /// As ARRIVAL.
    case unspecified
    /// In order of arrival.
    case arrival
    /// A permutation of the lobby's join numbers by a seed whose SHA-256 is shown from the start.
    case draw
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .arrival
        case 2: self = .draw
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .arrival: 1
        case .draw: 2
        case .unrecognized(let number): number
        }
    }
}

/// Who is admitted and when. The teller: `maxActive` alone. The turnstile: batch and `intervalMs`. Both: the turnstile
/// under the cap. At least one of the two must be set.
public struct AdmissionPolicy: WireMessage {
    /// Users active at once; 0: no cap.
    public var maxActive: UInt32 = 0
    /// Users each interval; 0: no turnstile.
    public var batch: UInt32 = 0
    /// The time between batches, 100 to 3,600,000 with a batch.
    public var intervalMs: UInt32 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(maxActive: UInt32 = 0, batch: UInt32 = 0, intervalMs: UInt32 = 0) {
        self.maxActive = maxActive
        self.batch = batch
        self.intervalMs = intervalMs
    }
}

/// What an operator tells all who wait.
public struct Notice: WireMessage {
    /// Counted from 1 for each concert; a gap says how many were missed.
    public var number: UInt64 = 0
    /// At most 1,000 bytes.
    public var text = ""
    /// When it was sent.
    public var sentMs: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(number: UInt64 = 0, text: String = "", sentMs: UInt64 = 0) {
        self.number = number
        self.text = text
        self.sentMs = sentMs
    }
}

/// A hold from its creation to its end.
public struct Reservation: WireMessage {
    /// Its id.
    public var id: UInt64 = 0
    /// The concert's id.
    public var concert = ""
    /// The performance's id.
    public var performance = ""
    /// Seat numbers, ascending.
    public var seats: [UInt32] = []
    /// Its state.
    public var state: ReservationState = .unspecified
    /// The price of all its seats, fixed when it was held.
    public var price: UInt64 = 0
    /// When the seats were held.
    public var createdMs: UInt64 = 0
    /// When the hold runs out.
    public var deadlineMs: UInt64 = 0
    /// When it left HELD; for CANCELLED when it was cancelled.
    public var endedMs: UInt64 = 0
    /// The payment's id once PAID.
    public var payment: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        id: UInt64 = 0, concert: String = "", performance: String = "", seats: [UInt32] = [],
        state: ReservationState = .unspecified, price: UInt64 = 0, createdMs: UInt64 = 0, deadlineMs: UInt64 = 0,
        endedMs: UInt64 = 0, payment: UInt64 = 0
    ) {
        self.id = id
        self.concert = concert
        self.performance = performance
        self.seats = seats
        self.state = state
        self.price = price
        self.createdMs = createdMs
        self.deadlineMs = deadlineMs
        self.endedMs = endedMs
        self.payment = payment
    }
}

/// The record of one purchase.
public struct Payment: WireMessage {
    /// Its id.
    public var id: UInt64 = 0
    /// The reservation's id.
    public var reservation: UInt64 = 0
    /// The concert's id.
    public var concert = ""
    /// The performance's id.
    public var performance = ""
    /// Seat numbers, ascending.
    public var seats: [UInt32] = []
    /// What was paid.
    public var amount: UInt64 = 0
    /// When it was paid.
    public var paidMs: UInt64 = 0
    /// When it was refunded; 0: not refunded.
    public var refundedMs: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        id: UInt64 = 0, reservation: UInt64 = 0, concert: String = "", performance: String = "",
        seats: [UInt32] = [], amount: UInt64 = 0, paidMs: UInt64 = 0, refundedMs: UInt64 = 0
    ) {
        self.id = id
        self.reservation = reservation
        self.concert = concert
        self.performance = performance
        self.seats = seats
        self.amount = amount
        self.paidMs = paidMs
        self.refundedMs = refundedMs
    }
}
