import Foundation
import Simulation

/// `mutant-runner FIRST LAST`: lives through the worlds of these seeds up to the first finding. Prints what was found and how
/// many worlds it took, and ends with 0; with nothing found it says so and ends with 1.
@main struct Runner {
    static func main() {
        let numbers = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
        guard numbers.count == 2, numbers[0] <= numbers[1] else { fatalError("mutant-runner FIRST LAST") }
        for seed in numbers[0]...numbers[1] {
            guard let finding = Simulation.run(seed: seed).findings.first else { continue }
            print("\(finding.checker.rawValue)\t\(seed - numbers[0] + 1)\t\(finding.what)")
            return
        }
        print("nothing\t\(numbers[1] - numbers[0] + 1)\t")
        exit(1)
    }
}
