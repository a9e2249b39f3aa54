import Client
import Foundation
import Reactor
import Testing
import UsherAPI
import Wire

@testable import Server

// docs/threat-model.md names every test of this folder. What a test claims of latency it shows by counts, such as system
// calls made and bytes held, as the operators' page tells them: a clock would measure the machine that runs the tests.

extension TestSale {
    /// A number of the metrics page, summed over its labels; 0 if it is not there.
    func metric(_ name: String) async throws -> Int {
        try await admin("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n").text.split(separator: "\n")
            .filter { $0.hasPrefix("usher_\(name) ") || $0.hasPrefix("usher_\(name){") }
            .reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) }
    }

    /// Bytes that wait at the server for readers: what was sent, before TLS, and not written, after it.
    func bytesWaiting() async throws -> Int {
        try await metric("sent_bytes_total") - metric("written_bytes_total")
    }

    /// Waits until the number is as wished.
    func wait(until name: String, _ isWished: (Int) -> Bool) async throws {
        try await wait { try await isWished(metric(name)) }
    }

    /// Waits until it is so, looking every few milliseconds: to read the page is work too, which others then wait for.
    func wait(until isSo: () async throws -> Bool) async throws {
        while try await !isSo() { try await Task.sleep(for: .milliseconds(10)) }
    }

    /// An honest visit from first to last: a new connection, a place, a turn, seats held and given back.
    func serveSomebody(at concert: String = "aurora", holds: Int = 1) async throws {
        let client = try await client()
        defer { client.close() }
        _ = try await client.line.join(concert).first { $0.state == .active }
        for _ in 0..<holds {
            let hold = try await client.reservations.hold(performance: "\(concert)-1", bestAvailable: 1)
            _ = try await client.reservations.release(hold.id)
        }
    }

    /// A raw connection of a user whose turn it is, and the token that proves the place.
    func active(_ user: Uuid = .test(), at concert: String = "aurora") async throws -> (client: RawClient, update: LineUpdate) {
        let client = try await rawCalls(user)
        client.send(.open(1, .join, JoinRequest(concert: concert)))
        var update = try await client.update(1)
        let token = update.queueToken
        while update.state != .active { update = try await client.update(1) }
        update.queueToken = token
        return (client, update)
    }
}

func queueToken(_ token: String) -> [Metadata] { [Metadata(key: "queue-token", value: Array(token.utf8))] }

func bearer(_ token: String) -> [Metadata] { [Metadata(key: "authorization", value: Array("Bearer \(token)".utf8))] }
