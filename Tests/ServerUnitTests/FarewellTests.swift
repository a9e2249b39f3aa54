import Testing
import UsherAPI

@testable import Server

struct FarewellTests {
    @Test func `clients are sent to the hosts in turn`() {
        let farewell = Farewell(milliseconds: 10_000, hosts: ["a:1", "b:1", "c:1"], hasNeighbours: true)
        #expect((0..<7).map { farewell.goAway($0).host } == ["a:1", "b:1", "c:1", "a:1", "b:1", "c:1", "a:1"])
        #expect(Farewell(milliseconds: 10_000).goAway(5).host.isEmpty)
    }

    @Test(arguments: [0, 1, 10, 200, 10_000, 600_000] as [UInt64])
    func `the last client moves before the time is over`(milliseconds: UInt64) {
        let goAway = Farewell(milliseconds: milliseconds).goAway(0)
        #expect(goAway.reason == "SHUTTING_DOWN")
        #expect(UInt64(goAway.reconnectAfterMs) + UInt64(goAway.jitterMs) <= milliseconds * 3 / 4)
        // Spread over most of the time, and not in its first moment.
        if milliseconds >= 10 { #expect(goAway.reconnectAfterMs > 0 && UInt64(goAway.jitterMs) > milliseconds / 2) }
    }
}
