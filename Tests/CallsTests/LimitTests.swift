import Calls
import Testing
import UsherAPI
import Wire

// Each limit at its edge and one past it.

@Suite struct LimitTests {
    @Test func `a frame's body may be as long as the limit`() {
        let limits = CallLimits(frameBytes: 300)
        func ping(_ bodyBytes: Int) -> [UInt8] {
            // Field 15, which nobody knows: tag, length in two bytes, filling.
            let filling = bodyBytes - 3
            return frame(
                kind: 8,
                body: [0x7A, UInt8(filling & 0x7F) | 0x80, UInt8(filling >> 7)] + [UInt8](repeating: 0, count: filling))
        }
        #expect(ServerBench(limits).violation(ping(300)) == nil)
        #expect(ServerBench(limits).violation(ping(301)) == .framing(.tooLarge(at: 0, byteCount: 301)))
        #expect(ClientBench(limits).violation(ping(300)) == nil)
        #expect(ClientBench(limits).violation(ping(301)) == .framing(.tooLarge(at: 0, byteCount: 301)))
    }

    @Test func `an answer may be as long as a frame, a longer one becomes INTERNAL`() throws {
        let bench = ServerBench(CallLimits(frameBytes: 300))
        try bench.receive(open(1) + open(2) + open(3) + open(4))
        // Tag and two bytes of length are the frame's, too.
        bench.calls.reply(CallID(1), encoded: [UInt8](repeating: 1, count: 297).rawSpan, output: &bench.output)
        #expect(bench.output.count == 309)
        bench.output = []
        bench.calls.reply(CallID(2), encoded: [UInt8](repeating: 1, count: 298).rawSpan, output: &bench.output)
        bench.calls.reply(CallID(3), Notice(text: String(repeating: "x", count: 300)), output: &bench.output)
        let long = Status(.soldOut, String(repeating: "x", count: 300))
        bench.calls.close(CallID(4), long, position: 5, output: &bench.output)
        #expect(
            bench.takeOutput() == [
                "CLOSE 2 internal INTERNAL_ERROR limit 300", "CLOSE 3 internal INTERNAL_ERROR limit 300",
                "CLOSE 4 internal INTERNAL_ERROR limit 300 @5",
            ])
    }

    @Test func `a message may be as long as a frame, a longer one is not sent`() throws {
        let bench = ServerBench(CallLimits(frameBytes: 300))
        try bench.receive(open(1, credit: 1))
        func send(_ bytes: Int) -> SendResult {
            bench.calls.message(
                CallID(1), sequence: 0, position: 0, encoded: [UInt8](repeating: 1, count: bytes).rawSpan,
                output: &bench.output)
        }
        #expect(send(298) == .tooLarge)
        #expect(bench.output == [])
        #expect(bench.canSend(CallID(1)))
        #expect(send(297) == .sent)
        #expect(bench.output.count == 309)
    }

    @Test func `a metadata value that is not UTF-8 ends its call, and only that`() throws {
        let bench = ServerBench()
        func opening(_ id: UInt32, key: String) -> [UInt8] {
            frame(Open(method: "/a/B", metadata: [Metadata(key: key, value: [0xFF])]), call: id)
        }
        try bench.receive(opening(1, key: "a") + opening(2, key: "a-bin"))
        #expect(bench.takeOutput() == ["CLOSE 1 invalidArgument METADATA_INVALID"])
        #expect(bench.takeEvents() == ["opened 2 /a/B"])
    }

    @Test func `as many calls run as the limit allows; the next is answered without its handler`() throws {
        let bench = ServerBench()
        for id in UInt32(1)...32 { try bench.receive(open(id)) }
        #expect(bench.takeEvents().count == 32)
        try bench.receive(open(33))
        #expect(bench.takeEvents() == [])
        #expect(bench.takeOutput() == ["CLOSE 33 resourceExhausted TOO_MANY_CALLS limit 32"])
    }

    @Test func `what counts are handlers that run, not calls the client waits for`() throws {
        let bench = ServerBench(CallLimits(runningCalls: 2))
        try bench.receive(open(1) + open(2, timeout: 10) + frame(Cancel(), call: 1))
        bench.now += 10
        try bench.expire()
        _ = bench.takeOutput()
        try bench.receive(open(3))
        #expect(bench.takeOutput() == ["CLOSE 3 resourceExhausted TOO_MANY_CALLS limit 2"])
        bench.calls.close(CallID(2), .cancelled(), output: &bench.output)
        #expect(bench.takeOutput() == [])
        _ = bench.takeEvents()
        try bench.receive(open(4))
        #expect(bench.takeEvents() == ["opened 4 /a/B"])
    }

    @Test func `a backend runs more calls at once`() throws {
        let bench = ServerBench(.backend)
        for id in UInt32(1)...1024 { try bench.receive(open(id, timeout: id)) }
        #expect(bench.takeOutput() == [])
        try bench.receive(open(1025))
        #expect(bench.takeOutput() == ["CLOSE 1025 resourceExhausted TOO_MANY_CALLS limit 1024"])
        bench.now += 2_000
        try bench.expire()
        #expect(bench.takeOutput().count == 1024)
    }

    @Test func `metadata may have as many bytes as the limit`() throws {
        let bench = ServerBench(CallLimits(metadataBytes: 100))
        func opening(_ id: UInt32, _ metadata: [Metadata]) -> [UInt8] {
            frame(Open(method: "/a/B", metadata: metadata), call: id)
        }
        func pair(_ key: String, _ valueBytes: Int) -> Metadata {
            Metadata(key: key, value: [UInt8](repeating: 0x61, count: valueBytes))
        }
        try bench.receive(opening(1, [pair("abc", 47), pair("x-bin", 45)]))
        #expect(bench.takeOutput() == [])
        try bench.receive(opening(2, [pair("abc", 47), pair("x-bin", 46)]))
        #expect(bench.takeOutput() == ["CLOSE 2 resourceExhausted METADATA_TOO_LARGE limit 100"])
        for (id, key) in zip(UInt32(3)..., ["", "A", "a b", "ä", "a:"]) {
            try bench.receive(opening(id, [pair("fine", 1), pair(key, 1)]))
            #expect(bench.takeOutput() == ["CLOSE \(id) invalidArgument METADATA_INVALID"])
        }
        #expect(bench.takeEvents() == ["opened 1 /a/B"])
    }

    @Test func `calls opened too fast are answered RATE_LIMITED, each with when to come back`() throws {
        let bench = ServerBench(CallLimits(opens: RateLimit(perSecond: 10, burst: 3)))
        try bench.receive(open(1) + open(2) + open(3))
        #expect(bench.takeOutput() == [])
        try bench.receive(open(4))
        #expect(bench.takeOutput() == ["CLOSE 4 resourceExhausted RATE_LIMITED in 100"])
        bench.now += 99
        try bench.receive(open(5))
        #expect(bench.takeOutput() == ["CLOSE 5 resourceExhausted RATE_LIMITED in 1"])
        bench.now += 1
        try bench.receive(open(6) + open(7))
        #expect(bench.takeOutput() == ["CLOSE 7 resourceExhausted RATE_LIMITED in 100"])
    }

    @Test func `too many calls that are refused end the connection`() throws {
        let bench = ServerBench(CallLimits(runningCalls: 1, refusals: RateLimit(perSecond: 1, burst: 2)))
        try bench.receive(open(1) + open(2) + open(3))
        let violation = bench.violation(open(4))
        #expect(violation == .tooMany(.opens))
        #expect(violation?.closeCode == .rateLimited)
    }

    @Test func `too many cancels end the connection`() throws {
        let bench = ServerBench(CallLimits(cancels: RateLimit(perSecond: 1, burst: 2)))
        try bench.receive(open(1) + frame(Cancel(), call: 1) + frame(Cancel(), call: 1))
        let violation = bench.violation(frame(Cancel(), call: 1))
        #expect(violation == .tooMany(.cancels))
        #expect(violation?.closeCode == .rateLimited)
    }

    @Test func `too many pings end the connection`() throws {
        let bench = ServerBench()
        for _ in 0..<10 { try bench.receive(Ping()) }
        bench.now += 1_000
        try bench.receive(Ping())
        #expect(bench.violation(frame(Ping())) == .tooMany(.pings))
    }

    @Test(arguments: [ConnectionViolation.FloodKind.pings, .falseProofs, .cancels, .opens])
    func `what comes outside frames counts towards the same limits`(kind: ConnectionViolation.FloodKind) throws {
        let two = RateLimit(perSecond: 1, burst: 2)
        let bench = ServerBench(CallLimits(refusals: two, cancels: two, pings: two, falseProofs: two))
        for _ in 0..<2 { try bench.calls.count(kind, now: bench.now) }
        bench.now += 1_000
        try bench.calls.count(kind, now: bench.now)
        #expect(throws: ConnectionViolation.tooMany(kind)) { try bench.calls.count(kind, now: bench.now) }
        let isClosed = bench.calls.isClosed
        #expect(isClosed)
        // Once closed it does nothing.
        try bench.calls.count(kind, now: bench.now)
        #expect(ConnectionViolation.tooMany(kind).closeCode == .rateLimited)
    }

    @Test func `a ping of the WebSocket takes from the same bucket as PING`() throws {
        let bench = ServerBench()
        for _ in 0..<9 { try bench.calls.count(.pings, now: bench.now) }
        try bench.receive(Ping())
        #expect(bench.violation(frame(Ping())) == .tooMany(.pings))
    }

    @Test func `too many bytes end the connection`() throws {
        let bench = ServerBench(CallLimits(frameBytes: 100, bytes: RateLimit(perSecond: 1_000, burst: 109)))
        try bench.calls.count(.bytes, 109, now: bench.now)
        bench.now += 108
        #expect(throws: ConnectionViolation.tooMany(.bytes)) { try bench.calls.count(.bytes, 109, now: bench.now) }
        #expect(bench.isClosed)

        let patient = ServerBench(CallLimits(frameBytes: 100, bytes: RateLimit(perSecond: 1_000, burst: 109)))
        for _ in 0..<20 {
            try patient.calls.count(.bytes, 100, now: patient.now)
            patient.now += 100
        }
        try patient.calls.count(.bytes, 109, now: patient.now)
        #expect(throws: ConnectionViolation.tooMany(.bytes)) { try patient.calls.count(.bytes, 1, now: patient.now) }
    }

    @Test func `credit never overflows`() throws {
        let bench = ServerBench()
        try bench.receive(open(1, credit: .max) + frame(Credit(messages: .max), call: 1))
        #expect(bench.canSend(CallID(1)))
    }

    @Test func `ids may be as high as they go`() throws {
        let bench = ServerBench()
        try bench.receive(open(.max, timeout: .max))
        #expect(bench.violation(open(.max)) == .callIDNotAbove(highest: .max))
        let other = ServerBench()
        try other.receive(open(.max, timeout: 1))
        other.now += 1
        try other.expire()
        #expect(other.takeOutput() == ["CLOSE \(UInt32.max) deadlineExceeded DEADLINE_PASSED"])
    }

    @Test func `output is divided between frames`() throws {
        let frames = frame(Ping()) + frame(Ping()) + frame(Ping(data: 1))  // 9, 9 and 18 bytes
        for (bytesMax, prefix) in [(0, 9), (9, 9), (17, 9), (18, 18), (35, 18), (36, 36), (99, 36)] {
            #expect(frames.rawSpan.wholeFrames(within: bytesMax) == prefix, "\(bytesMax)")
        }
        #expect([UInt8]().rawSpan.wholeFrames(within: 0) == 0)
        #expect(CallLimits.visitor.messageBytes == 65_545)
    }
}
