import Testing

@testable import Simulation

/// Five thousand worlds, in shares that run side by side. A finding names its seed; `usher simulate SEED` shows its history.
struct SimulationTests {
    /// Seeds 1 to 5,000, a hundred a share. Between worlds other tests get their turn.
    private static let shares = 0..<50

    @Test(arguments: shares)
    func `every promise is kept in a hundred worlds`(share: Int) async {
        let seeds = UInt64(share * 100 + 1)...UInt64(share * 100 + 100)
        var sightings = Sightings()
        for seed in seeds {
            let report = Simulation.run(seed: seed)
            sightings.add(report.sightings)
            #expect(report.findings.isEmpty, "usher simulate \(seed)")
            await Task.yield()
        }
        // A world in which nothing happens shows nothing.
        let missing = Sightings.Event.allCases.filter { event in
            sightings[event] == 0 && ![.evictions, .outages, .startsFromSnapshots].contains(event)
        }
        #expect(missing.isEmpty, "seeds \(seeds)")
    }

    @Test func `the same seed gives the same history, line by line`() {
        func history(_ seed: UInt64) -> [String] {
            var lines: [String] = []
            _ = Simulation.run(seed: seed) { lines.append($0) }
            return lines
        }
        for seed: UInt64 in [3, 7, 11] {
            let first = history(seed)
            #expect(first.count > 20)
            #expect(first == history(seed), "seed \(seed)")
        }
    }

    @Test func `rare things happen in some of the first thousand worlds`() async {
        var left: Set<Sightings.Event> = [.evictions, .outages, .startsFromSnapshots]
        for seed: UInt64 in 1...1_000 where !left.isEmpty {
            let sightings = Simulation.run(seed: seed).sightings
            await Task.yield()
            left = left.filter { sightings[$0] == 0 }
        }
        #expect(left.isEmpty)
    }
}
