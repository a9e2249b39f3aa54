internal import Glibc
internal import Synchronization

/// One thread's loop over sockets, timers and mailboxes.
///
/// Confined: it is made on, or handed over to, the thread that runs it, and only that thread touches it or anything that
/// belongs to it, apart from `control` and `counters`. A turn:
///
///     sleep in epoll_wait unless there is work · clocks · events · mailboxes · timers · turn-end visits
///     → `closed` callbacks → what is still corked is written
///
/// Invariants:
/// 1. Callbacks are called from the turn only, never from within `write`, `close`, `abort` or `connect`.
/// 2. The cork belongs to one connection at a time; writing to another flushes it first. So all bytes that one callback, or
///    one visit of a fan-out, writes to a connection leave in one write, and a fan-out needs no buffer but this one.
/// 3. Between two sockets the TLS engine's buffers are empty.
@safe public final class EventLoop {
    /// What other threads may do to a loop.
    public struct Control: Sendable {
        fileprivate let stopping: Stopping
        fileprivate let waker: Waker

        /// Makes `run` return after its present turn.
        public func stop() {
            // Ordered with the waker: the loop says that it falls asleep, then looks; here it is said, then woken.
            stopping.asked.store(true, ordering: .sequentiallyConsistent)
            waker.wake()
        }
    }

    fileprivate final class Stopping: Sendable {
        let asked = Atomic<Bool>(false)
    }

    /// The face for other threads.
    public let control: Control
    /// What the loop has done; readable from any thread.
    public let counters = LoopCounters()
    /// The bounds of a turn.
    public let limits: LoopLimits
    /// CLOCK_BOOTTIME in milliseconds, as of this turn.
    public private(set) var now: UInt64
    /// Milliseconds since 1970, as of this turn.
    public private(set) var wallNow: UInt64

    var poller: Poller
    let tls: TLSEngine
    var output: Cork
    let receiveBuffer: UnsafeMutableRawBufferPointer
    var handshakesLeft = 0
    /// Handshake steps put off in this turn for want of `handshakesLeft`.
    var handshakesPutOff = 0
    /// Whether ClientHellos may lie unread: then nobody new is accepted, for whoever seems silent may have spoken.
    private(set) var isBehindWithHandshakes = false

    private let clock: LoopClock
    private let waker: Waker
    private var wheel: TimerWheel<TimerAction>
    private var mailboxes: [any LoopMailbox] = []
    private var visits: [any TurnTarget] = []
    private var visiting: [any TurnTarget] = []
    private var ended: [(connection: Connection, cause: CloseCause)] = []
    private var listeners: [Listener] = []

    /// A loop that nobody runs yet.
    /// - Throws: `SystemError` when the process is out of descriptors.
    public convenience init(limits: LoopLimits = LoopLimits()) throws(SystemError) {
        try self.init(limits: limits, clock: .system)
    }

    init(limits: LoopLimits, clock: LoopClock) throws(SystemError) {
        self.limits = limits
        self.clock = clock
        waker = try Waker()
        poller = try Poller(eventsPerTurn: limits.eventsPerTurn)
        control = Control(stopping: Stopping(), waker: waker)
        now = clock.monotonic()
        wallNow = clock.wall()
        wheel = TimerWheel(now: now)
        tls = TLSEngine(receiveBytesMax: limits.receiveBytesMax)
        output = Cork(bytesMax: limits.corkBytesMax)
        unsafe receiveBuffer = .allocate(byteCount: limits.receiveBytesMax, alignment: 64)
        _ = try poller.add(waker.event.raw, Poller.readable, .waker)
    }

    deinit { unsafe receiveBuffer.deallocate() }

    // MARK: Running

    /// Turns until stopped, then aborts what is still open: every handler hears `closed`.
    public func run() {
        while !control.stopping.asked.load(ordering: .acquiring) { turn(upTo: nil) }
        shutDown()
    }

    /// One turn, that waits for events at most so long (nil: as long as it takes). For tests and for callers with a loop of
    /// their own.
    public func turn(upTo milliseconds: UInt64?) {
        waitForEvents(upTo: milliseconds)
        for mailbox in mailboxes { mailbox.deliver() }
        fireTimers()
        endTurn()
        counters.turns.add()
    }

    private func waitForEvents(upTo milliseconds: UInt64?) {
        // The last turn, without what it slept before: handshakes keep their share of the time when turns grow long.
        let worked = clock.monotonic() - now
        var timeout = visits.isEmpty && ended.isEmpty ? milliseconds : 0
        if timeout != 0, let next = wheel.nextWakeUp {
            let current = clock.monotonic()
            timeout = min(timeout ?? .max, next > current ? next - current : 0)
        }
        if timeout != 0 {
            waker.fallAsleep()
            if mailboxes.contains(where: { $0.hasMail }) || control.stopping.asked.load(ordering: .sequentiallyConsistent) {
                timeout = 0
            }
        }
        let count = poller.wait(upTo: timeout.map { Int32(clamping: $0) } ?? -1)
        waker.rise()
        now = clock.monotonic()
        wallNow = clock.wall()
        isBehindWithHandshakes = handshakesPutOff > 0
        handshakesPutOff = 0
        handshakesLeft = limits.handshakesPerTurn * max(1, Int(worked / limits.turnMilliseconds))
        for index in 0..<count {
            let (registration, flags) = poller.event(index)
            switch poller.source(of: registration) {
            case .connection(let connection): connection.handle(flags)
            case .listener(let listener): listener.acceptSome()
            case .waker: waker.clear()
            case nil: break
            }
        }
    }

    private func endTurn() {
        swap(&visits, &visiting)
        for target in visiting { target.turnEnded() }
        visiting.removeAll(keepingCapacity: true)
        deliverEnded()
        flushCork()
        for listener in listeners { listener.adjust() }
    }

    private func deliverEnded() {
        // `closed` callbacks may end further connections, which are appended meanwhile.
        var index = 0
        while index < ended.count {
            let (connection, cause) = ended[index]
            connection.tellClosed(cause)
            index += 1
        }
        ended.removeAll(keepingCapacity: true)
    }

    private func shutDown() {
        for source in poller.sources {
            switch source {
            case .connection(let connection): connection.terminate(.loopStopped)
            case .listener(let listener): listener.close()
            case .waker: break
            }
        }
        deliverEnded()
        mailboxes = []
        visits = []
        wheel = TimerWheel(now: now)
    }

    // MARK: Turn ends and mailboxes

    /// Calls `turnEnded` of the target once, at the end of this turn (when called while turn ends are visited: of the next,
    /// which follows at once). The target itself keeps track of whether it has asked already.
    public func visitAtTurnEnd(_ target: any TurnTarget) { visits.append(target) }

    /// From now on the loop consumes this mailbox: `handle` gets all that waits, once a turn, oldest first.
    public func attach<Element>(_ mailbox: Mailbox<Element>, _ handle: @escaping ([Element]) -> Void) {
        mailboxes.append(AttachedMailbox(mailbox: mailbox, handle: handle))
        mailbox.attach(to: waker)
    }

    // MARK: Timers

    /// Calls `timerFired(tag)` of the target once, `milliseconds` after this turn's `now`, not before and hardly later. Keeps
    /// the target alive until then. Allocates nothing in the steady state.
    @discardableResult
    public func schedule(after milliseconds: UInt64, _ target: any TimerTarget, tag: Int = 0) -> TimerToken {
        schedule(after: milliseconds, .target(target, tag))
    }

    /// Calls `body` once, `milliseconds` after this turn's `now`.
    @discardableResult
    public func schedule(after milliseconds: UInt64, _ body: @escaping () -> Void) -> TimerToken {
        schedule(after: milliseconds, .closure(body))
    }

    /// Moves a timer that has not fired yet to `milliseconds` after `now`.
    /// - Returns: false when it has fired or was cancelled.
    @discardableResult
    public func reschedule(_ timer: TimerToken, after milliseconds: UInt64) -> Bool {
        wheel.reschedule(timer, at: now + milliseconds)
    }

    /// Cancels a timer; one that has fired or was cancelled before is left alone.
    public func cancel(_ timer: TimerToken) { wheel.cancel(timer) }

    func schedule(after milliseconds: UInt64, _ action: TimerAction) -> TimerToken {
        wheel.schedule(at: now + milliseconds, action)
    }

    private func fireTimers() {
        var budget = limits.timersPerTurn
        while let action = wheel.popDue(now: now, budget: &budget) {
            switch action {
            case .target(let target, let tag): target.timerFired(tag)
            case .closure(let body): body()
            case .connection(let connection): connection.timeIsUp()
            case .listener(let listener): listener.endPause()
            }
        }
    }

    // MARK: For connections and listeners

    func noteEnded(_ connection: Connection, _ cause: CloseCause) { ended.append((connection, cause)) }
    func keep(_ listener: Listener) { listeners.append(listener) }
    func drop(_ listener: Listener) { listeners.removeAll { $0 === listener } }
}

/// What a timer does. Connections and listeners have cases of their own so that they need no public conformance.
enum TimerAction {
    case target(any TimerTarget, Int)
    case closure(() -> Void)
    case connection(Connection)
    case listener(Listener)
}

/// Someone whom a timer calls.
public protocol TimerTarget: AnyObject {
    /// The timer scheduled with this tag has fired.
    func timerFired(_ tag: Int)
}

/// Someone who has something to do once, at the end of a turn: typically to write what many callbacks gathered.
public protocol TurnTarget: AnyObject {
    /// The turn in which `visitAtTurnEnd` was called ends.
    func turnEnded()
}

private protocol LoopMailbox: AnyObject {
    var hasMail: Bool { get }
    func deliver()
}

private final class AttachedMailbox<Element: Sendable>: LoopMailbox {
    let mailbox: Mailbox<Element>
    let handle: ([Element]) -> Void
    var batch: [Element] = []

    init(mailbox: Mailbox<Element>, handle: @escaping ([Element]) -> Void) {
        self.mailbox = mailbox
        self.handle = handle
    }

    var hasMail: Bool { !mailbox.isEmpty }

    func deliver() {
        guard mailbox.drain(into: &batch) else { return }
        handle(batch)
        batch.removeAll(keepingCapacity: true)
    }
}
