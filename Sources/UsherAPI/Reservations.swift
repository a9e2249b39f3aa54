// The messages of protocol/usher/v1/reservations.proto; what they mean is said there in full. How they lie on the wire is
// in Reservations+Coding.swift.

public import Wire

/// Either seats or `bestAvailable`.
public struct HoldRequest: WireMessage {
    /// The performance's id.
    public var performance = ""
    /// The seats wished for, by number.
    public var seats: [UInt32] = []
    /// How many seats together, fewest orphans, lowest numbers.
    public var bestAvailable: UInt32 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(performance: String = "", seats: [UInt32] = [], bestAvailable: UInt32 = 0) {
        self.performance = performance
        self.seats = seats
        self.bestAvailable = bestAvailable
    }
}

/// The response of `Reservations/Hold`.
public struct HoldResponse: WireMessage {
    /// The reservation, HELD.
    public var reservation: Reservation?

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(reservation: Reservation? = nil) {
        self.reservation = reservation
    }
}

/// The request of `Reservations/Release`.
public struct ReleaseRequest: WireMessage {
    /// The reservation's id.
    public var reservation: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(reservation: UInt64 = 0) {
        self.reservation = reservation
    }
}

/// The response of `Reservations/Release`.
public struct ReleaseResponse: WireMessage {
    /// The reservation, RELEASED.
    public var reservation: Reservation?

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(reservation: Reservation? = nil) {
        self.reservation = reservation
    }
}

/// The request of `Reservations/Cancel`.
public struct CancelReservationRequest: WireMessage {
    /// The reservation's id.
    public var reservation: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(reservation: UInt64 = 0) {
        self.reservation = reservation
    }
}

/// The response of `Reservations/Cancel`.
public struct CancelReservationResponse: WireMessage {
    /// The reservation, CANCELLED.
    public var reservation: Reservation?
    /// The money given back.
    public var refunded: UInt64 = 0
    /// The balance afterwards.
    public var balance: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(reservation: Reservation? = nil, refunded: UInt64 = 0, balance: UInt64 = 0) {
        self.reservation = reservation
        self.refunded = refunded
        self.balance = balance
    }
}

/// The request of `Reservations/List`.
public struct ListReservationsRequest: WireMessage {
    /// Page: ids below this one; 0: from the newest.
    public var before: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(before: UInt64 = 0) {
        self.before = before
    }
}

/// The response of `Reservations/List`.
public struct ListReservationsResponse: WireMessage {
    /// Newest first.
    public var reservations: [Reservation] = []
    /// Whether another page follows.
    public var more = false

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(reservations: [Reservation] = [], more: Bool = false) {
        self.reservations = reservations
        self.more = more
    }
}
