import Foundation
import Reactor
import Sequencer
import Testing

@testable import Server

/// The exposition format of Prometheus, version 0.0.4, as far as it binds us.
private struct ReadPage {
    struct Sample: Hashable {
        var name: String
        var labels: String
    }

    var types: [String: String] = [:]
    var samples: [Sample: Double] = [:]
    var faults: [String] = []

    init(_ text: String) {
        if !text.hasSuffix("\n") { faults.append("the last line has no end") }
        var help: Set<String> = []
        var current = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            switch words.first {
            case "#" where words.count == 4 && words[1] == "HELP":
                if !help.insert(words[2]).inserted { faults.append("twice: \(line)") }
            case "#" where words.count == 4 && words[1] == "TYPE":
                if types[words[2]] != nil || !help.contains(words[2]) { faults.append("type: \(line)") }
                if !["counter", "gauge", "histogram"].contains(words[3]) { faults.append("type: \(line)") }
                types[words[2]] = words[3]
                current = words[2]
            default: take(String(line), of: current)
            }
        }
    }

    private mutating func take(_ line: String, of current: String) {
        guard let match = line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^{}]*)\})? ([0-9.eE+-]+)/),
            let value = Double(match.3)
        else {
            faults.append("no sample: '\(line)'")
            return
        }
        let suffixes = types[current] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        if !suffixes.contains(where: { match.1 == current + $0 }) { faults.append("a sample away from its family: \(line)") }
        let labels = match.2.map(String.init) ?? ""
        for label in labels.split(separator: ",")
        where label.wholeMatch(of: /[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"/) == nil {
            faults.append("label: \(line)")
        }
        if samples.updateValue(value, forKey: Sample(name: String(match.1), labels: labels)) != nil {
            faults.append("twice: \(line)")
        }
    }
}

@Suite struct `metrics` {
    @Test func `are Prometheus text, summed over the loops`() throws {
        let metrics = Metrics()
        let loops = [metrics.addLoop(try EventLoop().counters), metrics.addLoop(try EventLoop().counters)]
        loops[0].calls.add(3)
        loops[1].calls.add(4)
        loops[0].refused("SEAT_TAKEN")
        loops[1].refused("SEAT_TAKEN")
        loops[1].refused("TOKEN_WAITING")
        let page = ReadPage(
            metrics.page(of: .init(isReady: false, status: .init(position: 7, journalEnd: 9, standing: .stalled("")))))
        #expect(page.faults == [])
        func value(_ name: String, _ labels: String = "") -> Double? { page.samples[.init(name: name, labels: labels)] }
        #expect(value("usher_calls_total") == 7)
        #expect(value("usher_refusals_total", #"reason="SEAT_TAKEN""#) == 2)
        #expect(value("usher_refusals_total", #"reason="TOKEN_WAITING""#) == 1)
        #expect(value("usher_connections", #"loop="1""#) == 0)
        #expect(value("usher_ready") == 0 && value("usher_journal_writable") == 0 && value("usher_journal_stalled") == 1)
        #expect(value("usher_journal_position") == 7 && value("usher_journal_behind_entries") == 2)
        #expect(page.types["usher_connections"] == "gauge" && page.types["usher_calls_total"] == "counter")
    }

    @Test func `an instance ahead of what the journal knows is not behind`() {
        let page = ReadPage(Metrics().page(of: .init(status: .init(position: 9, journalEnd: 7))))
        #expect(page.samples[.init(name: "usher_journal_behind_entries", labels: "")] == 0)
    }

    @Test func `counters are named _total, durations _seconds, and gauges neither`() {
        for (name, type) in ReadPage(Metrics().page(of: .init())).types {
            #expect(name.hasPrefix("usher_") || name.hasPrefix("process_"), "\(name)")
            #expect(name.hasSuffix("_total") == (type == "counter"), "\(name)")
            #expect(type != "histogram" || name.hasSuffix("_seconds"), "\(name)")
        }
    }

    @Test func `a histogram's buckets contain the smaller ones, and a bound belongs to its own`() throws {
        let metrics = Metrics()
        let loops = [metrics.addLoop(try EventLoop().counters), metrics.addLoop(try EventLoop().counters)]
        loops[0].pushLatency.observe(microseconds: 1_000)
        loops[0].pushLatency.observe(microseconds: 1_001, count: 3)
        loops[1].pushLatency.observe(microseconds: 0, count: 2)
        loops[1].pushLatency.observe(microseconds: 60_000_000)
        loops[1].pushLatency.observe(microseconds: 5, count: 0)
        let page = ReadPage(metrics.page(of: .init()))
        #expect(page.faults == [])
        func bucket(_ bound: String) -> Double? {
            page.samples[.init(name: "usher_push_latency_seconds_bucket", labels: #"le="\#(bound)""#)]
        }
        #expect(bucket("0.0005") == 2 && bucket("0.001") == 3 && bucket("0.0025") == 6)
        #expect(bucket("10.0") == 6 && bucket("+Inf") == 7)
        #expect(page.samples[.init(name: "usher_push_latency_seconds_count", labels: "")] == 7)
        #expect(page.samples[.init(name: "usher_push_latency_seconds_sum", labels: "")] == 60.004003)
    }

    @Test func `the journal's latency is counted from each batch's own append`() {
        let latency = DurationHistogram()
        var times = AppendTimes()
        let start = ContinuousClock.now
        times.appended(at: start)
        times.appended(at: start + .milliseconds(10))
        times.heard(inFlight: 2, at: start + .milliseconds(20), into: latency)
        #expect(latency.reading.microseconds == 0, "nothing has come back: another instance's entry was heard")
        times.heard(inFlight: 1, at: start + .milliseconds(30), into: latency)
        times.heard(inFlight: 0, at: start + .milliseconds(45), into: latency)
        times.appended(at: start)
        times.heard(inFlight: 0, at: start + .seconds(9), into: nil)
        #expect(latency.reading.microseconds == 30_000 + 35_000 && latency.reading.buckets.reduce(0, +) == 2)
    }

    @Test func `a process knows what it uses`() {
        let numbers = ProcessNumbers.now()
        #expect(numbers.residentBytes > 1 << 20 && numbers.openDescriptors > 2 && numbers.cpuSeconds >= 0)
        #expect(numbers.descriptorsMax >= numbers.openDescriptors)
        let now = Date().timeIntervalSince1970
        #expect(numbers.startSeconds > now - 86_400 * 30 && numbers.startSeconds <= now + 1)
    }

    @Test func `the reader above finds faults`() {
        for text in [
            "a 1", "a 1\n", "# HELP a b\n# TYPE a histogramm\n", "# HELP a b\n# TYPE a gauge\na{x=1} 2\n",
            "# HELP a b\n# TYPE a gauge\na 1\na 2\n",
        ] {
            #expect(!ReadPage(text).faults.isEmpty, "\(text)")
        }
    }
}
