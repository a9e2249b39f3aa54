// One loop of an instance as the simulation has it: calls become commands, outcomes become replies, deltas become pushes. It
// stands in for Server's Gateway, which is bound to epoll loops, TLS connections and signed tokens; it follows the
// same steps over the same real parts: the call machine, seat claims by compare-and-swap, the sequencer's deltas and answers, the
// bitmap of places.
//
//     call ─▶ reads ──────────────▶ picture ─▶ reply at once
//          ─▶ commands, questions ▶ pending[ticket] ─▶ sequencer ─▶ take ─▶ reply
//     delta ─▶ picture ─▶ line streams, seat watches

internal import BoxOffice
internal import Calls
internal import SeatMap
internal import Sequencer
internal import UsherAPI
internal import Wire

/// What is said to the sequencer.
enum ToSequencer {
    case submission(Submission)
    case question(Question, Origin)
}

/// The door of one loop.
final class Door {
    /// Small, so that a shopper who never reads comes to the bound within a few pushes.
    static let limits = CallLimits(
        runningCalls: 12, outputBytes: 1_500, helloMilliseconds: 5_000, pingMilliseconds: 12_000)
    /// From the end of a token's last stream to its absence.
    static let absenceMilliseconds: UInt64 = 800

    let network: Network
    let index: Int
    let name: String
    let memory: MemoryChecker
    /// The instance's monotonic clock is ahead of the world's by this.
    private let clockAhead: () -> UInt64
    private let submit: (ToSequencer) -> Void
    /// A rule of calls was broken by our own side.
    let broke: (String) -> Void
    private(set) var sessions: [ServerSession] = []

    // The picture.
    private(set) var position: UInt64 = 0
    private(set) var line: LinePicture
    var catalogue: Catalogue
    var seats: [UsherAPI.SeatState] = []
    var seatRevision: UInt64 = 0
    /// Latest status of the tokens that are more than waiting and have a stream here. Looked up, never walked.
    var statuses: [UInt64: TokenStatus] = [:]
    private(set) var standing = Standing.serving
    private var rejoins = 0

    // What was asked and not yet answered.
    enum Use {
        case command, join, balance
    }
    private var pending: [UInt64: (session: ServerSession, call: CallID, use: Use)] = [:]
    private var nextTicket: UInt64 = 1
    var nextClaim: UInt32 = 0
    /// Tokens whose departure was told lately: it may stand behind a Join in the journal.
    private var departed: [UInt64] = []
    /// Comings and goings that wait until the instance takes commands.
    private var owedPresence: [Presence] = []

    init(
        network: Network, index: Int, name: String, image: SaleImage, memory: MemoryChecker, clockAhead: @escaping () -> UInt64,
        broke: @escaping (String) -> Void, submit: @escaping (ToSequencer) -> Void
    ) {
        self.network = network
        self.index = index
        self.name = name
        self.memory = memory
        self.clockAhead = clockAhead
        self.broke = broke
        self.submit = submit
        position = image.position
        catalogue = image.catalogue
        line = LinePicture(image.lines.first)
        if let image = image.seats.first { (seats, seatRevision) = (image.states, image.revision) }
    }

    /// The instance's monotonic clock.
    var now: UInt64 { network.now + clockAhead() }

    func accept(_ link: Link) { sessions.append(ServerSession(self, link)) }

    func ended(_ session: ServerSession) { sessions.removeAll { $0 === session } }

    /// The process is gone; nobody is told.
    func die() {
        for session in sessions { session.abandon() }
        sessions = []
        pending = [:]
    }

    // MARK: Calls

    func handle(_ call: IncomingCall, of session: ServerSession) {
        do throws(Status) {
            let wanted = max(session.seenPosition, call.position)
            guard wanted <= position else { throw Status(.notCaughtUp, "door: position \(wanted) is not applied yet") }
            guard let user = session.user else { throw Status(.identityMissing, "door: who calls?") }
            try begin(call, user, session)
        } catch {
            session.close(call.id, error, position: position)
        }
    }

    private func begin(_ call: IncomingCall, _ user: Uuid, _ session: ServerSession) throws(Status) {
        switch call.method {
        case .join:
            let request: JoinRequest = try call.decoded()
            try command(.join(Join(concert: request.concert)), use: .join, call, user, session)
        case .leave:
            let request: LeaveRequest = try call.decoded()
            try command(.leave(Leave(concert: request.concert)), token: token(of: call, session)?.id ?? 0, call, user, session)
        case .hold: try hold(try call.decoded(), call, user, session)
        case .release:
            let request: ReleaseRequest = try call.decoded()
            try command(
                .release(Release(reservation: request.reservation)), token: token(of: call, session)?.id ?? 0, call, user,
                session)
        case .pay:
            let request: PayRequest = try call.decoded()
            try command(
                .pay(Pay(reservation: request.reservation)), token: token(of: call, session)?.id ?? 0, call, user, session)
        case .cancelReservation:
            let request: CancelReservationRequest = try call.decoded()
            try command(.cancel(CancelReservation(reservation: request.reservation)), call, user, session)
        case .charge:
            let request: ChargeRequest = try call.decoded()
            try command(.charge(Charge(amount: request.amount)), token: token(of: call, session)?.id ?? 0, call, user, session)
        case .getBalance:
            try ask(.balance(user), call, session)
            touch(session.token?.id ?? 0)
        case .watchSeats:
            let watch = SeatWatch(session: session, call: call.id)
            session.seatWatches.append(watch)
            sendSeats(watch)
            touch(session.token?.id ?? 0)
        case .setPolicy: try command(.setPolicy(try call.decoded()), call, user, session)
        case .openLobby: try changeLine(.openLobby, call, user, session)
        case .openLine: try changeLine(.openLine, call, user, session)
        case .pauseLine: try changeLine(.pauseLine, call, user, session)
        case .resumeLine: try changeLine(.resumeLine, call, user, session)
        case .drainLine: try changeLine(.drainLine, call, user, session)
        case .closeLine: try changeLine(.closeLine, call, user, session)
        default: throw Status(.unknownMethod, "door: \(call.method) is not simulated")
        }
    }

    private func changeLine(_ action: LineAction, _ call: IncomingCall, _ user: Uuid, _ session: ServerSession) throws(Status) {
        guard session.isOperator else { throw Status(.operatorsOnly, "door: operators only") }
        try command(.changeLine(ChangeLine(concert: Sale.concert, action: action)), call, user, session)
    }

    func command(
        _ body: Command.Body, token: UInt64 = 0, use: Use = .command, _ call: IncomingCall, _ user: Uuid,
        _ session: ServerSession, claim: SeatClaim? = nil
    ) throws(Status) {
        guard isWritable else {
            claim?.undo()
            throw Status(.journalUnavailable, "door: no commands just now")
        }
        let command = Command(
            user: user, requestId: call.requestID, contents: call.contents, token: token, source: UInt32(index),
            operator: call.method.isForOperators ? "operator" : "", body: body)
        pending[nextTicket] = (session, call.id, use)
        submit(.submission(Submission(command, origin: Origin(loop: index, ticket: nextTicket), claim: claim)))
        nextTicket += 1
        session.submitted(call.id)
    }

    private func ask(_ question: Question, _ call: IncomingCall, _ session: ServerSession) throws(Status) {
        if case .stopped = standing { throw Status(.journalUnavailable, "door: stopped") }
        pending[nextTicket] = (session, call.id, .balance)
        submit(.question(question, Origin(loop: index, ticket: nextTicket)))
        nextTicket += 1
    }

    private var isWritable: Bool { standing == .serving }

    private func submitOwn(_ body: Command.Body) {
        guard isWritable else { return }
        submit(.submission(Submission(Command(source: UInt32(index), body: body))))
    }

    private func tell(_ presence: Presence) {
        owedPresence.append(presence)
        tellOwed()
    }

    private func tellOwed() {
        guard isWritable else { return }
        let owed = owedPresence
        owedPresence = []
        for presence in owed { submitOwn(.presence(presence)) }
    }

    /// The journal knows of nobody here any more.
    private func tellAnew() {
        departed = []
        owedPresence = []
        let present = Set(sessions.flatMap { $0.lineStreams.map(\.token) })
        if !present.isEmpty { tell(Presence(arrived: present.sorted())) }
    }

    // MARK: Presence

    private func touch(_ token: UInt64) {
        if statuses[token]?.state == .active { submitOwn(.touched(Touched(tokens: [token]))) }
    }

    /// A stream is over; if no other of the token's begins soon, its user is absent.
    func drop(_ stream: LineStream) {
        let token = stream.token
        guard statuses[token]?.state != .ended else { return }
        network.after(Self.absenceMilliseconds) { [weak self] in
            guard let self, !self.hasStream(of: token), !self.departed.contains(token) else { return }
            self.departed.append(token)
            self.tell(Presence(departed: [token]))
        }
    }

    private func hasStream(of token: UInt64) -> Bool {
        sessions.contains { session in session.lineStreams.contains { $0.token == token } }
    }

    // MARK: From the sequencer

    /// The delta first, then the answers of its positions.
    func take(_ delta: Delta, _ answers: [Answer], standing: Standing, rejoins: Int) {
        let hasChanged = standing != self.standing
        self.standing = standing
        if rejoins != self.rejoins {
            self.rejoins = rejoins
            tellAnew()
        }
        tellOwed()
        if hasChanged { updateAll() }
        if !delta.isEmpty { take(delta) }
        for answer in answers {
            guard let (session, call, use) = pending.removeValue(forKey: answer.ticket) else { continue }
            finish(session, call, use, answer, latest: delta.tokens)
            session.flush()
        }
    }

    private func take(_ delta: Delta) {
        position = delta.position
        if let catalogue = delta.catalogue {
            self.catalogue = catalogue
            if seats.isEmpty, let first = catalogue.performances.first {
                seats = Array(repeating: .available, count: first.shard.seatCount)
            }
        }
        for change in delta.lines { line.apply(change) }
        for change in delta.seats {
            seats[Int(change.seat) - 1] = change.state
            seatRevision = change.revision
        }
        for session in sessions {
            for stream in session.lineStreams {
                if let status = delta.tokens[stream.token] { statuses[stream.token] = status }
                sendUpdate(stream)
            }
            for watch in session.seatWatches { sendSeats(watch) }
            session.flush()
        }
    }

    private func updateAll() {
        for session in sessions {
            for stream in session.lineStreams { sendUpdate(stream) }
            session.flush()
        }
    }

    private func finish(
        _ session: ServerSession, _ call: CallID, _ use: Use, _ answer: Answer, latest: [UInt64: TokenStatus]
    ) {
        switch answer.content {
        case .outcome(.refused(let refusal)):
            session.close(
                call,
                Status(code: refusal.code, reason: refusal.reason.rawValue, message: refusal.message, details: refusal.details),
                position: answer.position)
        case .outcome(.done(let done)): finish(session, call, done, answer.position, latest)
        case .facts(.balance(let balance)):
            session.reply(call, GetBalanceResponse(balance: balance), position: answer.position)
        case .facts: session.close(call, Status(.internalError, "door: not asked for"), position: answer.position)
        case .journalFailed(let mayHaveHappened):
            session.close(
                call, Status(mayHaveHappened ? .outcomeUnknown : .journalUnavailable, "door: the journal failed"),
                position: answer.position)
        }
    }

    private func finish(
        _ session: ServerSession, _ call: CallID, _ done: Reply, _ position: UInt64, _ latest: [UInt64: TokenStatus]
    ) {
        func reply(_ response: some WireMessage) { session.reply(call, response, position: position) }
        switch done {
        case .joined(let status): joined(status, session, call, position, latest[status.id] ?? status)
        case .left: reply(LeaveResponse())
        case .held(let reservation): reply(HoldResponse(reservation: reservation))
        case .released(let reservation): reply(ReleaseResponse(reservation: reservation))
        case .paid(let payment, let balance): reply(PayResponse(payment: payment, balance: balance))
        case .cancelled(let reservation, let refunded, let balance):
            reply(CancelReservationResponse(reservation: reservation, refunded: refunded, balance: balance))
        case .charged(let transaction, let balance): reply(ChargeResponse(transaction: transaction, balance: balance))
        case .operatorDone: reply(OperatorResponse())
        case .none: session.close(call, .ok, position: position)
        }
    }

    /// A Join is committed: its stream begins, unless the shopper has gone meanwhile.
    private func joined(
        _ status: TokenStatus, _ session: ServerSession, _ call: CallID, _ position: UInt64, _ latest: TokenStatus
    ) {
        let stream = LineStream(session: session, call: call, token: status.id, place: Int(status.place))
        guard session.isWanted(call) else {
            session.close(call, .cancelled(mayHaveHappened: true), position: position)
            drop(stream)
            return
        }
        session.token = QueueToken(id: status.id, place: stream.place)
        session.lineStreams.append(stream)
        if latest.state != .waiting { statuses[status.id] = latest }
        if departed.contains(status.id) {
            departed.removeAll { $0 == status.id }
            tell(Presence(arrived: [status.id]))
        }
        sendUpdate(stream)
    }
}
