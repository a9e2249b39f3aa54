import Calls
import Client
import Foundation
import Logging
import Synchronization
import Testing
import UsherAPI
import Wire

@testable import Server

/// What visitors' bytes may leave behind: nothing in the log, no names among the metrics, little in the journal.
@Suite(.timeLimit(.minutes(1)))
struct TraceTests {
    private static let marker = "s3cret\u{1b}[31m\r\n2026-01-01T00:00:00 critical usher: forged"

    /// Whatever a visitor can write, with the marker in it.
    private func visit(_ sale: TestSale) async throws {
        let text = Self.marker
        _ = try await sale.http("GET /\(text) HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try await sale.http(sale.upgradeRequest([("Origin", "https://s3cret.example")]))
        _ = try await sale.http(sale.upgradeRequest([("User-Agent", "s3cret"), ("Sec-WebSocket-Protocol", "s3cret")]))
        let client = try await sale.rawCalls(hello: .hello(clientName: text))
        client.send(
            .open(1, .listConcerts, ListConcertsRequest(after: text)), .open(2, .join, JoinRequest(concert: text)),
            .open(3, .listConcerts, ListConcertsRequest()) { $0.method = text },
            .open(4, .listConcerts, ListConcertsRequest()) { $0.metadata = [Metadata(key: text, value: [])] },
            .open(5, .check, CheckRequest(concert: "aurora")) { $0.metadata = queueToken(text) },
            .open(6, .listReservations, ListReservationsRequest()) { $0.metadata = bearer(text) },
            .open(7, .hold, HoldRequest(performance: text, seats: [1])),
            .open(8, .watchSeats, WatchSeatsRequest(performance: text)))
        for call in 1...UInt32(8) { _ = try await client.close(call) }
        let refused = try await sale.rawSocket().0
        refused.send(.hello(jwt: text))
        #expect(try await refused.closeCode() == 4508)
        let leaving = try await sale.rawCalls()
        leaving.send(WebSocketFrame(Opcode.close, bigEndian(UInt16(1000)) + Array("s3cret".utf8)))
        _ = try await leaving.closing()
    }

    @Test func `nothing that a visitor writes comes into the log, whatever its level`() async throws {
        let log = LogLines()
        let sale = try TestSale(logTo: log)
        defer { sale.stop() }
        try await sale.putOn("aurora")
        try await visit(sale)
        sale.stop()
        #expect(!log.all.isEmpty, "the log is heard")
        #expect(log.all.filter { $0.contains("s3cret") || $0.contains("forged") }.isEmpty)
    }

    @Test func `what a visitor writes makes no metric, and refusals are counted by the words of the catalogue`() async throws {
        try await withSale { sale in
            try await sale.putOn("aurora")
            try await visit(sale)
            // What is on sale is looked at once a second.
            try await sale.wait { try await names(sale).contains("usher_seats{") }
            let once = try await names(sale)
            for _ in 0..<10 { try await visit(sale) }
            let again = try await names(sale)
            #expect(again == once)
            let reasons = once.matches(of: /reason="([^"]*)"/).map { String($0.1) }
            #expect(!reasons.isEmpty && reasons.allSatisfy { word in Reason.allCases.contains { $0.rawValue == word } })
        }
    }

    /// The metrics page without its values.
    private func names(_ sale: TestSale) async throws -> String {
        let page = try await sale.admin("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n").text
        #expect(!page.contains("s3cret"))
        return page.split(separator: "\n").map { $0.hasPrefix("#") ? String($0) : String($0.prefix { $0 != " " }) }
            .joined(separator: "\n")
    }

    @Test func `a command is journalled by its fields, so that padding it does not fill the disk`() async throws {
        try await withSale({ $0.journal = .sqlite }) { sale in
            try await sale.putOn("aurora", isOpen: false)
            let client = try await sale.rawCalls()
            func size() throws -> Int {
                try ["journal.sqlite", "journal.sqlite-wal"].reduce(0) { sum, name in
                    let facts = try FileManager.default.attributesOfItem(atPath: "\(sale.folder)/\(name)")
                    return sum + (facts[.size] as? Int ?? 0)
                }
            }
            let before = try size()
            let commands = 15
            for call in 1...UInt32(commands) {
                client.send(
                    .open(call, .leave, LeaveRequest(concert: "aurora")) {
                        // Field 31, which nobody knows, of 60,000 bytes.
                        $0.request += [0xfa, 0x01, 0xe0, 0xd4, 0x03] + Array(repeating: 0x61, count: 60_000)
                    })
                let close = try await client.close(call)
                #expect(close.reason == "UNKNOWN_TOKEN" || close.reason == "TOKEN_MISSING", "\(close)")
            }
            // A page or two of SQLite's for each, of 4 KiB.
            #expect(try size() - before <= commands * 16 * 1_024)
        }
    }
}

/// Everything a server has logged, at any level.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:]) \(metadata)") }
        }
    }
}
