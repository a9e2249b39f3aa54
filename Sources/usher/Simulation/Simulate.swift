import ArgumentParser
import Foundation
import Simulation

/// `usher simulate`: whole sales in one thread each, from a seed, with everything going wrong; and whether every promise was kept.
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Live through simulated sales and check that every promise is kept.",
        discussion: """
            A seed is a whole history: instances that die and are cut off, a log that loses and repeats, clocks that jump, \
            shoppers who drop, retry and don't read. The machinery of the sale is the server's own; sockets, threads and the \
            log are simulated (docs/simulation.md). The same seed is the same history, line by line.

            With one seed its history is printed: who did what, what the journal decided, which fault struck. With --seeds \
            only what was found, and how to see it.

            EXAMPLES
              usher simulate 42                        one world, line by line
              usher simulate 42 --quiet                only whether its promises were kept
              usher simulate --seeds 1..5000           many worlds, on all cores
              usher simulate 42 | grep -n FAULT        what struck

            It ends with \(ExitStatus.refused.rawValue) if a promise was broken.
            """)

    @Argument(help: "The seed of one world, whose history is printed.")
    var seed: UInt64?
    @Option(help: ArgumentHelp("Seeds from a to b; only what is found is printed.", valueName: "a..b"))
    var seeds: SeedRange?
    @Option(help: ArgumentHelp("Worlds at a time; otherwise one a core.", valueName: "n"))
    var tasks = ProcessInfo.processInfo.activeProcessorCount
    @Flag(help: "No history, no progress.")
    var quiet = false

    func validate() throws {
        guard (seed == nil) != (seeds == nil) else { throw ValidationError("Name one seed, or --seeds a..b.") }
        guard (1...256).contains(tasks) else { throw ValidationError("--tasks takes 1 to 256.") }
    }

    func run() async throws {
        var isSound = true
        if let seed { isSound = live(seed) }
        if let seeds { isSound = await SimulationCampaign(seeds: seeds, tasks: tasks, isQuiet: quiet).run() }
        if !isSound { throw ExitCode(ExitStatus.refused.rawValue) }
    }

    private func live(_ seed: UInt64) -> Bool {
        let report = Simulation.run(seed: seed, trace: quiet ? nil : { print($0) })
        for finding in report.findings { print("BROKEN \(finding)") }
        if report.findings.isEmpty {
            print("every promise was kept in \(report.milliseconds) simulated ms: \(report.sightings)")
        }
        return report.findings.isEmpty
    }
}

/// Seeds from one to another, as `1..5000`.
struct SeedRange: ExpressibleByArgument, Sendable {
    let first: UInt64
    let last: UInt64

    init?(argument: String) {
        let parts = argument.components(separatedBy: "..")
        guard parts.count == 2, let first = UInt64(parts[0]), let last = UInt64(parts[1]), first <= last, last < .max else {
            return nil
        }
        self.first = first
        self.last = last
    }

    var count: UInt64 { last - first + 1 }
}
