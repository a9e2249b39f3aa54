import Foundation
import Testing

/// What docker-compose.yml, its services' configurations and the Dockerfile have to agree on. That they work together is
/// `EndToEndTests/ClusterTests`.
@Suite struct `the deployment` {
    private static let compose = Repository.text("docker-compose.yml") ?? ""
    private static let balancer = Repository.text("docs/deploy/haproxy.cfg") ?? ""
    private static let prometheus = Repository.text("docs/deploy/prometheus.yml") ?? ""

    /// Names of services that begin so.
    private func services(_ kind: String) -> [String] {
        Self.compose.matches(of: /^  ([a-z]+-\d):\n    <</.anchorsMatchLineEndings()).map { String($0.1) }
            .filter { $0.hasPrefix(kind) }
    }

    /// What the settings' table in docs/operating.md says holds if nothing is set; a test of settings holds the two together.
    private func standard(_ setting: String) throws -> Int {
        let page = try #require(Repository.text("docs/operating.md"))
        let row = try #require(page.split(separator: "\n").first { $0.hasPrefix("| `\(setting)` |") }, "\(setting)")
        return try #require(Int(row.split(separator: "|").last.map { $0.filter(\.isNumber) } ?? ""), "\(row)")
    }

    private func number(_ pattern: Regex<(Substring, Substring)>, in text: String) throws -> Int {
        try #require(text.firstMatch(of: pattern).flatMap { Int($0.1) })
    }

    @Test func `has three NATS servers, which all know all, and whom every instance knows`() {
        let servers = services("nats")
        #expect(servers == ["nats-1", "nats-2", "nats-3"])
        #expect(Self.compose.contains(#"NATS_ROUTES: "[\#(servers.map { "nats://\($0):6222" }.joined(separator: ", "))]""#))
        #expect(Self.compose.contains("USHER_JOURNAL: nats://\(servers.map { "\($0):4222" }.joined(separator: ","))\n"))
    }

    @Test func `has three instances, to whom the balancer sends and whom Prometheus asks`() {
        let instances = services("usher")
        #expect(instances == ["usher-1", "usher-2", "usher-3"])
        let sent = Self.balancer.matches(of: /^    server (\S+) (\S+)/.anchorsMatchLineEndings())
        #expect(sent.map { "\($0.1) \($0.2)" } == (instances + instances).map { "\($0) \($0):8443" })
        let asked = Self.prometheus.matches(of: /targets: \["(usher[^"]*)"\]\n +labels: {instance: ([\w-]+)}/)
        #expect(asked.map { "\($0.1) \($0.2)" } == instances.map { "\($0):8444 \($0)" })
        #expect(Self.compose.contains("USHER_ADMIN_LISTEN: 0.0.0.0:8444"))
        #expect(Self.balancer.contains("check port 8444"))
    }

    @Test func `kills nobody who is still saying goodbye`() throws {
        let grace = try number(/stop_grace_period: (\d+)s/, in: Self.compose)
        #expect(try grace > standard("drain-time") + 10)
    }

    @Test func `cuts no connection that lives`() throws {
        for timeout in [/timeout client (\d+)s/, /timeout server (\d+)s/, /timeout tunnel (\d+)s/] {
            #expect(try number(timeout, in: Self.balancer) > 2 * standard("ping-interval"))
        }
    }

    @Test func `has descriptors for as many clients as it takes`() throws {
        let clients = try standard("connections-max")
        let limits = Self.compose.matches(of: /nofile: (\d+)/).compactMap { Int($0.1) }
        #expect(limits.count == 2 && limits.allSatisfy { $0 > clients + 1_000 })
        let bounds = Self.balancer.matches(of: #/\ maxconn (\d+)/#).map { Int($0.1) }
        #expect(bounds.count == 4 && bounds.allSatisfy { $0 == clients })
    }

    @Test func `runs with the libraries it was built with`() throws {
        let makefile = try #require(Repository.text("Makefile"))
        let dockerfile = try #require(Repository.text("Dockerfile"))
        let stages = dockerfile.split(separator: "\nFROM ")
        try #require(stages.count == 3)
        let packages = try #require(makefile.firstMatch(of: /BUILD_PACKAGES := (.*)/)).1.split(separator: " ").map(String.init)
        let libraries = [
            "libssl-dev": "libssl3", "zlib1g-dev": "zlib1g", "libsqlite3-dev": "libsqlite3-0", "libnats-dev": "libnats3.4",
        ]
        for package in packages {
            #expect(stages[1].contains(" \(package) "), "the build stage installs \(package)")
            guard package != "pkg-config" else { continue }
            let library = try #require(libraries[package], "which package has \(package)'s library at run time?")
            #expect(stages[2].contains(" \(library) "), "the image has \(library)")
        }
    }

    @Test func `of one instance alone is that instance of the cluster`() throws {
        let single = try #require(Repository.text("docs/deploy/single-instance.yml"))
        for line in ["image: usher", "stop_grace_period: 30s", "nofile: 65536", "net.core.somaxconn: 4096"] {
            #expect(single.contains(line) && Self.compose.contains(line), "\(line)")
        }
        let image = /image: prom\/prometheus:(\S+)/
        #expect(single.firstMatch(of: image)?.1 == Self.compose.firstMatch(of: image)?.1)
    }
}
