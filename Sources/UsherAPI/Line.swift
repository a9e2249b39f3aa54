// The messages of protocol/usher/v1/line.proto; what they mean is said there in full. How they lie on the wire is
// in Line+Coding.swift.

public import Wire

/// The request of `Line/Join`.
public struct JoinRequest: WireMessage {
    /// The concert's id.
    public var concert = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "") {
        self.concert = concert
    }
}

/// The request of `Line/Check`.
public struct CheckRequest: WireMessage {
    /// The concert's id.
    public var concert = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "") {
        self.concert = concert
    }
}

/// The request of `Line/Leave`.
public struct LeaveRequest: WireMessage {
    /// The concert's id.
    public var concert = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(concert: String = "") {
        self.concert = concert
    }
}

/// The response of `Line/Leave`.
public struct LeaveResponse: WireMessage {
    /// Every field at its default.
    public init() {}
}

/// Where a user stands, complete: no update needs an earlier one, but for those fields that say otherwise.
public struct LineUpdate: WireMessage {
    /// Where the token stands.
    public var state: TokenState = .unspecified
    /// Live waiting tokens ahead, plus one; absent in a lobby whose draw is still to come, and unless WAITING.
    public var position: UInt64 = 0
    /// Live waiting tokens behind.
    public var behind: UInt64 = 0
    /// How long the wait will be; absent while unknown or the line is not admitting.
    public var estimate: Estimate?
    /// The state of its line.
    public var lineState: LineState = .unspecified
    /// The place in the order; absent before the draw of a lobby that is drawn.
    public var place: UInt64 = 0
    /// The n-th join of this line.
    public var joinNumber: UInt64 = 0
    /// While ACTIVE: by when to have begun the last hold.
    public var activeUntilMs: UInt64 = 0
    /// While ACTIVE: by when the next call must come.
    public var idleUntilMs: UInt64 = 0
    /// Why the token ended.
    public var endReason: EndReason = .unspecified
    /// The reservations of this token: all that are HELD, and each end once as it happens.
    public var reservations: [Reservation] = []
    /// The warnings in force now.
    public var warnings: [Warning] = []
    /// The notices not yet sent on this stream, the last 16 at most.
    public var notices: [Notice] = []
    /// The token, signed: in the first update of a stream, and in a Check that neither brings one
    /// nor is bound to one.
    public var queueToken = ""
    /// While ACTIVE: in the first update after admission, and when renewed.
    public var pass = ""
    /// When the pass ends.
    public var passExpiresMs: UInt64 = 0
    /// While in LOBBY: when admission starts, if known.
    public var opensMs: UInt64 = 0
    /// The concert's id, in the first update.
    public var concert = ""
    /// The journal stands still: what is shown may be old, and commands are refused until it goes on.
    public var stalled = false

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        state: TokenState = .unspecified, position: UInt64 = 0, behind: UInt64 = 0, estimate: Estimate? = nil,
        lineState: LineState = .unspecified, place: UInt64 = 0, joinNumber: UInt64 = 0, activeUntilMs: UInt64 = 0,
        idleUntilMs: UInt64 = 0, endReason: EndReason = .unspecified, reservations: [Reservation] = [],
        warnings: [Warning] = [], notices: [Notice] = [], queueToken: String = "", pass: String = "",
        passExpiresMs: UInt64 = 0, opensMs: UInt64 = 0, concert: String = "", stalled: Bool = false
    ) {
        self.state = state
        self.position = position
        self.behind = behind
        self.estimate = estimate
        self.lineState = lineState
        self.place = place
        self.joinNumber = joinNumber
        self.activeUntilMs = activeUntilMs
        self.idleUntilMs = idleUntilMs
        self.endReason = endReason
        self.reservations = reservations
        self.warnings = warnings
        self.notices = notices
        self.queueToken = queueToken
        self.pass = pass
        self.passExpiresMs = passExpiresMs
        self.opensMs = opensMs
        self.concert = concert
        self.stalled = stalled
    }
}

/// Counted from the message; clients count down by themselves.
public struct Estimate: WireMessage {
    /// At least.
    public var lowMs: UInt64 = 0
    /// At most.
    public var highMs: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(lowMs: UInt64 = 0, highMs: UInt64 = 0) {
        self.lowMs = lowMs
        self.highMs = highMs
    }
}

/// What is about to run out.
public enum Warning: WireEnum {
    /// Never sent on purpose: not said, or not understood.
    case unspecified
    /// `activeUntilMs` is less than 60 s (or a fifth of `active_ttl`) away.
    case activeTimeEnding
    /// `idleUntilMs` is less than 30 s (or a fifth of `idle_ttl`) away.
    case idleTimeEnding
    /// A hold's deadline is less than 60 s (or a fifth of `hold_ttl`) away.
    case holdEnding
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .activeTimeEnding
        case 2: self = .idleTimeEnding
        case 3: self = .holdEnding
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .activeTimeEnding: 1
        case .idleTimeEnding: 2
        case .holdEnding: 3
        case .unrecognized(let number): number
        }
    }
}
