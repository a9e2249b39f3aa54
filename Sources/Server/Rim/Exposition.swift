/// A page of numbers in Prometheus's text format, version 0.0.4: for each family a HELP and a TYPE line, then its samples.
///
///     # HELP usher_line_waiting People who wait, present or not.
///     # TYPE usher_line_waiting gauge
///     usher_line_waiting{concert="aurora"} 4031
///
/// Labels and help are written as they are given: those of this server have no quotation marks, backslashes or line ends.
struct Exposition {
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""

    /// Adds a family with its samples, if it has any; each name once.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: String, value: String)]) {
        begin(name, kind, help)
        for sample in samples { write(name, sample.labels, sample.value) }
    }

    mutating func counter(_ name: String, _ help: String, _ value: UInt64) { add(name, .counter, help, [("", "\(value)")]) }

    mutating func gauge(_ name: String, _ help: String, _ value: UInt64) { add(name, .gauge, help, [("", "\(value)")]) }

    /// Adds a histogram, whose buckets contain all smaller ones.
    mutating func histogram(_ name: String, _ help: String, _ reading: DurationHistogram.Reading) {
        begin(name, .histogram, help)
        var total: UInt64 = 0
        for (bound, count) in zip(DurationHistogram.bounds, reading.buckets) {
            total += count
            write(name + "_bucket", "le=\"\(Double(bound) / 1_000_000)\"", "\(total)")
        }
        total += reading.buckets.last ?? 0
        write(name + "_bucket", "le=\"+Inf\"", "\(total)")
        write(name + "_sum", "", "\(Double(reading.microseconds) / 1_000_000)")
        write(name + "_count", "", "\(total)")
    }

    private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func write(_ name: String, _ labels: String, _ value: String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}
