import Testing

@testable import Server

/// The exposition format of Prometheus, version 0.0.4, as far as it binds us.
private struct Exposition {
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
                if words[3] != "counter" && words[3] != "gauge" { faults.append("type: \(line)") }
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
        if String(match.1) != current { faults.append("a sample away from its family: \(line)") }
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
    @Test func `are Prometheus text`() {
        let metrics = Metrics()
        metrics.calls.add(3)
        metrics.refused("SEAT_TAKEN")
        metrics.refused("SEAT_TAKEN")
        metrics.refused("TOKEN_WAITING")
        let page = Exposition(
            metrics.text(sale: [
                ("seats", "Seats by state.", [(#"state="held""#, 4), (#"state="sold""#, 5)]),
                ("journal_position", "Position.", [("", 9)]),
            ]))
        #expect(page.faults == [])
        #expect(page.samples[.init(name: "usher_calls_total", labels: "")] == 3)
        #expect(page.samples[.init(name: "usher_refusals_total", labels: #"reason="SEAT_TAKEN""#)] == 2)
        #expect(page.samples[.init(name: "usher_refusals_total", labels: #"reason="TOKEN_WAITING""#)] == 1)
        #expect(page.samples[.init(name: "usher_seats", labels: #"state="sold""#)] == 5)
        #expect(page.types["usher_seats"] == "gauge" && page.types["usher_calls_total"] == "counter")
    }

    @Test func `counters are named _total and gauges are not`() {
        for (name, type) in Exposition(Metrics().text(sale: [])).types {
            #expect(name.hasPrefix("usher_") && name.hasSuffix("_total") == (type == "counter"), "\(name)")
        }
    }

    @Test func `the reader above finds faults`() {
        for text in [
            "a 1", "a 1\n", "# HELP a b\n# TYPE a histogramm\n", "# HELP a b\n# TYPE a gauge\na{x=1} 2\n",
            "# HELP a b\n# TYPE a gauge\na 1\na 2\n",
        ] {
            #expect(!Exposition(text).faults.isEmpty, "\(text)")
        }
    }
}
