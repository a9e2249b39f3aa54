// What a command came to.

public import UsherAPI

/// What became of one command.
public enum Outcome: Equatable, Sendable {
    /// It was carried out, now or, for a repeat, the first time.
    case done(Reply)
    /// It was refused, and nothing changed. Kept apart, since a refusal is twice as large as what is done.
    indirect case refused(Refusal)
}

/// What a command that was carried out answers. For a repeated request id it is what was answered the first time; only
/// `joined` tells how the token stands now.
public enum Reply: Equatable, Sendable {
    /// The user's place in the line, new or had already.
    case joined(TokenStatus)
    /// The place was given up.
    case left(token: UInt64)
    /// The seats are set aside.
    case held(Reservation)
    /// The seats are given back.
    case released(Reservation)
    /// The reservation is paid; the balance is what was left.
    case paid(Payment, balance: UInt64)
    /// The reservation is cancelled; the balance is what it rose to.
    case cancelled(Reservation, refunded: UInt64, balance: UInt64)
    /// The account is charged.
    case charged(Transaction, balance: UInt64)
    /// An operator's command on the concert of this index.
    case operatorDone(concert: Int)
    /// Nothing to say: presence, touches, instances, keys, settings of the sale.
    case none
}

/// Where a queue token stands.
public struct TokenStatus: Equatable, Sendable {
    /// Counted from 1 over all lines.
    public var id: UInt64 = 0
    /// Whose it is.
    public var user = Uuid.none
    /// Index of the concert.
    public var concert = 0
    /// The n-th join of its line.
    public var joinNumber: UInt64 = 0
    /// Where it stands in the order; the join number until a draw.
    public var place: UInt64 = 0
    /// Waiting, active or ended.
    public var state: TokenState = .unspecified
    /// Why it ended.
    public var endReason: EndReason = .unspecified
    /// Since it was admitted: by when the last hold must have begun.
    public var activeUntil: UInt64 = 0
    /// While active: by when the next call must come, unless a hold is open.
    public var idleUntil: UInt64 = 0
    /// When it was admitted; 0: not yet.
    public var admittedAt: UInt64 = 0
    /// Whether its user is present.
    public var present = false
    /// All that are held, and the last 16 that are not, newest first.
    public var reservations: [Reservation] = []

    /// Every field at its default.
    public init() {}
}

/// A token's way through its life.
enum Phase: UInt8 {
    case waiting = 1
    case active = 2
    case ended = 3

    var state: TokenState { TokenState(rawValue: Int32(rawValue)) }
}

/// A committed outcome, as small as it is remembered: the reply is made from it and the records it names, which by then
/// may have gone on, so what may change meanwhile is kept here.
enum Committed: Equatable {
    case joined(token: Int)
    case left(token: Int)
    case held(reservation: Int, deadline: UInt64)
    case released(reservation: Int)
    case paid(payment: Int, transaction: Int)
    case cancelled(reservation: Int, transaction: Int)
    case charged(transaction: Int)
    case operatorDone(concert: Int)
    case none
}
