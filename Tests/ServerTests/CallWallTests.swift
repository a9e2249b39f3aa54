import Calls
import Client
import Testing
import UsherAPI
import Wire

@testable import Server

/// Calls, frame by frame: what each is answered, exactly once, and what credit, deadlines and CANCEL do to streams.
@Suite(.timeLimit(.minutes(1)))
struct CallWallTests {
    private func list(_ call: UInt32, _ change: (inout Open) -> Void = { _ in }) -> UsherFrame {
        .open(call, .listConcerts, ListConcertsRequest(), change)
    }

    private func join(_ call: UInt32, _ change: (inout Open) -> Void = { _ in }) -> UsherFrame {
        .open(call, .join, JoinRequest(concert: "aurora"), change)
    }

    /// A sale whose lobby is open: whoever joins waits.
    private func withLobby(_ body: (TestSale) async throws -> Void) async throws {
        try await withSale({ $0.loops = 1 }) { sale in
            try await sale.putOn("aurora", isOpen: false)
            let office = try await sale.operatorClient()
            _ = try await office.operators.change(.lobby, of: "aurora")
            try await body(sale)
        }
    }

    @Test func `what is wrong with a call is told in its CLOSE, and harms no other`() async throws {
        func pairs(_ bytes: Int) -> [Metadata] {
            [
                Metadata(key: "a", value: Array(repeating: 0x61, count: 4_000)),
                Metadata(key: "b", value: Array(repeating: 0x61, count: bytes - 4_002)),
            ]
        }
        let cases: [(name: String, frame: (UInt32) -> UsherFrame, code: StatusCode, reason: String)] = [
            ("an unknown method", { list($0) { $0.method = "/usher.v1.Catalogue/Nothing" } }, .unimplemented, "UNKNOWN_METHOD"),
            ("no method", { list($0) { $0.method = "" } }, .unimplemented, "UNKNOWN_METHOD"),
            ("a method with a slash too many", { list($0) { $0.method += "/" } }, .unimplemented, "UNKNOWN_METHOD"),
            ("an empty OPEN", { UsherFrame(.open, call: $0) }, .unimplemented, "UNKNOWN_METHOD"),
            ("a command without request id", { join($0) { $0.requestId = nil } }, .invalidArgument, "REQUEST_ID_MISSING"),
            (
                "a command with the nil UUID", { join($0) { $0.requestId = Uuid(high: 0, low: 0) } }, .invalidArgument,
                "REQUEST_ID_MISSING"
            ),
            ("a request that ends early", { list($0) { $0.request = [0x0a, 9] } }, .invalidArgument, "MALFORMED_REQUEST"),
            (
                "a request that is not UTF-8", { join($0) { $0.request = [0x0a, 1, 0xff] } }, .invalidArgument,
                "MALFORMED_REQUEST"
            ),
            ("metadata of 8 KiB", { list($0) { $0.metadata = pairs(8_192) } }, .ok, ""),
            ("metadata of a byte more", { list($0) { $0.metadata = pairs(8_193) } }, .resourceExhausted, "METADATA_TOO_LARGE"),
            (
                "a key in capitals", { list($0) { $0.metadata = [Metadata(key: "Key", value: [])] } }, .invalidArgument,
                "METADATA_INVALID"
            ),
            (
                "an empty key", { list($0) { $0.metadata = [Metadata(key: "", value: [])] } }, .invalidArgument,
                "METADATA_INVALID"
            ),
            (
                "an authorization that is no bearer's",
                { list($0) { $0.metadata = [Metadata(key: "authorization", value: Array("Basic eA==".utf8))] } },
                .invalidArgument, "METADATA_INVALID"
            ),
            (
                "a bearer nobody knows",
                {
                    .open($0, .listReservations, ListReservationsRequest()) {
                        $0.metadata = [Metadata(key: "authorization", value: Array("Bearer x".utf8))]
                    }
                }, .unauthenticated, "IDENTITY_INVALID"
            ),
            (
                "a queue token that is none",
                {
                    .open($0, .check, CheckRequest(concert: "aurora")) {
                        $0.metadata = [Metadata(key: "queue-token", value: Array("a.b.c".utf8))]
                    }
                }, .unauthenticated, "TOKEN_INVALID"
            ),
            ("a position of the future", { list($0) { $0.position = 1 << 40 } }, .unavailable, "NOT_CAUGHT_UP"),
            ("a concert nobody knows", { .open($0, .join, JoinRequest(concert: "x")) }, .notFound, "UNKNOWN_CONCERT"),
            (
                "seats before it is one's turn", { .open($0, .listSeats, ListSeatsRequest(performance: "aurora-1")) },
                .unauthenticated, "TOKEN_MISSING"
            ),
            ("an operator's call", { .open($0, .stats, StatsRequest()) }, .permissionDenied, "OPERATORS_ONLY"),
            ("a call that is fine", { list($0) }, .ok, ""),
        ]
        try await withLobby { sale in
            let client = try await sale.rawCalls()
            for (index, entry) in cases.enumerated() { client.send(entry.frame(UInt32(index + 1))) }
            for (index, entry) in cases.enumerated() {
                let close = try await client.close(UInt32(index + 1))
                #expect(close.code == entry.code && close.reason == entry.reason, "\(entry.name): \(close)")
                if entry.reason == "METADATA_TOO_LARGE" { #expect(close.details?.limit == 8_192) }
            }
            try await client.roundTrip()
            #expect(try await client.untaken().isEmpty)
        }
    }

    @Test func `a deadline that passes on a stream ends it, once, and its place stays`() async throws {
        try await withLobby { sale in
            let client = try await sale.rawCalls()
            client.send(join(1) { $0.timeoutMs = 300 })
            let number = try await client.update(1).joinNumber
            let close = try await client.close(1)
            #expect(close.code == .deadlineExceeded && close.reason == "DEADLINE_PASSED")
            client.send(.cancel(1), .credit(1, 5))
            client.send(join(2))
            #expect(try await client.update(2).joinNumber == number)
            try await client.roundTrip()
            #expect(try await client.untaken().isEmpty)
        }
    }

    @Test func `CANCEL ends a stream with exactly one CLOSE, and nothing comes after it`() async throws {
        try await withLobby { sale in
            let client = try await sale.rawCalls()
            client.send(join(1))
            _ = try await client.update(1)
            client.send(.cancel(1), .cancel(1), .credit(1, 1))
            client.send(.cancel(1))
            let close = try await client.close(1)
            #expect(close.code == .cancelled && close.reason == "CANCELLED_BY_CALLER")
            // In the same message as the OPEN: whatever came first, it ends once.
            client.send(join(2), .cancel(2))
            #expect([.cancelled, .ok].contains(try await client.close(2).code))
            let other = try await sale.rawCalls()
            other.send(join(1))
            _ = try await other.update(1)
            try await client.roundTrip()
            #expect(try await client.untaken().isEmpty)
        }
    }

    @Test func `a line stream with credit 1 sends one update, and on CREDIT how things stand by then`() async throws {
        try await withLobby { sale in
            var ahead: [RawClient] = []
            for _ in 0..<3 {
                let client = try await sale.rawCalls()
                client.send(join(1))
                _ = try await client.update(1)
                ahead.append(client)
            }
            let thrifty = try await sale.rawCalls()
            thrifty.send(join(1) { $0.credit = 1 })
            #expect(try await thrifty.update(1).position == 4)
            let observer = try await sale.rawCalls()
            observer.send(join(1))
            #expect(try await observer.update(1).position == 5)
            for client in ahead {
                client.send(.open(2, .leave, LeaveRequest(concert: "aurora")))
                #expect(try await client.close(2).code == .ok)
            }
            while try await observer.update(1).position != 2 {}
            try await thrifty.roundTrip()
            #expect(try await thrifty.untaken().isEmpty)
            thrifty.send(.credit(1, 1))
            let update = try await thrifty.update(1)
            #expect(update.position == 1)
            try await thrifty.roundTrip()
            #expect(try await thrifty.untaken().isEmpty)
        }
    }

    @Test func `a stream without credit says nothing at all until it has some`() async throws {
        try await withLobby { sale in
            let client = try await sale.rawCalls()
            client.send(join(1) { $0.credit = 0 })
            let other = try await sale.rawCalls()
            other.send(join(1))
            while try await other.update(1).joinNumber != 2 {}
            try await client.roundTrip()
            #expect(try await client.untaken().isEmpty)
            client.send(.credit(1, .max), .credit(1, .max))
            #expect(try await client.update(1).joinNumber == 1)
        }
    }

    @Test func `a seat watch sends a part of its snapshot for each credit, then one delta for all that happened`() async throws
    {
        try await withSale({ $0.loops = 1 }) { sale in
            try await sale.putOn("aurora", seats: 2_500)
            let buyer = try await sale.client()
            _ = try await buyer.line.join("aurora").first { $0.state == .active }
            let watcher = try await sale.rawCalls()
            watcher.send(join(1))
            while try await watcher.update(1).state != .active {}
            watcher.send(.open(2, .watchSeats, WatchSeatsRequest(performance: "aurora-1")) { $0.credit = 1 })
            let (first, seats) = try await watcher.seats(2)
            #expect(
                first.reset && seats.nextSeat > 1 && seats.seats.first?.number == 1
                    && seats.seats.count == Int(seats.nextSeat) - 1)
            // Between the parts something changes in the first of them.
            let hold = try await buyer.reservations.hold(performance: "aurora-1", seats: [1])
            watcher.send(.credit(2, 1))
            let (second, rest) = try await watcher.seats(2)
            #expect(
                !second.reset && second.sequence == first.sequence && rest.nextSeat == 0 && rest.seats.last?.number == 2_500)
            _ = try await buyer.reservations.hold(performance: "aurora-1", seats: [7, 2_400])
            _ = try await buyer.reservations.release(hold.id)
            try await watcher.roundTrip()
            #expect(try await watcher.untaken().filter { $0.call == 2 }.isEmpty)
            watcher.send(.credit(2, 1))
            let (delta, changed) = try await watcher.seats(2)
            #expect(!delta.reset && delta.sequence > first.sequence)
            #expect(changed.seats.map(\.number) == [1, 7, 2_400] && changed.seats.map(\.state) == [.available, .held, .held])
            try await watcher.roundTrip()
            #expect(try await watcher.untaken().filter { $0.call == 2 }.isEmpty)
        }
    }

    @Test func `with a stopping server new calls are NOT_STARTED, running ones go on, and who goes lets it end`() async throws {
        let sale = try TestSale { $0.drainMilliseconds = 30_000 }
        defer { sale.stop() }
        try await sale.putOn("aurora")
        let client = try await sale.rawCalls()
        client.send(join(1))
        while try await client.update(1).state != .active {}
        async let stopped: Void = Task.detached { sale.stop() }.value
        let goAway = try await client.goAway()
        #expect(goAway.lastCall == 1 && goAway.reason == "SHUTTING_DOWN" && goAway.jitterMs > 0 && goAway.host.isEmpty)
        client.send(list(2))
        client.send(join(3), .ping(9))
        for call: UInt32 in [2, 3] {
            let refused = try await client.close(call)
            #expect(refused.code == .unavailable && refused.reason == "NOT_STARTED")
        }
        try await client.pong(9)
        client.send(.cancel(1))
        #expect(try await client.close(1).code == .cancelled)
        client.send(WebSocketFrame(Opcode.close, bigEndian(UInt16(1000))))
        #expect(try await client.closeCode() == 1000)
        await stopped
    }

    @Test func `whoever stays until the drain time is over is closed with 4900`() async throws {
        let sale = try TestSale { $0.drainMilliseconds = 100 }
        defer { sale.stop() }
        let client = try await sale.rawCalls()
        async let stopped: Void = Task.detached { sale.stop() }.value
        _ = try await client.goAway()
        #expect(try await client.closeCode() == 4900)
        await stopped
    }
}
