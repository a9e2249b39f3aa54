import Calls
import Testing
import UsherAPI
import Wire

// Client and server joined by two queues of WebSocket messages, and everything that can happen at random: calls,
// cancels, answers, deadlines, credit, delivery. One seed, one world.

@Suite struct BackToBackTests {
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `every call ends exactly once and nothing is lost on the way`(seed: UInt64) throws {
        let world = World(seed: seed)
        do {
            for _ in 0..<600 { try world.step() }
            try world.settle()
        } catch {
            Issue.record("seed \(seed): \(error)")
            return
        }
        #expect(world.opened > 10, "seed \(seed): a world where nothing happens shows nothing")
        let ends = world.client.ends
        #expect(ends.count == world.opened && ends.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(world.closesOnTheWire.count == world.opened, "seed \(seed)")
        #expect(world.closesOnTheWire.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(world.clientRunning == 0 && world.serverRunning == 0, "seed \(seed)")
        for (call, sequences) in world.client.sequences {
            let sent = world.sent[call] ?? 0
            #expect(sequences == Array(1...UInt64(sequences.count)), "seed \(seed), call \(call)")
            if !world.client.givenUp.contains(call) {
                #expect(sequences.count == sent, "seed \(seed), call \(call): everything that was sent has come")
            }
        }
    }
}

/// What the client's side has seen of each call.
struct Caller: ClientCallsHandler {
    var isWelcome = false
    var ends: [CallID: Int] = [:]
    var sequences: [CallID: [UInt64]] = [:]
    /// Cancelled or out of time: later messages do not count.
    var givenUp: Set<CallID> = []

    mutating func welcome(_ welcome: Welcome, in calls: inout ClientCalls, output: inout [UInt8]) { isWelcome = true }

    mutating func message(
        _ call: CallID, _ message: MessageView, in calls: inout ClientCalls, output: inout [UInt8]
    ) {
        precondition(ends[call] == nil, "a message after the end")
        sequences[call, default: []].append(message.sequence)
    }

    mutating func closed(_ call: CallID, _ close: CloseView, in calls: inout ClientCalls, output: inout [UInt8]) {
        ends[call, default: 0] += 1
        if close.status.code == .deadlineExceeded { givenUp.insert(call) }
    }

    mutating func goAway(_ goAway: GoAway, in calls: inout ClientCalls, output: inout [UInt8]) {}
}

/// A server's handlers: calls that run until the world ends them, or are answered in place.
struct Callee: ServerCallsHandler {
    var running: [CallID] = []
    var answersInPlace = false

    mutating func hello(_ hello: Hello, in calls: inout ServerCalls, output: inout [UInt8]) {
        calls.welcome(Welcome(epoch: Uuid(high: 1, low: 1)), pingFraction: 0.1, output: &output)
    }

    mutating func opened(
        _ call: CallID, _ open: OpenView, deadline: UInt64?, in calls: inout ServerCalls, output: inout [UInt8]
    ) {
        if answersInPlace {
            calls.reply(call, Notice(number: 1), output: &output)
        } else {
            running.append(call)
        }
    }

    mutating func credited(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        precondition(calls.canSend(call))
    }

    mutating func cancelled(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        precondition(running.contains(call) && !calls.canSend(call))
        guard call.rawValue % 2 == 0 else { return }  // the others are ended later
        running.removeAll { $0 == call }
        calls.close(call, .cancelled(), output: &output)
    }

    mutating func expired(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
        precondition(running.contains(call) && !calls.canSend(call))
        guard call.rawValue % 3 == 0 else { return }
        running.removeAll { $0 == call }
        calls.close(call, .ok, output: &output)
    }
}

final class World {
    private var random: Seeded
    private var now: UInt64 = 1
    private var clientCalls: ClientCalls
    private var serverCalls: ServerCalls
    var client = Caller()
    private var server = Callee()
    private var clientOutput: [UInt8] = []
    private var serverOutput: [UInt8] = []
    private var toServer: [[UInt8]] = []
    private var toClient: [[UInt8]] = []

    private(set) var opened = 0
    private(set) var closesOnTheWire: [UInt32: Int] = [:]
    private(set) var sent: [CallID: Int] = [:]

    var clientRunning: Int { clientCalls.runningCount }
    var serverRunning: Int { serverCalls.runningCount }

    init(seed: UInt64) {
        random = Seeded(seed)
        let limits = CallLimits(
            runningCalls: Int.random(in: 1...8, using: &random), pingMilliseconds: 100_000,
            opens: random.chance(30) ? RateLimit(perSecond: 50, burst: 5) : .unlimited, refusals: .unlimited,
            cancels: .unlimited,
            bytes: .unlimited)
        clientCalls = ClientCalls(limits: limits, now: now)
        serverCalls = ServerCalls(limits: limits, now: now)
        clientCalls.hello(Hello(), now: now, output: &clientOutput)
    }

    func step() throws {
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1, 2: open()
        case 3: cancel()
        case 4, 5, 6: serve()
        case 7, 8: try deliverToServer()
        case 9, 10: try deliverToClient()
        default: try pass(UInt64.random(in: 0...40, using: &random))
        }
    }

    /// Ends what runs and delivers what is under way.
    func settle() throws {
        for call in server.running { serverCalls.close(call, .ok, output: &serverOutput) }
        server.running = []
        server.answersInPlace = true
        while try deliverToServer() || deliverToClient() {}
    }

    private func open() {
        let isStream = random.chance(60)
        let options = CallOptions(
            timeoutMilliseconds: random.chance(40) ? UInt32.random(in: 1...60, using: &random) : 0,
            requestID: random.chance(50) ? Uuid(high: random.next(), low: 1) : nil,
            credit: isStream ? UInt32.random(in: 1...5, using: &random) : 0)
        do throws(OpenRefusal) {
            _ = try clientCalls.open(.join, Notice(number: 7), options, now: now, output: &clientOutput)
            opened += 1
        } catch {
            precondition(error == .tooManyCalls)
        }
    }

    private func cancel() {
        guard let call = clientCalls.unanswered.randomElement(using: &random)?.call else { return }
        client.givenUp.insert(call)
        clientCalls.cancel(call, output: &clientOutput)
    }

    private func serve() {
        guard let call = server.running.randomElement(using: &random) else { return }
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            server.running.removeAll { $0 == call }
            serverCalls.reply(call, Notice(number: 3), output: &serverOutput)
            serverCalls.close(call, .ok, output: &serverOutput)
        case 1:
            server.running.removeAll { $0 == call }
            serverCalls.close(call, Status(.soldOut, "None is left."), output: &serverOutput)
        case 2:
            serverCalls.submitted(call)
        default:
            let could = serverCalls.canSend(call)
            let sequence = (sent[call] ?? 0) + 1
            let result = serverCalls.message(
                call, sequence: UInt64(sequence), position: 1, payload: Notice(number: 9), output: &serverOutput)
            precondition(could == (result == .sent))
            if could { sent[call] = sequence }
        }
    }

    private func pass(_ milliseconds: UInt64) throws {
        now += milliseconds
        try serverCalls.expire(now: now, output: &serverOutput, handler: &server)
        try clientCalls.expire(now: now, output: &clientOutput, handler: &client)
    }

    @discardableResult
    private func deliverToServer() throws -> Bool {
        toServer += divide(&clientOutput)
        guard !toServer.isEmpty else { return false }
        let message = toServer.removeFirst()
        try serverCalls.receive(message.rawSpan, now: now, output: &serverOutput, handler: &server)
        return true
    }

    @discardableResult
    private func deliverToClient() throws -> Bool {
        toClient += divide(&serverOutput)
        guard !toClient.isEmpty else { return false }
        let message = toClient.removeFirst()
        for word in words(message) where word.hasPrefix("CLOSE ") {
            closesOnTheWire[UInt32(word.split(separator: " ")[1])!, default: 0] += 1
        }
        try clientCalls.receive(message.rawSpan, now: now, output: &clientOutput, handler: &client)
        return true
    }

    /// A turn's output as messages of one or more whole frames.
    private func divide(_ output: inout [UInt8]) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        while !output.isEmpty {
            let length = output.rawSpan.wholeFrames(within: Int.random(in: 1...200, using: &random))
            messages.append(Array(output.prefix(length)))
            output.removeFirst(length)
        }
        return messages
    }
}
