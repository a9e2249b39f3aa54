import Calls
import Testing
import UsherAPI
import Wire

@Suite struct ServerConversationTests {
    @Test func `HELLO is answered by WELCOME with the limits of this connection`() throws {
        let bench = ServerBench(CallLimits(frameBytes: 1_000, runningCalls: 7, metadataBytes: 99), greeted: false)
        try bench.receive(Hello(clientName: "fan"))
        #expect(bench.takeEvents() == ["hello fan"])
        let welcome = try Welcome(decoding: Array(bench.output.dropFirst(FrameHeader.byteCount)))
        #expect(welcome.instance == "a")
        #expect(welcome.pingIntervalMs == 25_000)
        #expect(welcome.limits?.frameBytes == 1_000)
        #expect(welcome.limits?.runningCalls == 7)
        #expect(welcome.limits?.metadataBytes == 99)
    }

    @Test func `HELLO and the first calls may share one message`() throws {
        let bench = ServerBench(greeted: false)
        bench.recorder.onOpen = { call, calls, output in calls.reply(call, Notice(number: 1), output: &output) }
        try bench.receive(frame(Hello(clientName: "fan")) + open(1) + open(5))
        #expect(bench.takeEvents() == ["hello fan", "opened 1 /a/B", "opened 5 /a/B"])
        #expect(bench.takeOutput() == ["WELCOME", "CLOSE 1 ok [8, 1]", "CLOSE 5 ok [8, 1]"])
    }

    @Test func `a handler sees all that OPEN says`() throws {
        struct Looker: ServerCallsHandler {
            var seen: [String] = []
            mutating func hello(_ hello: Hello, in calls: inout ServerCalls, output: inout [UInt8]) {
                calls.welcome(Welcome(), pingFraction: 0, output: &output)
            }
            mutating func opened(
                _ call: CallID, _ open: OpenView, deadline: UInt64?, in calls: inout ServerCalls,
                output: inout [UInt8]
            ) {
                seen.append("\(call.rawValue) \(Method(path: open.method) == .hold) \(deadline ?? 0)")
                seen.append("\(open.requestID?.low ?? 0) \(open.attempts) \(open.credit) \(open.lastSequence)")
                seen.append("\(open.position) \([UInt8](copying: open.request))")
                if let token = open.metadata("queue-token") { seen.append("\([UInt8](copying: token))") }
                if open.metadata("authorization") == nil { seen.append("nobody") }
            }
            mutating func credited(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {}
            mutating func cancelled(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {}
            mutating func expired(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {}
        }
        var calls = ServerCalls(limits: .visitor, now: 10)
        var looker = Looker()
        var output: [UInt8] = []
        let open = Open(
            method: "/usher.v1.Reservations/Hold", timeoutMs: 90, metadata: [Metadata(key: "queue-token", value: [7])],
            requestId: Uuid(high: 0, low: 3), attempts: 2, credit: 4, lastSequence: 5, position: 6, request: [8, 9])
        let message = frame(Hello()) + frame(open, call: 3)
        try calls.receive(message.rawSpan, now: 10, output: &output, handler: &looker)
        #expect(looker.seen == ["3 true 100", "3 2 4 5", "6 [8, 9]", "[7]", "nobody"])
    }

    @Test func `a stream sends while it has credit and hears when credit is back`() throws {
        let bench = ServerBench()
        try bench.receive(open(1, credit: 2))
        let call = CallID(1)
        #expect(bench.canSend(call))
        let prepared = PreparedMessage(sequence: 2, position: 8, payload: Notice(number: 2))
        let first = bench.calls.message(
            call, sequence: 1, position: 7, reset: true, payload: Notice(number: 1), output: &bench.output)
        let second = bench.calls.message(call, prepared, output: &bench.output)
        #expect(first == .sent && second == .sent)
        #expect(!bench.canSend(call))
        let third = bench.calls.message(call, prepared, output: &bench.output)
        #expect(third == .noCredit)
        #expect(bench.takeOutput() == ["MESSAGE 1 #1 @7 reset [8, 1]", "MESSAGE 1 #2 @8 [8, 2]"])

        _ = bench.takeEvents()
        try bench.receive(frame(Credit(messages: 1), call: 1) + frame(Credit(messages: 1), call: 1))
        #expect(bench.takeEvents() == ["credited 1"])
        let encoded: [UInt8] = [1, 2, 3]
        let fourth = bench.calls.message(
            call, sequence: 4, position: 9, encoded: encoded.rawSpan, output: &bench.output)
        #expect(fourth == .sent)
        #expect(bench.takeOutput() == ["MESSAGE 1 #4 @9 [1, 2, 3]"])
        #expect(bench.canSend(call))
    }

    @Test(arguments: [0, 1, 127, 128, 300, 16_383, 16_384])
    func `a payload is coded alike, whoever encodes it`(byteCount: Int) throws {
        let payload = [UInt8](repeating: 0x61, count: byteCount)
        let notice = Notice(text: String(decoding: payload, as: UTF8.self))
        let encoded = notice.encoded()
        let bench = ServerBench(.backend)
        try bench.receive(open(1, credit: 9) + open(2) + open(3))
        let call = CallID(1)
        var outputs: [[UInt8]] = []
        func take() { outputs.append(bench.output); bench.output = [] }
        bench.calls.message(call, sequence: 300, position: 7, reset: true, payload: notice, output: &bench.output)
        take()
        bench.calls.message(call, sequence: 300, position: 7, reset: true, encoded: encoded.rawSpan, output: &bench.output)
        take()
        bench.calls.message(
            call, PreparedMessage(sequence: 300, position: 7, reset: true, payload: notice), output: &bench.output)
        take()
        bench.calls.message(
            call, PreparedMessage(sequence: 300, position: 7, reset: true, encoded: encoded.rawSpan), output: &bench.output)
        take()
        let expected = frame(Message(sequence: 300, position: 7, reset: true, payload: encoded), call: 1)
        #expect(outputs == [expected, expected, expected, expected])

        bench.calls.reply(CallID(2), notice, position: 9, output: &bench.output)
        #expect(bench.output == frame(Close(position: 9, payload: encoded), call: 2))
        bench.output = []
        bench.calls.reply(CallID(3), encoded: encoded.rawSpan, position: 9, output: &bench.output)
        #expect(bench.output == frame(Close(position: 9, payload: encoded), call: 3))
    }

    @Test func `a cancelled call ends when its handler ends it, with one CLOSE`() throws {
        let bench = ServerBench()
        try bench.receive(open(1, credit: 5) + frame(Cancel(), call: 1) + frame(Cancel(), call: 1))
        #expect(bench.takeEvents() == ["opened 1 /a/B", "cancelled 1"])
        #expect(bench.takeOutput() == [])
        #expect(bench.runningCount == 1)
        let call = CallID(1)
        let late = bench.calls.message(call, sequence: 1, position: 1, payload: Notice(), output: &bench.output)
        #expect(late == .ended)
        let first = bench.calls.close(call, .cancelled(), output: &bench.output)
        let second = bench.calls.close(call, .cancelled(), output: &bench.output)
        #expect(first && !second)
        #expect(bench.takeOutput() == ["CLOSE 1 cancelled CANCELLED_BY_CALLER"])
        #expect(bench.runningCount == 0)
    }

    @Test func `CREDIT and CANCEL for a call that has ended are ignored`() throws {
        let bench = ServerBench()
        bench.recorder.onOpen = { call, calls, output in calls.close(call, .ok, output: &output) }
        try bench.receive(open(1))
        _ = bench.takeEvents()
        try bench.receive(frame(Credit(messages: 1), call: 1) + frame(Cancel(), call: 1))
        #expect(bench.takeEvents() == [])
        #expect(bench.takeOutput() == ["CLOSE 1 ok"])
    }

    @Test func `a deadline is answered once, and the call runs until its handler ends it`() throws {
        let bench = ServerBench()
        try bench.receive(open(1, timeout: 100) + open(2, timeout: 50) + open(3))
        bench.calls.submitted(CallID(2))
        #expect(bench.takeEvents() == ["opened 1 /a/B by 1100", "opened 2 /a/B by 1050", "opened 3 /a/B"])
        #expect(bench.nextCallDeadline == 1_050)
        bench.now = 1_049
        try bench.expire()
        #expect(bench.takeOutput() == [])
        bench.now = 1_050
        try bench.expire()
        #expect(bench.takeOutput() == ["CLOSE 2 deadlineExceeded DEADLINE_PASSED maybe"])
        #expect(bench.nextCallDeadline == 1_100)
        bench.now = 9_000
        try bench.expire()
        try bench.expire()
        #expect(bench.takeOutput() == ["CLOSE 1 deadlineExceeded DEADLINE_PASSED"])
        #expect(bench.takeEvents() == ["expired 2", "expired 1"])
        #expect(bench.nextCallDeadline == nil)

        #expect(bench.runningCalls == [1, 2, 3])
        try bench.receive(frame(Cancel(), call: 1) + frame(Credit(messages: 1), call: 1))
        #expect(bench.takeEvents() == [])
        let appended = bench.calls.reply(CallID(1), Notice(number: 1), output: &bench.output)
        #expect(!appended)
        #expect(bench.takeOutput() == [])
        #expect(bench.runningCalls == [2, 3])
    }

    @Test func `a handler may end calls within any event`() throws {
        let bench = ServerBench()
        bench.recorder.onExpired = { call, calls, output in
            for running in calls.runningCalls { calls.close(running, .ok, output: &output) }
        }
        try bench.receive(open(1, timeout: 5) + open(2, timeout: 5) + open(3, timeout: 5))
        bench.now += 5
        try bench.expire()
        #expect(bench.takeOutput() == ["CLOSE 1 deadlineExceeded DEADLINE_PASSED", "CLOSE 2 ok", "CLOSE 3 ok"])
        #expect(bench.runningCount == 0)
        #expect(bench.nextCallDeadline == nil)
    }

    @Test func `after GOAWAY calls that run go on and new ones are not started`() throws {
        let bench = ServerBench()
        try bench.receive(open(1) + open(4))
        bench.calls.goAway(GoAway(reason: "SHUTTING_DOWN"), output: &bench.output)
        bench.calls.goAway(GoAway(reason: "SHUTTING_DOWN"), output: &bench.output)
        try bench.receive(open(6))
        bench.calls.close(CallID(4), .ok, output: &bench.output)
        #expect(bench.takeOutput() == ["GOAWAY 4", "CLOSE 6 unavailable NOT_STARTED", "CLOSE 4 ok"])
    }

    @Test func `PING is answered with its own data`() throws {
        let bench = ServerBench()
        try bench.receive(frame(Ping(data: 77)) + frame(Ping(data: .max)))
        #expect(bench.takeOutput() == ["PONG 77", "PONG \(UInt64.max)"])
    }

    @Test func `an unknown kind with IGNORABLE is skipped, whatever else it has`() throws {
        let bench = ServerBench()
        let unknown = frame(kind: 31, flags: [.ignorable, .end], call: 9, body: [255, 255])
        try bench.receive(unknown + open(1) + frame(kind: 0, flags: .ignorable))
        #expect(bench.takeEvents() == ["opened 1 /a/B"])
    }

    @Test func `a known kind may be IGNORABLE`() throws {
        let bench = ServerBench()
        try bench.receive(frame(kind: 8, flags: .ignorable))
        #expect(bench.takeOutput() == ["PONG 0"])
    }

    @Test func `nothing is produced once the connection is shut, also in the middle of a message`() throws {
        let bench = ServerBench()
        bench.recorder.onOpen = { call, calls, output in if call == CallID(2) { calls.shut() } }
        try bench.receive(open(1, timeout: 1, credit: 9) + open(2) + open(3) + [0])
        #expect(bench.takeEvents() == ["opened 1 /a/B by 1001", "opened 2 /a/B"])
        bench.now += 100_000
        try bench.expire()
        try bench.receive([1, 2, 3])
        bench.calls.goAway(GoAway(), output: &bench.output)
        let sent = bench.calls.message(CallID(1), sequence: 1, position: 1, payload: Notice(), output: &bench.output)
        let closed = bench.calls.close(CallID(1), .ok, output: &bench.output)
        #expect(sent == .ended && !closed)
        #expect(bench.output == [] && bench.takeEvents() == [])
        #expect(bench.nextLivenessDeadline == nil && bench.nextCallDeadline == nil)
        #expect(bench.isClosed)
    }

    @Test func `a server's side at rest takes little memory`() {
        #expect(MemoryLayout<ServerCalls>.size <= 128)
    }
}
