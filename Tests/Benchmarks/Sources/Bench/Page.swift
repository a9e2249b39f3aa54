internal import Foundation

/// The page of tables, and what was wrong.
struct Page {
    private var parts: [String] = []
    var problems: [String] = []

    static let begin = "<!-- what follows is written by `make bench` -->"
    static let end = "<!-- end of what `make bench` writes -->"

    var text: String { parts.joined(separator: "\n\n") }

    mutating func add(_ part: String) { parts.append(part) }

    /// Puts the page between the two markers of the file.
    func write(into path: String) throws {
        let old = try String(contentsOfFile: path, encoding: .utf8)
        guard let begin = old.range(of: Self.begin), let end = old.range(of: Self.end), begin.upperBound < end.lowerBound else {
            throw NoMarkers(path: path)
        }
        let new = old[..<begin.upperBound] + "\n\n" + text + "\n\n" + old[end.lowerBound...]
        try String(new).write(toFile: path, atomically: true, encoding: .utf8)
    }

    struct NoMarkers: Error {
        let path: String
    }
}

/// Where it was measured, and what.
enum Machine {
    static func description(isQuick: Bool) -> String {
        let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = cpu.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last ?? " unknown"
        let kernel = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? ""
        let commit = ProcessInfo.processInfo.environment["USHER_COMMIT"] ?? "unknown"
        let load = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)) ?? ""
        return "Commit \(commit); \(ProcessInfo.processInfo.processorCount) ×\(model), Linux "
            + "\(kernel.trimmingCharacters(in: .whitespacesAndNewlines)), load before it began "
            + "\(load.prefix { $0 != " " })\(isQuick ? "; QUICK, of no worth" : "").\nProcessor time a call; median of runs by turns."
    }
}

enum Table {
    static func make(_ head: [String], _ rows: [[String]]) -> String {
        let rule = head.indices.map { $0 == 0 ? "---" : "--:" }
        return ([head, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    static func number(_ value: Double) -> String {
        switch abs(value) {
        case 1_000...: grouped(Int(value.rounded()))
        case 100...: String(Int(value.rounded()))
        case 10...: String(format: "%.1f", value)
        default: String(format: "%.2f", value)
        }
    }

    static func grouped(_ value: Int) -> String {
        var digits = String(abs(value))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}
