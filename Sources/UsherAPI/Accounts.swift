// The messages of protocol/usher/v1/accounts.proto; what they mean is said there in full. How they lie on the wire is
// in Accounts+Coding.swift.

public import Wire

/// What moved the money.
public enum TransactionKind: WireEnum {
    /// Never sent on purpose: not said, or not understood.
    case unspecified
    /// Money in.
    case charge
    /// Money spent.
    case payment
    /// Money back.
    case refund
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .charge
        case 2: self = .payment
        case 3: self = .refund
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .charge: 1
        case .payment: 2
        case .refund: 3
        case .unrecognized(let number): number
        }
    }
}

/// One change of an account's balance.
public struct Transaction: WireMessage {
    /// Its id.
    public var id: UInt64 = 0
    /// What moved the money.
    public var kind: TransactionKind = .unspecified
    /// How much.
    public var amount: UInt64 = 0
    /// The balance afterwards.
    public var balanceAfter: UInt64 = 0
    /// When it happened.
    public var timeMs: UInt64 = 0
    /// The reservation's id, of a payment or refund.
    public var reservation: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        id: UInt64 = 0, kind: TransactionKind = .unspecified, amount: UInt64 = 0, balanceAfter: UInt64 = 0,
        timeMs: UInt64 = 0, reservation: UInt64 = 0
    ) {
        self.id = id
        self.kind = kind
        self.amount = amount
        self.balanceAfter = balanceAfter
        self.timeMs = timeMs
        self.reservation = reservation
    }
}

/// The request of `Accounts/Charge`.
public struct ChargeRequest: WireMessage {
    /// How much, 1 to `maxCharge`.
    public var amount: UInt64 = 0
    /// Whose account; absent: one's own; another's is refused.
    public var user: Uuid?

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(amount: UInt64 = 0, user: Uuid? = nil) {
        self.amount = amount
        self.user = user
    }
}

/// The response of `Accounts/Charge`.
public struct ChargeResponse: WireMessage {
    /// The record of the charge.
    public var transaction: Transaction?
    /// The balance afterwards.
    public var balance: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(transaction: Transaction? = nil, balance: UInt64 = 0) {
        self.transaction = transaction
        self.balance = balance
    }
}

/// The request of `Accounts/GetBalance`.
public struct GetBalanceRequest: WireMessage {
    /// Whose account; absent: one's own.
    public var user: Uuid?

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(user: Uuid? = nil) {
        self.user = user
    }
}

/// The response of `Accounts/GetBalance`.
public struct GetBalanceResponse: WireMessage {
    /// What the account holds.
    public var balance: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(balance: UInt64 = 0) {
        self.balance = balance
    }
}

/// The request of `Accounts/ListTransactions`.
public struct ListTransactionsRequest: WireMessage {
    /// Whose account; absent: one's own.
    public var user: Uuid?
    /// Page: ids below this one; 0: from the newest.
    public var before: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(user: Uuid? = nil, before: UInt64 = 0) {
        self.user = user
        self.before = before
    }
}

/// The response of `Accounts/ListTransactions`.
public struct ListTransactionsResponse: WireMessage {
    /// Newest first.
    public var transactions: [Transaction] = []
    /// Whether another page follows.
    public var more = false

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(transactions: [Transaction] = [], more: Bool = false) {
        self.transactions = transactions
        self.more = more
    }
}
