import Calls
import Client
import Reactor
import UsherAPI
import Wire

/// One person in the crowd: a connection, a place in the line, and a will.
///
///     connecting ─▶ connected ─▶ joining ─▶ waiting ─▶ active ─▶ gone
///                                   ▲          │ ▲        │
///                                   └── away ◀─┘ └────────┘    (a lost connection: back with its token, to the same place)
///
/// Whatever it hears that a fair server would not say goes into its record's problems.
final class Fan: ClientConnectionHandler, TimerTarget {
    enum Phase {
        case idle, connecting, connected, joining, waiting, active, gone
    }

    /// What a timer is for.
    enum Alarm: Int {
        case join, giveUp, lose, comeBack, choose, hold, release, charge, pay, letPassed, endOverdue, repeatCommand, rejoin,
            check, query, move
    }

    unowned let crowd: Crowd
    var persona: Persona
    var record: FanRecord
    var phase = Phase.idle
    var isAuditing = false

    var connection: ClientConnection?
    /// Which instance it is at.
    var target: Int
    var going = Going()
    private var connectStarted: UInt64 = 0
    private var connectAttempts = 0
    private var hasWelcome = false
    private var isConnectCounted = false
    var epoch: Uuid?
    var position: UInt64 = 0
    /// Since when it has been away; nil: it is here.
    var awayFromUs: UInt64?

    /// The main course of things, and what may happen beside it.
    var course = TimerToken.none
    var life = TimerToken.none

    // The line.
    var token = ""
    /// The token is bound to this connection by Join.
    var isBound = false
    var joinCall: CallID?
    var joinRequest = Uuid.random()
    var joinAttempts: UInt32 = 0
    var hasFirstUpdate = false
    var lastPosition: UInt64 = 0
    var waitingSince: UInt64 = 0
    /// Wall time at which it heard that its turn has come.
    var turnHeardUs: UInt64 = 0

    // The purchase.
    var command: FanCommand?
    var commandCall: CallID?
    var query: FanQuery?
    var queryCall: CallID?
    var queryStarted: UInt64 = 0
    var watch: WatchedSeats?
    var held: Reservation?
    /// A hold whose end was heard of before its beginning.
    var expiredUnheld: UInt64 = 0
    /// It lets the hold's time run out.
    var isLettingPass = false
    var rounds = 0
    var balance: UInt64 = 0
    var leavingAs = FanRecord.Outcome.left
    /// The stream told the token's end while a command's answer was still to come.
    var endHeard: EndReason?

    init(_ crowd: Crowd, index: Int) {
        self.crowd = crowd
        persona = Persona(seed: crowd.plan.seed, index: index, behaviour: crowd.plan.behaviour, pace: crowd.plan.pace)
        record = FanRecord(index: index, user: .random())
        target = index % crowd.plan.targets.count
        crowd.record.instances[target].fans += 1
    }

    var loop: EventLoop { crowd.loop }
    var isPolling: Bool { crowd.plan.pollMilliseconds != nil }
    var wants: Int { min(persona.party, crowd.plan.maxSeats) }

    var traffic: Traffic {
        switch phase {
        case .idle, .connecting, .connected: .connecting
        case .joining: .joining
        case .waiting: .waiting
        case .active: .active
        case .gone: .gone
        }
    }

    // MARK: Connection

    func connect() {
        if phase == .idle { phase = .connecting }
        connectStarted = Clocks.monotonic()
        connectAttempts += 1
        hasWelcome = false
        connection = connect(to: target)
    }

    func connect(to target: Int) -> ClientConnection {
        let sources = crowd.plan.sources
        let source = sources.isEmpty ? nil : SocketAddress.loopback(sources[record.index % sources.count], port: 0)
        return crowd.hub.connect(
            to: crowd.plan.targets[target].address, from: source, endpoint: crowd.plan.targets[target].endpoint,
            hello: ClientHello(.user(record.user), epoch: epoch, position: position, clientName: "usher-stampede"),
            handler: self)
    }

    func welcomed(_ connection: ClientConnection, _ welcome: Welcome) {
        crowd.book(traffic)
        crowd.record.instances[connection === going.successor ? going.target : target].welcomes += 1
        guard connection !== going.successor else {
            moveIfAnswered()
            return
        }
        connectAttempts = 0
        hasWelcome = true
        if phase == .connecting {
            crowd.note(.connect, since: connectStarted)
            countConnect()
            phase = .connected
            awayFromUs = nil
            crowd.tally.connected.add()
            if crowd.isJoining { join() }
            return
        }
        crowd.record.reconnects += 1
        if isAuditing {
            askHistory()
        } else if phase != .gone {
            goOn()
        }
    }

    private func countConnect() {
        guard !isConnectCounted else { return }
        isConnectCounted = true
        crowd.connectEnded()
    }

    func ended(_ connection: ClientConnection, _ end: ConnectionEnd) {
        crowd.book(traffic)
        noteSeen(connection)
        guard connection === self.connection else {
            if connection === going.successor { successorFailed() }
            return
        }
        // Sent away, or not let in where others are: that is how instances go and come.
        let wasGoing = going.isAsked || !hasWelcome && crowd.plan.targets.count > 1
        show(0)
        self.connection = nil
        isBound = false
        joinCall = nil
        commandCall = nil
        queryCall = nil
        watch = nil
        if command != nil { command!.attempts += 1 }
        if phase != .gone {
            loop.cancel(course)
            loop.cancel(life)
            query = nil
        }
        if awayFromUs == nil { awayFromUs = Clocks.wall() }
        if end != .here, end != .transport(.loopStopped) {
            if !wasGoing {
                crowd.record.lost += 1
                crowd.record.instances[target].lost += 1
            }
            if !crowd.plan.expectsRestarts, !wasGoing {
                crowd.noteOddity(
                    hasWelcome ? "connection ended" : "connection refused", "fan \(record.index) (\(phase)): \(end)")
            }
        }
        if takeSuccessor() { return }
        chooseTarget(hasLost: end != .here)
        switch phase {
        case .gone where !isAuditing:
            countConnect()
        case .connecting where connectAttempts >= 5:
            countConnect()
            fail("could not connect: \(end)")
        case .connected:
            // Lost before it could join: once more.
            crowd.tally.connected.subtract()
            phase = .connecting
            life = loop.schedule(after: 500, self, tag: Alarm.comeBack.rawValue)
        default:
            guard connectAttempts < (crowd.plan.expectsRestarts ? 60 : 10) else {
                endAudit()
                fail("could not connect again: \(end)")
                return
            }
            let delay =
                end == .here
                ? persona.absence()
                : min(UInt64(connectAttempts + 1) * 300, 3_000) + .random(in: 0...1_000, using: &persona.numbers)
            life = loop.schedule(after: delay, self, tag: Alarm.comeBack.rawValue)
        }
    }

    /// Its network is gone, at once and without a word.
    private func lose() {
        guard phase == .waiting || phase == .active, let connection else { return }
        persona.loss = nil
        crowd.tally.away.add()
        loop.cancel(course)
        connection.abort()
    }

    private func comeBack() {
        guard connection == nil, phase != .gone || isAuditing else { return }
        connect()
    }

    /// Back on a new connection: first what was asked and never answered, with the same request id; then the place.
    func goOn() {
        if command != nil {
            sendCommand()
        } else if phase == .joining || phase == .waiting || phase == .active {
            if isPolling, !token.isEmpty { check() } else { join() }
        }
    }

    /// The connection is whole again: what was under way goes on.
    func returned() {
        guard awayFromUs != nil else { return }
        endAbsence()
        going.isNew = false
        if phase == .active, command == nil { resumeTurn() }
    }

    func endAbsence() {
        guard let from = awayFromUs else { return }
        // The server notes a return on its next tick and in the journal after that.
        let settled = Clocks.wall() + 2_000_000
        record.away.append(from...max(from, settled))
        awayFromUs = nil
        record.returns += 1
        if crowd.tally.away.now > 0 { crowd.tally.away.subtract() }
    }

    // MARK: Time

    /// What comes next in the main course, instead of what was to come before.
    func next(_ alarm: Alarm, after milliseconds: UInt64) {
        loop.cancel(course)
        isLettingPass = alarm == .letPassed
        course = loop.schedule(after: milliseconds, self, tag: alarm.rawValue)
    }

    func joinWithin(_ milliseconds: UInt64) {
        next(.join, after: .random(in: 0...milliseconds, using: &persona.numbers))
    }

    /// In the moment at which its connection is to break, if this is one.
    func maybeLose(_ loss: Persona.Loss, within milliseconds: UInt64) {
        guard persona.loss == loss else { return }
        life = loop.schedule(after: .random(in: 0...milliseconds, using: &persona.numbers), self, tag: Alarm.lose.rawValue)
    }

    func timerFired(_ tag: Int) {
        guard let alarm = Alarm(rawValue: tag) else { return }
        crowd.book(traffic)
        if alarm == .comeBack {
            comeBack()
            return
        }
        // Without a connection everything waits for the return.
        guard connection != nil, phase != .gone || isAuditing else { return }
        switch alarm {
        case .join, .rejoin: join()
        case .giveUp: giveUp()
        case .lose: lose()
        case .check: check()
        case .choose: choose()
        case .hold: hold()
        case .release: release()
        case .charge: charge()
        case .pay: pay()
        case .letPassed: holdOverdue()
        case .endOverdue: endOverdue()
        case .repeatCommand: sendCommand()
        case .query: sendQuery()
        case .move: move()
        case .comeBack: break
        }
    }

    // MARK: Answers

    func message(_ connection: ClientConnection, _ call: CallID, _ message: borrowing MessageView) {
        crowd.book(traffic)
        guard connection === self.connection else { return }
        if call == joinCall {
            guard let update = try? LineUpdate(decoding: message.payload) else {
                problem("an update of the line could not be read")
                return
            }
            heard(update)
        } else if call == watch?.call {
            guard let list = try? SeatList(decoding: message.payload) else {
                problem("a list of seats could not be read")
                return
            }
            heard(list, revision: message.sequence, isSnapshot: message.reset)
        }
    }

    func closed(_ connection: ClientConnection, _ call: CallID, _ close: borrowing CloseView) {
        crowd.book(traffic)
        guard connection === self.connection else { return }
        defer { moveIfAnswered() }
        // A watch ends with its turn: that is no refusal.
        let isWatchsEnd = call == watch?.call && close.status.reason == Reason.tokenEnded.rawValue
        if close.status.code != .ok, close.status.code != .cancelled, !isWatchsEnd { crowd.noteRefusal(close.status.reason) }
        if call == joinCall {
            joinCall = nil
            joinEnded(close.status)
        } else if call == commandCall {
            commandCall = nil
            commandEnded(close)
        } else if call == queryCall {
            queryCall = nil
            queryEnded(close)
        } else if call == watch?.call {
            watch = nil
            if close.status.code != .ok, close.status.code != .cancelled, !isWatchsEnd { odd("a watch ended", close.status) }
        }
    }

    // MARK: Ends

    func problem(_ text: String) {
        guard record.problems.count < 8 else { return }
        record.problems.append(text)
    }

    func odd(_ what: String, _ status: Status) {
        crowd.noteOddity(
            "\(what): \(status.reason.isEmpty ? "\(status.code)" : status.reason)",
            "fan \(record.index) (\(phase)): \(status.message)")
    }

    func fail(_ why: String) {
        problem(why)
        goHome(.failed)
    }

    func goHome(_ outcome: FanRecord.Outcome) {
        guard phase != .gone else { return }
        switch phase {
        case .waiting:
            crowd.tally.waiting.subtract()
            crowd.record.waitedUs += Clocks.monotonic() - waitingSince
        case .active: crowd.tally.active.subtract()
        case .idle, .connecting, .connected, .joining, .gone: break
        }
        show(0)
        setHeld(nil)
        if awayFromUs != nil, crowd.tally.away.now > 0 { crowd.tally.away.subtract() }
        record.outcome = outcome
        record.hasOpenCommand = command.map { $0.method == .charge || $0.method == .pay } ?? false
        if outcome == .failed { crowd.tally.failed.add() }
        crowd.tally.gone.add()
        phase = .gone
        loop.cancel(course)
        loop.cancel(life)
        if let watch { connection?.cancel(watch.call) }
        watch = nil
        command = nil
        query = nil
    }

    func setHeld(_ reservation: Reservation?) {
        if (held == nil) != (reservation == nil) {
            if reservation == nil { crowd.tally.holding.subtract() } else { crowd.tally.holding.add() }
        }
        held = reservation
    }

    func finished() -> FanRecord {
        if let from = awayFromUs { record.away.append(from...UInt64.max) }
        return record
    }
}
