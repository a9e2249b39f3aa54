// The messages of protocol/usher/v1/frames.proto; what they mean is said there in full. How they lie on the wire is
// in Frames+Coding.swift.

public import Wire

/// What a frame is: the upper five bits of its first byte.
public enum FrameKind: WireEnum {
    /// Never sent on purpose: not said, or not understood.
    case unspecified
    /// The client's first frame.
    case hello
    /// The server's first frame.
    case welcome
    /// Starts a call.
    case open
    /// One response of a stream.
    case message
    /// Ends a call.
    case close
    /// Room for more responses.
    case credit
    /// Stops a call.
    case cancel
    /// Is anybody there?
    case ping
    /// Yes.
    case pong
    /// No further calls here.
    case goAway
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .unspecified
        case 1: self = .hello
        case 2: self = .welcome
        case 3: self = .open
        case 4: self = .message
        case 5: self = .close
        case 6: self = .credit
        case 7: self = .cancel
        case 8: self = .ping
        case 9: self = .pong
        case 10: self = .goAway
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .unspecified: 0
        case .hello: 1
        case .welcome: 2
        case .open: 3
        case .message: 4
        case .close: 5
        case .credit: 6
        case .cancel: 7
        case .ping: 8
        case .pong: 9
        case .goAway: 10
        case .unrecognized(let number): number
        }
    }
}

/// Key: lower-case ASCII letters, digits, '-', '_' and '.'. A key that ends in "-bin" has bytes, any other UTF-8 text.
public struct Metadata: WireMessage {
    /// Lower-case ASCII; see above.
    public var key = ""
    /// UTF-8 text, or bytes if the key ends in `-bin`.
    public var value: [UInt8] = []

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(key: String = "", value: [UInt8] = []) {
        self.key = key
        self.value = value
    }
}

/// The client's first frame, within 5 s of the upgrade.
public struct Hello: WireMessage {
    /// The program, for the server's log.
    public var clientName = ""
    /// The program's version.
    public var clientVersion = ""
    /// Feature bits of the client; none is defined yet.
    public var features: UInt64 = 0
    /// Who the client is.
    public var identity: Identity?
    /// The epoch of the highest position seen; positions of another one mean nothing.
    public var epoch: Uuid?
    /// The highest journal position seen.
    public var position: UInt64 = 0

    /// One of the ways to say who one is.
    public enum Identity: Sendable, Equatable {
        /// From the site's identity provider.
        case jwt(String)
        /// Accepted in development mode only.
        case user(Uuid)
    }

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        clientName: String = "", clientVersion: String = "", features: UInt64 = 0, identity: Identity? = nil,
        epoch: Uuid? = nil, position: UInt64 = 0
    ) {
        self.clientName = clientName
        self.clientVersion = clientVersion
        self.features = features
        self.identity = identity
        self.epoch = epoch
        self.position = position
    }
}

/// The server's first frame, its answer to `Hello`.
public struct Welcome: WireMessage {
    /// The name of the server's instance.
    public var instance = ""
    /// The journal's id.
    public var epoch: Uuid?
    /// Feature bits of the server; none is defined yet.
    public var features: UInt64 = 0
    /// The server's wall clock.
    public var serverTimeMs: UInt64 = 0
    /// How often either side pings.
    public var pingIntervalMs: UInt32 = 0
    /// Every bound this server keeps.
    public var limits: Limits?
    /// Who the server takes this connection for; absent: nobody yet.
    public var user: Uuid?
    /// The journal position applied here.
    public var position: UInt64 = 0
    /// Whether identities are taken on trust.
    public var development = false
    /// The journal stands still: what is shown may be old, and commands are refused until it goes on.
    public var stalled = false

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        instance: String = "", epoch: Uuid? = nil, features: UInt64 = 0, serverTimeMs: UInt64 = 0,
        pingIntervalMs: UInt32 = 0, limits: Limits? = nil, user: Uuid? = nil, position: UInt64 = 0,
        development: Bool = false, stalled: Bool = false
    ) {
        self.instance = instance
        self.epoch = epoch
        self.features = features
        self.serverTimeMs = serverTimeMs
        self.pingIntervalMs = pingIntervalMs
        self.limits = limits
        self.user = user
        self.position = position
        self.development = development
        self.stalled = stalled
    }
}

/// The server's bounds. Each is tested at its edge.
public struct Limits: WireMessage {
    /// One frame's body, both ways.
    public var frameBytes: UInt32 = 0
    /// Calls of one connection that run at once.
    public var runningCalls: UInt32 = 0
    /// Fragments of one WebSocket message.
    public var messageFragments: UInt32 = 0
    /// Output bytes that may wait for a slow reader before its state streams conflate.
    public var outputBytes: UInt32 = 0
    /// Changes kept for resuming a stream.
    public var resumeChanges: UInt32 = 0
    /// Seats in one call of Hold.
    public var seatsPerHold: UInt32 = 0
    /// Items of one page of a list.
    public var pageItems: UInt32 = 0
    /// All keys and values of one call.
    public var metadataBytes: UInt32 = 0
    /// Remembered outcomes of one user.
    public var requestIds: UInt32 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        frameBytes: UInt32 = 0, runningCalls: UInt32 = 0, messageFragments: UInt32 = 0, outputBytes: UInt32 = 0,
        resumeChanges: UInt32 = 0, seatsPerHold: UInt32 = 0, pageItems: UInt32 = 0, metadataBytes: UInt32 = 0,
        requestIds: UInt32 = 0
    ) {
        self.frameBytes = frameBytes
        self.runningCalls = runningCalls
        self.messageFragments = messageFragments
        self.outputBytes = outputBytes
        self.resumeChanges = resumeChanges
        self.seatsPerHold = seatsPerHold
        self.pageItems = pageItems
        self.metadataBytes = metadataBytes
        self.requestIds = requestIds
    }
}

/// The start of a call.
public struct Open: WireMessage {
    /// The path of the method: "/usher.v1.Reservations/Hold".
    public var method = ""
    /// The time that remains; 0: no deadline.
    public var timeoutMs: UInt32 = 0
    /// Keys and values beside the request.
    public var metadata: [Metadata] = []
    /// The client's id of the command; every command needs one.
    public var requestId: Uuid?
    /// How many times this request id was sent before.
    public var attempts: UInt32 = 0
    /// For a stream: messages that may be sent at once.
    public var credit: UInt32 = 0
    /// For a stream: resume after this one; 0: from the start.
    public var lastSequence: UInt64 = 0
    /// Answer only once this journal position (of HELLO's epoch) is applied.
    public var position: UInt64 = 0
    /// The request message.
    public var request: [UInt8] = []

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        method: String = "", timeoutMs: UInt32 = 0, metadata: [Metadata] = [], requestId: Uuid? = nil,
        attempts: UInt32 = 0, credit: UInt32 = 0, lastSequence: UInt64 = 0, position: UInt64 = 0,
        request: [UInt8] = []
    ) {
        self.method = method
        self.timeoutMs = timeoutMs
        self.metadata = metadata
        self.requestId = requestId
        self.attempts = attempts
        self.credit = credit
        self.lastSequence = lastSequence
        self.position = position
        self.request = request
    }
}

/// One response of a stream.
public struct Message: WireMessage {
    /// The state's revision.
    public var sequence: UInt64 = 0
    /// The journal position it reflects.
    public var position: UInt64 = 0
    /// Whether to forget what this stream said before: a snapshot begins.
    public var reset = false
    /// The response message.
    public var payload: [UInt8] = []

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(sequence: UInt64 = 0, position: UInt64 = 0, reset: Bool = false, payload: [UInt8] = []) {
        self.sequence = sequence
        self.position = position
        self.reset = reset
        self.payload = payload
    }
}

/// The end of a call, exactly one for each OPEN; its frame carries the END flag.
public struct Close: WireMessage {
    /// How the call ended.
    public var code: StatusCode = .ok
    /// Why, a word of `errors.json`; empty with OK.
    public var reason = ""
    /// A sentence for people.
    public var message = ""
    /// What a program needs to act on the reason.
    public var details: ErrorDetails?
    /// Keys and values after the response.
    public var trailers: [Metadata] = []
    /// The journal position it reflects.
    public var position: UInt64 = 0
    /// A unary call's response message.
    public var payload: [UInt8] = []

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        code: StatusCode = .ok, reason: String = "", message: String = "", details: ErrorDetails? = nil,
        trailers: [Metadata] = [], position: UInt64 = 0, payload: [UInt8] = []
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.trailers = trailers
        self.position = position
        self.payload = payload
    }
}

/// What a program needs to act on the reason of a `Close`.
public struct ErrorDetails: WireMessage {
    /// Come back no sooner than after this.
    public var retryAfterMs: UInt32 = 0
    /// The seats that clash, or don't exist.
    public var seats: [UInt32] = []
    /// For INSUFFICIENT_BALANCE: how much is missing.
    public var missingAmount: UInt64 = 0
    /// For LINE_SCHEDULED: from when joins are taken.
    public var opensMs: UInt64 = 0
    /// For TOKEN_WAITING: where the token stands.
    public var queuePosition: UInt64 = 0
    /// For TOKEN_ENDED: why the token ended.
    public var endReason: EndReason = .unspecified
    /// Whether the command may have been carried out: repeat its request id to know.
    public var mayHaveHappened = false
    /// The bound that was passed.
    public var limit: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        retryAfterMs: UInt32 = 0, seats: [UInt32] = [], missingAmount: UInt64 = 0, opensMs: UInt64 = 0,
        queuePosition: UInt64 = 0, endReason: EndReason = .unspecified, mayHaveHappened: Bool = false,
        limit: UInt64 = 0
    ) {
        self.retryAfterMs = retryAfterMs
        self.seats = seats
        self.missingAmount = missingAmount
        self.opensMs = opensMs
        self.queuePosition = queuePosition
        self.endReason = endReason
        self.mayHaveHappened = mayHaveHappened
        self.limit = limit
    }
}

/// Room for more messages of a stream.
public struct Credit: WireMessage {
    /// How many more messages this call may send.
    public var messages: UInt32 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(messages: UInt32 = 0) {
        self.messages = messages
    }
}

/// Stops a call, which still ends with exactly one `Close`.
public struct Cancel: WireMessage {
    /// Every field at its default.
    public init() {}
}

/// Is anybody there? Answered by a `Pong` with the same data.
public struct Ping: WireMessage {
    /// Any eight bytes.
    public var data: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(data: UInt64 = 0) {
        self.data = data
    }
}

/// The answer to a `Ping`.
public struct Pong: WireMessage {
    /// The ping's data.
    public var data: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(data: UInt64 = 0) {
        self.data = data
    }
}

/// This connection takes no further calls.
public struct GoAway: WireMessage {
    /// The last call id that was accepted.
    public var lastCall: UInt32 = 0
    /// Why, a word of `errors.json`.
    public var reason = ""
    /// When to reconnect.
    public var reconnectAfterMs: UInt32 = 0
    /// The reconnect is later by a random part of this.
    public var jitterMs: UInt32 = 0
    /// Where to reconnect; empty: the same address.
    public var host = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(
        lastCall: UInt32 = 0, reason: String = "", reconnectAfterMs: UInt32 = 0, jitterMs: UInt32 = 0,
        host: String = ""
    ) {
        self.lastCall = lastCall
        self.reason = reason
        self.reconnectAfterMs = reconnectAfterMs
        self.jitterMs = jitterMs
        self.host = host
    }
}
