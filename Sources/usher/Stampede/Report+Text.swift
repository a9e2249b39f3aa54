import Foundation

extension Report {
    /// The report for people.
    var text: String {
        var lines: [String] = []
        func row(_ name: String, _ value: String) {
            lines.append("  " + name.padding(toLength: 32, withPad: " ", startingAt: 0) + value)
        }
        func section(_ title: String) { lines += ["", title] }

        lines.append("\(fans) fans, \(mode), seed \(seed), \(server), \(concert): \(admission)")
        section("the crowd")
        row("came to", outcomes.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        row("seats sold", "\(seatsSold) in \(Self.number(saleSeconds)) s")
        row(
            "connections",
            "\(Self.number(connectsPerSecond))/s, \(fullHandshakes) full TLS handshakes; lost by the server \(connectionsLost), reconnected \(reconnects)"
        )
        row("joins", "\(joins), \(Self.number(joinsPerSecond))/s from the first sent to the last acknowledged")
        if !refusals.isEmpty {
            row("refusals", refusals.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        }

        row(
            "claims lost to somebody faster", "\(Self.number(lostClaimsPerHold * 100)) % of holds asked for (SEAT_TAKEN)")
        if instances.count > 1 {
            section("by instance")
            for instance in instances {
                row(
                    instance.server,
                    "\(instance.fans) fans began, \(instance.welcomes) welcomes, \(instance.moved) sent on, \(instance.lost) lost; \(instance.holds) holds, \(instance.taken) lost to others"
                )
            }
        }

        section("latency, ms                            count        p50        p99        max")
        for (key, name) in Self.latencyNames {
            guard let distribution = latenciesMs[key] else { continue }
            let columns = [
                String(distribution.count), Self.number(distribution.p50), Self.number(distribution.p99),
                Self.number(distribution.max),
            ]
            lines.append(
                "  " + name.padding(toLength: 34, withPad: " ", startingAt: 0)
                    + zip(columns, [8, 11, 11, 11]).map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }.joined())
        }

        if let staleness {
            section("what screens showed, of \(staleness.samples) looks at a waiting fan's")
            row("right", Self.number(staleness.right * 100) + " %")
            row("places off, p50 · p99 · max", "\(staleness.placesP50) · \(staleness.placesP99) · \(staleness.placesMax)")
            row(
                "seconds since it was right",
                [staleness.secondsP50, staleness.secondsP99, staleness.secondsMax].map(Self.number).joined(separator: " · "))
        }

        section("on the wire (TLS bytes)")
        row(
            "received by a waiting fan",
            "\(Self.number(waitingBytesReceivedPerFan)) B in \(Self.number(waitedSecondsPerFan)) s of waiting, \(Self.number(waitingUpdatesPerFan)) updates"
        )
        for part in Traffic.allCases {
            guard let bytes = bytes["\(part)"], bytes.received > 0 else { continue }
            row("\(part)", "received \(bytes.received / UInt64(fans)) B, sent \(bytes.sent / UInt64(fans)) B for each fan")
        }
        if checks > 0 { row("Check calls", "\(checks), \(Self.number(Double(checks) / max(0.1, saleSeconds)))/s") }

        if let process {
            section("the server's process")
            row(
                "CPU",
                "connecting \(Self.number(process.connectCPUSeconds)) s, joining \(Self.number(process.joinCPUSeconds)) s, the sale \(Self.number(process.saleCPUSeconds)) s"
            )
            row(
                "CPU for each",
                "connection \(Self.number(process.connectCPUMicroseconds)) µs, fan from join to end \(Self.number(process.fanCPUMicroseconds)) µs"
            )
            row(
                "memory for each connection",
                "\(Self.number(process.memoryBytesPerConnection / 1024)) KB, joined \(Self.number(process.memoryBytesPerJoinedFan / 1024)) KB"
            )
        }
        if clockOffsetMs.count == 2, clockOffsetMs[0] > 2 || clockOffsetMs[1] < -2 {
            section("the journal's clock is off")
            row(
                "this machine's minus journal's",
                "\(Self.number(clockOffsetMs[0])) to \(Self.number(clockOffsetMs[1])) ms: latencies since the journal are off by it"
            )
        }

        section("verdicts")
        for verdict in verdicts {
            let mark = verdict.holds.map { $0 ? "yes " : "NO  " } ?? "–   "
            lines.append("  \(mark)\(verdict.promise): \(verdict.finding)")
            lines += verdict.evidence.map { "        \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    private static let latencyNames = [
        ("connect", "connect (TCP, TLS, upgrade, HELLO)"), ("join", "join, to the first update"),
        ("admission", "admission, journal to client"),
        ("seat_push", "seat held, journal to watcher"), ("seat_push_same_instance", "  watched where it was held"),
        ("seat_push_other_instance", "  watched at another instance"),
        ("seat_push_behind_holder", "  the same, after the holder"),
        ("check", "check"), ("dates", "dates"),
        ("seats", "seats, to the whole snapshot"), ("hold", "hold"), ("release", "release"), ("charge", "charge"),
        ("pay", "pay"),
    ]

    /// Three figures or so.
    static func number(_ value: Double) -> String {
        switch abs(value) {
        case 100...: String(format: "%.0f", value)
        case 10..<100: String(format: "%.1f", value)
        default: String(format: "%.2f", value)
        }
    }
}
