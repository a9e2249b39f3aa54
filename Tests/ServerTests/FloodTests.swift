import Calls
import Client
import Testing
import UsherAPI
import Wire

@testable import Server

/// More than a connection may do: each bound at its edge and one past it.
@Suite(.timeLimit(.minutes(1)))
struct FloodTests {
    private func list(_ call: UInt32) -> UsherFrame { .open(call, .listConcerts, ListConcertsRequest()) }

    /// All in one message, so that no time passes in which a bucket could fill again.
    @Test func `ten PINGs at once are answered, the eleventh ends the connection`() async throws {
        try await withSale { sale in
            let modest = try await sale.rawCalls()
            modest.send((1...10).map { .ping($0) })
            for data in 1...10 { try await modest.pong(UInt64(data)) }
            let flooding = try await sale.rawCalls()
            flooding.send((1...11).map { .ping($0) })
            try await flooding.pong(10)
            #expect(try await flooding.closeCode() == 4004)
        }
    }

    @Test func `128 CANCELs at once are taken, the next ends the connection`() async throws {
        try await withSale { sale in
            let modest = try await sale.rawCalls()
            modest.send([list(1)] + (1...128).map { _ in .cancel(1) } + [.ping(1)])
            try await modest.pong(1)
            #expect(try await modest.close(1).code == .ok)
            #expect(try await modest.untaken().isEmpty)
            let flooding = try await sale.rawCalls()
            flooding.send([list(1)] + (1...129).map { _ in .cancel(1) })
            #expect(try await flooding.closeCode() == 4004)
        }
    }

    @Test func `64 OPENs at once are taken, the next are told when to come again, and who goes on is closed`() async throws {
        try await withSale { sale in
            // 32 run at once, so that the others of the 64 are refused for that; refusals have a bound of their own, 256.
            let modest = try await sale.rawCalls()
            modest.send((1...288).map { list($0) } + [.ping(1)])
            try await modest.pong(1)
            for call in 1...UInt32(288) {
                let close = try await modest.close(call)
                switch call {
                case ...32: #expect(close.code == .ok)
                case ...64:
                    #expect(close.code == .resourceExhausted && close.reason == "TOO_MANY_CALLS" && close.details?.limit == 32)
                default:
                    #expect(close.code == .resourceExhausted && close.reason == "RATE_LIMITED")
                    #expect((1...50).contains(close.details?.retryAfterMs ?? 0))
                }
            }
            #expect(try await modest.untaken().isEmpty)
            let flooding = try await sale.rawCalls()
            flooding.send((1...289).map { list($0) })
            #expect(try await flooding.closeCode() == 4004)
        }
    }

    @Test func `bytes beyond what a person can send end the connection`() async throws {
        try await withSale { sale in
            let client = try await sale.rawCalls()
            let filler = UsherFrame(number: 31, Array(repeating: 0, count: 65_536), flags: UsherFrame.ignorable)
            // Made once: what a second of masking lets through again counts too.
            let message = WebSocketFrame(Opcode.binary, filler.bytes).bytes
            for _ in 0..<16 { client.send(message) }
            try await client.roundTrip()
            for _ in 0..<32 { client.send(message) }
            #expect(try await client.closeCode() == 4004)
        }
    }

    @Test func `compressed bytes count as they come, whatever they unfold to`() async throws {
        try await withSale { sale in
            let (client, _) = try await sale.rawSocket([("Sec-WebSocket-Extensions", "permessage-deflate")])
            client.send(.hello())
            _ = try await client.welcome()
            // DEFLATE blocks of nothing (RFC 1951 section 3.2.4), then one of a frame that needs no answer.
            let nothing = (0..<13_000).flatMap { _ in [0x00, 0x00, 0x00, 0xff, 0xff] as [UInt8] }
            let pong = UsherFrame(.pong, Pong(data: 99).encoded()).bytes
            let stored = [0x00, UInt8(pong.count), 0x00, ~UInt8(pong.count), 0xff] + pong + [0x00]
            let message = WebSocketFrame(Opcode.binary, nothing + stored, isCompressed: true).bytes
            for _ in 0..<16 { client.send(message) }
            try await client.roundTrip()
            for _ in 0..<32 { client.send(message) }
            #expect(try await client.closeCode() == 4004)
        }
    }

    @Test func `32 calls run at once, the next is refused until one has ended`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora", isOpen: false)
            let office = try await sale.operatorClient()
            _ = try await office.operators.change(.lobby, of: "aurora")
            let client = try await sale.rawCalls()
            client.send((1...32).map { .open($0, .join, JoinRequest(concert: "aurora")) })
            for call in 1...UInt32(32) { #expect(try await client.update(call).joinNumber == 1) }
            client.send(list(33))
            let refused = try await client.close(33)
            #expect(refused.code == .resourceExhausted && refused.reason == "TOO_MANY_CALLS" && refused.details?.limit == 32)
            client.send(.cancel(7))
            #expect(try await client.close(7).code == .cancelled)
            client.send(list(34), list(35))
            #expect(try await client.close(34).code == .ok)
            // Both came in one message: the second found 32 running.
            #expect(try await client.close(35).reason == "TOO_MANY_CALLS")
            client.send(list(36))
            #expect(try await client.close(36).code == .ok)
        }
    }
}
