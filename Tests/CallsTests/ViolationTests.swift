import Calls
import Testing
import UsherAPI
import Wire

/// A message that ends the connection, and how.
struct ViolationCase: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let message: [UInt8]
    let violation: ConnectionViolation
    let code: CloseCode
    var greeted = true

    init(
        _ description: String, _ message: [UInt8], _ violation: ConnectionViolation, _ code: CloseCode,
        greeted: Bool = true
    ) {
        testDescription = description
        self.message = message
        self.violation = violation
        self.code = code
        self.greeted = greeted
    }
}

private let badBody: [UInt8] = [0xFF]

private let anyCase: [ViolationCase] = [
    ViolationCase("no frame", [], .framing(.empty), .malformedFrame),
    ViolationCase("half a header", [8, 0], .framing(.truncatedHeader(at: 0)), .malformedFrame),
    ViolationCase(
        "a body past the end", frame(kind: 8, body: [9], length: 2), .framing(.bodyPastEnd(at: 0)), .malformedFrame),
    ViolationCase(
        "a second frame cut short", frame(Ping()) + [1], .framing(.truncatedHeader(at: 9)), .malformedFrame),
    ViolationCase("reserved flag", frame(kind: 8, flags: .reserved), .framing(.reservedFlag(at: 0)), .malformedFrame),
    ViolationCase(
        "a length of four billion", frame(kind: 8, length: Int(UInt32.max)),
        .framing(.tooLarge(at: 0, byteCount: Int(UInt32.max))), .frameTooLarge),
    ViolationCase("unknown kind", frame(kind: 11), .unknownKind(11), .unknownFrame),
    ViolationCase("kind 0", frame(kind: 0, flags: .end), .unknownKind(0), .unknownFrame),
    ViolationCase("END on PING", frame(kind: 8, flags: .end), .endFlag(.ping), .misplacedFrame),
    ViolationCase("PING with a call", frame(Ping(), call: 1), .callID(.ping), .misplacedFrame),
    ViolationCase("PONG with a call", frame(Pong(), call: 1), .callID(.pong), .misplacedFrame),
    ViolationCase(
        "malformed PING", frame(kind: 8, body: badBody), .body(.ping, .truncated(at: 0)), .malformedBody),
    ViolationCase(
        "malformed PONG", frame(kind: 9, body: badBody), .body(.pong, .truncated(at: 0)), .malformedBody),
]

private let serverCases: [ViolationCase] = [
    ViolationCase("PING before HELLO", frame(Ping()), .helloExpected, .helloExpected, greeted: false),
    ViolationCase("OPEN before HELLO", open(1), .helloExpected, .helloExpected, greeted: false),
    ViolationCase(
        "something new before HELLO", frame(kind: 31, flags: .ignorable), .helloExpected, .helloExpected,
        greeted: false),
    ViolationCase("HELLO again", frame(Hello()), .helloRepeated, .helloExpected),
    ViolationCase(
        "HELLO twice in one message", frame(Hello()) + frame(Hello()), .helloRepeated, .helloExpected, greeted: false),
    ViolationCase("HELLO with a call", frame(Hello(), call: 1), .callID(.hello), .misplacedFrame, greeted: false),
    ViolationCase(
        "malformed HELLO", frame(kind: 1, body: badBody), .body(.hello, .truncated(at: 0)), .malformedBody,
        greeted: false),
    ViolationCase("WELCOME", frame(Welcome()), .wrongDirection(.welcome), .misplacedFrame),
    ViolationCase("MESSAGE", frame(Message(), call: 1), .wrongDirection(.message), .misplacedFrame),
    ViolationCase("CLOSE", frame(Close(), call: 1), .wrongDirection(.close), .misplacedFrame),
    ViolationCase("GOAWAY", frame(GoAway()), .wrongDirection(.goAway), .misplacedFrame),
    ViolationCase("OPEN without id", open(0), .callID(.open), .misplacedFrame),
    ViolationCase("OPEN with END", frame(kind: 3, flags: .end, call: 1), .endFlag(.open), .misplacedFrame),
    ViolationCase("OPEN twice", open(4) + open(4), .callIDNotAbove(highest: 4), .callIDNotGrowing),
    ViolationCase("OPEN below", open(4) + open(3), .callIDNotAbove(highest: 4), .callIDNotGrowing),
    ViolationCase(
        "malformed OPEN", frame(kind: 3, call: 1, body: badBody), .body(.open, .truncated(at: 0)), .malformedBody),
    ViolationCase("CREDIT for nothing", frame(Credit(), call: 1), .callNeverOpened(.credit), .unknownCall),
    ViolationCase(
        "CREDIT one above the highest", open(4) + frame(Credit(), call: 5), .callNeverOpened(.credit), .unknownCall),
    ViolationCase("CREDIT without id", frame(Credit()), .callID(.credit), .misplacedFrame),
    ViolationCase(
        "malformed CREDIT", open(1) + frame(kind: 6, call: 1, body: badBody), .body(.credit, .truncated(at: 0)),
        .malformedBody),
    ViolationCase("CANCEL for nothing", frame(Cancel(), call: 1), .callNeverOpened(.cancel), .unknownCall),
    ViolationCase("CANCEL without id", frame(Cancel()), .callID(.cancel), .misplacedFrame),
    ViolationCase(
        "malformed CANCEL", open(1) + frame(kind: 7, call: 1, body: badBody), .body(.cancel, .truncated(at: 0)),
        .malformedBody),
]

private let clientCases: [ViolationCase] = [
    ViolationCase("PING before WELCOME", frame(Ping()), .welcomeExpected, .misplacedFrame, greeted: false),
    ViolationCase("WELCOME again", frame(Welcome()), .welcomeRepeated, .misplacedFrame),
    ViolationCase(
        "malformed WELCOME", frame(kind: 2, body: badBody), .body(.welcome, .truncated(at: 0)), .malformedBody,
        greeted: false),
    ViolationCase("HELLO", frame(Hello()), .wrongDirection(.hello), .misplacedFrame),
    ViolationCase("OPEN", open(9), .wrongDirection(.open), .misplacedFrame),
    ViolationCase("CREDIT", frame(Credit(), call: 1), .wrongDirection(.credit), .misplacedFrame),
    ViolationCase("CANCEL", frame(Cancel(), call: 1), .wrongDirection(.cancel), .misplacedFrame),
    ViolationCase("GOAWAY with a call", frame(GoAway(), call: 1), .callID(.goAway), .misplacedFrame),
    ViolationCase(
        "malformed GOAWAY", frame(kind: 10, body: badBody), .body(.goAway, .truncated(at: 0)), .malformedBody),
    ViolationCase("CLOSE without END", frame(kind: 5, call: 1), .endFlag(.close), .misplacedFrame),
    ViolationCase("MESSAGE with END", frame(kind: 4, flags: .end, call: 2), .endFlag(.message), .misplacedFrame),
    ViolationCase("MESSAGE for nothing", frame(Message(), call: 3), .callNeverOpened(.message), .unknownCall),
    ViolationCase("CLOSE for nothing", frame(Close(), call: 3), .callNeverOpened(.close), .unknownCall),
    ViolationCase(
        "CLOSE twice", frame(Close(), call: 1) + frame(Close(), call: 1), .callEnded(.close), .misplacedFrame),
    ViolationCase(
        "MESSAGE after CLOSE", frame(Close(), call: 2) + frame(Message(), call: 2), .callEnded(.message),
        .misplacedFrame),
    ViolationCase("MESSAGE for a unary call", frame(Message(), call: 1), .creditExceeded, .misplacedFrame),
    ViolationCase(
        "malformed MESSAGE", frame(kind: 4, call: 2, body: badBody), .body(.message, .truncated(at: 0)),
        .malformedBody),
    ViolationCase(
        "malformed CLOSE", frame(kind: 5, flags: .end, call: 2, body: badBody), .body(.close, .truncated(at: 0)),
        .malformedBody),
]

@Suite struct ViolationTests {
    @Test(arguments: anyCase + serverCases)
    func `a client that breaks the protocol is closed with the code for it`(_ violationCase: ViolationCase) {
        let bench = ServerBench(greeted: violationCase.greeted)
        let violation = bench.violation(violationCase.message)
        #expect(violation == violationCase.violation)
        #expect(violation?.closeCode == violationCase.code)
        #expect((violation?.reason.utf8.count ?? 999) <= 123)
        #expect(bench.isClosed)
        _ = bench.takeEvents()
        bench.output = []
        #expect(bench.violation(frame(Ping())) == nil)
        #expect(bench.output == [] && bench.takeEvents() == [])
    }

    @Test(arguments: anyCase + clientCases)
    func `a server that breaks the protocol is left with the code for it`(_ violationCase: ViolationCase) throws {
        let bench = ClientBench(greeted: violationCase.greeted)
        _ = try bench.open()
        _ = try bench.open(CallOptions(credit: 3))
        let violation = bench.violation(violationCase.message)
        #expect(violation == violationCase.violation)
        #expect(violation?.closeCode == violationCase.code)
        #expect((violation?.reason.utf8.count ?? 999) <= 123)
        #expect(bench.isClosed)
        _ = bench.takeEvents()
        bench.output = []
        #expect(bench.violation(frame(Ping())) == nil)
        #expect(bench.output == [] && bench.takeEvents() == [])
        #expect(throws: OpenRefusal.closed) { try bench.open() }
    }

    @Test func `what stood before the offending frame has had its effect`() {
        let bench = ServerBench()
        #expect(bench.violation(open(1) + frame(Ping(data: 2)) + [0]) == .framing(.truncatedHeader(at: 33)))
        #expect(bench.takeEvents() == ["opened 1 /a/B"])
        #expect(bench.takeOutput() == ["PONG 2"])
    }
}
