import Glibc
import Testing

@testable import Reactor

struct LoopTests {
    private final class Target: TimerTarget, TurnTarget {
        var tags: [Int] = []
        var turnEnds = 0
        func timerFired(_ tag: Int) { tags.append(tag) }
        func turnEnded() { turnEnds += 1 }
    }

    @Test func `timers fire in order, cancelled ones never`() throws {
        let loop = try EventLoop()
        let target = Target()
        loop.schedule(after: 3, target, tag: 3)
        loop.schedule(after: 1, target, tag: 1)
        let cancelled = loop.schedule(after: 2, target, tag: 2)
        let moved = loop.schedule(after: 0, target, tag: 4)
        loop.reschedule(moved, after: 4)
        loop.cancel(cancelled)
        var done = false
        loop.schedule(after: 5) { done = true }
        while !done { loop.turn(upTo: 1000) }
        #expect(target.tags == [1, 3, 4])
    }

    @Test func `a turn-end visit happens once for each asking`() throws {
        let loop = try EventLoop()
        let target = Target()
        loop.visitAtTurnEnd(target)
        loop.turn(upTo: nil)
        loop.turn(upTo: 0)
        #expect(target.turnEnds == 1)
    }

    @Test func `stop from another thread ends run, and every handler hears of it once`() throws {
        let bench = try Bench()
        let client = bench.client()
        try bench.turn(until: "connected") { bench.served.count == 1 && client.connection?.isOpen == true }
        let control = bench.loop.control
        let thread = try Reactor.Thread.start(name: "stopper") { control.stop() }
        bench.loop.run()
        thread.join()
        #expect(client.closings == [.loopStopped])
        #expect(bench.served[0].closings == [.loopStopped])
        #expect(bench.loop.counters.connections.value == 0)
    }

    @Test func `a stop before run is not lost`() throws {
        let loop = try EventLoop()
        loop.control.stop()
        loop.run()
        #expect(loop.counters.turns.value == 0)
    }

    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1:80"), ("[::1]:8443", "[::1]:8443"), ("[2001:db8::17]:1", "[2001:db8::17]:1"),
    ])
    func `addresses are read and written`(text: String, expected: String) {
        #expect(SocketAddress(text)?.description == expected)
    }

    @Test(arguments: ["", "127.0.0.1", "localhost:80", "::1:80", "1.2.3.4:65536", "[1.2.3.4:80"])
    func `what is no address is refused`(text: String) {
        #expect(SocketAddress(text) == nil)
    }
}
