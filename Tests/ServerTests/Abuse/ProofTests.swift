import Calls
import Client
import Reactor
import Testing
import UsherAPI
import Wire

@testable import Server

/// Tokens that are somebody else's, or of the past, or made up: what they open, and what trying them costs.
@Suite(.timeLimit(.minutes(1)))
struct ProofTests {
    /// Every call that takes a queue token, as Bob would make it with Ada's.
    private static let calls: [(name: String, frame: @Sendable (UInt64) -> UsherFrame)] = [
        ("Join", { _ in .open(9, .join, JoinRequest(concert: "aurora")) }),
        ("Check", { _ in .open(9, .check, CheckRequest(concert: "aurora")) }),
        ("Leave", { _ in .open(9, .leave, LeaveRequest(concert: "aurora")) }),
        ("ListPerformances", { _ in .open(9, .listPerformances, ListPerformancesRequest(concert: "aurora")) }),
        ("ListSeats", { _ in .open(9, .listSeats, ListSeatsRequest(performance: "aurora-1")) }),
        ("StreamSeats", { _ in .open(9, .streamSeats, StreamSeatsRequest(concert: "aurora")) }),
        ("WatchSeats", { _ in .open(9, .watchSeats, WatchSeatsRequest(performance: "aurora-1")) }),
        ("Hold", { _ in .open(9, .hold, HoldRequest(performance: "aurora-1", seats: [2])) }),
        ("Release", { .open(9, .release, ReleaseRequest(reservation: $0)) }),
        ("Pay", { .open(9, .pay, PayRequest(reservation: $0)) }),
        ("Charge", { _ in .open(9, .charge, ChargeRequest(amount: 5)) }),
        ("GetBalance", { _ in .open(9, .getBalance, GetBalanceRequest()) }),
    ]

    @Test func `another's queue token is refused in every call that takes one, and nothing of theirs changes`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora")
            let user = Uuid.test()
            let (ada, place) = try await sale.active(user)
            ada.send(.open(2, .hold, HoldRequest(performance: "aurora-1", seats: [1])))
            let held = try #require(try HoldResponse(decoding: await ada.close(2).payload).reservation)
            ada.send(.open(3, .charge, ChargeRequest(amount: 5_000)))
            #expect(try await ada.close(3).code == .ok)

            for (name, frame) in Self.calls {
                // With a turn of his own, so that only the token is wrong.
                let (bob, _) = try await sale.active()
                var open = try Open(decoding: frame(held.id).body)
                open.metadata = queueToken(place.queueToken)
                bob.send(UsherFrame(.open, call: 9, open.encoded()))
                let close = try await bob.close(9)
                #expect(close.code == .unauthenticated && close.reason == "TOKEN_INVALID", "\(name): \(close)")
            }
            let (bob, _) = try await sale.active()
            let others: [(name: String, frame: UsherFrame, reasons: Set<String>)] = [
                ("release", .open(11, .release, ReleaseRequest(reservation: held.id)), ["NOT_YOURS", "UNKNOWN_RESERVATION"]),
                ("pay", .open(12, .pay, PayRequest(reservation: held.id)), ["NOT_YOURS", "UNKNOWN_RESERVATION"]),
                (
                    "cancel", .open(13, .cancelReservation, CancelReservationRequest(reservation: held.id)),
                    ["NOT_YOURS", "UNKNOWN_RESERVATION"]
                ),
                ("charge", .open(14, .charge, ChargeRequest(amount: 5, user: user)), ["NOT_YOURS"]),
                ("balance", .open(15, .getBalance, GetBalanceRequest(user: user)), ["NOT_YOURS"]),
                ("transactions", .open(16, .listTransactions, ListTransactionsRequest(user: user)), ["NOT_YOURS"]),
            ]
            for (name, frame, reasons) in others {
                bob.send(frame)
                let close = try await bob.close(frame.call)
                #expect(reasons.contains(close.reason), "\(name): \(close)")
            }
            bob.send(.open(17, .listReservations, ListReservationsRequest()))
            #expect(try ListReservationsResponse(decoding: await bob.close(17).payload).reservations.isEmpty)

            ada.send(.open(4, .pay, PayRequest(reservation: held.id)))
            let paid = try PayResponse(decoding: await ada.close(4).payload)
            #expect(paid.payment?.seats == [1] && paid.balance == 4_000)
        }
    }

    @Test func `a token that is used again after its end brings nothing back, nor does one of another sale or a pass`()
        async throws
    {
        try await withSale { sale in
            try await sale.putOn("aurora")
            let user = Uuid.test()
            let (client, place) = try await sale.active(user)
            func hold(_ call: UInt32, _ token: String) -> UsherFrame {
                .open(call, .hold, HoldRequest(performance: "aurora-1", seats: [1])) { $0.metadata = queueToken(token) }
            }
            client.send(.open(2, .leave, LeaveRequest(concert: "aurora")))
            #expect(try await client.close(2).code == .ok)
            let again = try await sale.rawCalls(user)
            again.send(hold(1, place.queueToken))
            #expect(try await again.close(1).reason == "TOKEN_ENDED")
            // It is no way back in: a join with it is a new place at the back.
            again.send(.open(2, .join, JoinRequest(concert: "aurora")) { $0.metadata = queueToken(place.queueToken) })
            #expect(try await again.update(2).joinNumber == 2)
            again.send(hold(3, place.pass))
            #expect(try await again.close(3).reason == "TOKEN_INVALID")
            try await withSale { other in
                try await other.putOn("aurora")
                let (_, foreign) = try await other.active(user)
                again.send(hold(4, foreign.queueToken))
                #expect(try await again.close(4).reason == "TOKEN_INVALID")
            }
        }
    }

    @Test func `eight false proofs are answered, the next ends the connection, so that verifying has a bound`() async throws {
        try await withSale({ $0.loops = 1 }) { sale in
            try await sale.putOn("aurora")
            let (honest, place) = try await sale.active()
            // Whole and well-formed: a signature changed in one place.
            var token = Array(place.queueToken.utf8)
            token[token.count - 10] = token[token.count - 10] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let forged = String(decoding: token, as: UTF8.self)
            let kinds: [(name: String, frame: (UInt32) -> UsherFrame, reason: String)] = [
                (
                    "queue token", { .open($0, .check, CheckRequest(concert: "aurora")) { $0.metadata = queueToken(forged) } },
                    "TOKEN_INVALID"
                ),
                (
                    "bearer",
                    { .open($0, .listReservations, ListReservationsRequest()) { $0.metadata = bearer("operator:guess") } },
                    "IDENTITY_INVALID"
                ),
                (
                    "Authenticate", { .open($0, .authenticate, AuthenticateRequest(identity: .jwt("operator:guess"))) },
                    "IDENTITY_INVALID"
                ),
            ]
            for (name, frame, reason) in kinds {
                let client = try await sale.rawCalls()
                let refused = try await sale.metric("refusals_total")
                client.send((1...30).map(frame))
                for call in 1...UInt32(8) { #expect(try await client.close(call).reason == reason, "\(name)") }
                #expect(try await client.closeCode() == 4004, "\(name)")
                #expect(try await sale.metric("refusals_total") - refused == 9, "\(name): the others were not looked at")
            }
            honest.send(.open(9, .hold, HoldRequest(performance: "aurora-1", seats: [1])))
            #expect(try await honest.close(9).code == .ok)
        }
    }

    @Test func `of two commands with one request id and other contents at once, one is carried out`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora")
            let user = Uuid.test()
            let (one, place) = try await sale.active(user)
            let other = try await sale.rawCalls(user)
            for round in 1...UInt32(10) {
                let id = Uuid.test()
                for (client, amount) in [(one, UInt64(100)), (other, 7)] {
                    client.send(
                        .open(round + 1, .charge, ChargeRequest(amount: amount)) {
                            $0.requestId = id
                            $0.metadata = queueToken(place.queueToken)
                        })
                }
                let closes = try await [one.close(round + 1), other.close(round + 1)]
                #expect(closes.count { $0.code == .ok } == 1)
                #expect(closes.count { $0.reason == "REQUEST_ID_REUSED" && $0.code == .invalidArgument } == 1)
            }
            one.send(.open(50, .listTransactions, ListTransactionsRequest()))
            #expect(try ListTransactionsResponse(decoding: await one.close(50).payload).transactions.count == 10)
        }
    }
}
