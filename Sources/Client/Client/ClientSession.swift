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
//   2. An operation with a `call` is in `running` under that call, which belongs to `connection`.
//   3. Without a connection that takes calls, operations wait in `operations` and are sent, oldest first (Join before all
//      others, since they need the place it brings back), once there is one.

/// Confined to the loop, apart from `init`.
final class ClientSession: @unchecked Sendable {
    let urls: [ServerURL]
    let tls: TLSContext
    let options: ClientOptions
    var identity: ClientIdentity
    /// What the client's callers may read at any time.
    let shared: SharedState

    var hub: ClientHub!
    var connection: ClientConnection?
    /// The one that a round is trying.
    var candidate: ClientConnection?
    /// Addresses that this round has not tried yet.
    var untried: [(url: ServerURL, address: SocketAddress)] = []
    /// Rounds are numbered so that what belongs to an old one is recognised.
    var round = 0
    var backoff: Backoff
    var reconnectTimer = TimerToken.none
    /// Where GOAWAY sent us.
    var relocation: String?
    var welcomedAt: UInt64 = 0
    var lastEnd: ConnectionEnd?
    var epoch: Uuid?
    var position: UInt64 = 0
    /// Why there is no coming back.
    var over: UsherError?
    var firstConnect: ((Result<Void, UsherError>) -> Void)?

    var operations: [UInt64: Operation] = [:]
    var running: [CallID: Operation] = [:]

    init(urls: [ServerURL], tls: TLSContext, identity: ClientIdentity, options: ClientOptions, shared: SharedState) {
        self.urls = urls
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
            let call = try connection.open(
                path: operation.method.description, request: operation.request,
                operation.options(now: now, window: options.streamWindow))
            operation.call = call
            operation.wasSent = true
            running[call] = operation
        } catch {
            switch error {
            case .closed, .goingAway, .tooManyCalls, .idsExhausted: break  // its time comes
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
        if let call = operation.call { connection?.cancel(call) }
        finish(operation, .failure(.cancelled))
    }

    /// The consumer of a stream has taken messages.
    func consumed(_ id: UInt64, _ count: UInt32) {
        guard let operation = operations[id] else { return }
        operation.unconsumed -= min(operation.unconsumed, count)
        if let call = operation.call { connection?.credit(call, messages: count) }
    }

    private func timeIsUp(_ operation: Operation) {
        if let call = operation.call { connection?.cancel(call) }
        let mayHaveHappened = operation.wasSent && operation.requestID != nil
        finish(operation, .failure(.refused(.deadlineExceeded(mayHaveHappened: mayHaveHappened))))
    }

    /// The server refused a call.
    private func refused(_ operation: Operation, _ status: Status) {
        let left = operation.deadline.map { $0 - min($0, now) }
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
        hub.loop.schedule(after: max(delay, operation.backoff.next())) { [weak self] in
            operation.isResting = false
            self?.send(operation)
        }
    }

    /// Takes all operations off a connection that ends, to be sent again on the next.
    func takeBack(from connection: ClientConnection) {
        let calls = running
        running = [:]
        for lost in connection.unanswered {
            guard let operation = calls[lost.call] else { continue }
            operation.call = nil
            operation.attempts = lost.attempts
            if case .list = operation.shape, operation.hasReceived {
                finish(operation, .failure(.connection("The connection was lost in the middle of the list. Ask again.")))
            }
        }
        // What the machine had ended without telling: closed in the moment of its deadline.
        for operation in calls.values { operation.call = nil }
    }
}

// MARK: - From the connection

extension ClientSession: ClientConnectionHandler {
    func welcomed(_ connection: ClientConnection, _ welcome: Welcome) {
        candidate = nil
        untried = []
        relocation = nil
        let old = self.connection
        self.connection = connection
        welcomedAt = now
        if let old {
            note(old)
            takeBack(from: old)
            old.close(.goingAway, reason: "moved")
        }
        shared.set(welcome: welcome, epoch: connection.epoch, position: connection.position)
        shared.tell(.connected(welcome))
        if let firstConnect {
            self.firstConnect = nil
            firstConnect(.success(()))
        }
        sendWaiting()
    }

    func message(_ connection: ClientConnection, _ call: CallID, _ message: MessageView) {
        guard connection === self.connection, let operation = running[call] else { return }
        operation.take(message)
        shared.set(position: connection.position)
    }

    func closed(_ connection: ClientConnection, _ call: CallID, _ close: CloseView) {
        guard connection === self.connection, let operation = running.removeValue(forKey: call) else { return }
        operation.call = nil
        shared.set(position: connection.position)
        if close.status.code == .ok {
            finish(operation, .success(.init(payload: [UInt8](copying: close.payload), position: close.position)))
        } else {
            refused(operation, close.status)
        }
        sendWaiting()
    }

    func goingAway(_ connection: ClientConnection, _ goAway: GoAway) {
        guard connection === self.connection else { return }
        if !goAway.host.isEmpty { relocation = goAway.host }
        let delay = UInt64(goAway.reconnectAfterMs) + UInt64.random(in: 0...UInt64(goAway.jitterMs))
        shared.tell(.moving(goAway.reason))
        beginRound(after: delay)
    }

    func ended(_ connection: ClientConnection, _ end: ConnectionEnd) {
        if connection === candidate {
            candidate = nil
            lastEnd = end
            candidateFailed(end)
        } else if connection === self.connection {
            self.connection = nil
            note(connection)
            takeBack(from: connection)
            lost(end)
        }
    }

    /// Keeps what the connection has seen.
    private func note(_ connection: ClientConnection) {
        epoch = connection.epoch
        position = connection.position
        shared.set(epoch: epoch, position: position)
    }
}
