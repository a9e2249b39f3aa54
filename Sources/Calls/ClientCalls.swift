public import UsherAPI
import Wire

// The client's side of one connection, the mirror of `ServerCalls`: without sockets or clocks, messages and times in;
// events, and frames appended to `output`, out.
//
//      idle ──hello()──▶ greeting ──WELCOME──▶ open ──GOAWAY──▶ goingAway
//                            │                   │                  │
//                            └────── shut(), or a violation ────────┴──────▶ closed
//
// Calls may be opened from hello() on: HELLO and the first OPENs can share a message, which saves a reconnecting
// client a round trip.
//
// A call is in the table until its CLOSE has come, also when this side has given it up at its deadline: so long the
// server counts it, and frames for it are in order. The handler hears `closed` once for each call, whoever ends it,
// unless the connection is lost: then `unanswered` lists what has no end.

/// What a client does with what happens on one connection.
///
/// Every event comes with the machine it happened on; a handler must not reach the same machine any other way
/// meanwhile.
public protocol ClientCallsHandler: ~Copyable {
    /// The server's first frame.
    mutating func welcome(_ welcome: Welcome, in calls: inout ClientCalls, output: inout [UInt8])
    /// One message of a stream.
    mutating func message(
        _ call: CallID, _ message: MessageView, in calls: inout ClientCalls, output: inout [UInt8])
    /// The end of a call: by the server, or here at its deadline.
    mutating func closed(_ call: CallID, _ close: CloseView, in calls: inout ClientCalls, output: inout [UInt8])
    /// The server takes no further calls here; reconnect as it says, and end this connection when all are answered.
    mutating func goAway(_ goAway: GoAway, in calls: inout ClientCalls, output: inout [UInt8])
    /// The answer to the last ping, so many milliseconds after it.
    mutating func pong(roundTripMilliseconds: UInt64)
}

extension ClientCallsHandler where Self: ~Copyable {
    /// Nothing.
    public mutating func pong(roundTripMilliseconds: UInt64) {}
}

/// The client's side of the calls of one connection.
public struct ClientCalls: ~Copyable {
    let limits: CallLimits
    /// The largest body of a frame, as told in WELCOME.
    public internal(set) var frameBytes: Int
    /// How many calls the server runs at once for this connection, as told in WELCOME.
    public internal(set) var runningCallsMax: Int
    /// Between the server's pings, as told in WELCOME.
    public internal(set) var pingMilliseconds: UInt64

    /// The journal's id, as told in WELCOME, before that as said in HELLO. Carry it into the next connection's HELLO.
    public internal(set) var epoch: Uuid?
    /// The highest journal position of that epoch any answer has shown. Carry it into the next connection's HELLO.
    public internal(set) var position: UInt64 = 0

    var phase = Phase.idle
    var running = CallTable<ClientCall>()
    var highestCall: UInt32 = 0
    /// The last call the server takes in, once it goes away.
    var lastCall = UInt32.max

    var lastHeard: UInt64
    /// When WELCOME is overdue.
    var welcomeDeadline = UInt64.max
    var pingSentAt: UInt64?
    var pingNumber: UInt32 = 0

    enum Phase: UInt8, Comparable {
        case idle, greeting, open, goingAway, closed

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    /// A connection that was upgraded at `now`. `limits` hold until WELCOME tells the server's.
    ///
    /// All times are monotonic milliseconds of one clock.
    public init(limits: CallLimits = .visitor, now: UInt64) {
        self.limits = limits
        frameBytes = limits.frameBytes
        runningCallsMax = limits.runningCalls
        pingMilliseconds = limits.pingMilliseconds
        lastHeard = now
    }

    /// Whether the machine has ended, by `shut` or a violation.
    public var isClosed: Bool { phase == .closed }

    /// Whether calls can be opened.
    public var takesCalls: Bool { phase == .greeting || phase == .open }

    /// How many calls count as running at the server.
    public var runningCount: Int { running.count }

    /// The largest WebSocket message to send: that of one largest frame.
    public var messageBytes: Int { frameBytes + FrameHeader.byteCount }

    /// Ends the machine: the connection is closed or lost.
    public mutating func shut() { phase = .closed }

    /// The calls whose end is not known, in the order of opening: what to do about them when the connection is lost.
    public var unanswered: [UnansweredCall] {
        running.all.compactMap { call in
            call.state.contains(.ended) ? nil : UnansweredCall(call, lastCall: lastCall)
        }
    }
}

/// A call whose connection was lost before its end. An end is never inferred: it happened or it didn't.
///
/// It is safe to open it again, with these values: a command is known by its request id, and what has none changes
/// nothing.
public struct UnansweredCall: Equatable, Sendable {
    /// What it was called on the lost connection.
    public let call: CallID
    /// Whether the server may have begun it: not if it had gone away before.
    public let mayHaveBegun: Bool
    /// Whether it was cancelled: then there is nothing to open again.
    public let isCancelled: Bool
    /// Whether it is a stream.
    public let isStream: Bool
    /// The same request id as before.
    public let requestID: Uuid?
    /// The number of attempts to say: one more than before if it may have begun.
    public let attempts: UInt32
    /// For a stream, the last sequence that has arrived: resume after it, unless a snapshot was coming in parts.
    public let lastSequence: UInt64

    init(_ call: ClientCall, lastCall: UInt32) {
        self.call = CallID(call.id)
        mayHaveBegun = call.id <= lastCall
        isCancelled = call.state.contains(.cancelled)
        isStream = call.window > 0
        requestID = call.requestID
        attempts = mayHaveBegun ? call.attempts.addingSaturated(1) : call.attempts
        lastSequence = call.lastSequence
    }
}

/// What the client keeps of a call.
struct ClientCall: CallEntry {
    let id: UInt32
    /// Credit of OPEN; 0: a unary call.
    let window: UInt32
    /// Messages the server may still send.
    var credit: UInt32
    /// Messages that came since credit was given.
    var consumed: UInt32 = 0
    var deadline: UInt64
    let requestID: Uuid?
    let attempts: UInt32
    var lastSequence: UInt64
    var state: State

    /// Whether its messages and its end are still waited for.
    var isWanted: Bool { state.isDisjoint(with: [.cancelled, .ended]) }

    struct State: OptionSet {
        let rawValue: UInt8

        static let cancelled = State(rawValue: 1)
        /// Given up at its deadline; CLOSE is still to come.
        static let ended = State(rawValue: 2)
        /// Credit comes back by itself.
        static let replenishes = State(rawValue: 4)
    }
}
