// The messages of protocol/usher/v1/journal.proto; what they mean is said there in full. How they lie on the wire is
// in Journal+Coding.swift.

public import Wire

/// One batch of commands, the unit of the journal.
public struct Entry: WireMessage {
    /// Who appended it.
    public var instance: UInt32 = 0
    /// Which of that instance's lives: the time it started.
    public var incarnation: UInt64 = 0
    /// Counts this incarnation's entries from 1; anything but the next one is ignored.
    public var number: UInt64 = 0
    /// The commands, applied in this order; none: the clock alone moves on.
    public var commands: [Command] = []

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(instance: UInt32 = 0, incarnation: UInt64 = 0, number: UInt64 = 0, commands: [Command] = []) {
        self.instance = instance
        self.incarnation = incarnation
        self.number = number
        self.commands = commands
    }
}

/// One command and who gave it.
public struct Command: WireMessage {
    /// Who asks.
    public var user: Uuid?
    /// The client's id of the command.
    public var requestId: Uuid?
    /// First 8 bytes of SHA-256 over method and request as the client sent them.
    public var contents: UInt64 = 0
    /// Id of the queue token the call uses; 0: none.
    public var token: UInt64 = 0
    /// Which loop of the instance: presence is counted by (instance, source).
    public var source: UInt32 = 0
    /// Who, for operators' commands.
    public var `operator` = ""
    /// What is asked.
    public var body: Body?

    /// One of the commands. Those of operators that say much are kept apart, so that all the others, of which there are
    /// many, stay small.
    public enum Body: Sendable, Equatable {
        /// A user joins a concert's line.
        case join(Join)
        /// A user gives a place up.
        case leave(Leave)
        /// A user sets seats aside.
        case hold(Hold)
        /// A user gives held seats back.
        case release(Release)
        /// A user pays a held reservation.
        case pay(Pay)
        /// A user cancels a paid reservation.
        case cancel(CancelReservation)
        /// A user charges the account.
        case charge(Charge)
        /// Users came or went.
        case presence(Presence)
        /// Tokens were used.
        case touched(Touched)
        /// An operator creates or changes a concert.
        indirect case putConcert(PutConcert)
        /// An operator creates or changes a performance.
        indirect case putPerformance(PerformanceSettings)
        /// An operator changes the policy.
        indirect case setPolicy(SetPolicyRequest)
        /// An operator moves a line.
        case changeLine(ChangeLine)
        /// An operator tells all who wait.
        case notice(SendNoticeRequest)
        /// Settings of the whole sale.
        case configure(Configure)
        /// An instance begins to take part.
        case instanceStarted(InstanceStarted)
        /// An instance leaves in good order.
        case instanceStopped(InstanceStopped)
        /// An instance's key, with which all verify its queue tokens and passes.
        case publishKey(PublishKey)
        /// An instance says what it came to, for the others to compare.
        case checkpoint(Checkpoint)
    }

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        user: Uuid? = nil, requestId: Uuid? = nil, contents: UInt64 = 0, token: UInt64 = 0, source: UInt32 = 0,
        operator: String = "", body: Body? = nil
    ) {
        self.user = user
        self.requestId = requestId
        self.contents = contents
        self.token = token
        self.source = source
        self.operator = `operator`
        self.body = body
    }
}

/// A user joins a concert's line.
public struct Join: WireMessage {
    /// The concert's id.
    public var concert = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "") {
        self.concert = concert
    }
}

/// A user gives a place up.
public struct Leave: WireMessage {
    /// The concert's id.
    public var concert = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "") {
        self.concert = concert
    }
}

/// A user sets seats aside.
public struct Hold: WireMessage {
    /// The performance's id.
    public var performance = ""
    /// The seats named, or the loop's suggestion for `bestAvailable`.
    public var seats: [UInt32] = []
    /// 0: exactly those seats; n: those, or else n others together.
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

/// A user gives held seats back.
public struct Release: WireMessage {
    /// The reservation's id.
    public var reservation: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(reservation: UInt64 = 0) {
        self.reservation = reservation
    }
}

/// A user pays a held reservation.
public struct Pay: WireMessage {
    /// The reservation's id.
    public var reservation: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(reservation: UInt64 = 0) {
        self.reservation = reservation
    }
}

/// A user cancels a paid reservation.
public struct CancelReservation: WireMessage {
    /// The reservation's id.
    public var reservation: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(reservation: UInt64 = 0) {
        self.reservation = reservation
    }
}

/// A user charges the account.
public struct Charge: WireMessage {
    /// How much.
    public var amount: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(amount: UInt64 = 0) {
        self.amount = amount
    }
}

/// Tokens whose user came or went at one source.
public struct Presence: WireMessage {
    /// Token ids.
    public var arrived: [UInt64] = []
    /// Token ids of those who left.
    public var departed: [UInt64] = []

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(arrived: [UInt64] = [], departed: [UInt64] = []) {
        self.arrived = arrived
        self.departed = departed
    }
}

/// Calls that keep tokens from idling.
public struct Touched: WireMessage {
    /// Token ids.
    public var tokens: [UInt64] = []

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(tokens: [UInt64] = []) {
        self.tokens = tokens
    }
}

/// An operator creates or changes a concert.
public struct PutConcert: WireMessage {
    /// What it shall be.
    public var settings: ConcertSettings?
    /// 32 random bytes, used only if the concert is new.
    public var drawSeed: [UInt8] = []

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(settings: ConcertSettings? = nil, drawSeed: [UInt8] = []) {
        self.settings = settings
        self.drawSeed = drawSeed
    }
}

/// What an operator does to a line.
public enum LineAction: WireEnum {
    /// Never sent on purpose: not said, or not understood.
    case unspecified
    /// SCHEDULED to LOBBY.
    case openLobby
    /// SCHEDULED, LOBBY or DRAINING to OPEN.
    case openLine
    /// OPEN to PAUSED.
    case pauseLine
    /// PAUSED to OPEN.
    case resumeLine
    /// OPEN or PAUSED to DRAINING.
    case drainLine
    /// Any to CLOSED.
    case closeLine
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .openLobby
        case 2: self = .openLine
        case 3: self = .pauseLine
        case 4: self = .resumeLine
        case 5: self = .drainLine
        case 6: self = .closeLine
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .openLobby: 1
        case .openLine: 2
        case .pauseLine: 3
        case .resumeLine: 4
        case .drainLine: 5
        case .closeLine: 6
        case .unrecognized(let number): number
        }
    }
}

/// An operator moves a line.
public struct ChangeLine: WireMessage {
    /// The concert's id.
    public var concert = ""
    /// What the line shall do.
    public var action: LineAction = .unspecified

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "", action: LineAction = .unspecified) {
        self.concert = concert
        self.action = action
    }
}

/// Settings of the whole sale that the state machine needs.
public struct Configure: WireMessage {
    /// Whether accounts can be used without an active token.
    public var accountNeedsNoToken = false
    /// The most that can be charged at once; 0: 10,000,000.
    public var maxCharge: UInt64 = 0
    /// The most an account can hold; 0: 100,000,000.
    public var maxBalance: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(accountNeedsNoToken: Bool = false, maxCharge: UInt64 = 0, maxBalance: UInt64 = 0) {
        self.accountNeedsNoToken = accountNeedsNoToken
        self.maxCharge = maxCharge
        self.maxBalance = maxBalance
    }
}
