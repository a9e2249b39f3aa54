import Calls
import Client
import Reactor
import Synchronization
import Testing
import UsherAPI
import WebSocket
import Wire

/// What a client did, as a scripted server saw it.
struct Arrived: Sendable {
    enum Kind: Sendable, Equatable {
        case hello(Hello)
        case opened(UsherAPI.Method)
        case cancelled
        case credited
    }

    var kind: Kind
    /// The n-th connection of this server, from 1.
    var connection: Int
    var call: CallID?
    var requestID: Uuid?
    var attempts: UInt32 = 0
    var lastSequence: UInt64 = 0
    var credit: UInt32 = 0
    var position: UInt64 = 0
    var queueToken: String?
}

/// A server on a real socket, without TLS and without a sale, that does what a test's script says. The script runs on
/// the server's loop for each thing that arrives.
final class ScriptedServer: Sendable {
    let url: ServerURL
    private let control: EventLoop.Control
    private let thread: Reactor.Thread
    private let note: Note
    private let isStopped = Atomic(false)

    init(epoch: UInt64 = 1, _ script: @escaping @Sendable (Arrived, ScriptedPeer) -> Void) throws {
        let port = try ListeningPort(.loopback(port: 0))
        url = try ServerURL("ws://\(port.address)")
        let loop = try EventLoop()
        control = loop.control
        let socket = port.sockets[0]
        let note = Note()
        self.note = note
        thread = try Reactor.Thread.start(name: "scripted") {
            var count = 0
            do {
                try loop.listen(on: socket) { connection in
                    count += 1
                    return ScriptedPeer(connection, number: count, epoch: epoch, loop: loop) { arrived, peer in
                        note.add(arrived)
                        script(arrived, peer)
                    }
                }
            } catch {
                Issue.record(error)
            }
            loop.run()
        }
    }

    /// All that has arrived so far.
    var arrived: [Arrived] { note.all }

    /// Ends it, as a killed process would. Once or twice.
    func stop() {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        control.stop()
        thread.join()
    }

    private final class Note: Sendable {
        private let list = Mutex<[Arrived]>([])
        func add(_ arrived: Arrived) { list.withLock { $0.append(arrived) } }
        var all: [Arrived] { list.withLock { $0 } }
    }
}

/// One connection of a scripted server. Confined to its loop.
final class ScriptedPeer: ConnectionHandler {
    let number: Int
    /// Of the journal, both halves.
    let epoch: UInt64
    let loop: EventLoop
    private let connection: Connection
    private let script: (Arrived, ScriptedPeer) -> Void
    private var reader: HTTPHeadReader? = HTTPHeadReader()
    private var socket: WebSocket?
    private let deflate = DeflateContext()
    fileprivate var calls: ServerCalls
    fileprivate var frames: [UInt8] = []
    fileprivate var events: [Arrived] = []

    init(
        _ connection: Connection, number: Int, epoch: UInt64, loop: EventLoop,
        script: @escaping (Arrived, ScriptedPeer) -> Void
    ) {
        self.connection = connection
        self.number = number
        self.epoch = epoch
        self.loop = loop
        self.script = script
        calls = ServerCalls(limits: .visitor, now: loop.now)
    }

    // MARK: What scripts say

    func reply(_ call: CallID?, _ response: some WireEncodable, position: UInt64 = 0) {
        guard let call else { return }
        calls.reply(call, response, position: position, output: &frames)
        flush()
    }

    func refuse(_ call: CallID?, _ reason: Reason, details: ErrorDetails? = nil) {
        guard let call else { return }
        calls.close(call, Status(reason, "As the script says.", details: details), output: &frames)
        flush()
    }

    func end(_ call: CallID?) {
        guard let call else { return }
        calls.close(call, .ok, output: &frames)
        flush()
    }

    @discardableResult
    func message(_ call: CallID?, sequence: UInt64, position: UInt64 = 0, reset: Bool = false, _ payload: some WireEncodable)
        -> SendResult
    {
        guard let call else { return .ended }
        let result = calls.message(
            call, sequence: sequence, position: position, reset: reset, payload: payload, output: &frames)
        flush()
        return result
    }

    func goAway(_ goAway: GoAway) {
        calls.goAway(goAway, output: &frames)
        flush()
    }

    /// Breaks the connection off.
    func abort() { connection.abort() }

    /// Closes the WebSocket with a code.
    func close(_ code: UInt16, _ reason: String = "") {
        var output: [UInt8] = []
        socket?.close(WebSocketCloseCode(rawValue: code), reason: reason, to: &output)
        connection.write(output)
        connection.close()
    }

    /// Sends a whole WebSocket message of any bytes.
    func send(_ bytes: [UInt8]) {
        var output: [UInt8] = []
        socket?.send(.binary, bytes.rawSpan, to: &output)
        connection.write(output)
    }

    // MARK: Bytes

    func connected(_ connection: Connection) {}

    func closed(_ connection: Connection, _ cause: CloseCause) {}

    func received(_ connection: Connection, _ bytes: consuming MutableRawSpan) {
        var bytes = bytes
        guard socket != nil else {
            upgrade(&bytes)
            return
        }
        var output: [UInt8] = []
        var handler = PeerSocketEvents(peer: self)
        socket?.receive(&bytes, deflate: deflate, output: &output, handler: &handler)
        if !output.isEmpty { connection.write(output) }
        flush()
        let events = events
        self.events = []
        for event in events { script(event, self) }
    }

    private func upgrade(_ bytes: inout MutableRawSpan) {
        var consumed = 0
        do {
            guard let head = try reader?.readRequest(bytes.bytes, consumed: &consumed) else { return }
            let acceptance = try UpgradeRequest(head).accept(subprotocols: ["usher.v1"], allowsDeflate: false)
            connection.write(acceptance.response)
            socket = WebSocket(serverWith: WebSocketLimits())
            // The client waits for the answer, so nothing follows yet.
        } catch {
            Issue.record(error)
        }
    }

    fileprivate func take(_ message: RawSpan) {
        var handler = PeerCallEvents(peer: self)
        do {
            try calls.receive(message, now: loop.now, output: &frames, handler: &handler)
        } catch {
            Issue.record("the client broke the protocol: \(error)")
        }
    }

    private func flush() {
        guard !frames.isEmpty else { return }
        var output: [UInt8] = []
        socket?.send(.binary, frames.rawSpan, to: &output)
        frames = []
        connection.write(output)
    }
}

private struct PeerSocketEvents: WebSocketHandler {
    let peer: ScriptedPeer

    mutating func message(_ kind: MessageKind, _ payload: RawSpan, socket: inout WebSocket, output: inout [UInt8]) {
        peer.take(payload)
    }

    mutating func closed(code: WebSocketCloseCode, reason: String, fault: WebSocketFault?) {
        if let fault { Issue.record("the client broke the WebSocket protocol: \(fault)") }
    }
}

private struct PeerCallEvents: ServerCallsHandler {
    let peer: ScriptedPeer

    mutating func hello(_ hello: Hello, in calls: inout ServerCalls, output: inout [UInt8]) {
        var user: Uuid?
        if case .user(let id) = hello.identity { user = id }
        calls.welcome(
            Welcome(instance: "scripted", epoch: Uuid(high: peer.epoch, low: peer.epoch), user: user, development: true),
            pingFraction: 1,
            output: &output)
        peer.events.append(Arrived(kind: .hello(hello), connection: peer.number))
    }

    mutating func opened(
        _ call: CallID, _ open: OpenView, deadline: UInt64?, in calls: inout ServerCalls, output: inout [UInt8]
    ) {
        guard let method = UsherAPI.Method(path: open.method) else { return }
        var queueToken: String?
        if let token = open.metadata("queue-token") { queueToken = String(decoding: [UInt8](copying: token), as: UTF8.self) }
        peer.events.append(
            Arrived(
                kind: .opened(method), connection: peer.number, call: call, requestID: open.requestID, attempts: open.attempts,
                lastSequence: open.lastSequence, credit: open.credit, position: open.position,
                queueToken: queueToken))
    }

    mutating func credited(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        peer.events.append(Arrived(kind: .credited, connection: peer.number, call: call))
    }

    mutating func cancelled(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        calls.close(call, .cancelled(), output: &output)
        peer.events.append(Arrived(kind: .cancelled, connection: peer.number, call: call))
    }

    mutating func expired(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        calls.close(call, .deadlineExceeded(mayHaveHappened: false), output: &output)
    }
}
