import Calls
import Foundation
import Testing
import UsherAPI

@testable import Reactor
@testable import Server

@Suite(.timeLimit(.minutes(1)))
struct TLSWallTests {
    private func tls12(_ sale: TestSale) throws -> TLSContext {
        let context = try sale.tls()
        context.limitToTLS12()
        return context
    }

    @Test func `TLS 1.3 and 1.2 are spoken`() async throws {
        try await withSale { (sale) async throws in
            #expect(try await RawClient.connect(to: sale.port, tls: sale.tls()).tlsVersion == "TLSv1.3")
            #expect(try await RawClient.connect(to: sale.port, tls: tls12(sale)).tlsVersion == "TLSv1.2")
        }
    }

    @Test func `with tls-minimum 1.3 TLS 1.2 is refused`() async throws {
        try await withSale({ $0.tlsMinimum = .tls13 }) { (sale) async throws in
            #expect(try await RawClient.connect(to: sale.port, tls: sale.tls()).tlsVersion == "TLSv1.3")
            await #expect(throws: RawEnd.self) { _ = try await RawClient.connect(to: sale.port, tls: tls12(sale)) }
        }
    }

    /// What `openssl s_client` says of a handshake.
    private func openssl(_ sale: TestSale, _ arguments: [String], input: String? = nil) async throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl", "s_client", "-connect", "127.0.0.1:\(sale.port)"] + arguments
        process.standardInput = FileHandle.nullDevice
        if let input {
            let file = URL(filePath: sale.folder).appending(path: "input-\(UUID().uuidString).txt")
            try Data(input.utf8).write(to: file)
            process.standardInput = try FileHandle(forReadingFrom: file)
        }
        // To a file: a pipe's end would be inherited by whatever is started in the same moment.
        let said = URL(filePath: sale.folder).appending(path: "openssl-\(UUID().uuidString).txt")
        try Data().write(to: said)
        let output = try FileHandle(forWritingTo: said)
        process.standardOutput = output
        process.standardError = output
        try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in ended.resume() }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        return try String(contentsOf: said, encoding: .utf8)
    }

    @Test func `of the protocols offered http/1.1 is chosen; who offers only others is refused`() async throws {
        try await withSale { (sale) async throws in
            #expect(try await openssl(sale, ["-alpn", "h2,http/1.1"]).contains("ALPN protocol: http/1.1"))
            #expect(try await openssl(sale, []).contains("No ALPN negotiated"))
            #expect(try await openssl(sale, ["-alpn", "h2"]).contains("no application protocol"))
            #expect(try await openssl(sale, ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]).contains("Cipher is (NONE)"))
        }
    }

    @Test func `bytes that are no TLS end the connection they came on, and nothing else`() async throws {
        try await withSale { sale in
            let bystander = try await sale.rawCalls()
            for bytes in [
                Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8), [0x16, 0x03, 0x01, 0xff, 0xff],
                Array(repeating: 0xff, count: 20_000), [0x15, 3, 3, 0, 2, 2, 40],
            ] {
                let client = try await RawClient.connect(to: sale.port, tls: nil)
                client.send(bytes)
                client.hangUp()
                try await client.end()
                #expect(HTTPAnswer(client.rest) == nil)
            }
            try await bystander.roundTrip()
            _ = try await sale.rawCalls()
        }
    }

    @Test func `a handshake can't be begun anew on a connection, which would cost the server more than its client`()
        async throws
    {
        try await withSale { (sale) async throws in
            let bystander = try await sale.rawCalls()
            // s_client's own command for it, which TLS 1.3 has no more.
            let said = try await openssl(sale, ["-tls1_2"], input: "R\n")
            #expect(said.contains("RENEGOTIATING") && said.contains("no renegotiation"), "\(said.suffix(500))")
            try await bystander.roundTrip()
        }
    }

    @Test func `whatever name is asked for, one certificate is shown`() async throws {
        try await withSale { (sale) async throws in
            for name in ["localhost", "x", "..", "xn--0", String(repeating: "a", count: 255), "a/../b", "\u{1b}[31m"] {
                let said = try await openssl(sale, ["-servername", name])
                #expect(said.contains("BEGIN CERTIFICATE") && !said.contains("Cipher is (NONE)"), "\(name)")
            }
        }
    }

    @Test func `a ticket of before a restart opens nothing: it costs a whole handshake`() async throws {
        let first = try TestSale()
        let ticket = NSTemporaryDirectory() + "usher-ticket-\(UUID().uuidString).pem"
        defer { try? FileManager.default.removeItem(atPath: ticket) }
        #expect(try await openssl(first, ["-tls1_2", "-sess_out", ticket]).contains("New, TLSv1.2"))
        #expect(try await openssl(first, ["-tls1_2", "-sess_in", ticket]).contains("Reused, "))
        let second = try first.restarted(onSamePort: false)
        defer { second.stop() }
        #expect(try await openssl(second, ["-tls1_2", "-sess_in", ticket]).contains("New, TLSv1.2"))
        try await second.rawCalls().roundTrip()
    }

    @Test func `who does not get on with the handshake is let go`() async throws {
        try await withSale({ $0.limits = CallLimits(handshakeMilliseconds: 150) }) { sale in
            let silent = try await RawClient.connect(to: sale.port, tls: nil)
            let started = try await RawClient.connect(to: sale.port, tls: nil)
            started.send([0x16, 0x03, 0x01, 0x02, 0x00])
            try await silent.end()
            try await started.end()
        }
    }
}
