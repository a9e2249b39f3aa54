import UsherAPI

// What the clients of a campaign write down, in memory that no kill reaches: everything they asked for and everything
// they were told. Together with what the server says at the end it is all that the checker looks at.
//
// Times are this process's monotonic nanoseconds; positions are the journal's.

/// One command of one user, under one request id, however often it was sent.
struct CommandRecord: Sendable {
    enum Asked: Sendable, Equatable {
        case join
        case leave
        case charge(UInt64)
        case hold(performance: String, seats: [UInt32], best: UInt32)
        case release(UInt64)
        case pay(UInt64)
        case cancel(UInt64)
    }

    enum Answer: Sendable, Equatable {
        case joined(number: UInt64)
        case left
        case charged(Transaction)
        case held(Reservation)
        case released(Reservation)
        case paid(Payment, balance: UInt64)
        case cancelled(Reservation, refunded: UInt64, balance: UInt64)
    }

    enum End: Sendable, Equatable {
        /// No answer came: it may have happened, or not.
        case open
        case done(Answer)
        /// With the reason's word: it did not happen.
        case refused(String)
    }

    var requestID: Uuid
    var asked: Asked
    var sent: UInt64
    var ended: UInt64 = .max
    var end = End.open

    var answer: Answer? { if case .done(let answer) = end { answer } else { nil } }
}

/// What one message of a line's stream said.
struct Sighting: Sendable {
    var position: UInt64
    var state: TokenState
    var joinNumber: UInt64
    var place: UInt64
    /// Position in line, while waiting.
    var ahead: UInt64
    /// The first message on a connection.
    var isFirst: Bool
    /// The stream was begun by the Join that took the place: from then on the journal has the user as present.
    var isOwnJoin: Bool
    var heard: UInt64
    /// Which of the servers said it.
    var server = 0
}

/// One place in the line, from its Join to its end.
struct Visit: Sendable {
    var sightings: [Sighting] = []
    /// It asked to leave.
    var hasLeft = false
    /// It paid, which may end the token.
    var hasPaid = false
}

/// Everything one user did.
struct ShopperLog: Sendable {
    var user: Uuid
    /// One after the other: each was sent after the one before had its end.
    var commands: [CommandRecord] = []
    var visits: [Visit] = []
    /// Answers that no correct server gives, in words.
    var oddities: [String] = []
    /// Commands sent once more after their end, and whether the answer was the same.
    var repeats = 0
}

/// What the server says of one user at the end, oldest first.
struct Audit: Sendable, Equatable {
    var transactions: [Transaction]
    var payments: [Payment]
    var reservations: [Reservation]
}

/// A time during which the server's disk had failed and its readiness was off, until it was killed.
struct Outage: Sendable {
    var noticed: UInt64
    var killed: UInt64
}

/// A time during which something was done to one of several servers that kept it from the others, or to all of them.
struct Hurt: Sendable, Equatable {
    /// Whose users may count as absent meanwhile; nil: nobody's. All of them where `isEverybody`.
    var server: Int?
    var isEverybody = false
    var from: UInt64
    /// When everything was whole again and served.
    var until: UInt64

    func strikes(_ number: Int) -> Bool { isEverybody || server == number }
}

/// What one of several servers says at the end, when all are at rest.
struct Testimony: Sendable {
    var name: String
    var audits: [Uuid: Audit]
    var seats: [String: [UInt32: SeatState]]
    /// The digests of its state that it has put into the journal, by position, since its last start.
    var digests: [UInt64: [UInt8]]
}

/// All there is to judge one sale by.
struct Evidence: Sendable {
    var shoppers: [ShopperLog] = []
    var audits: [Uuid: Audit] = [:]
    /// The seats of each performance at the end, by number.
    var seats: [String: [UInt32: SeatState]] = [:]
    /// The same as somebody saw it who has been told of every change since the beginning.
    var watched: [String: [UInt32: SeatState]] = [:]
    var outages: [Outage] = []
    var hurts: [Hurt] = []
    /// Of each server, where there are several.
    var testimonies: [Testimony] = []
    /// What went wrong with the server itself: it would not start, it ended by itself, its journal does not verify.
    var serverFaults: [String] = []

    var commandCount: Int { shoppers.reduce(0) { $0 + $1.commands.count } }
    var acknowledgedCount: Int { shoppers.reduce(0) { $0 + $1.commands.count { $0.answer != nil } } }
}
