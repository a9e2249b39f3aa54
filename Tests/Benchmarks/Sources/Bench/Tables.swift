internal import BenchmarkBodies
internal import CppPeer
internal import Foundation
internal import SwiftProtobufPeer

/// Ours, swift-protobuf and C++ libprotobuf, by turns.
enum CodecTable {
    static func make(runs: Int, _ problems: inout [String]) throws -> String {
        var rows: [[String]] = []
        for work in CodecWork.allCases {
            let repeats = work.repeats
            let benchmark = Benchmark.codec(work)
            let costs = try Prepared.measureByTurns(
                [benchmark.prepare(repeats), swiftProtobuf(work, repeats: repeats), cpp(work), cppReused(work)], runs: runs)
            let (ours, swift, cpp, reused) = (costs[0], costs[1], costs[2], costs[3])
            CostTable.checkAllocations(benchmark, ours, &problems)
            let swiftRatio = swift.nanoseconds / ours.nanoseconds
            rows.append([
                work.rawValue, Table.number(ours.nanoseconds), Table.number(swift.nanoseconds), Table.number(cpp.nanoseconds),
                isDecoding(work) ? Table.number(reused.nanoseconds) : "–",
                String(format: "%.1f", swiftRatio) + " (\(Int(work.aim)))",
                String(format: "%.2f", cpp.nanoseconds / ours.nanoseconds) + " (1)",
                [ours, swift, cpp].map { Table.number($0.allocations) }.joined(separator: " · "),
            ])
        }
        let borrowed = try Benchmark.codec[4].prepare(200_000).measure(runs: runs)
        rows.append([
            "decode small, text borrowed", Table.number(borrowed.nanoseconds), "–", "–", "–", "–", "–",
            Table.number(borrowed.allocations),
        ])
        return "### Codec\n\nNanoseconds a message; in brackets what is aimed for.\n\n"
            + Table.make(
                [
                    "", "Usher", "swift-protobuf", "C++", "C++, message used again", "times faster than swift-protobuf",
                    "than C++", "allocations: Usher · swift-protobuf · C++",
                ], rows)
    }

    private static func isDecoding(_ work: CodecWork) -> Bool { work == .decodeSmall || work == .decodeSeats }

    private static func cpp(_ work: CodecWork) -> Prepared {
        Prepared(operations: work.repeats, expecting: work.expected(work.repeats)) {
            switch work {
            case .encodeSmall: cpp_encode_small(work.repeats)
            case .encodeSeats: cpp_encode_seats(work.repeats)
            case .decodeSmall: cpp_decode_small(work.repeats)
            case .decodeSeats: cpp_decode_seats(work.repeats)
            }
        }
    }

    private static func cppReused(_ work: CodecWork) -> Prepared {
        Prepared(operations: work.repeats, expecting: work.expected(work.repeats)) {
            switch work {
            case .encodeSmall: cpp_encode_small(work.repeats)
            case .encodeSeats: cpp_encode_seats(work.repeats)
            case .decodeSmall: cpp_decode_small_reused(work.repeats)
            case .decodeSeats: cpp_decode_seats_reused(work.repeats)
            }
        }
    }
}

/// What operations cost, at each size.
enum CostTable {
    static func make(_ title: String, _ benchmarks: [Benchmark], _ options: Options, _ problems: inout [String]) throws
        -> String
    {
        var rows: [[String]] = []
        // Size by size, since what was made for one size may serve several benchmarks.
        var costs: [[Cost]] = benchmarks.map { _ in [] }
        let sizes = benchmarks[0].sizes.indices
        for index in 0..<(benchmarks.map(\.sizes.count).max() ?? 0) {
            if options.isQuick, sizes.count > 2, index > 1 { continue }
            for (number, benchmark) in benchmarks.enumerated() where index < benchmark.sizes.count {
                let cost = try benchmark.prepare(benchmark.sizes[index]).measure(runs: options.runs)
                checkAllocations(benchmark, cost, &problems)
                costs[number].append(cost)
            }
        }
        for (benchmark, costs) in zip(benchmarks, costs) {
            let last = costs[costs.count - 1]
            let curve = zip(benchmark.sizes, costs).map { size, cost in
                (benchmark.sizes.count > 1 ? "\(Table.grouped(size)): " : "") + Table.number(cost.nanoseconds)
            }
            let aim = benchmark.aimPerSecond.map { " (\(Table.grouped(Int($0))))" } ?? ""
            rows.append([
                benchmark.name, curve.joined(separator: " · "), Table.grouped(Int(1e9 / last.nanoseconds)) + aim,
                Table.number(last.allocations),
            ])
        }
        let meanings = Set(benchmarks.filter { $0.sizes.count > 1 }.map(\.sizeMeaning)).sorted().joined(separator: ", ")
        return "### \(title)\n\n"
            + Table.make(["", "ns\(meanings.isEmpty ? "" : ", by number of \(meanings)")", "a second", "allocations"], rows)
    }

    static func checkAllocations(_ benchmark: Benchmark, _ cost: Cost, _ problems: inout [String]) {
        guard let most = benchmark.allocationsMax, cost.allocations > most + 0.01 else { return }
        problems.append("\(benchmark.name): \(cost.allocations) allocations, at most \(most) are allowed")
    }
}

/// The longest that the sequencer's thread was busy with one entry.
enum StallTable {
    static func make(size: Int) throws -> String {
        var rows: [[String]] = []
        for scenario in StallScenario.allCases {
            let result = try scenario.play(size: size)
            rows.append([
                scenario.rawValue, String(format: "%.1f", result.longestMilliseconds) + " (20)", Table.grouped(result.entries),
                Table.grouped(result.mostChanges),
            ])
            FileHandle.standardError.write(Data("  \(rows[rows.count - 1].joined(separator: " | "))\n".utf8))
        }
        return "### Stalls\n\nWith n = \(Table.grouped(size)) waiting and \(Table.grouped(5 * size)) remembered outcomes.\n\n"
            + Table.make(["", "longest entry, ms", "entries it took", "most changes of one"], rows)
    }
}
