import BenchmarkBodies
import Foundation
import NatsCluster
import Testing

@Suite struct BenchmarkTests {
    @Test(arguments: Benchmark.all.map(\.name)) func `a benchmark does what it says it measures`(name: String) throws {
        let benchmark = try #require(Benchmark.all.first { $0.name == name })
        let body = benchmark.prepare(benchmark.testSize)
        for _ in 0..<2 { _ = try body.measure() }
    }

    @Test(arguments: StallScenario.allCases) func `no entry sets off more than its share`(scenario: StallScenario) throws {
        let result = try scenario.play(size: 6_000, charges: 0)
        #expect(result.mostChanges <= 4_096 + 2)
        #expect(result.entries >= 1)
    }

    @Test func `group commit answers every client's every command once`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/bench-\(UUID().uuidString).usher"
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let result = try GroupCommit.run(clients: 20, commands: 200, path: path)
        #expect(result.commits >= 10 && result.commits < 200)
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["USHER_NATS"] != nil, "USHER_NATS names no nats-server"))
    func `group commit on three servers answers every client's every command once`() async throws {
        let result = try await withCheckedThrowingContinuation { continuation in
            // It blocks, and the pool of async functions has few threads.
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let cluster = try NatsCluster()
                        defer { cluster.end() }
                        return try GroupCommit.run(clients: 20, commands: 200, servers: cluster.journal, stream: "bench")
                    })
            }
        }
        #expect(result.entries >= 10 && result.entries < 200)
    }
}

/// Gates. Counts, never times. `make bench` holds the release build to nothing at all; a debug build boxes some values of
/// its own accord, and is held to what it does now.
@Suite(.enabled(if: Allocations.areCounted)) struct AllocationTests {
    @Test func `the counter counts`() {
        #expect(Allocations.count { _ = opaque([UInt8](repeating: 1, count: 100)) } >= 1)
    }

    /// Once something has been used once, so that nothing is counted which is made only the first time.
    @Test(arguments: [
        ("encode small", 0.0), ("decode small, text borrowed", 0), ("parse a frame's header", 0),
        ("receive a masked message, 1 a read", 0), ("receive a masked message, 16 a read", 0), ("unmask, a KiB", 0),
        ("be turned away from a sold seat", 0), ("claim a seat", 2), ("position", 1), ("the next in line", 1),
        ("leave the set and return", 1), ("encode seat map", 50),
    ])
    func `what is done for every message, claim and position allocates nothing`(name: String, inDebug: Double) throws {
        let cost = try cost(of: name)
        #if DEBUG
        #expect(cost.allocations <= inDebug)
        #else
        #expect(cost.allocations == 0)
        #endif
    }

    @Test(arguments: [("decode small", 1.0), ("decode seat map", 1.0)])
    func `decoding allocates what the message owns`(name: String, most: Double) throws {
        #expect(try cost(of: name).allocations <= most)
    }

    /// A small sale's entries hold few commands, so what an entry allocates by itself counts for more than in `make bench`.
    @Test(arguments: [
        ("apply joins", 14.0, 1.5), ("apply charges", 13, 0.7), ("apply holds, each user's first", 34, 8),
        ("apply payments, each admits the next", 42, 4.5),
    ])
    func `applying allocates within its bound`(name: String, inDebug: Double, most: Double) throws {
        let cost = try cost(of: name)
        #if DEBUG
        #expect(cost.allocations <= inDebug)
        #else
        #expect(cost.allocations <= most)
        #endif
    }

    private func cost(of name: String) throws -> Cost {
        let benchmark = try #require(Benchmark.all.first { $0.name == name })
        let body = benchmark.prepare(benchmark.testSize)
        _ = try body.measure()
        return try body.measure()
    }
}
