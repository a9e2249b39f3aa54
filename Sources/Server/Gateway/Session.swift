import Calls
import Reactor
import UsherAPI
import WebSocket
import Wire

/// One client connection: HTTP head, then WebSocket, then calls. Bytes in, and what the calls answer out; what the calls
/// mean is the gateway's.
///
///     accepted ─▶ head ─┬─▶ calls ─▶ closing ─▶ closed
///                       ├─▶ test  ─▶ closing        (`--echo`; TestEndpoint says what for)
///                       └─▶ one HTTP response ─▶ closed
///
/// Confined to its loop. The state is small and owns bytes only for an unfinished head or message.
final class Session: ConnectionHandler, TimerTarget {
    private enum Phase: Equatable {
        case head
        case calls
        case test(TestEndpoint)
        case closing
        case closed

        /// The HTTP head is over and WebSocket has begun.
        var isSocket: Bool {
            switch self {
            case .calls, .test: true
            case .head, .closing, .closed: false
            }
        }
    }

    /// Outlives every session; held, since an unowned reference is checked and counted at each of a message's uses.
    let gateway: Gateway
    let connection: Connection
    private var phase = Phase.head
    private var reader: HTTPHeadReader? = HTTPHeadReader()
    private var socket: WebSocket?
    var calls: ServerCalls
    private var timer = TimerToken.none
    private var timerDeadline = UInt64.max

    /// Who the connection acts for, once HELLO or Authenticate has said so.
    var identity: Identity?
    /// The highest journal position the client says it has seen, by HELLO; nil: of another journal, whose positions mean
    /// nothing here.
    var seenPosition: UInt64? = 0
    /// Queue tokens that Join bound to this connection, at most one for each concert.
    var tokens: [QueueToken] = []
    var lineStreams: [LineStream] = []
    var seatWatches: [SeatWatch] = []
    /// What the connection is about to be closed for: noted where its machines are at work, done by the next flush.
    private var violation: ConnectionViolation?
    /// The client has gone where this instance has sent it.
    private(set) var hasMoved = false
    /// Why HELLO was refused, if it was.
    private var refusal: String?
    /// Reading is paused while a join waits for room on the way to the sequencer.
    var isPaused = false

    init(_ gateway: Gateway, _ connection: Connection) {
        self.gateway = gateway
        self.connection = connection
        calls = ServerCalls(limits: gateway.limits, now: gateway.loop.now)
    }

    // MARK: Connection

    func connected(_ connection: Connection) {
        gateway.sessions.insert(self)
        setTimer(at: gateway.loop.now + gateway.limits.upgradeMilliseconds)
    }

    func received(_ connection: Connection, _ bytes: consuming MutableRawSpan) {
        var bytes = bytes
        switch phase {
        case .head: readHead(&bytes)
        case .calls, .test: readSocket(&bytes)
        case .closing, .closed: break
        }
    }

    func writable(_ connection: Connection) { goOn() }

    /// The slow reader has caught up: sends what is owed, and reads again.
    func goOn() {
        gateway.backlogged.remove(self)
        if !isPaused { connection.resumeReading() }
        for stream in lineStreams where stream.isOwed { gateway.sendUpdate(stream) }
        for watch in seatWatches where watch.isOwed { gateway.sendSeats(watch) }
        flush()
    }

    func closed(_ connection: Connection, _ cause: CloseCause) {
        phase = .closed
        gateway.loop.cancel(timer)
        gateway.sessionEnded(self)
    }

    /// Whether output waits for a slow reader, so that state streams conflate and no more is read.
    var isBacklogged: Bool { connection.unsentBytes > gateway.limits.outputBytes }

    /// Whether a stream's next message has to wait, with the frames not flushed yet; it is then owed.
    func mustWait() -> Bool {
        guard connection.unsentBytes + gateway.frames.count > gateway.limits.outputBytes else { return false }
        if gateway.backlogged.insert(self).inserted { gateway.goOnSoon(self) }
        return true
    }

    // MARK: HTTP

    private func readHead(_ bytes: inout MutableRawSpan) {
        var consumed = 0
        do throws(HTTPFault) {
            guard let head = try reader!.readRequest(bytes.bytes, consumed: &consumed) else { return }
            reader = nil
            answer(head)
        } catch {
            respond(error.response())
            return
        }
        if phase.isSocket, consumed < bytes.byteCount {
            var rest = bytes._mutatingExtracting(droppingFirst: consumed)
            readSocket(&rest)
        }
    }

    private func answer(_ head: HTTPRequestHead) {
        let path = head.path.prefix { $0 != "?" }
        switch path {
        case "/v1": upgrade(head, to: .calls)
        default:
            if gateway.settings.echo, let endpoint = TestEndpoint(path: path) {
                upgrade(head, to: .test(endpoint))
            } else {
                respond(gateway.page(head, path: String(path)))
            }
        }
    }

    private func upgrade(_ head: HTTPRequestHead, to next: Phase) {
        do throws(UpgradeRefusal) {
            let request = try UpgradeRequest(head)
            guard gateway.origins.allow(request.origin, host: request.host) else { throw .originNotAllowed }
            var endpoint: TestEndpoint?
            if case .test(let asked) = next { endpoint = asked }
            let acceptance = try request.accept(
                subprotocols: endpoint == nil ? [gateway.subprotocol] : [], requiresSubprotocol: endpoint == nil,
                allowsDeflate: true)
            connection.write(acceptance.response)
            socket = WebSocket(
                serverWith: endpoint == nil ? gateway.socketLimits : gateway.echoLimits, deflate: acceptance.agreement.deflate)
            phase = next
            calls = ServerCalls(limits: gateway.limits, now: gateway.loop.now)
            setTimer(at: endpoint == nil ? calls.nextLivenessDeadline ?? .max : .max)
            if endpoint == .subscribe { gateway.subscribers.insert(self) }
        } catch {
            gateway.metrics.upgradesRefused.add()
            respond(error.response(includesBody: head.method != "HEAD"))
        }
    }

    /// One response, then the end: keeping HTTP connections alive is not this port's business.
    private func respond(_ response: [UInt8]) {
        connection.write(response)
        phase = .closing
        connection.close()
    }

    // MARK: WebSocket

    private func readSocket(_ bytes: inout MutableRawSpan) {
        calls.heard(now: gateway.loop.now)
        count(.bytes, bytes.byteCount)
        var events = SocketEvents(session: self)
        gateway.wire.removeAll(keepingCapacity: true)
        socket!.receive(&bytes, deflate: gateway.deflate, output: &gateway.wire, handler: &events)
        if !gateway.wire.isEmpty { connection.write(gateway.wire) }
        gateway.handleArrived(of: self)
        flush()
        if phase == .closing { connection.close() }
        if isBacklogged {
            // Whoever asks and does not read is asked to wait in turn: answers are bounded by the calls that run.
            gateway.backlogged.insert(self)
            connection.pauseReading()
        }
        updateTimer()
    }

    /// A whole message has come.
    fileprivate func take(_ kind: MessageKind, _ payload: RawSpan, socket: inout WebSocket, output: inout [UInt8]) {
        switch phase {
        case .calls: break
        case .test(.echo):
            socket.send(kind, payload, deflate: gateway.deflate, to: &output)
            return
        case .test(.publish):
            gateway.publish(kind, payload)
            return
        case .test(.subscribe), .head, .closing, .closed: return
        }
        guard kind == .binary else {
            socket.close(.unsupportedData, reason: "binary messages only", to: &output)
            phase = .closing
            return
        }
        if socket.messageIsCompressed { count(.bytes, payload.byteCount) }
        var events = CallEvents(session: self)
        do throws(ConnectionViolation) {
            try calls.receive(payload, now: gateway.loop.now, output: &gateway.frames, handler: &events)
            if let refusal {
                socket.close(.init(UsherAPI.CloseCode.identityRefused), reason: refusal, to: &output)
                phase = .closing
            }
        } catch {
            gateway.metrics.violations.add()
            // What was answered before the offence goes out first.
            append(&gateway.frames, to: &output, through: &socket)
            socket.close(.init(error.closeCode), reason: error.reason, to: &output)
            phase = .closing
        }
    }

    /// Counts towards a limit past which the connection ends, with the next flush.
    func count(_ kind: ConnectionViolation.FloodKind, _ amount: Int = 1) {
        guard phase == .calls else { return }
        do throws(ConnectionViolation) {
            try calls.count(kind, amount, now: gateway.loop.now)
        } catch {
            violation = error
        }
    }

    /// HELLO's identity was refused: nothing else will do on this connection.
    func refuseHello(_ why: String) {
        refusal = why
    }

    fileprivate func peerClosed(_ code: WebSocketCloseCode) {
        hasMoved = gateway.farewell != nil && code == .goingAway
        calls.shut()
        phase = .closing
    }

    /// Ends the connection for a reason of ours. Nothing is sent after it.
    func close(_ code: UsherAPI.CloseCode, reason: String) {
        guard phase == .calls, socket != nil else {
            connection.close()
            return
        }
        writeFrames()
        calls.shut()
        gateway.wire.removeAll(keepingCapacity: true)
        socket!.close(.init(code), reason: reason, to: &gateway.wire)
        connection.write(gateway.wire)
        phase = .closing
        connection.close()
    }

    /// Sends the frames that were appended to `gateway.frames` for this session, as few WebSocket messages as the frame
    /// limit allows; they leave in one write at the end of the visit. Then closes the connection if there is a reason to.
    func flush() {
        writeFrames()
        guard let violation else { return }
        self.violation = nil
        gateway.metrics.violations.add()
        close(violation.closeCode, reason: violation.reason)
    }

    private func writeFrames() {
        guard !gateway.frames.isEmpty else { return }
        guard phase == .calls, socket != nil else {
            gateway.frames.removeAll(keepingCapacity: true)
            return
        }
        gateway.wire.removeAll(keepingCapacity: true)
        append(&gateway.frames, to: &gateway.wire, through: &socket!)
        connection.write(gateway.wire)
        gateway.metrics.pushedBytes.add(UInt64(gateway.wire.count))
    }

    private func append(_ frames: inout [UInt8], to output: inout [UInt8], through socket: inout WebSocket) {
        var start = 0
        while start < frames.count {
            let rest = frames.rawSpan.extracting(droppingFirst: start)
            let count = rest.wholeFrames(within: gateway.limits.messageBytes)
            socket.send(.binary, rest.extracting(first: count), to: &output)
            start += count
        }
        frames.removeAll(keepingCapacity: true)
    }

    // MARK: Time

    /// Deadlines of calls and of the connection's life share one timer.
    func updateTimer() {
        guard phase == .calls else { return }
        setTimer(at: min(calls.nextLivenessDeadline ?? .max, calls.nextCallDeadline ?? .max))
    }

    private func setTimer(at deadline: UInt64) {
        // A deadline that moves away is looked at when the old one fires: life is extended by every message.
        guard deadline < timerDeadline else { return }
        gateway.loop.cancel(timer)
        timerDeadline = deadline
        timer = gateway.loop.schedule(after: deadline - min(deadline, gateway.loop.now), self)
    }

    func timerFired(_ tag: Int) {
        timerDeadline = .max
        switch phase {
        case .head:
            respond(HTTPResponse.encode(.requestTimeout))
        case .calls:
            var events = CallEvents(session: self)
            do throws(ConnectionViolation) {
                try calls.expire(now: gateway.loop.now, output: &gateway.frames, handler: &events)
                gateway.handleArrived(of: self)
                flush()
                updateTimer()
            } catch {
                close(error.closeCode, reason: error.reason)
            }
        case .test, .closing, .closed:
            break
        }
    }

    /// Sends a message that was framed for many; who reads too slowly for it is left out.
    func send(_ frame: PreparedFrame) {
        guard socket?.isOpen == true, !isBacklogged else { return }
        connection.write(socket!.bytes(of: frame))
    }
}

extension Session: Hashable {
    static func == (left: Session, right: Session) -> Bool { left === right }

    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension WebSocketCloseCode {
    /// The catalogue's code as the WebSocket carries it.
    fileprivate init(_ code: UsherAPI.CloseCode) { self.init(rawValue: code.rawValue) }
}

/// Hands WebSocket events to the session while its socket is at work.
private struct SocketEvents: WebSocketHandler {
    let session: Session

    mutating func message(_ kind: MessageKind, _ payload: RawSpan, socket: inout WebSocket, output: inout [UInt8]) {
        session.take(kind, payload, socket: &socket, output: &output)
    }

    mutating func closed(code: WebSocketCloseCode, reason: String, fault: WebSocketFault?) {
        session.peerClosed(code)
    }

    // Answering one costs little, but the bytes of control frames count nowhere else.
    mutating func ping(_ payload: RawSpan) { session.count(.pings) }

    mutating func pong(_ payload: RawSpan) { session.count(.pings) }
}

/// Hands call events to the gateway while the call machine is at work: what needs the machine for an answer is noted and
/// handled after it.
private struct CallEvents: ServerCallsHandler {
    let session: Session

    mutating func hello(_ hello: Hello, in calls: inout ServerCalls, output: inout [UInt8]) {
        session.gateway.hello(hello, session, in: &calls, output: &output)
    }

    mutating func opened(
        _ call: CallID, _ open: OpenView, deadline: UInt64?, in calls: inout ServerCalls, output: inout [UInt8]
    ) {
        do throws(Status) {
            session.gateway.arrived.append(try IncomingCall(call, open))
        } catch {
            calls.close(call, error, output: &output)
        }
    }

    mutating func credited(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        session.gateway.credited.append(call)
    }

    mutating func cancelled(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        session.gateway.ended.append((call, .cancelled(mayHaveHappened: false)))
    }

    mutating func expired(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        session.gateway.ended.append((call, .deadlineExceeded(mayHaveHappened: false)))
    }
}
