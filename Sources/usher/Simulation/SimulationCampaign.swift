import Foundation
import Simulation

/// Many worlds, several at a time. Each is alone with its seed, so how they are spread over tasks changes nothing.
struct SimulationCampaign {
    let seeds: SeedRange
    let tasks: Int
    let isQuiet: Bool

    /// Seeds a task takes at a time.
    private static let share: UInt64 = 50

    private struct Result: Sendable {
        var sightings = Sightings()
        var broken: [WorldReport] = []
    }

    /// Lives through all of them and prints what was found; whether that was nothing.
    func run() async -> Bool {
        let start = Date()
        var total = Result()
        var said = start
        await withTaskGroup(of: Result.self) { group in
            var next = seeds.first
            func startOne() {
                guard next <= seeds.last else { return }
                let share = next...min(seeds.last, next + Self.share - 1)
                next = share.upperBound + 1
                group.addTask { Self.live(share) }
            }
            for _ in 0..<tasks { startOne() }
            for await result in group {
                startOne()
                total.sightings.add(result.sightings)
                total.broken += result.broken
                for report in result.broken { tell(report) }
                if !isQuiet, Date().timeIntervalSince(said) >= 2 {
                    said = Date()
                    progress(total, since: start)
                }
            }
        }
        print(total.sightings.description)
        if total.broken.isEmpty {
            print("every promise was kept in the worlds of seeds \(seeds.first) to \(seeds.last)")
        } else {
            let seeds = total.broken.map(\.seed).sorted()
            print("\(seeds.count) worlds broke a promise: \(seeds.prefix(100).map(String.init).joined(separator: " "))")
        }
        return total.broken.isEmpty
    }

    private static func live(_ seeds: ClosedRange<UInt64>) -> Result {
        var result = Result()
        for seed in seeds {
            let report = Simulation.run(seed: seed)
            result.sightings.add(report.sightings)
            if !report.findings.isEmpty { result.broken.append(report) }
        }
        return result
    }

    private func tell(_ report: WorldReport) {
        guard let finding = report.findings.first else { return }
        print("seed \(report.seed): \(finding)\n    usher simulate \(report.seed)")
    }

    private func progress(_ total: Result, since start: Date) {
        let done = total.sightings[.worlds]
        let rate = Double(done) / Date().timeIntervalSince(start)
        let left = Double(seeds.count - UInt64(done)) / max(rate, 0.001)
        let line = String(
            format: "%d of %llu worlds, %.0f a second, %.0f s to go, %d broken\n", done, seeds.count, rate, left,
            total.broken.count)
        FileHandle.standardError.write(Data(line.utf8))
    }
}
