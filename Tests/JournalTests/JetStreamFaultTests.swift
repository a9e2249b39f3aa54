import NatsCluster
import Testing

@testable import Journal

/// Real servers that die, stand still and come back, under two writers. Each test has servers of its own.
@Suite(.serialized) struct `A shared journal whose servers fail` {
    /// Appends of two writers through `fault`, so many before, during and after.
    private func run(
        _ cluster: NatsCluster, _ fault: (_ leader: Int) throws -> Void,
        after recover: (_ leader: Int) throws -> Void = { _ in }
    ) throws {
        let settings = try options(cluster, stream: freshName())
        let a = try Writer(settings)
        let b = try Writer(settings)
        a.append(1, 1...50)
        b.append(2, 1...50)
        a.ear.wait(for: 100)
        let leader = try cluster.waitForLeader(of: settings.stream)
        try fault(leader)
        // One by one, as answers would come: each is in the journal before the next is appended.
        for number in 51...60 {
            a.append(1, number...number)
            b.append(2, number...number)
            a.ear.wait { applied($0)[1]?.last == number }
            b.ear.wait { applied($0)[2]?.last == number }
        }
        try recover(leader)
        a.append(1, 61...100)
        b.append(2, 61...100)
        for writer in [a, b] {
            writer.ear.wait { entries in
                let taken = applied(entries)
                return taken[1]?.last == 100 && taken[2]?.last == 100
            }
        }
        let count = min(a.ear.entries.count, b.ear.entries.count)
        #expect(a.ear.entries.prefix(count) == b.ear.entries.prefix(count))
        #expect(applied(a.ear.entries) == [1: Array(1...100), 2: Array(1...100)])
        #expect(a.ear.entries.map(\.position) == Array(1...UInt64(a.ear.entries.count)))
        a.journal.close()
        b.journal.close()
        // What was heard is there for whoever comes later.
        let c = try Writer(settings)
        c.ear.waitUntilCaughtUp()
        #expect(applied(c.ear.entries) == [1: Array(1...100), 2: Array(1...100)])
        #expect(c.ear.entries.prefix(count) == a.ear.entries.prefix(count))
        c.journal.close()
    }

    @Test func `kill -9 of the leader, then of a follower: nothing heard is lost, and all goes on by itself`() throws {
        let cluster = try NatsCluster()
        defer { cluster.end() }
        try run(cluster) {
            cluster.servers[$0].kill()
        } after: {
            try cluster.servers[$0].start()
        }
        try cluster.waitForLeader()
        try run(cluster) {
            cluster.servers[($0 + 1) % 3].kill()
        } after: {
            try cluster.servers[($0 + 1) % 3].start()
        }
    }

    @Test func `a leader that stands still, and comes back`() throws {
        let cluster = try NatsCluster()
        defer { cluster.end() }
        try run(cluster) {
            cluster.servers[$0].pause()
        } after: {
            cluster.servers[$0].resume()
        }
    }

    @Test func `all three killed and started again: it stalls, says so, and flows again`() throws {
        let cluster = try NatsCluster()
        defer { cluster.end() }
        let settings = try options(cluster, stream: freshName())
        let a = try Writer(settings)
        a.append(1, 1...50)
        a.ear.wait(for: 50)
        for server in cluster.servers { server.kill() }
        a.append(1, 51...60)
        a.ear.waitForEvent { if case .stalled = $0 { true } else { false } }
        for server in cluster.servers { try server.start() }
        a.ear.wait { applied($0)[1]?.last == 60 }
        a.ear.waitForEvent { $0 == .flowing }
        #expect(applied(a.ear.entries) == [1: Array(1...60)])
        #expect(a.ear.entries.prefix(50).map(\.position) == Array(1...50))
        a.journal.close()
    }
}
