import Calls
import Testing
import UsherAPI

@Suite struct LivenessTests {
    @Test func `HELLO is awaited for its time and no longer`() throws {
        let bench = ServerBench(greeted: false)
        #expect(bench.nextLivenessDeadline == 6_000)
        bench.now = 5_999
        try bench.expire()
        bench.now = 6_000
        #expect(throws: ConnectionViolation.helloOverdue) { try bench.expire() }
        #expect(ConnectionViolation.helloOverdue.closeCode == .helloTimeout)
        #expect(bench.isClosed)
    }

    @Test(arguments: [(0.0, 1_000), (0.5, 13_500), (1.0, 26_000), (-3.0, 1_000), (7.0, 26_000)] as [(Double, UInt64)])
    func `the first ping comes after the given part of an interval, the others an interval apart`(
        fraction: Double, first: UInt64
    ) throws {
        let bench = ServerBench(greeted: false)
        bench.recorder.onHello = { calls, output in
            calls.welcome(Welcome(), pingFraction: fraction, output: &output)
        }
        try bench.receive(Hello())
        _ = bench.takeOutput()
        #expect(bench.nextLivenessDeadline == first)
        bench.now = first
        try bench.expire()
        #expect(bench.takeOutput() == ["PING 1"])
        #expect(bench.nextLivenessDeadline == min(first + 25_000, 51_000))
        bench.now = first + 40
        try bench.receive(Pong(data: 1))
        try bench.receive(Pong(data: 1))
        #expect(bench.takeEvents() == ["hello ", "pong after 40"])
        bench.now = first + 25_000
        try bench.expire()
        #expect(bench.takeOutput() == ["PING 2"])
    }

    @Test func `two intervals of silence are death, any byte is life`() throws {
        let bench = ServerBench(now: 0)
        bench.now = 49_999
        try bench.expire()
        bench.calls.heard(now: 49_999)
        bench.now = 99_998
        try bench.expire()
        #expect(bench.takeOutput() == ["PING 1", "PING 2"])
        bench.now = 99_999
        #expect(throws: ConnectionViolation.silent) { try bench.expire() }
        #expect(ConnectionViolation.silent.closeCode == .silent)
    }

    @Test func `a PONG that nobody asked for is only life`() throws {
        let bench = ServerBench()
        try bench.receive(Pong(data: 3))
        #expect(bench.takeEvents() == [])
    }

    @Test func `a client waits for WELCOME, then for any byte within two of the server's intervals`() throws {
        let early = ClientBench(greeted: false)
        #expect(early.nextLivenessDeadline == 11_000)
        early.now = 11_000
        #expect(throws: ConnectionViolation.welcomeOverdue) { try early.expire() }

        let bench = ClientBench(CallLimits(pingMilliseconds: 300))
        #expect(bench.nextLivenessDeadline == 1_600)
        bench.now = 1_500
        try bench.receive(Ping(data: 4))
        #expect(bench.takeOutput() == ["PONG 4"])
        bench.now = 2_099
        try bench.expire()
        bench.now = 2_100
        #expect(throws: ConnectionViolation.silent) { try bench.expire() }
        #expect(bench.isClosed)
    }

    @Test func `a client can ask whether the server is there`() throws {
        let bench = ClientBench()
        bench.calls.ping(now: 1_000, output: &bench.output)
        #expect(bench.takeOutput() == ["PING 1"])
        bench.now = 1_030
        try bench.receive(Pong(data: 1))
        #expect(bench.takeEvents() == ["pong after 30"])
    }
}
