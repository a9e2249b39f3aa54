import BoxOffice
import Calls
import Logging
import Reactor
import SeatMap
import Sequencer
import UsherAPI
import WebSocket
import Wire

/// One loop's door to the sale: turns calls into commands and questions, outcomes into replies, and keeps the loop's own
/// picture of the lines and seats, from which it pushes. Confined to its loop; it knows no rule of the sale.
///
///     call ─▶ reads ──────────────▶ picture ─▶ reply at once
///          ─▶ commands, questions ▶ pending[ticket] ─▶ sequencer ─▶ take(answers) ─▶ reply
///     delta ─▶ picture ─▶ line streams, seat watches
final class Gateway {
    let loop: EventLoop
    /// Of this loop among the instance's: the origin of its commands and the source of its users' presence.
    let index: Int
    let settings: ServerSettings
    let limits: CallLimits
    let backendLimits: CallLimits
    let socketLimits: WebSocketLimits
    let echoLimits = WebSocketLimits(maxMessageBytes: 16 << 20, maxFragments: 1 << 20)
    let subprotocol = "usher.v1"
    let instance: InstanceFacts
    let origins: OriginList
    let identities: IdentityChecker
    let queueTokens: QueueTokens
    let instanceMetrics: Metrics
    let metrics: LoopMetrics
    let deflate = DeflateContext()
    private let commands: Mailbox<ToSequencer>

    // The loop's shared buffers: frames of the session at hand, and what goes to its socket.
    var frames: [UInt8] = []
    var payload: [UInt8] = []
    var wire: [UInt8] = []
    var arrived: [IncomingCall] = []
    var credited: [CallID] = []
    var ended: [(call: CallID, status: Status)] = []

    // The picture.
    var catalogue = Catalogue()
    var lines: [LineView] = []
    var feeds: [SeatFeed] = []
    var noticeLog: [Int: [Notice]] = [:]
    /// Latest status of the tokens that are more than waiting and have a stream here.
    var statuses: [UInt64: TokenStatus] = [:]
    /// Until then nothing lapses, after an outage.
    var respiteUntil: UInt64 = 0
    /// Statuses of the delta whose answers are being taken: an answer may be older than what the delta brought.
    private(set) var arrivedStatuses: [UInt64: TokenStatus] = [:]
    var position: UInt64 = 0
    var journalTime: UInt64 = 0
    private var journalTimeHeardAt: UInt64 = 0
    /// How the instance stands to its journal.
    var standing = LoopStanding()
    /// How this instance goes, once it does.
    var farewell: Farewell?
    /// How many clients were told.
    var farewells = 0

    // Who is here.
    var sessions: Set<Session> = []
    /// Of the test mode; empty otherwise.
    var subscribers: Set<Session> = []
    /// Those that were backlogged: looked at on the tick too, since `writable` comes only to whom the kernel left waiting.
    var backlogged: Set<Session> = []
    /// Those of them that are looked at in the next turn, in case the kernel takes all that they have.
    private var goingOn: [Session] = []
    var lineStreams: [UInt64: [LineStream]] = [:]
    /// Of each line.
    var waiters: [Waiters] = []
    var isLookGoingOn = false
    /// Watches and lists of seats by the token that lets them.
    var seatWatches: [UInt64: [SeatWatch]] = [:]
    var statsWatches: [StatsWatch] = []
    var presence: PresenceBook
    /// Active tokens that were used since the journal last heard, and when each was last noted.
    var touched: Set<UInt64> = []
    var touches: [UInt64: UInt64] = [:]
    /// Who was recognised by `authorization` metadata: a backend's calls come by the thousand, and a verification costs
    /// 100 µs. Expiry is looked at for each call.
    var bearers: [String: Identity] = [:]
    /// The seat changes encoded last, for the next watch at the same revision.
    var lastChanges: (performance: Int, from: UInt64, to: UInt64, message: PreparedMessage)?
    var nextClaim: UInt32 = 0
    var ticks: UInt64 = 0

    // What was asked and not yet answered.
    private var pending: [UInt64: PendingCall] = [:]
    private var nextTicket: UInt64 = 1
    /// Joins that wait for room, in the order in which they came.
    private var waitingJoins: [(call: IncomingCall, session: Session)] = []
    /// Answers a loop may wait for: bounds `LoopInbox` and the sequencer's work for one loop.
    static let pendingMax = 65_536

    init(
        loop: EventLoop, index: Int, settings: ServerSettings, instance: InstanceFacts, identities: IdentityChecker,
        queueTokens: QueueTokens, metrics: Metrics, commands: Mailbox<ToSequencer>, image: SaleImage
    ) {
        self.loop = loop
        self.index = index
        self.settings = settings
        self.instance = instance
        self.identities = identities
        self.queueTokens = queueTokens
        instanceMetrics = metrics
        self.metrics = metrics.addLoop(loop.counters)
        self.commands = commands
        limits = settings.limits ?? CallLimits(pingMilliseconds: settings.pingIntervalMilliseconds)
        backendLimits = .backend(pingMilliseconds: settings.pingIntervalMilliseconds)
        origins = OriginList(settings.origins)
        socketLimits = WebSocketLimits(maxMessageBytes: limits.messageBytes, maxFragments: limits.messageFragments)
        presence = PresenceBook(source: UInt32(index))
        show(image)
        loop.schedule(after: PushPolicy.tickMilliseconds, self)
    }

    /// Estimated journal time.
    var journalNow: UInt64 { journalTime + (loop.now - min(loop.now, journalTimeHeardAt)) }

    func noteJournalTime(_ time: UInt64, position: UInt64) {
        journalTime = time
        journalTimeHeardAt = loop.now
        self.position = position
    }

    // MARK: Calls

    /// Handles what one session's bytes brought. An end of the conversation that came with them, the client's own or for an
    /// offence, came after the calls, which still have their effect; one that a call brings about spares the calls behind it.
    func handleArrived(of session: Session) {
        if !arrived.isEmpty {
            let calls = arrived
            arrived.removeAll(keepingCapacity: true)
            let hasEnded = session.calls.isClosed
            for call in calls where hasEnded || !session.calls.isClosed { handleInTurn(call, of: session) }
        }
        for call in credited { resume(call, of: session) }
        credited.removeAll(keepingCapacity: true)
        for (call, status) in ended { endStream(call, status, of: session) }
        ended.removeAll(keepingCapacity: true)
    }

    /// Handles one of the calls that came together. Answers leave as they gather, and whoever does not read them is asked to
    /// come again: what waits for a reader stays within the output's bound and one answer, however many calls ask. Streams
    /// keep to the bound by themselves.
    private func handleInTurn(_ call: IncomingCall, of session: Session) {
        if session.connection.unsentBytes + frames.count > limits.outputBytes { session.flush() }
        guard session.isBacklogged, call.method.kind != .stream else {
            handle(call, of: session)
            return
        }
        refuse(
            call.id,
            Status(
                .notStarted, "Your answers wait to be read; nothing was begun.", details: ErrorDetails(retryAfterMs: 250)),
            of: session)
    }

    private func handle(_ call: IncomingCall, of session: Session) {
        metrics.calls.add()
        do throws(Status) {
            if let seen = session.seenPosition, max(seen, call.position) > position {
                throw Status(
                    .notCaughtUp, "This instance has not applied journal position \(max(seen, call.position)) yet.",
                    details: ErrorDetails(retryAfterMs: 50))
            }
            try begin(call, of: session)
        } catch {
            refuse(call.id, error, of: session)
        }
    }

    private func begin(_ call: IncomingCall, of session: Session) throws(Status) {
        switch call.request {
        case .authenticate(let request): try authenticate(request, call, session)
        case .join(let request): try join(request, call, session)
        case .check(let request): try check(request, call, session)
        case .leave(let request): try leave(request, call, session)
        case .listConcerts(let request): listConcerts(request, call, session)
        case .listPerformances(let request): try listPerformances(request, call, session)
        case .listSeats(let request): try listSeats(request, call, session)
        case .streamSeats(let request): try streamSeats(request, call, session)
        case .watchSeats(let request): try watchSeats(request, call, session)
        case .hold(let request): try hold(request, call, session)
        case .release(let request):
            try command(
                .release(Release(reservation: request.reservation)), token: .ofReservation(request.reservation), call, session)
        case .cancelReservation(let request):
            try command(.cancel(CancelReservation(reservation: request.reservation)), token: .none, call, session)
        case .charge(let request): try charge(request, call, session)
        case .pay(let request):
            try command(.pay(Pay(reservation: request.reservation)), token: .ofReservation(request.reservation), call, session)
        case .getBalance(let request): try balance(request, call, session)
        case .listTransactions(let request): try transactions(request, call, session)
        case .listReservations(let request):
            try ask(.reservations(try identity(of: call, session).user, before: request.before), .reservations, call, session)
        case .listPayments(let request):
            try ask(.payments(try identity(of: call, session).user, before: request.before), .payments, call, session)
        case .putConcert, .putPerformance, .setPolicy, .changeLine, .sendNotice: try operate(call, session)
        case .stats(let request): try stats(request, call, session)
        case .watchStats(let request): try watchStats(request, call, session)
        }
    }

    func refuse(_ call: CallID, _ status: Status, of session: Session) {
        metrics.refused(status.reason)
        session.calls.close(call, status, position: position, output: &frames)
        if status.reason == Reason.identityInvalid.rawValue || status.reason == Reason.tokenInvalid.rawValue {
            session.count(.falseProofs)
        }
    }

    func reply(_ call: CallID, _ response: some WireMessage, of session: Session, position: UInt64? = nil) {
        session.calls.reply(call, response, position: position ?? self.position, output: &frames)
    }

    // MARK: To the sequencer and back

    /// Sends a command on its way. Its outcome comes back under the ticket, for `PendingCall.Use`.
    ///
    /// - Throws: UNAVAILABLE if the instance takes no commands or the way is full; nothing has been begun then.
    func submit(
        _ body: Command.Body, identity: Identity, token: UInt64, _ call: IncomingCall, _ session: Session, use: PendingCall.Use,
        claim: SeatClaim? = nil
    ) throws(Status) {
        var command = Command()
        command.user = identity.user
        command.requestId = call.requestID
        command.contents = call.contents
        command.token = token
        command.source = UInt32(index)
        command.operator = call.method.isForOperators ? identity.name : ""
        command.body = body
        let submission = Submission(command, origin: Origin(loop: index, ticket: nextTicket), claim: claim)
        guard isWritable else { throw notTaken }
        try send(.submission(submission), PendingCall(session: session, call: call.id, use: use))
        session.calls.submitted(call.id)
    }

    /// Sends a question on its way.
    func ask(_ question: Question, _ use: PendingCall.Use, _ call: IncomingCall, _ session: Session) throws(Status) {
        try ask(question, PendingCall(session: session, call: call.id, use: use))
    }

    func ask(_ question: Question, _ pendingCall: PendingCall) throws(Status) {
        // What is known can be told while the journal stands still, but not once the instance has stopped.
        if case .stopped = standing.standing { throw notTaken }
        try send(.question(question, Origin(loop: index, ticket: nextTicket)), pendingCall)
    }

    /// A command of the loop's own, whose outcome nobody waits for. Returns whether there was room.
    func submitOwn(_ body: Command.Body) -> Bool {
        var command = Command()
        command.source = UInt32(index)
        command.body = body
        return isWritable && commands.send(.submission(Submission(command)))
    }

    private func send(_ message: ToSequencer, _ pendingCall: PendingCall) throws(Status) {
        guard pending.count < Self.pendingMax, commands.send(message) else {
            throw Status(
                .notStarted, "Too much is going on just now; nothing was begun.", details: ErrorDetails(retryAfterMs: 250))
        }
        pending[nextTicket] = pendingCall
        nextTicket += 1
    }

    /// Whether a join would have room now; while others wait it would not, since they were first.
    var hasRoomForJoin: Bool { waitingJoins.isEmpty && pending.count < Self.pendingMax && !commands.isFull }

    /// Keeps a join until there is room, and takes no more bytes from its connection meanwhile, so that the order of
    /// requests holds in a stampede.
    func postpone(_ call: IncomingCall, _ session: Session) {
        waitingJoins.append((call, session))
        session.isPaused = true
        session.connection.pauseReading()
    }

    func retryJoins() {
        guard !waitingJoins.isEmpty else { return }
        let joins = waitingJoins
        waitingJoins = []
        for (index, (call, session)) in joins.enumerated() {
            guard pending.count < Self.pendingMax, !commands.isFull else {
                waitingJoins += joins[index...]
                return
            }
            guard session.connection.isOpen else { continue }
            session.isPaused = false
            session.connection.resumeReading()
            if session.calls.isWanted(call.id) {
                handle(call, of: session)
            } else {
                session.calls.close(call.id, .cancelled(), position: position, output: &frames)
            }
            session.flush()
        }
    }

    /// What the sequencer has sent: the delta first, then the answers of its positions.
    func take(_ delta: Delta, _ answers: [Answer]) {
        let pushesBefore = metrics.pushes
        take(delta)
        notePushes(metrics.pushes - pushesBefore, of: delta)
        arrivedStatuses = delta.tokens
        defer { arrivedStatuses = [:] }
        for answer in answers {
            guard let pendingCall = pending.removeValue(forKey: answer.ticket) else { continue }
            finish(pendingCall, with: answer)
            pendingCall.session.flush()
        }
        retryJoins()
    }

    /// Counts how old the news of a delta was when the last of its pushes was made; one clock read for all of them. Those
    /// that wait for a tick, such as positions far back, are late on purpose and not counted.
    private func notePushes(_ count: UInt64, of delta: Delta) {
        guard count > 0, !delta.isEmpty else { return }
        let now = Clock.wallMilliseconds()
        metrics.pushLatency.observe(
            microseconds: (now - min(now, delta.oldestTimeMilliseconds)) * 1000, count: count)
    }

    // MARK: Slow readers

    /// Goes on in the next turn of the loop with a session that had more to send than its output may hold, if the kernel has
    /// taken that by then: a fast reader of something large waits for no tick. Of a slow one `writable` tells, or the tick.
    func goOnSoon(_ session: Session) {
        goingOn.append(session)
        guard goingOn.count == 1 else { return }
        // Not 0: that may still be this turn, whose output has not left.
        loop.schedule(after: 1) { [unowned self] in
            let sessions = goingOn
            goingOn = []
            for session in sessions where !session.isBacklogged && backlogged.contains(session) { session.goOn() }
        }
    }

    // MARK: Life

    func sessionEnded(_ session: Session) {
        sessions.remove(session)
        subscribers.remove(session)
        for stream in session.lineStreams { dropLineStream(stream, hasMoved: session.hasMoved) }
        for watch in session.seatWatches { dropSeatWatch(watch) }
        statsWatches.removeAll { $0.session === session }
        session.lineStreams = []
        session.seatWatches = []
        if session.isPaused { waitingJoins.removeAll { $0.session === session } }
        backlogged.remove(session)
    }
}

/// What is said to the sequencer.
enum ToSequencer: Sendable {
    case submission(Submission)
    case question(Question, Origin)
}

/// A call whose answer is on its way.
struct PendingCall {
    /// What the answer is for.
    enum Use {
        case command
        case join(concert: Int)
        case resume(QueueToken, concert: Int)
        case check(isTokenKnown: Bool)
        case refuseEnded
        case balance, transactions, reservations, payments
        case stats
        case watchedStats(StatsWatch)
    }

    var session: Session
    var call: CallID
    var use: Use
}

/// What a client is told of the instance it is connected to.
struct InstanceFacts: Sendable {
    var name: String
    var epoch: Uuid
}
