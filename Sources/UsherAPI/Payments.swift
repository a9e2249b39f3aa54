// The messages of protocol/usher/v1/payments.proto; what they mean is said there in full. How they lie on the wire is
// in Payments+Coding.swift.

public import Wire

/// The request of `Payments/Pay`.
public struct PayRequest: WireMessage {
    /// The reservation's id.
    public var reservation: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(reservation: UInt64 = 0) {
        self.reservation = reservation
    }
}

/// The response of `Payments/Pay`.
public struct PayResponse: WireMessage {
    /// The record of the purchase.
    public var payment: Payment?
    /// The balance afterwards.
    public var balance: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(payment: Payment? = nil, balance: UInt64 = 0) {
        self.payment = payment
        self.balance = balance
    }
}

/// The request of `Payments/List`.
public struct ListPaymentsRequest: WireMessage {
    /// Page: ids below this one; 0: from the newest.
    public var before: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(before: UInt64 = 0) {
        self.before = before
    }
}

/// The response of `Payments/List`.
public struct ListPaymentsResponse: WireMessage {
    /// Newest first.
    public var payments: [Payment] = []
    /// Whether another page follows.
    public var more = false

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(payments: [Payment] = [], more: Bool = false) {
        self.payments = payments
        self.more = more
    }
}
