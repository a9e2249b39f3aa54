import Calls
import Client
import Testing
import UsherAPI
import Wire

@testable import Server

/// A client that asks for much and reads nothing.
@Suite(.timeLimit(.minutes(1)))
struct SlowReaderTests {
    private static let outputBytes = 1 << 20
    /// Of a snapshot of 65,535 seats.
    private static let partCount = 33

    @Test func `who does not read holds up nobody, and is then sent one delta for all that happened meanwhile`() async throws {
        try await withSale({
            $0.loops = 1
            $0.limits = CallLimits(outputBytes: Self.outputBytes)
        }) { sale in
            try await sale.putOn("aurora", seats: 65_535)
            let slow = try await sale.rawCalls()
            slow.send(.open(1, .join, JoinRequest(concert: "aurora")))
            while try await slow.update(1).state != .active {}
            slow.pauseReading()
            // Snapshots of 0.7 MB each: eight are more than the kernel takes for somebody who does not read (tcp(7), 4 MB).
            let watches = UInt32(2)...9
            slow.send(watches.map { .open($0, .watchSeats, WatchSeatsRequest(performance: "aurora-1")) })
            // What was sent, before TLS, is more than was written, after it, only while somebody's output waits.
            while try await waiting(sale) < Self.outputBytes / 2 {}

            let other = try await sale.client()
            _ = try await other.line.join("aurora").first { $0.state == .active }
            for _ in 0..<10 {
                let hold = try await other.reservations.hold(performance: "aurora-1", seats: [1, 2])
                _ = try await other.reservations.release(hold.id)
            }
            _ = try await other.reservations.hold(performance: "aurora-1", seats: [5])
            #expect(try await waiting(sale) <= Self.outputBytes + CallLimits.visitor.messageBytes)

            slow.resumeReading()
            for call in watches {
                var states: [UInt32: SeatState] = [:]
                var parts = 0
                var deltas = 0
                while parts < Self.partCount || states[5] != .held {
                    let message = try await slow.message(call)
                    let isDelta = message.payload.count < 1_000
                    #expect(message.reset == (parts == 0))
                    if isDelta { deltas += 1 } else { parts += 1 }
                    guard isDelta || parts == 1 else { continue }
                    for seat in try SeatList(decoding: message.payload).seats { states[seat.number] = seat.state }
                }
                #expect(parts == Self.partCount && states[1] == .available && states[2] == .available)
                // One as a rule; two where a little room was left in between. By no means 21.
                #expect(deltas <= 2)
            }
            try await slow.roundTrip()
        }
    }

    @Test func `something large goes to who reads at once, and not a part at each tick`() async throws {
        // Every performance's seats are more than the output may hold, so that each has to wait for the one before.
        let count = 40
        try await withSale({
            $0.loops = 1
            $0.limits = CallLimits(outputBytes: 300)
        }) { sale in
            try await sale.putOn("aurora", seats: 50)
            let office = try await sale.operatorClient()
            for number in 2...count {
                var performance = PerformanceSettings()
                performance.id = "aurora-\(number)"
                performance.concert = "aurora"
                performance.startsMs = 4_000_000_000_000
                performance.seatCount = 50
                performance.prices = [PriceBand(firstSeat: 1, lastSeat: 50, price: 1_000)]
                _ = try await office.operators.putPerformance(performance)
            }
            let fan = try await sale.rawCalls()
            fan.send(.open(1, .join, JoinRequest(concert: "aurora")))
            while try await fan.update(1).state != .active {}
            // A clock that counts ticks of this loop: a sample each ten of them.
            let clock = try await sale.rawCalls(hello: .hello(jwt: sale.operatorIdentity))
            clock.send(.open(1, .watchStats, StatsRequest(concert: "aurora")))
            _ = try await clock.message(1)
            fan.send(.open(2, .streamSeats, StreamSeatsRequest(concert: "aurora", includeSoldOut: true)))
            #expect(try await fan.close(2).code == .ok)
            #expect(try await fan.untaken().count { $0.call == 2 } == count)
            try await clock.roundTrip()
            #expect(try await clock.untaken().count < count / 10 - 2, "as many ticks as parts")
        }
    }

    /// Bytes that wait at the server for readers, as its metrics tell.
    private func waiting(_ sale: TestSale) async throws -> Int {
        let page = try await sale.admin("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n").text
        func value(_ name: String) -> Int {
            page.split(separator: "\n").first { $0.hasPrefix(name) }.flatMap { $0.split(separator: " ").last }.flatMap {
                Int($0)
            } ?? 0
        }
        return value("usher_sent_bytes_total") - value("usher_written_bytes_total")
    }
}
