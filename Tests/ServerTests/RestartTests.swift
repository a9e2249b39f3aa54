import Client
import Reactor
import Server
import Testing
import UsherAPI

/// What outlives a server: over real sockets and a real SQLite file.
@Suite(.timeLimit(.minutes(2)))
struct RestartTests {
    @Test func `after a restart everything acknowledged is there, and clients come back by themselves`() async throws {
        let first = try TestSale { $0.journal = .sqlite }
        try await first.putOn("aurora") { $0.policy = AdmissionPolicy(maxActive: 2) }
        let buyer = try await first.client()
        let turns = buyer.line.join("aurora")
        _ = try await turns.first { $0.state == .active }
        let other = try await first.client()
        _ = try await other.line.join("aurora").first { $0.state == .active }
        let waiting = try await first.client()
        let places = waiting.line.join("aurora")
        let placed = try await places.first { $0.state == .waiting }
        #expect(placed.position == 1)
        let hold = try await buyer.reservations.hold(performance: "aurora-1", seats: [2, 3])
        _ = try await buyer.accounts.charge(10_000)

        let second = try first.restarted(onSamePort: true)
        defer { second.stop() }
        let paid = try await buyer.payments.pay(hold.id)
        #expect(paid.balance == 8_000)
        let ended = try await turns.first { $0.state == .ended }
        #expect(ended.endReason == .paid)
        // For ten seconds after an outage nobody is admitted; then the one who waited is.
        let turn = try await places.first { $0.state == .active }
        #expect(turn.joinNumber == 3)
    }

    @Test func `a second server on the same port is refused, and says so`() async throws {
        try await withSale { sale in
            #expect(throws: (any Error).self) { try TestSale { $0.listen = .loopback(port: sale.port) } }
        }
    }

    @Test func `a second server on the same journal is refused`() async throws {
        let sale = try TestSale { $0.journal = .sqlite }
        defer { sale.stop() }
        #expect(throws: (any Error).self) {
            try TestSale {
                $0.journal = .sqlite
                $0.dataFolder = sale.folder
            }
        }
    }
}
