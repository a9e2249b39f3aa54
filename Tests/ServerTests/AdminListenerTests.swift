import Server
import Testing
import UsherAPI

/// The operators' own listener.
@Suite(.timeLimit(.minutes(1)))
struct AdminListenerTests {
    private func get(_ path: String, of sale: TestSale) async throws -> HTTPAnswer {
        try await sale.admin("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
    }

    @Test func `health and readiness are told, and nothing else is there`() async throws {
        try await withSale { sale in
            let healthy = try await get("/healthz", of: sale)
            #expect(healthy.status == 200 && healthy.text == "alive\n")
            let ready = try await get("/readyz", of: sale)
            #expect(ready.status == 200 && ready.text == "ready\n")
            for path in ["/", "/v1", "/.well-known/jwks.json", "/metrics/", "/healthz/x"] {
                #expect(try await get(path, of: sale).status == 404, "\(path)")
            }
            for path in ["/healthz", "/metrics", "/nothing"] {
                let posted = try await sale.admin("POST \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(posted.status == 405 && posted.fields["allow"] == "GET, HEAD")
                let head = try await sale.admin("HEAD \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(head.body.isEmpty && head.status == (path == "/nothing" ? 404 : 200))
            }
            #expect(try await sale.admin("nonsense\r\n\r\n").status == 400)
            #expect(try await get("/healthz?probe=1", of: sale).status == 200)
            let upgrade = try await sale.admin(sale.upgradeRequest())
            #expect(upgrade.status == 404)
        }
    }

    /// Name and labels to value.
    private func metrics(_ sale: TestSale) async throws -> [String: Double] {
        let page = try await get("/metrics", of: sale)
        #expect(page.status == 200 && page.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        var types: [Substring: Substring] = [:]
        var values: [String: Double] = [:]
        let metric =
            /(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*")*\})? (?<value>[0-9.eE+-]+)/
        #expect(page.text.hasSuffix("\n"))
        for line in page.text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                #expect(
                    words.count == 4 && ["counter", "gauge", "histogram"].contains(words[3]) && types[words[2]] == nil,
                    "\(line)")
                types[words[2]] = words[3]
            } else if !line.hasPrefix("# HELP ") {
                let match = try #require(try metric.wholeMatch(in: line), "\(line)")
                let family = match.name.replacing(/_(?:bucket|sum|count)$/, with: "")
                let type = try #require(types[match.name] ?? types[family], "a TYPE stands before \(match.name)")
                #expect(type != "counter" || match.name.hasSuffix("_total"), "\(line)")
                let key = "\(match.name)\(match.labels ?? "")"
                #expect(values[key] == nil, "\(key) twice")
                values[key] = Double(match.value)
            }
        }
        return values
    }

    @Test func `the metrics are Prometheus text, and count what happens`() async throws {
        try await withSale({ $0.loops = 1 }) { sale in
            let before = try await metrics(sale)
            let client = try await sale.rawCalls()
            client.send(.open(1, .listConcerts, ListConcertsRequest()), .open(2, .join, JoinRequest(concert: "nowhere")))
            #expect(try await client.close(2).code == .notFound)
            let offender = try await sale.rawCalls()
            offender.send(UsherFrame(number: 30))
            #expect(try await offender.closeCode() == 4502)
            _ = try await sale.http(sale.upgradeRequest([("Sec-WebSocket-Key", nil)]))
            let after = try await metrics(sale)
            func grown(_ name: String) -> Double { (after[name] ?? 0) - (before[name] ?? 0) }
            #expect(grown("usher_hellos_total") == 2)
            #expect(grown("usher_calls_total") == 2)
            #expect(grown("usher_violations_total") == 1)
            #expect(grown("usher_upgrades_refused_total") == 1)
            #expect(grown(#"usher_refusals_total{reason="UNKNOWN_CONCERT"}"#) == 1)
            #expect(grown(#"usher_connections_accepted_total{loop="0"}"#) == 3)
            #expect(grown(#"usher_handshakes_full_total{loop="0"}"#) == 3)
            #expect(grown(#"usher_received_bytes_total{loop="0"}"#) > 0 && grown("usher_sent_bytes_total") > 0)
            #expect(after["usher_journal_writable"] == 1)
        }
    }

    @Test func `without an admin listener there is none`() async throws {
        try await withSale({ $0.adminListen = nil }) { (sale) async throws in
            #expect(sale.adminPort == 0)
            #expect(try await sale.http("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").status == 404)
        }
    }
}
