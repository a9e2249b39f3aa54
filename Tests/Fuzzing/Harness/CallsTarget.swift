import UsherAPI
import Wire

@testable import Calls

// Both call machines, each fed with frames, times and what its own side does.
//
//   side: even a server, odd a client; then steps: what (one byte), and what it needs
//
// Held by both: what is said is whole frames that this side may send; each call ends once, and nothing is said of it
// afterwards; nothing happens after the end of the machine; what is due by now is done.

extension FuzzTarget {
    static let calls = FuzzTarget("calls", bytesMax: 2048, dictionary: Method.allCases.map { "\($0.path)" }) {
        bytes throws(Finding) in
        var script = Script(bytes)
        if script.byte() & 1 == 0 {
            var server = FuzzedServerCalls()
            try server.play(&script)
        } else {
            var client = FuzzedClientCalls()
            try client.play(&script)
        }
    }
}

/// Frames that are put together from the script: likely kinds and ids, any body.
struct FramePen {
    private(set) var message: [UInt8] = []

    mutating func write(_ script: inout Script) {
        let first = script.byte()
        let id = script.byte()
        let body = script.piece()
        let call = id < 0xF0 ? UInt32(id) : UInt32.max - UInt32(id & 0xF)
        FrameHeader(
            kind: first & 0xF, flags: FrameFlags(rawValue: first >> 4), bodyByteCount: UInt32(body.count), callID: call
        ).append(to: &message)
        message += body
    }

    mutating func write(_ frame: [UInt8]) { message += frame }

    mutating func take() -> [UInt8] {
        defer { message = [] }
        return message
    }
}

/// What one side has said so far, frame by frame.
struct Speech {
    private(set) var frameCount = 0
    private(set) var closed: Set<UInt32> = []
    private let allowed: Set<FrameKind>

    init(_ allowed: Set<FrameKind>) { self.allowed = allowed }

    /// Reads what was appended to the output, and empties it.
    mutating func hear(
        _ output: inout [UInt8], each: (_ kind: FrameKind, _ call: UInt32, _ body: [UInt8]) throws(Finding) -> Void
    )
        throws(Finding)
    {
        defer { output = [] }
        guard !output.isEmpty else { return }
        var reader = FrameReader(output.rawSpan, bodyBytesMax: 64 * 1024)
        while true {
            var next: (header: FrameHeader, body: [UInt8])?
            do throws(FrameError) {
                if let frame = try reader.next() { next = (frame.header, [UInt8](copying: frame.body)) }
            } catch {
                throw Finding("what was said is no frame: \(error)")
            }
            guard let (header, body) = next else { return }
            frameCount += 1
            let kind = header.frameKind
            try demand(allowed.contains(kind), "this side said \(kind)")
            try demandEqual(header.flags, kind == .close ? .end : [], "flags of \(kind)")
            try demand(!closed.contains(header.callID), "\(kind) of call \(header.callID), which has ended")
            if kind == .close { closed.insert(header.callID) }
            try each(kind, header.callID, body)
        }
    }
}

/// The server's side.
private struct FuzzedServerCalls: ~Copyable {
    var calls = ServerCalls(limits: .fuzzed, now: 1_000)
    var handler = Handler()
    var speech = Speech([.welcome, .message, .close, .ping, .pong, .goAway])
    var output: [UInt8] = []
    var now: UInt64 = 1_000
    var pen = FramePen()

    struct Handler: ServerCallsHandler {
        var opened: [UInt32: Int] = [:]
        var ended: Set<UInt32> = []
        var highest: UInt32 = 0
        var eventCount = 0
        var broken: String?

        mutating func hello(_ hello: Hello, in calls: inout ServerCalls, output: inout [UInt8]) {
            eventCount += 1
            if hello.clientName == "nobody" {
                calls.shut()
            } else {
                calls.welcome(Welcome(instance: "a"), pingFraction: 0.5, output: &output)
            }
        }

        mutating func opened(
            _ call: CallID, _ open: OpenView, deadline: UInt64?, in calls: inout ServerCalls, output: inout [UInt8]
        ) {
            eventCount += 1
            if call.rawValue <= highest { broken = "call \(call.rawValue) came after \(highest)" }
            if calls.runningCount > calls.limits.runningCalls { broken = "\(calls.runningCount) calls run" }
            highest = call.rawValue
            opened[call.rawValue] = open.request.byteCount
            if open.credit == 0, open.attempts == 1 {
                calls.reply(call, Notice(number: 1), position: 2, output: &output)
                ended.insert(call.rawValue)
            }
        }

        mutating func credited(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
            note(call, "credited")
            calls.message(call, sequence: 1, position: 1, payload: Notice(number: 3), output: &output)
        }

        mutating func cancelled(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
            note(call, "cancelled")
            guard call.rawValue % 2 == 0 else { return }
            calls.close(call, .cancelled(), output: &output)
            ended.insert(call.rawValue)
        }

        mutating func expired(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) { note(call, "expired") }

        private mutating func note(_ call: CallID, _ what: String) {
            eventCount += 1
            if opened[call.rawValue] == nil || ended.contains(call.rawValue) {
                broken = "call \(call.rawValue), which does not run, is \(what)"
            }
        }
    }

    mutating func play(_ script: inout Script) throws(Finding) {
        while !script.isAtEnd {
            try step(&script)
            if let broken = handler.broken { throw Finding(broken) }
            let running = calls.runningCount
            try demandEqual(running, handler.opened.count - handler.ended.count, "calls that run")
            try listen()
        }
        let isClosed = calls.isClosed
        for call in calls.runningCalls { calls.close(call, .ok, output: &output) }
        try listen()
        guard !isClosed else { return }
        let unanswered = handler.opened.keys.filter { !speech.closed.contains($0) }
        try demandEqual(unanswered, [], "calls without an end")
    }

    private mutating func listen() throws(Finding) {
        let highest = calls.highestCall
        try speech.hear(&output) { (kind, call, body) throws(Finding) in
            guard kind == .message || kind == .close else {
                try demandEqual(call, 0, "call of \(kind)")
                return
            }
            try demand((1...max(1, highest)).contains(call), "\(kind) of call \(call), which was never opened")
            try demand(body.count < 1024, "\(body.count) bytes of \(kind)")
        }
    }

    private mutating func step(_ script: inout Script) throws(Finding) {
        let wasClosed = calls.isClosed
        let events = handler.eventCount
        let what = script.byte()
        switch what % 8 {
        case 0: receive(script.piece())
        case 1: pen.write(&script)
        case 2: receive(pen.take())
        case 3: try expire(after: UInt64(script.word()))
        case 4:
            let call = CallID(UInt32(max(1, script.byte())))
            calls.message(call, sequence: 1, position: 1, payload: Notice(number: 2), output: &output)
        case 5:
            let call = CallID(UInt32(max(1, script.byte())))
            if what & 8 != 0 { calls.submitted(call) }
            let ran = calls.runningCalls.contains(call)
            let isAnswered = calls.close(call, .ok, position: 1, output: &output)
            try demand(ran || !isAnswered, "a call that does not run was answered")
            if ran { handler.ended.insert(call.rawValue) }
        case 6: calls.goAway(GoAway(reason: "SHUTTING_DOWN"), output: &output)
        default: receive(greeting)
        }
        if wasClosed {
            try demand(output.isEmpty && handler.eventCount == events, "life after the end")
        }
    }

    private mutating func receive(_ message: [UInt8]) {
        do throws(ConnectionViolation) {
            try calls.receive(message.rawSpan, now: now, output: &output, handler: &handler)
        } catch {
            if error.reason.utf8.count > 123 { handler.broken = "a reason of \(error.reason.utf8.count) bytes: \(error)" }
            if !calls.isClosed { handler.broken = "a violation, and it goes on" }
        }
    }

    private mutating func expire(after milliseconds: UInt64) throws(Finding) {
        now += milliseconds
        try? calls.expire(now: now, output: &output, handler: &handler)
        let next = min(calls.nextCallDeadline ?? .max, calls.nextLivenessDeadline ?? .max)
        try demand(next > now, "what was due at \(next) is still due at \(now)")
    }

    private var greeting: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendFrame(Hello(clientName: "a"), callID: 0)
        return bytes
    }
}

/// The client's side.
private struct FuzzedClientCalls: ~Copyable {
    var calls = ClientCalls(limits: .fuzzed, now: 1_000)
    var handler = Handler()
    var speech = Speech([.hello, .open, .credit, .cancel, .ping, .pong])
    var output: [UInt8] = []
    var now: UInt64 = 1_000
    var pen = FramePen()

    struct Handler: ClientCallsHandler {
        var running: Set<UInt32> = []
        var cancelled: Set<UInt32> = []
        var eventCount = 0
        var broken: String?

        mutating func welcome(_ welcome: Welcome, in calls: inout ClientCalls, output: inout [UInt8]) { eventCount += 1 }

        mutating func message(
            _ call: CallID, _ message: MessageView, in calls: inout ClientCalls, output: inout [UInt8]
        ) {
            eventCount += 1
            if !running.contains(call.rawValue) || cancelled.contains(call.rawValue) {
                broken = "a message of call \(call.rawValue), which nobody waits for"
            }
        }

        mutating func closed(_ call: CallID, _ close: CloseView, in calls: inout ClientCalls, output: inout [UInt8]) {
            eventCount += 1
            if running.remove(call.rawValue) == nil { broken = "call \(call.rawValue) ended twice" }
        }

        mutating func goAway(_ goAway: GoAway, in calls: inout ClientCalls, output: inout [UInt8]) { eventCount += 1 }
    }

    mutating func play(_ script: inout Script) throws(Finding) {
        calls.hello(Hello(clientName: "a", epoch: Uuid(high: 1, low: 1), position: 5), now: now, output: &output)
        while !script.isAtEnd {
            try step(&script)
            if let broken = handler.broken { throw Finding(broken) }
            try speech.hear(&output) { (_, _, _) throws(Finding) in }
        }
        try demandEqual(Set(calls.unanswered.map(\.call.rawValue)), handler.running, "calls without an end")
    }

    private mutating func step(_ script: inout Script) throws(Finding) {
        let wasClosed = calls.isClosed
        let events = handler.eventCount
        switch script.byte() % 8 {
        case 0: receive(script.piece())
        case 1: pen.write(&script)
        case 2: receive(pen.take())
        case 3: try expire(after: UInt64(script.word()))
        case 4:
            let choice = script.byte()
            let options = CallOptions(
                timeoutMilliseconds: UInt32(choice & 3) * 500, requestID: choice & 4 == 0 ? nil : Uuid(high: 1, low: 2),
                credit: UInt32(choice >> 4), replenishesCredit: choice & 8 == 0)
            if let call = try? calls.open(.hold, Notice(number: 1), options, now: now, output: &output) {
                handler.running.insert(call.rawValue)
            }
        case 5:
            let call = CallID(UInt32(max(1, script.byte())))
            calls.cancel(call, output: &output)
            if handler.running.contains(call.rawValue) { handler.cancelled.insert(call.rawValue) }
        case 6:
            calls.credit(CallID(UInt32(max(1, script.byte()))), messages: UInt32(script.byte()), output: &output)
        default:
            var welcome: [UInt8] = []
            welcome.appendFrame(Welcome(instance: "a", epoch: Uuid(high: 1, low: 1), limits: CallLimits.fuzzed.told), callID: 0)
            receive(welcome)
        }
        if wasClosed {
            try demand(output.isEmpty && handler.eventCount == events, "life after the end")
        }
    }

    private mutating func receive(_ message: [UInt8]) {
        do throws(ConnectionViolation) {
            try calls.receive(message.rawSpan, now: now, output: &output, handler: &handler)
        } catch {
            if !calls.isClosed { handler.broken = "a violation, and it goes on" }
        }
    }

    private mutating func expire(after milliseconds: UInt64) throws(Finding) {
        now += milliseconds
        try? calls.expire(now: now, output: &output, handler: &handler)
        let next = min(calls.nextCallDeadline ?? .max, calls.nextLivenessDeadline ?? .max)
        try demand(next > now, "what was due at \(next) is still due at \(now)")
    }
}

extension CallLimits {
    /// Small enough that an input reaches them.
    fileprivate static let fuzzed = CallLimits(
        frameBytes: 2048, runningCalls: 3, metadataBytes: 64, opens: RateLimit(perSecond: 2, burst: 6),
        refusals: RateLimit(perSecond: 2, burst: 6), cancels: RateLimit(perSecond: 2, burst: 4),
        pings: RateLimit(perSecond: 1, burst: 3), bytes: RateLimit(perSecond: 1024, burst: 8192))
}
