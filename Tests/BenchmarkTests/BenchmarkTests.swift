import BenchmarkBodies
import Foundation
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
}

/// Gates. Counts, never times; in a debug build too, so that what allocates there without need is seen.
@Suite(.enabled(if: Allocations.areCounted)) struct AllocationTests {
    @Test func `the counter counts`() {
        #expect(Allocations.count { _ = opaque([UInt8](repeating: 1, count: 100)) } >= 1)
    }

    /// Once something has been used once, so that nothing is counted which is made only the first time.
    @Test(arguments: [
        "encode small", "encode seat map", "decode small, text borrowed", "parse a frame's header",
        "receive a masked message, 1 a read", "receive a masked message, 16 a read", "unmask, a KiB", "claim a seat",
        "be turned away from a sold seat", "position", "the next in line", "leave the set and return",
    ])
    func `what is done for every message, claim and position allocates nothing`(name: String) throws {
        let cost = try cost(of: name)
        #expect(cost.allocations == 0)
    }

    @Test(arguments: [("decode small", 1.0), ("decode seat map", 1.0)])
    func `decoding allocates what the message owns`(name: String, most: Double) throws {
        #expect(try cost(of: name).allocations <= most)
    }

    @Test(arguments: Benchmark.applying.map(\.name)) func `applying allocates within its bound`(name: String) throws {
        #expect(try cost(of: name).allocations <= 100)
    }

    private func cost(of name: String) throws -> Cost {
        let benchmark = try #require(Benchmark.all.first { $0.name == name })
        let body = benchmark.prepare(benchmark.testSize)
        _ = try body.measure()
        return try body.measure()
    }
}
