public import Calls
internal import Crypto
public import Reactor
public import UsherAPI

/// One connection to a server, without any policy: no reconnecting, no repeating.
///
///     connecting ──TCP, TLS──▶ upgrading ──101──▶ greeting ──WELCOME──▶ ready ──GOAWAY──▶ ready, takes no calls
///         │                        │                 │                    │
///         └────────────────────────┴──── close(), abort(), or any fault ──┴──────────▶ ended
///
/// Confined to its loop's thread. What happens is told to the handler, on the loop, never from within a call to this
/// object; from there, and from timers and mailboxes of the loop, everything here may be called. Frames gathered in one
/// turn leave in one WebSocket message and one write.
///
/// Sans policy means: `UsherClient` is for programs that want to get things done; this is for those that hold thousands
/// of connections, or test the protocol.
///
/// Invariants
///   1. The handler hears `ended` exactly once, and nothing after it.
///   2. While an event of the call machine is told, the machine lies in `calls` (not where it was called from), so that
///      a handler can use this object as at any other time.
public final class ClientConnection {
    /// What made it.
    public let hub: ClientHub
    /// What the server is called.
    public let endpoint: ClientEndpoint
    /// Whom the events are told; released when the connection ends.
    var handler: (any ClientConnectionHandler)?
    /// Anything the owner wants to find here again, such as the index of a simulated user.
    public var tag = 0

    var transport: Connection?
    /// Until the upgrade is done.
    var upgrade: Upgrade?
    /// From then on.
    var stream: SocketStream?
    var calls: ClientCalls
    /// Frames of this turn that have not been put into a WebSocket message yet.
    var frames: [UInt8] = []
    /// Calls opened with closures that have not ended; usually none or one.
    var pending: [PendingCall] = []
    var timer = TimerToken.none
    var timerAt = UInt64.max
    /// What the last pong said, until it is told.
    var roundTrip: UInt64?
    /// The Close frame to send with the next flush.
    var closeFrame: (code: UInt16, reason: String)?
    /// Why it ends, once that is known.
    var end: ConnectionEnd?
    var state = State()

    struct State: OptionSet {
        let rawValue: UInt8

        static let welcomed = State(rawValue: 1)
        /// `turnEnded` is to come.
        static let dirty = State(rawValue: 2)
        /// The WebSocket is to be closed with the next flush.
        static let closing = State(rawValue: 4)
        /// Bytes are being taken in: output is flushed after them.
        static let receiving = State(rawValue: 8)
        /// The WebSocket stands. (`stream` itself must not be looked at while it takes bytes in.)
        static let upgraded = State(rawValue: 16)
    }

    init(
        _ hub: ClientHub, to address: SocketAddress, from source: SocketAddress?, endpoint: ClientEndpoint,
        hello: ClientHello, handler: any ClientConnectionHandler
    ) {
        self.hub = hub
        self.endpoint = endpoint
        self.handler = handler
        calls = ClientCalls(limits: hub.calls, now: hub.loop.now)
        upgrade = Upgrade(endpoint, hello)
        transport = hub.loop.connect(
            to: address, from: source, tls: endpoint.tls, serverName: endpoint.serverName,
            timeoutMilliseconds: hub.limits.connectMilliseconds, handler: self)
    }

    // MARK: Facts

    /// Whether WELCOME has come and the connection has not ended.
    public var isReady: Bool { state.contains(.welcomed) && !calls.isClosed }

    /// Whether a call can be opened: not before the upgrade, nor after GOAWAY or the end.
    public var takesCalls: Bool { calls.takesCalls }

    /// How many calls have no end yet.
    public var runningCallCount: Int { calls.runningCount }

    /// The calls whose end is not known: after `ended`, what to open again elsewhere.
    public var unanswered: [UnansweredCall] { calls.unanswered }

    /// The journal's id, as told in WELCOME. Carry it into the next HELLO.
    public var epoch: Uuid? { calls.epoch }

    /// The highest journal position seen. Carry it into the next HELLO.
    public var position: UInt64 { calls.position }

    /// Whether TLS was resumed from a ticket.
    public var isTLSResumed: Bool { transport?.isResumed ?? false }

    /// This end's address; nil once ended. Costs a system call.
    public var localAddress: SocketAddress? { transport?.localAddress }

    // MARK: Ends

    /// Ends the connection in an orderly way: what was sent goes out, then a Close frame. `ended(.here)` follows.
    ///
    /// - Parameter code: told to the server.
    public func close(_ code: CloseCode = .normal, reason: String = "") {
        guard end == nil else { return }
        end = .here
        beginClosing(code, reason)
    }

    /// Breaks the connection off, as a lost network would: the server sees a reset. `ended(.here)` follows.
    public func abort() {
        guard transport != nil else { return }
        end = end ?? .here
        calls.shut()
        transport?.abort()
    }

    // MARK: Turns

    /// Sees to it that what was appended to `frames` leaves at the end of this turn.
    func markDirty() {
        guard !state.contains(.receiving), !state.contains(.dirty) else { return }
        state.insert(.dirty)
        hub.loop.visitAtTurnEnd(self)
    }

    /// Appends to this turn's frames, in the hub's buffer while it is free.
    func withFrames<R, E>(_ body: (inout ClientCalls, inout [UInt8]) throws(E) -> R) throws(E) -> R {
        if frames.capacity == 0 { frames = hub.borrowFrames() }
        defer { if !frames.isEmpty || state.contains(.closing) { markDirty() } }
        return try body(&calls, &frames)
    }

    /// Wakes when the next thing is due. A deadline that moves away is looked at when the old one fires.
    func arm() {
        let due = min(calls.nextCallDeadline ?? .max, calls.nextLivenessDeadline ?? .max)
        arm(at: due)
    }

    func arm(at due: UInt64) {
        guard due < timerAt else { return }
        let delay = due - min(due, hub.loop.now)
        if !hub.loop.reschedule(timer, after: delay) { timer = hub.loop.schedule(after: delay, self) }
        timerAt = due
    }
}

/// What happens on a client's connection. Called on the loop, from its turn.
///
/// Spans and views are borrowed for the call.
public protocol ClientConnectionHandler: AnyObject {
    /// The server has taken the connection in. Calls can be opened.
    func welcomed(_ connection: ClientConnection, _ welcome: Welcome)
    /// One message of a stream that was opened without closures.
    func message(_ connection: ClientConnection, _ call: CallID, _ message: MessageView)
    /// The end of a call that was opened without closures.
    func closed(_ connection: ClientConnection, _ call: CallID, _ close: CloseView)
    /// The server takes no further calls here; reconnect as it says.
    func goingAway(_ connection: ClientConnection, _ goAway: GoAway)
    /// The answer to `ping`.
    func pong(_ connection: ClientConnection, roundTripMilliseconds: UInt64)
    /// The connection is over; `connection.unanswered` are the calls whose end is not known.
    func ended(_ connection: ClientConnection, _ end: ConnectionEnd)
}

extension ClientConnectionHandler {
    /// Nothing, for those who open all calls with closures.
    public func message(_ connection: ClientConnection, _ call: CallID, _ message: MessageView) {}
    /// Nothing, for those who open all calls with closures.
    public func closed(_ connection: ClientConnection, _ call: CallID, _ close: CloseView) {}
    /// Nothing: the server closes the connection in the end.
    public func goingAway(_ connection: ClientConnection, _ goAway: GoAway) {}
    /// Nothing.
    public func pong(_ connection: ClientConnection, roundTripMilliseconds: UInt64) {}
}

/// A UUID of random bits (RFC 9562, version 4), for request ids.
extension Uuid {
    /// A new one, from the system's strong source of randomness.
    public static func random() -> Uuid {
        let bytes = randomBytes(16)
        func word(_ start: Int) -> UInt64 { bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        return Uuid(high: word(0) & ~0xF000 | 0x4000, low: word(8) & ~(0b11 << 62) | 0b10 << 62)
    }
}
