import Calls
import Testing
import UsherAPI
import Wire

@Suite struct ClientConversationTests {
    @Test func `HELLO and the first calls go out together`() throws {
        let bench = ClientBench(greeted: false)
        _ = try bench.open()
        #expect(bench.takeOutput() == ["HELLO", "OPEN 1 /usher.v1.Reservations/Hold"])
        try bench.receive(frame(Welcome()) + frame(Close(position: 6, payload: [1]), call: 1))
        #expect(bench.takeEvents() == ["welcome", "closed 1 ok @6 [1]"])
    }

    @Test func `a call says all of its options`() throws {
        let bench = ClientBench()
        let options = CallOptions(
            timeoutMilliseconds: 9, metadata: [Metadata(key: "k", value: [1])], requestID: Uuid(high: 1, low: 2),
            attempts: 3, credit: 4, lastSequence: 5, position: 6)
        _ = try bench.open(options)
        let expected = Open(
            method: "/usher.v1.Reservations/Hold", timeoutMs: 9, metadata: [Metadata(key: "k", value: [1])],
            requestId: Uuid(high: 1, low: 2), attempts: 3, credit: 4, lastSequence: 5, position: 6,
            request: Notice(number: 1).encoded())
        #expect(bench.output == frame(expected, call: 1))
    }

    @Test func `a call ends once, with all that CLOSE says`() throws {
        let bench = ClientBench()
        _ = try bench.open()
        try bench.receive(
            Close(
                code: .aborted, reason: "SEAT_TAKEN", message: "Seat 3 is taken.",
                details: ErrorDetails(seats: [3], mayHaveHappened: true), position: 4),
            call: 1)
        #expect(bench.takeEvents() == ["closed 1 aborted SEAT_TAKEN maybe @4"])
        #expect(bench.runningCount == 0)
    }

    @Test(arguments: [(1, [1, 1, 1]), (2, [1, 1, 1]), (3, [2, 2]), (4, [2, 2]), (8, [4])] as [(UInt32, [UInt32])])
    func `credit comes back once half of it is used`(window: UInt32, credits: [UInt32]) throws {
        let bench = ClientBench()
        _ = try bench.open(CallOptions(credit: window))
        _ = bench.takeOutput()
        var given: [String] = []
        for sequence in 1...UInt64(credits.reduce(0, +)) {
            try bench.receive(Message(sequence: sequence), call: 1)
            given += bench.takeOutput()
        }
        #expect(given == credits.map { "CREDIT 1 \($0)" })
    }

    @Test func `credit can be given by hand`() throws {
        let bench = ClientBench()
        let call = try bench.open(CallOptions(credit: 1, replenishesCredit: false))
        _ = bench.takeOutput()
        try bench.receive(Message(sequence: 1), call: 1)
        #expect(bench.takeOutput() == [])
        bench.calls.credit(call, messages: 2, output: &bench.output)
        bench.calls.credit(call, messages: 0, output: &bench.output)
        #expect(bench.takeOutput() == ["CREDIT 1 2"])
        try bench.receive(frame(Message(sequence: 2), call: 1) + frame(Message(sequence: 3), call: 1))
        #expect(bench.violation(frame(Message(sequence: 4), call: 1)) == .creditExceeded)
    }

    @Test func `a cancelled stream is silent until its CLOSE`() throws {
        let bench = ClientBench()
        let call = try bench.open(CallOptions(credit: 2))
        bench.recorder.onMessage = { call, calls, output in calls.cancel(call, output: &output) }
        _ = bench.takeOutput()
        try bench.receive(frame(Message(sequence: 1), call: 1) + frame(Message(sequence: 2), call: 1))
        #expect(bench.takeOutput() == ["CANCEL 1"])
        bench.calls.cancel(call, output: &bench.output)
        bench.calls.credit(call, messages: 1, output: &bench.output)
        #expect(bench.takeOutput() == [])
        try bench.receive(Close(code: .cancelled), call: 1)
        bench.calls.cancel(call, output: &bench.output)
        #expect(bench.takeEvents() == ["message 1 #1 @0 []", "closed 1 cancelled"])
        #expect(bench.takeOutput() == [])
    }

    @Test func `a deadline ends a call here, and its late CLOSE is in order`() throws {
        let bench = ClientBench()
        _ = try bench.open(CallOptions(timeoutMilliseconds: 20, requestID: Uuid(high: 1, low: 1)))
        _ = try bench.open(CallOptions(timeoutMilliseconds: 10, credit: 3))
        #expect(bench.nextCallDeadline == 1_010)
        bench.now = 1_009
        try bench.expire()
        #expect(bench.takeEvents() == [])
        bench.now = 1_020
        try bench.expire()
        #expect(
            bench.takeEvents() == [
                "closed 1 deadlineExceeded DEADLINE_PASSED maybe", "closed 2 deadlineExceeded DEADLINE_PASSED",
            ])
        #expect(bench.nextCallDeadline == nil)
        #expect(bench.runningCount == 2)
        #expect(bench.unanswered == [])
        try bench.receive(
            frame(Message(sequence: 1, position: 70), call: 2) + frame(Close(code: .deadlineExceeded), call: 2)
                + frame(Close(position: 80), call: 1))
        #expect(bench.takeEvents() == [])
        #expect(bench.runningCount == 0)
        #expect(bench.position == 80)
    }

    @Test func `no more calls are opened than the server runs`() throws {
        let bench = ClientBench(CallLimits(runningCalls: 2))
        _ = try bench.open()
        _ = try bench.open()
        _ = bench.takeOutput()
        #expect(throws: OpenRefusal.tooManyCalls) { try bench.open() }
        #expect(bench.takeOutput() == [])
        try bench.receive(Close(), call: 1)
        #expect(try bench.open() == CallID(3))
    }

    @Test func `an OPEN may be as long as a frame`() throws {
        let bench = ClientBench(CallLimits(frameBytes: 300))
        func opening(_ bytes: Int) throws(OpenRefusal) {
            _ = try bench.calls.open(
                path: "/a/B", request: [UInt8](repeating: 1, count: bytes), now: bench.now, output: &bench.output)
        }
        #expect(throws: OpenRefusal.tooLarge) { try opening(292) }
        #expect(bench.output == [])
        try opening(291)  // and six bytes of method, three of tag and length
        #expect(bench.output.count == 309)
        #expect(bench.takeOutput() == ["OPEN 1 /a/B"])
    }

    @Test func `positions are kept for the next connection, those of another journal forgotten`() throws {
        let bench = ClientBench()
        #expect(bench.position == 5)
        _ = try bench.open(CallOptions(credit: 5))
        try bench.receive(frame(Message(sequence: 1, position: 9), call: 1) + frame(Message(sequence: 1, position: 8), call: 1))
        #expect(bench.position == 9)
        try bench.receive(Close(position: 12), call: 1)
        #expect(bench.position == 12)

        let other = ClientBench(greeted: false)
        try other.receive(Welcome(epoch: Uuid(high: 2, low: 2), position: 100))
        #expect(other.position == 0)
        #expect(other.epoch == Uuid(high: 2, low: 2))
    }

    @Test func `a lost connection leaves a list of what to open again, and how`() throws {
        let bench = ClientBench()
        let request = Uuid(high: 1, low: 9)
        _ = try bench.open(CallOptions(requestID: request, attempts: 2))
        _ = try bench.open(CallOptions(credit: 4, lastSequence: 30))
        _ = try bench.open()
        let cancelled = try bench.open(CallOptions(credit: 1))
        _ = try bench.open()
        bench.calls.cancel(cancelled, output: &bench.output)
        _ = try bench.open(CallOptions(requestID: request, attempts: 0))
        try bench.receive(
            frame(Message(sequence: 31), call: 2) + frame(Close(), call: 5) + frame(GoAway(lastCall: 5)))
        bench.calls.shut()
        let unanswered = bench.unanswered.map { call in
            [
                "\(call.call.rawValue)", call.isStream ? "stream" : "unary", call.mayHaveBegun ? "begun" : "not begun",
                call.isCancelled ? "cancelled" : "wanted", "\(call.requestID?.low ?? 0)", "\(call.attempts)",
                "\(call.lastSequence)",
            ].joined(separator: " ")
        }
        #expect(
            unanswered == [
                "1 unary begun wanted 9 3 0", "2 stream begun wanted 0 1 31", "3 unary begun wanted 0 1 0",
                "4 stream begun cancelled 0 1 0", "6 unary not begun wanted 9 0 0",
            ])
    }

    @Test func `after GOAWAY no call is opened`() throws {
        let bench = ClientBench()
        _ = try bench.open()
        try bench.receive(GoAway(lastCall: 1))
        #expect(bench.takeEvents() == ["goaway 1"])
        #expect(throws: OpenRefusal.goingAway) { try bench.open() }
        try bench.receive(Close(), call: 1)
        #expect(bench.takeEvents() == ["closed 1 ok"])
    }

    @Test func `an unknown kind with IGNORABLE is skipped`() throws {
        let bench = ClientBench()
        try bench.receive(frame(kind: 30, flags: [.ignorable, .end], call: 7, body: [255]) + frame(Ping(data: 1)))
        #expect(bench.takeOutput() == ["PONG 1"])
    }
}
