import Calls
import UsherAPI
import Wire

// One side of a connection on the bench: frames go in, what happens is written down as words, frames that come out
// are read back with the generated messages and written down too. Tables of such words are conversations.

/// The server's side, answering HELLO by itself and handling calls as `onOpen` says.
final class ServerBench {
    var calls: ServerCalls
    var recorder = ServerRecorder()
    var output: [UInt8] = []
    var now: UInt64

    init(_ limits: CallLimits = .visitor, greeted: Bool = true, now: UInt64 = 1_000) {
        self.now = now
        calls = ServerCalls(limits: limits, now: now)
        guard greeted else { return }
        try! receive(frame(Hello(clientName: "test")))
        _ = takeOutput()
        _ = takeEvents()
    }

    func receive(_ message: [UInt8]) throws(ConnectionViolation) {
        try calls.receive(message.rawSpan, now: now, output: &output, handler: &recorder)
    }

    func receive<Body: FrameBody>(_ body: Body, call: UInt32 = 0) throws(ConnectionViolation) {
        try receive(frame(body, call: call))
    }

    /// What `receive` throws; nil if it does not.
    func violation(_ message: [UInt8]) -> ConnectionViolation? {
        do throws(ConnectionViolation) {
            try receive(message)
            return nil
        } catch {
            return error
        }
    }

    func expire() throws(ConnectionViolation) {
        try calls.expire(now: now, output: &output, handler: &recorder)
    }

    func takeOutput() -> [String] {
        defer { output = [] }
        return words(output)
    }

    func takeEvents() -> [String] {
        defer { recorder.events = [] }
        return recorder.events
    }

    // What `#expect` asks, since it cannot look at what is not copyable.
    var isClosed: Bool { calls.isClosed }
    var runningCount: Int { calls.runningCount }
    var runningCalls: [UInt32] { calls.runningCalls.map(\.rawValue) }
    var nextCallDeadline: UInt64? { calls.nextCallDeadline }
    var nextLivenessDeadline: UInt64? { calls.nextLivenessDeadline }
    func canSend(_ call: CallID) -> Bool { calls.canSend(call) }
}

struct ServerRecorder: ServerCallsHandler {
    var events: [String] = []
    var onHello: (inout ServerCalls, inout [UInt8]) -> Void = { calls, output in
        calls.welcome(Welcome(instance: "a"), pingFraction: 0.5, output: &output)
    }
    var onOpen: (CallID, inout ServerCalls, inout [UInt8]) -> Void = { _, _, _ in }
    var onExpired: (CallID, inout ServerCalls, inout [UInt8]) -> Void = { _, _, _ in }

    mutating func hello(_ hello: Hello, in calls: inout ServerCalls, output: inout [UInt8]) {
        events.append("hello \(hello.clientName)")
        onHello(&calls, &output)
    }

    mutating func opened(
        _ call: CallID, _ open: OpenView, deadline: UInt64?, in calls: inout ServerCalls, output: inout [UInt8]
    ) {
        let method = String(decoding: [UInt8](copying: open.method), as: UTF8.self)
        events.append("opened \(call.rawValue) \(method)" + (deadline.map { " by \($0)" } ?? ""))
        onOpen(call, &calls, &output)
    }

    mutating func credited(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        events.append("credited \(call.rawValue)")
    }

    mutating func cancelled(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        events.append("cancelled \(call.rawValue)")
    }

    mutating func expired(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        events.append("expired \(call.rawValue)")
        onExpired(call, &calls, &output)
    }

    mutating func pong(roundTripMilliseconds: UInt64) { events.append("pong after \(roundTripMilliseconds)") }
}

/// The client's side.
final class ClientBench {
    var calls: ClientCalls
    var recorder = ClientRecorder()
    var output: [UInt8] = []
    var now: UInt64

    init(_ limits: CallLimits = .visitor, greeted: Bool = true, now: UInt64 = 1_000) {
        self.now = now
        calls = ClientCalls(limits: limits, now: now)
        calls.hello(Hello(clientName: "test", epoch: Uuid(high: 1, low: 1), position: 5), now: now, output: &output)
        guard greeted else { return }
        try! receive(
            frame(Welcome(epoch: Uuid(high: 1, low: 1), pingIntervalMs: UInt32(limits.pingMilliseconds), limits: limits.told)))
        _ = takeOutput()
        _ = takeEvents()
    }

    func receive(_ message: [UInt8]) throws(ConnectionViolation) {
        try calls.receive(message.rawSpan, now: now, output: &output, handler: &recorder)
    }

    func receive<Body: FrameBody>(_ body: Body, call: UInt32 = 0) throws(ConnectionViolation) {
        try receive(frame(body, call: call))
    }

    func violation(_ message: [UInt8]) -> ConnectionViolation? {
        do throws(ConnectionViolation) {
            try receive(message)
            return nil
        } catch {
            return error
        }
    }

    func open(_ options: CallOptions = CallOptions()) throws(OpenRefusal) -> CallID {
        try calls.open(.hold, Notice(number: 1), options, now: now, output: &output)
    }

    func expire() throws(ConnectionViolation) {
        try calls.expire(now: now, output: &output, handler: &recorder)
    }

    func takeOutput() -> [String] {
        defer { output = [] }
        return words(output)
    }

    func takeEvents() -> [String] {
        defer { recorder.events = [] }
        return recorder.events
    }

    // What `#expect` asks, since it cannot look at what is not copyable.
    var isClosed: Bool { calls.isClosed }
    var runningCount: Int { calls.runningCount }
    var nextCallDeadline: UInt64? { calls.nextCallDeadline }
    var nextLivenessDeadline: UInt64? { calls.nextLivenessDeadline }
    var unanswered: [UnansweredCall] { calls.unanswered }
    var position: UInt64 { calls.position }
    var epoch: Uuid? { calls.epoch }
}

struct ClientRecorder: ClientCallsHandler {
    var events: [String] = []
    var onMessage: (CallID, inout ClientCalls, inout [UInt8]) -> Void = { _, _, _ in }

    mutating func welcome(_ welcome: Welcome, in calls: inout ClientCalls, output: inout [UInt8]) {
        events.append("welcome")
    }

    mutating func message(
        _ call: CallID, _ message: MessageView, in calls: inout ClientCalls, output: inout [UInt8]
    ) {
        let reset = message.reset ? " reset" : ""
        events.append(
            "message \(call.rawValue) #\(message.sequence) @\(message.position)\(reset) \([UInt8](copying: message.payload))")
        onMessage(call, &calls, &output)
    }

    mutating func closed(_ call: CallID, _ close: CloseView, in calls: inout ClientCalls, output: inout [UInt8]) {
        let status = close.status
        var words = "closed \(call.rawValue) \(status.code)"
        if !status.reason.isEmpty { words += " \(status.reason)" }
        if status.details?.mayHaveHappened == true { words += " maybe" }
        if close.position > 0 { words += " @\(close.position)" }
        if !close.payload.isEmpty { words += " \([UInt8](copying: close.payload))" }
        events.append(words)
    }

    mutating func goAway(_ goAway: GoAway, in calls: inout ClientCalls, output: inout [UInt8]) {
        events.append("goaway \(goAway.lastCall)")
    }

    mutating func pong(roundTripMilliseconds: UInt64) { events.append("pong after \(roundTripMilliseconds)") }
}

// MARK: Frames

func frame<Body: FrameBody>(_ body: Body, call: UInt32 = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendFrame(body, callID: call)
    return bytes
}

func frame(kind: UInt8, flags: FrameFlags = [], call: UInt32 = 0, body: [UInt8] = [], length: Int? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    FrameHeader(kind: kind, flags: flags, bodyByteCount: UInt32(length ?? body.count), callID: call).append(to: &bytes)
    return bytes + body
}

/// An OPEN of a method that does not matter.
func open(_ call: UInt32, timeout: UInt32 = 0, credit: UInt32 = 0) -> [UInt8] {
    frame(Open(method: "/a/B", timeoutMs: timeout, credit: credit), call: call)
}

/// Every frame of `bytes` in words; traps when they are not whole frames of known messages.
func words(_ bytes: [UInt8]) -> [String] {
    guard !bytes.isEmpty else { return [] }
    var words: [String] = []
    var frames = FrameReader(bytes.rawSpan, bodyBytesMax: 1 << 24)
    while let frame = try! frames.next() {
        let call = frame.header.callID
        switch frame.header.frameKind {
        case .hello: words.append("HELLO")
        case .welcome: words.append("WELCOME")
        case .open:
            let open = try! Open(decoding: frame.body)
            words.append("OPEN \(call) \(open.method)")
        case .message:
            let message = try! Message(decoding: frame.body)
            let reset = message.reset ? " reset" : ""
            words.append("MESSAGE \(call) #\(message.sequence) @\(message.position)\(reset) \(message.payload)")
        case .close:
            precondition(frame.header.flags == .end)
            let close = try! Close(decoding: frame.body)
            var word = "CLOSE \(call) \(close.code)"
            if !close.reason.isEmpty { word += " \(close.reason)" }
            if close.details?.mayHaveHappened == true { word += " maybe" }
            if let limit = close.details?.limit, limit > 0 { word += " limit \(limit)" }
            if let wait = close.details?.retryAfterMs, wait > 0 { word += " in \(wait)" }
            if close.position > 0 { word += " @\(close.position)" }
            if !close.payload.isEmpty { word += " \(close.payload)" }
            words.append(word)
        case .credit: words.append("CREDIT \(call) \(try! Credit(decoding: frame.body).messages)")
        case .cancel: words.append("CANCEL \(call)")
        case .ping: words.append("PING \(try! Ping(decoding: frame.body).data)")
        case .pong: words.append("PONG \(try! Pong(decoding: frame.body).data)")
        case .goAway: words.append("GOAWAY \(try! GoAway(decoding: frame.body).lastCall)")
        case .unspecified, .unrecognized: preconditionFailure("a frame nobody knows")
        }
    }
    return words
}

/// A seeded generator (SplitMix64), so that a failure can be repeated.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}
