public import UsherAPI

// The server's side of one connection, without sockets or clocks: messages and times in; events, and frames appended
// to `output`, out.
//
//      awaitingHello ──HELLO──▶ greeting ──welcome()──▶ open ──goAway()──▶ goingAway
//            │                     │                     │                     │
//            └─────────────────────┴──── shut(), or a violation ───────────────┴──────▶ closed
//
// A call, from OPEN on, is in the table until its handler has ended it, whatever the client hears meanwhile:
//
//                 ┌────────────────── close() / reply(): CLOSE ──────────────────┐
//      OPEN ──▶ running ──CANCEL──▶ running, cancelled ──close(): CLOSE──────────┼─▶ ended: out of the table
//                 │                        │                                     │
//                 └──── deadline: CLOSE ───┴──▶ answered ──close(): nothing──────┘
//
// Invariants
//   1. Each OPEN that is taken in is answered by exactly one CLOSE, unless the connection ends first.
//   2. What counts against `limits.runningCalls` is the table: handlers that run, not calls the client waits for. So
//      cancelling, or deadlines of a millisecond, buy no more work (HTTP/2 rapid reset, CVE-2023-44487).
//   3. Once closed, nothing is appended to any output and no event happens.

/// What a server does with the calls of one connection.
///
/// Every event comes with the machine it happened on, so that a handler can answer in place; it must not reach the
/// same machine any other way meanwhile.
public protocol ServerCallsHandler: ~Copyable {
    /// The client's first frame. Answer it in place, with `welcome` or `shut`.
    mutating func hello(_ hello: Hello, in calls: inout ServerCalls, output: inout [UInt8])
    /// A call to handle. It must be ended once by `close` or `reply`, now or later.
    ///
    /// - Parameter deadline: when the client wants it ended, in monotonic milliseconds; nil: whenever.
    mutating func opened(
        _ call: CallID, _ open: OpenView, deadline: UInt64?, in calls: inout ServerCalls, output: inout [UInt8]
    )
    /// A stream that was without credit has some again: its latest state can be sent.
    mutating func credited(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8])
    /// The client no longer wants the call. It still runs until it is ended.
    mutating func cancelled(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8])
    /// The call's deadline has come and the client has been told. It still runs until it is ended.
    mutating func expired(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8])
    /// The answer to the last ping, so many milliseconds after it.
    mutating func pong(roundTripMilliseconds: UInt64)
}

extension ServerCallsHandler where Self: ~Copyable {
    /// Nothing: that the client is alive is known already.
    public mutating func pong(roundTripMilliseconds: UInt64) {}
}

/// The server's side of the calls of one connection.
public struct ServerCalls: ~Copyable {
    /// The bounds of this connection. May be changed on HELLO, before `welcome` tells them.
    public var limits: CallLimits
    /// The highest call id that was opened; 0: none yet.
    public internal(set) var highestCall: UInt32 = 0

    var phase = Phase.awaitingHello
    var running = CallTable<ServerCall>()

    var opens = TokenBucket()
    var refusals = TokenBucket()
    var cancels = TokenBucket()
    var pings = TokenBucket()
    var falseProofs = TokenBucket()
    var bytes = TokenBucket()

    /// When the last byte came.
    var lastHeard: UInt64
    /// Until HELLO when it is overdue, then when the next ping is due.
    var timer: UInt64
    /// When the ping numbered `pingNumber` was sent; nil once it is answered.
    var pingSentAt: UInt64?
    var pingNumber: UInt32 = 0

    enum Phase: UInt8, Comparable {
        case awaitingHello, greeting, open, goingAway, closed

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    /// A connection that was upgraded at `now`.
    ///
    /// All times are monotonic milliseconds of one clock.
    public init(limits: CallLimits, now: UInt64) {
        self.limits = limits
        lastHeard = now
        timer = now + limits.helloMilliseconds
    }

    /// Whether the machine has ended, by `shut` or a violation.
    public var isClosed: Bool { phase == .closed }

    /// How many calls run, those included whose client has had its answer.
    public var runningCount: Int { running.count }

    /// The calls that run, in the order of opening. For ending them all when the connection is lost.
    public var runningCalls: [CallID] { running.all.map { CallID($0.id) } }

    /// Ends the machine: the connection closes, whatever the reason.
    public mutating func shut() { phase = .closed }
}

/// What the server keeps of a running call.
struct ServerCall: CallEntry {
    let id: UInt32
    /// Messages its stream may still send.
    var credit: UInt32
    var deadline: UInt64
    var state: State = []

    /// Whether the client still wants its messages and its end.
    var isWanted: Bool { state.isDisjoint(with: [.answered, .cancelled]) }

    struct State: OptionSet {
        let rawValue: UInt8

        /// The client wants it no longer.
        static let cancelled = State(rawValue: 1)
        /// Its CLOSE is out, since its deadline came.
        static let answered = State(rawValue: 2)
        /// It has become a command that can no longer be stopped.
        static let submitted = State(rawValue: 4)
    }
}
