import Foundation
import Testing

@testable import Campaign
@testable import NatsCluster

struct PlanTests {
    @Test func `a long campaign has each fault before any comes again`() {
        var random = SeededRandom(1)
        let plan = Blow.plan(2 * ChaosFault.allCases.count, using: &random)
        #expect(Set(plan.prefix(ChaosFault.allCases.count).map(\.fault)).count == ChaosFault.allCases.count)
        #expect(Set(plan.suffix(ChaosFault.allCases.count).map(\.fault)).count == ChaosFault.allCases.count)
    }

    @Test func `a short campaign begins with an instance and the leader`() {
        for seed in 1...50 {
            var random = SeededRandom(UInt64(seed))
            let plan = Blow.plan(4, using: &random)
            #expect(plan.count == 4 && plan[0].fault == .killInstance && plan[1].fault == .killLeader)
            #expect(Set(plan.map(\.fault)).count == 4)
        }
    }

    @Test func `a seed repeats its plan`() {
        var (one, same, other) = (SeededRandom(7), SeededRandom(7), SeededRandom(8))
        let plan = Blow.plan(40, using: &one)
        #expect(plan == Blow.plan(40, using: &same))
        #expect(plan != Blow.plan(40, using: &other))
    }

    @Test(
        arguments: [
            ([10, 20, 95, 100, 110], 75), ([10, 20], 80), ([5, 30, 60, 90, 120], 30), ([], 80), ([10, 29, 31, 105, 400], 74),
        ] as [([UInt64], UInt64)])
    func `a standstill is the longest time without a moment, from the last one before to the first one after`(
        moments: [UInt64], expected: UInt64
    ) {
        #expect(ChaosFigures.standstill(moments, ChaosFigures.Case(begun: 20, healed: 60, recovered: 100)) == expected)
    }
}

/// Both kinds of network do what the campaign needs of them: what is cut is silent, and goes on once it is whole.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct NetworkTests {
    @Test func `a relay holds what is cut, and lets it go on`() async throws {
        let relays = try Relays()
        let port = try FreePorts.take(1)[0]
        try await expectCuts(relays, port: port)
    }

    @Test(.enabled(if: Namespaces.build() != nil, "this process may not make network namespaces"))
    func `a network of namespaces loses what is cut, and is whole again`() async throws {
        try await expectCuts(try #require(Namespaces.build()), port: 4_222)
    }

    /// A server that answers each line with itself, asked by curl's telnet from where the clients are.
    private func expectCuts(_ network: any Network, port: UInt16) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usher-network-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("here".utf8).write(to: folder.appending(path: "page"))
        defer { try? FileManager.default.removeItem(at: folder) }
        let server = try Child(
            network.launcher(.usher(0)) + [
                "/usr/bin/env", "python3", "-m", "http.server", "\(port)", "--bind", network.host(of: .usher(0)), "--directory",
                folder.path,
            ], environment: ["PATH": "/usr/bin:/bin"], transcript: folder.appending(path: "log"))
        let address = try network.address(from: .clients, to: .usher(0), port: port)
        func answers(within seconds: Int) async throws -> Bool {
            let asked = try await Child.run(
                [
                    "/usr/bin/env", "curl", "--silent", "--max-time", "\(seconds)", "--retry", "30", "--retry-all-errors",
                    "--retry-delay", "1", "--retry-max-time", "\(seconds)", "http://\(address)/page",
                ], in: folder)
            return asked.status == 0 && asked.output == "here"
        }
        let cut = [Cut(.usher(0), .clients)]
        #expect(try await answers(within: 20))
        try network.cut(cut)
        #expect(try await !answers(within: 1))
        try network.heal(cut)
        #expect(try await answers(within: 20))
        server.signal(SIGKILL)
        try await server.end()
        network.end()
    }
}
