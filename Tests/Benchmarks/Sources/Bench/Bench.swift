// `make bench`: everything that is measured on one machine without a network, as one page of tables.
//
//     Bench [--quick] [--data FOLDER] [--write FILE] [codec] [frames] [seats] [positions] [apply] [stalls] [commit]
//
// Without a section it does all. With --write the tables also replace what stands between the two markers in FILE.
// It fails if a benchmark did something else than it should, or allocated more than it may; never because of a time.

internal import BenchmarkBodies
internal import Foundation

@main
struct Bench {
    static let sections = ["codec", "frames", "seats", "positions", "apply", "stalls", "commit"]

    static func main() throws {
        let options = try Options(Array(CommandLine.arguments.dropFirst()))
        var page = Page()
        page.add(Machine.description(isQuick: options.isQuick))
        for section in sections where options.sections.contains(section) {
            FileHandle.standardError.write(Data("… \(section)\n".utf8))
            try page.add(text(of: section, options, &page.problems))
        }
        print(page.text)
        if let path = options.writePath { try page.write(into: path) }
        for problem in page.problems { FileHandle.standardError.write(Data("WRONG: \(problem)\n".utf8)) }
        exit(page.problems.isEmpty ? 0 : 1)
    }

    private static func text(of section: String, _ options: Options, _ problems: inout [String]) throws -> String {
        switch section {
        case "codec": try CodecTable.make(runs: options.runs, &problems)
        case "frames": try CostTable.make("Frames", Benchmark.frames, options, &problems)
        case "seats": try CostTable.make("Seats", Benchmark.seats, options, &problems)
        case "positions": try CostTable.make("Positions", Benchmark.positions, options, &problems)
        case "apply": try CostTable.make("Applying", Benchmark.applying, options, &problems)
        case "stalls": try StallTable.make(size: options.isQuick ? 20_000 : 1_000_000)
        default: try CommitTables.make(options)
        }
    }
}

struct Options {
    var isQuick = false
    var writePath: String?
    /// On the disk whose syncs are measured.
    var data = FileManager.default.currentDirectoryPath + "/.build"
    var sections: Set<String> = []

    /// Runs of which the median counts.
    var runs: Int { isQuick ? 3 : 11 }

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--quick": isQuick = true
            case "--write": writePath = rest.popFirst()
            case "--data": data = rest.popFirst() ?? data
            case _ where Bench.sections.contains(argument): sections.insert(argument)
            default: throw Unknown(argument: argument)
            }
        }
        if sections.isEmpty { sections = Set(Bench.sections) }
    }

    struct Unknown: Error {
        let argument: String
    }
}
