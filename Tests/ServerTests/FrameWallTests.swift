import Calls
import Foundation
import Testing
import UsherAPI
import Wire

@testable import Server

/// protocol/README.md sections 3 to 5: what ends a connection, and with which code.
@Suite(.timeLimit(.minutes(1)))
struct FrameWallTests {
    private func list(_ call: UInt32) -> UsherFrame { .open(call, .listConcerts, ListConcertsRequest()) }

    @Test func `whoever breaks the rules of frames is closed with the code that says how`() async throws {
        let hello = UsherFrame.hello().bytes
        let ping = UsherFrame.ping(1).bytes
        let open = list(5).bytes
        // Before HELLO.
        let first: [(name: String, message: [UInt8], code: UInt16)] = [
            ("OPEN first", open, 4504), ("PING first", ping, 4504),
            ("an unknown kind first, ignorable or not", UsherFrame(number: 31, flags: UsherFrame.ignorable).bytes, 4504),
            ("HELLO twice in a message", hello + hello, 4504),
            ("HELLO with a call id", UsherFrame(.hello, call: 1).bytes, 4503),
            ("HELLO with END", UsherFrame(.hello, flags: UsherFrame.end).bytes, 4503),
            ("HELLO with bytes that are none", UsherFrame(.hello, [0x0a, 5]).bytes, 4501),
            ("an empty message", [], 4500),
        ]
        let then: [(name: String, message: [UInt8], code: UInt16)] = [
            ("HELLO again", hello, 4504), ("OPEN as call 0", list(0).bytes, 4503), ("OPEN of an id again", open + open, 4505),
            ("OPEN of a lower id", open + list(4).bytes, 4505),
            ("CREDIT for a call never opened", UsherFrame.credit(9, 1).bytes, 4506),
            ("CANCEL for a call never opened", UsherFrame.cancel(9).bytes, 4506),
            ("CANCEL above the highest", open + UsherFrame.cancel(6).bytes, 4506),
            ("CREDIT for the connection", UsherFrame.credit(0, 1).bytes, 4503),
            ("WELCOME from a client", UsherFrame(.welcome).bytes, 4503),
            ("MESSAGE from a client", UsherFrame(.message, call: 1).bytes, 4503),
            ("CLOSE from a client", UsherFrame(.close, call: 1, flags: UsherFrame.end).bytes, 4503),
            ("GOAWAY from a client", UsherFrame(.goAway).bytes, 4503),
            ("an unknown kind", UsherFrame(number: 30).bytes, 4502), ("kind 0", UsherFrame(number: 0).bytes, 4502),
            ("the reserved flag", UsherFrame(.ping, flags: UsherFrame.reserved).bytes, 4500),
            (
                "the reserved flag on an unknown kind",
                UsherFrame(number: 30, flags: UsherFrame.reserved | UsherFrame.ignorable).bytes, 4500
            ),
            ("half a header", Array(ping.prefix(5)), 4500), ("half a body", Array(open.dropLast()), 4500),
            ("a byte too many", ping + [0], 4500),
            ("an empty message", [], 4500), ("OPEN with END", UsherFrame(.open, call: 5, flags: UsherFrame.end).bytes, 4503),
            ("PING for a call", UsherFrame(.ping, call: 5).bytes, 4503),
            ("PING with END", UsherFrame(.ping, flags: UsherFrame.end).bytes, 4503),
            ("a body that ends early", UsherFrame(.ping, [0x09, 1, 2]).bytes, 4501),
            ("a body with field 0", UsherFrame(.open, call: 5, [0x00, 0]).bytes, 4501),
            ("a body with wire type 6", UsherFrame(.cancel, call: 5, [0x0e]).bytes, 4501),
            ("a method that is not UTF-8", UsherFrame(.open, call: 5, [0x0a, 1, 0xff]).bytes, 4501),
            (
                "a header that tells of a body too large", UsherFrame.header(30, UsherFrame.ignorable, length: 65_537, 0) + [0],
                4507
            ),
            ("a header that tells of 4 GiB", UsherFrame.header(3, 0, length: .max, 1), 4507),
        ]
        let catalogue = try closeCodes()
        try await withSale { sale in
            for (name, message, code) in first {
                let (client, _) = try await sale.rawSocket()
                client.send(WebSocketFrame(Opcode.binary, message))
                #expect(try await client.closeCode() == code && catalogue.contains(code), "\(name)")
            }
            for (name, message, code) in then {
                let client = try await sale.rawCalls()
                client.send(WebSocketFrame(Opcode.binary, message))
                let closing = try await client.closing()
                #expect(closing.code == code && catalogue.contains(code), "\(name): \(closing)")
            }
        }
    }

    /// Those of protocol/errors.json.
    private func closeCodes() throws -> Set<UInt16> {
        struct Catalogue: Decodable {
            struct Entry: Decodable { var code: UInt16 }
            var close_codes: [Entry]
        }
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../protocol/errors.json")
        return Set(try JSONDecoder().decode(Catalogue.self, from: Data(contentsOf: file)).close_codes.map(\.code))
    }

    @Test func `a body of 64 KiB is taken, one byte more is not`() async throws {
        try await withSale { sale in
            func open(body count: Int) -> UsherFrame {
                // A request with an unknown field that fills the frame.
                var frame = list(1)
                let field = 31 << 3 | 2
                let padding = count - frame.body.count - 5
                frame.body += [
                    UInt8(field & 0x7f | 0x80), UInt8(field >> 7), UInt8(padding & 0x7f | 0x80),
                    UInt8(padding >> 7 & 0x7f | 0x80), UInt8(padding >> 14),
                ]
                frame.body += Array(repeating: 0, count: padding)
                return frame
            }
            let client = try await sale.rawCalls()
            let largest = open(body: 65_536)
            #expect(largest.body.count == 65_536)
            client.send(largest)
            #expect(try await client.close(1).code == .ok)
            let other = try await sale.rawCalls()
            other.send(open(body: 65_537))
            #expect(try await other.closeCode() == 1009)
        }
    }

    @Test func `unknown kinds that may be ignored are, and frames for calls that have ended`() async throws {
        try await withSale { sale in
            let client = try await sale.rawCalls()
            client.send(
                UsherFrame(number: 31, call: 7, [1, 2, 3], flags: UsherFrame.ignorable),
                UsherFrame(number: 0, flags: UsherFrame.ignorable | UsherFrame.end),
                list(7), .cancel(7), .credit(7, 1), .cancel(3), .credit(3, .max), UsherFrame(.pong, Pong(data: 99).encoded()),
                .ping(1))
            try await client.pong(1)
            #expect(try await client.close(7).code == .ok)
            #expect(try await client.untaken().isEmpty)
        }
    }

    @Test func `one message may hold a whole conversation, and a frame before an offence has its effect`() async throws {
        try await withSale { sale in
            let (client, _) = try await sale.rawSocket()
            client.send(.hello(), list(1), .ping(5), list(2), .ping(6))
            #expect(try await client.welcome().user != nil)
            try await client.pong(6)
            #expect(try await client.close(1).code == .ok)
            #expect(try await client.close(2).code == .ok)

            let offender = try await sale.rawCalls()
            offender.send(.ping(7), UsherFrame(number: 30))
            try await offender.pong(7)
            #expect(try await offender.closeCode() == 4502)
        }
    }

    /// All in one write, so that the server knows of the end before it looks at the call.
    @Test func `a call before an offence, or before the client's own end, is carried out`() async throws {
        let ends: [(name: String, end: [UInt8], code: UInt16)] = [
            ("an offence in another message", WebSocketFrame(Opcode.binary, UsherFrame(number: 30).bytes).bytes, 4502),
            ("a text message", WebSocketFrame(Opcode.text, [0x61]).bytes, 1003),
            ("Close", WebSocketFrame(Opcode.close, bigEndian(UInt16(1000))).bytes, 1000),
            ("pings", (0...10).flatMap { _ in WebSocketFrame(Opcode.ping).bytes }, 4004),
        ]
        try await withSale { sale in
            for (index, (name, end, code)) in ends.enumerated() {
                let user = Uuid.test()
                try await sale.putOn("concert-\(index)")
                let (client, _) = try await sale.active(user, at: "concert-\(index)")
                let charge = UsherFrame.open(2, .charge, ChargeRequest(amount: 500))
                client.send(WebSocketFrame(Opcode.binary, charge.bytes).bytes + end)
                #expect(try await client.closeCode() == code, "\(name)")
                let (again, _) = try await sale.active(user, at: "concert-\(index)")
                again.send(.open(2, .getBalance, GetBalanceRequest()))
                let balance = try GetBalanceResponse(decoding: await again.close(2).payload)
                #expect(balance.balance == 500, "\(name)")
            }
        }
    }

    @Test func `WELCOME tells who one is and every limit; a user without a name may look around`() async throws {
        try await withSale { sale in
            let user = Uuid.test()
            let (client, _) = try await sale.rawSocket()
            client.send(.hello(user))
            let welcome = try await client.welcome()
            #expect(
                welcome.user == user && welcome.development && welcome.pingIntervalMs == 25_000
                    && welcome.limits == CallLimits.visitor.told)
            let nobody = try await sale.rawCalls(nil)
            nobody.send(
                list(1), .open(2, .join, JoinRequest(concert: "aurora")), .open(3, .listReservations, ListReservationsRequest())
            )
            #expect(try await nobody.close(1).code == .ok)
            #expect(try await nobody.close(2).reason == "UNKNOWN_CONCERT")
            #expect(try await nobody.close(3).reason == "IDENTITY_MISSING")
            let nil128 = try await sale.rawSocket().0
            nil128.send(.hello(Uuid(high: 0, low: 0)))
            #expect(try await nil128.closeCode() == 4508)
        }
    }

    @Test func `a client that is silent for two ping intervals is pinged, then closed with 4002`() async throws {
        try await withSale({ $0.limits = .patient(pingMilliseconds: 150) }) { sale in
            let client = try await sale.rawCalls()
            _ = try Ping(decoding: await client.frame("PING") { $0.isKind(.ping) }.body)
            #expect(try await client.closeCode() == 4002)
        }
    }
}
