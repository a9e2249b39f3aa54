import Calls
import Testing
import UsherAPI
import Wire

// Whatever comes, the machines take it in or throw; they never trap, and after a throw they are silent.

@Suite struct FuzzTests {
    private static let clientWords: [UInt8] =
        frame(Hello(clientName: "fan", identity: .user(Uuid(high: 1, low: 2)), epoch: Uuid(high: 3, low: 4), position: 5))
        + frame(
            Open(
                method: "/usher.v1.Line/Join", timeoutMs: 500, metadata: [Metadata(key: "queue-token", value: [1, 2])],
                requestId: Uuid(high: 5, low: 6), attempts: 1, credit: 2, lastSequence: 3, position: 4,
                request: [1, 2, 3]), call: 1)
        + frame(Credit(messages: 300), call: 1) + frame(Ping(data: 7)) + open(2, timeout: 1) + frame(Cancel(), call: 2)
        + frame(Pong(data: 1)) + frame(kind: 20, flags: .ignorable, call: 9, body: [1, 2, 3])

    private static let serverWords: [UInt8] =
        frame(Welcome(instance: "a", epoch: Uuid(high: 1, low: 1), pingIntervalMs: 9, limits: CallLimits.visitor.told))
        + frame(Message(sequence: 1, position: 2, reset: true, payload: [1, 2, 3]), call: 1) + frame(Ping(data: 7))
        + frame(
            Close(
                code: .aborted, reason: "SEAT_TAKEN", message: "Taken.", details: ErrorDetails(seats: [1, 300]),
                trailers: [Metadata(key: "a", value: [1])], position: 9, payload: [4]), call: 2)
        + frame(GoAway(lastCall: 2, reason: "SHUTTING_DOWN", host: "b")) + frame(Close(position: 1), call: 1)

    /// A server that acts on everything it is told.
    private static func server() -> ServerBench {
        let bench = ServerBench(CallLimits(runningCalls: 3), greeted: false)
        bench.recorder.onOpen = { call, calls, output in
            calls.message(call, sequence: 1, position: 1, payload: Notice(number: 1), output: &output)
            if call.rawValue % 4 == 0 { calls.reply(call, Notice(number: 2), output: &output) }
        }
        return bench
    }

    private static func client() -> ClientBench {
        let bench = ClientBench(greeted: false)
        _ = try! bench.open(CallOptions(timeoutMilliseconds: 50, credit: 2))
        _ = try! bench.open()
        bench.output = []
        return bench
    }

    @Test func `every strict prefix of a conversation is taken in up to its last whole frame`() {
        for (words, isClient) in [(Self.clientWords, true), (Self.serverWords, false)] {
            var boundaries: Set<Int> = []
            var end = 0
            while end < words.count {
                end += Array(words[end...]).rawSpan.wholeFrames(within: 1)
                boundaries.insert(end)
            }
            for length in 0...words.count {
                let prefix = Array(words.prefix(length))
                let violation = isClient ? Self.server().violation(prefix) : Self.client().violation(prefix)
                #expect((violation == nil) == boundaries.contains(length), "\(length) bytes: \(String(describing: violation))")
            }
        }
    }

    @Test func `every byte of a conversation may be any other`() {
        for (words, isClient) in [(Self.clientWords, true), (Self.serverWords, false)] {
            var random = Seeded(11)
            for index in words.indices {
                for flip: UInt8 in [1, 2, 0x80, 0xFF, UInt8.random(in: 1...255, using: &random)] {
                    var changed = words
                    changed[index] ^= flip
                    if isClient { probe(Self.server(), [changed]) } else { probe(Self.client(), [changed]) }
                }
            }
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `random frames never trap`(seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<25 {
            let server = (0..<12).map { _ in Self.randomMessage(&random, Self.clientWords) }
            probe(Self.server(), [frame(Hello())] + server)
            let client = (0..<12).map { _ in Self.randomMessage(&random, Self.serverWords) }
            probe(Self.client(), [frame(Welcome())] + client)
        }
    }

    private static func randomMessage(_ random: inout Seeded, _ words: [UInt8]) -> [UInt8] {
        var message: [UInt8] = []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            var body = (0..<Int.random(in: 0...12, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: body = []
            case 1: body = [8, UInt8.random(in: 0...9, using: &random)]  // field 1, a small number
            case 2: body = Credit(messages: UInt32.random(in: 0...3, using: &random)).encoded()
            default: break
            }
            let kind = UInt8.random(in: random.chance(90) ? 3...9 : 0...31, using: &random)
            let isOfCall = (3...7).contains(kind) != random.chance(2)
            var flags: FrameFlags = (kind == 5) != random.chance(2) ? .end : []
            if random.chance(5) { flags.insert(.ignorable) }
            message += frame(
                kind: kind, flags: flags, call: isOfCall ? UInt32.random(in: 1...9, using: &random) : 0, body: body)
        }
        if random.chance(3) { message.removeLast(Int.random(in: 0...message.count, using: &random)) }
        return message
    }

    private func probe(_ bench: ServerBench, _ messages: [[UInt8]]) {
        for message in messages {
            bench.now += 20
            if bench.violation(message) != nil {
                bench.output = []
                _ = bench.takeEvents()
            }
            try? bench.expire()
            if let call = bench.runningCalls.last, call % 2 == 0 {
                bench.calls.close(CallID(call), .ok, output: &bench.output)
            }
            _ = words(bench.output)
        }
        if bench.isClosed {
            #expect(bench.output == [] && bench.takeEvents() == [])
        }
    }

    private func probe(_ bench: ClientBench, _ messages: [[UInt8]]) {
        for message in messages {
            bench.now += 20
            if bench.violation(message) != nil {
                bench.output = []
                _ = bench.takeEvents()
            }
            try? bench.expire()
            _ = words(bench.output)
        }
        if bench.isClosed {
            #expect(bench.output == [] && bench.takeEvents() == [])
        }
    }
}
