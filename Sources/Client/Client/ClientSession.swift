internal import Calls
internal import Reactor
internal import Synchronization
internal import UsherAPI
internal import Wire

// One client's life over many connections.
//
//      start ─▶ round ─▶ resolving ─▶ trying address 1, 2, … ─WELCOME─▶ up ──lost──▶ waiting ──▶ round …
//                 ▲                        │ all failed                  │ GOAWAY
//                 └──── waiting (backoff) ◀┘                             ▼
//                                                      up, and after the time GOAWAY says a round beside it
//
//      any ──close(), or an end that advises against coming back──▶ over
//
// Invariants
//   1. Every operation is finished exactly once.
//   2. An operation with a `call` is in `running` under that call, which is of `connection` or, for what was asked there
//      before it went away, of `leaving`.
//   3. Without a connection that takes calls, operations wait in `operations` and are sent, oldest first (Join before all
//      others, since they need the place it brings back), once there is one.
//   4. No answer is older than an earlier one: HELLO says the highest position seen; what an old connection has shown since
//      is said with each call on the new one.

/// Confined to the loop, apart from `init`.
final class ClientSession: @unchecked Sendable {
    /// The addresses, the one to try first in front: one that fails or is lost goes to the end.
    var urls: [ServerURL]
    let tls: TLSContext
    let options: ClientOptions
    var identity: ClientIdentity
    /// What the client's callers may read at any time.
    let shared: SharedState

    var hub: ClientHub!
    var connection: ClientConnection?
    /// Went away, and still owes answers.
    var leaving: ClientConnection?
    /// The one that a round is trying, and where.
    var candidate: ClientConnection?
    var candidateURL: ServerURL?
    /// Where `connection` is.
    var home: ServerURL?
    /// Addresses that this round has not tried yet.
    var untried: [(url: ServerURL, address: SocketAddress)] = []
    /// Rounds are numbered so that what belongs to an old one is recognised.
    var round = 0
    var backoff: Backoff
    var reconnectTimer = TimerToken.none
    /// The round that GOAWAY has asked for was hastened.
    var isHastening = false
    /// Where GOAWAY sent us.
    var relocation: String?
    var welcomedAt: UInt64 = 0
    var epoch: Uuid?
    var position: UInt64 = 0
    /// Since when every answer was that the instance is behind.
    var behindSince: UInt64?
    /// How long a server may tell a stream, which has no time of its own, to wait before it is asked for again.
    static let streamPatienceMilliseconds: UInt64 = 60_000
    /// Why there is no coming back.
    var over: UsherError?
    var firstConnect: ((Result<Void, UsherError>) -> Void)?

    var operations: [UInt64: Operation] = [:]
    var running: [RunningCall: Operation] = [:]

    init(urls: [ServerURL], tls: TLSContext, identity: ClientIdentity, options: ClientOptions, shared: SharedState) {
        self.urls = options.startsAtRandom ? urls.shuffled() : urls
        self.tls = tls
        self.identity = identity
        self.options = options
        self.shared = shared
        backoff = options.reconnecting
        epoch = options.seen?.epoch
        position = options.seen?.position ?? 0
    }

    var now: UInt64 { hub.loop.now }

    // MARK: Operations

    func begin(_ operation: Operation) {
        if let over {
            operation.finished(.failure(over))
            return
        }
        operations[operation.id] = operation
        if let deadline = operation.deadline {
            // Later than the deadline that the protocol keeps, whose answer says more.
            let delay = deadline - min(deadline, now) + 100
            operation.timer = hub.loop.schedule(after: delay) { [weak self] in self?.timeIsUp(operation) }
        }
        send(operation)
    }

    /// Sends it if a connection takes it; otherwise it waits for one.
    func send(_ operation: Operation) {
        guard operation.call == nil, !operation.isResting, operations[operation.id] != nil, let connection, connection.isReady
        else { return }
        do throws(OpenRefusal) {
            let id = try connection.open(
                path: operation.method.description, request: operation.request,
                operation.options(
                    now: now, window: options.streamWindow, seen: position > connection.position ? position : 0))
            let call = RunningCall(connection: connection, id: id)
            operation.call = call
            operation.wasSent = true
            running[call] = operation
        } catch {
            switch error {
            case .goingAway: hasten()  // somebody waits for an answer
            case .closed, .tooManyCalls, .idsExhausted: break  // its time comes
            case .tooLarge:
                finish(operation, .failure(.refused(Status(.malformedRequest, "The request is larger than the server takes."))))
            }
        }
    }

    /// Sends all that wait.
    func sendWaiting() {
        let waiting = operations.values.filter { $0.call == nil && !$0.isResting }
        for operation in waiting.sorted(by: { ($0.method == .join ? 0 : 1, $0.id) < ($1.method == .join ? 0 : 1, $1.id) }) {
            send(operation)
        }
    }

    func finish(_ operation: Operation, _ result: Result<Operation.CloseAnswer, UsherError>) {
        guard operations.removeValue(forKey: operation.id) != nil else { return }
        if let call = operation.call { running[call] = nil }
        operation.call = nil
        hub.loop.cancel(operation.timer)
        operation.finished(result)
    }

    /// The caller wants it no longer.
    func cancel(_ id: UInt64) {
        guard let operation = operations[id] else { return }
        operation.call?.cancel()
        finish(operation, .failure(.cancelled))
    }

    /// The consumer of a stream has taken messages.
    func consumed(_ id: UInt64, _ count: UInt32) {
        guard let operation = operations[id] else { return }
        operation.unconsumed -= min(operation.unconsumed, count)
        if let call = operation.call { call.connection.credit(call.id, messages: count) }
    }

    private func timeIsUp(_ operation: Operation) {
        operation.call?.cancel()
        let mayHaveHappened = operation.wasSent && operation.requestID != nil
        finish(operation, .failure(.refused(.deadlineExceeded(mayHaveHappened: mayHaveHappened))))
    }

    /// The server refused a call.
    private func refused(_ operation: Operation, _ status: Status) {
        let left = operation.deadline.map { $0 - min($0, now) } ?? Self.streamPatienceMilliseconds
        let rule = RetryRule.decide(
            status, repeats: operation.repeats, repeatsMax: options.repeatsMax, millisecondsLeft: left)
        guard case .again(let delay, let mayHaveBegun) = rule else {
            finish(operation, .failure(.refused(status)))
            return
        }
        if operation.repeats == 0 { operation.backoff = options.repeating }
        operation.repeats += 1
        if mayHaveBegun { operation.attempts += 1 }
        operation.isResting = true
        var wait = operation.backoff.next()
        if status.reason == Reason.notCaughtUp.rawValue { wait = min(wait, .random(in: 500...1_000)) }
        hub.loop.schedule(after: max(delay, wait)) { [weak self] in
            operation.isResting = false
            self?.send(operation)
        }
    }

    /// Takes the operations off a connection that ends, or only its streams, to be sent again on the next.
    func takeBack(from connection: ClientConnection, onlyStreams: Bool = false) {
        let ends = Dictionary(connection.unanswered.map { ($0.call, $0) }) { first, _ in first }
        for (call, operation) in running where call.connection === connection && (operation.shape.isStream || !onlyStreams) {
            running[call] = nil
            operation.call = nil
            if onlyStreams { call.cancel() }
            // What the machine had ended without telling was closed in the moment of its deadline.
            guard let lost = ends[call.id] else { continue }
            operation.attempts = lost.attempts
            if case .list = operation.shape, operation.hasReceived {
                finish(operation, .failure(.connection("The connection was lost in the middle of the list. Ask again.")))
            }
        }
    }

    // MARK: What was seen

    /// Keeps what a welcomed connection has seen.
    func note(_ connection: ClientConnection) {
        if connection.epoch != epoch {
            guard connection === self.connection else { return }
            // Another journal: what was said of the one before means nothing here.
            if epoch != nil {
                for operation in operations.values { operation.lastSequence = 0 }
                shared.forgetPlaces()
            }
            epoch = connection.epoch
            position = 0
        }
        position = max(position, connection.position)
        shared.set(epoch: epoch, position: position)
    }

    /// An instance is behind what this client has seen. Where that does not end, the journal has lost it.
    private func noteBehind() {
        let since = behindSince ?? now
        behindSince = since
        guard now - since >= options.catchingUpMax.wholeMilliseconds, let connection else { return }
        behindSince = nil
        position = 0
        epoch = nil
        for operation in operations.values { operation.lastSequence = 0 }
        // Their numbers are given out again: a token would point at somebody else's place.
        shared.forgetPlaces()
        shared.set(epoch: nil, position: 0)
        shared.tell(.journalWentBack)
        self.connection = nil
        takeBack(from: connection)
        connection.close(.normal, reason: "the journal went back")
        beginRound(after: 0)
    }
}

// MARK: - From the connections

extension ClientSession: ClientConnectionHandler {
    func welcomed(_ connection: ClientConnection, _ welcome: Welcome) {
        if let url = candidateURL { home = url }
        candidate = nil
        candidateURL = nil
        untried = []
        isHastening = false
        let old = self.connection
        self.connection = connection
        welcomedAt = now
        if let old {
            note(old)
            // Streams move; what was asked there is answered there.
            takeBack(from: old, onlyStreams: true)
            if let leaving { leave(leaving) }
            leaving = old
            leaveIfAnswered()
        }
        note(connection)
        shared.set(welcome: welcome)
        shared.tell(.connected(welcome))
        if let firstConnect {
            self.firstConnect = nil
            firstConnect(.success(()))
        }
        sendWaiting()
    }

    func message(_ connection: ClientConnection, _ call: CallID, _ message: MessageView) {
        guard let operation = running[RunningCall(connection: connection, id: call)] else { return }
        operation.take(message)
        behindSince = nil
        shared.set(position: connection.position)
    }

    func closed(_ connection: ClientConnection, _ call: CallID, _ close: CloseView) {
        guard let operation = running.removeValue(forKey: RunningCall(connection: connection, id: call)) else { return }
        operation.call = nil
        note(connection)
        if close.status.code == .ok {
            behindSince = nil
            finish(operation, .success(.init(payload: [UInt8](copying: close.payload), position: close.position)))
        } else {
            refused(operation, close.status)
            if close.status.reason == Reason.notCaughtUp.rawValue { noteBehind() } else { behindSince = nil }
        }
        leaveIfAnswered()
        sendWaiting()
    }

    func goingAway(_ connection: ClientConnection, _ goAway: GoAway) {
        guard connection === self.connection else { return }
        if !goAway.host.isEmpty { relocation = goAway.host }
        putLast(home)
        let delay = UInt64(goAway.reconnectAfterMs) + UInt64.random(in: 0...UInt64(goAway.jitterMs))
        shared.tell(.moving(goAway.reason))
        beginRound(after: delay)
    }

    func ended(_ connection: ClientConnection, _ end: ConnectionEnd) {
        if connection === candidate {
            candidate = nil
            candidateFailed(end)
        } else if connection === self.connection {
            self.connection = nil
            note(connection)
            takeBack(from: connection)
            lost(end)
        } else if connection === leaving {
            leaving = nil
            takeBack(from: connection)
            sendWaiting()
        }
    }

    /// Closes the connection that goes away once it owes nothing.
    private func leaveIfAnswered() {
        guard let leaving, !running.keys.contains(where: { $0.connection === leaving }) else { return }
        leave(leaving)
    }

    private func leave(_ connection: ClientConnection) {
        leaving = nil
        takeBack(from: connection)
        connection.close(.goingAway, reason: "moved")
    }
}
