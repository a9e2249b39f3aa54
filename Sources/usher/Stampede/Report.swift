import Foundation
import Histogram
import UsherAPI

/// What a run has come to. Its JSON is what `--json` prints; `Report+Text.swift` is for people.
struct Report: Encodable {
    /// A latency's distribution, in milliseconds.
    struct Distribution: Encodable {
        var count: UInt64
        var p50: Double
        var p99: Double
        var max: Double

        init?(_ latencies: Latencies?) {
            guard let latencies, latencies.totalCount > 0 else { return nil }
            count = latencies.totalCount
            p50 = Double(latencies.valueAtPercentile(50)) / 1000
            p99 = Double(latencies.valueAtPercentile(99)) / 1000
            max = Double(latencies.maxRecorded) / 1000
        }
    }

    /// TLS bytes of one part of the run.
    struct Bytes: Encodable {
        var received: UInt64
        var sent: UInt64
    }

    struct Server: Encodable {
        var connectCPUSeconds: Double
        var joinCPUSeconds: Double
        var saleCPUSeconds: Double
        /// Of connecting, for each connection.
        var connectCPUMicroseconds: Double
        /// Of everything from the joins to the end, for each fan.
        var fanCPUMicroseconds: Double
        var memoryBytesPerConnection: Double
        var memoryBytesPerJoinedFan: Double
    }

    var fans: Int
    var seed: UInt64
    var loops: Int
    var server: String
    var concert: String
    var mode: String
    var admission: String
    var connectSeconds = 0.0
    var connectsPerSecond = 0.0
    var joins = 0
    var joinsPerSecond = 0.0
    var saleSeconds = 0.0
    var outcomes: [String: Int] = [:]
    var seatsSold = 0
    var latenciesMs: [String: Distribution] = [:]
    var bytes: [String: Bytes] = [:]
    var waitingBytesReceivedPerFan = 0.0
    var waitingUpdatesPerFan = 0.0
    var waitedSecondsPerFan = 0.0
    var staleness: Staleness?
    var checks = 0
    var process: Server?
    var refusals: [String: Int] = [:]
    var instances: [InstanceRecord] = []
    /// Of all holds asked for, those for which somebody else was faster.
    var lostClaimsPerHold = 0.0
    var connectionsLost = 0
    var reconnects = 0
    var fullHandshakes: UInt64 = 0
    /// Bounds of this machine's clock minus the journal's.
    var clockOffsetMs: [Double] = []
    var verdicts: [Verdict] = []

    init(_ settings: StampedeSettings) {
        fans = settings.fans
        seed = settings.seed
        loops = settings.loops
        server = settings.servers
        concert = settings.concert
        mode = settings.pollMilliseconds.map { "polling each \($0) ms" } ?? "pushed"
        admission = settings.policySentence
        isOwnConcert = settings.isOwnConcert
        policy = settings.isOwnConcert ? settings.policy : nil
    }

    private var isOwnConcert: Bool
    private var policy: AdmissionPolicy?

    private enum CodingKeys: String, CodingKey {
        case fans, seed, loops, server, concert, mode, admission, connectSeconds, connectsPerSecond, joins, joinsPerSecond,
            saleSeconds
        case outcomes, seatsSold, latenciesMs, bytes, waitingBytesReceivedPerFan, waitingUpdatesPerFan, waitedSecondsPerFan,
            staleness, checks, process
        case refusals, instances, lostClaimsPerHold, connectionsLost, reconnects, fullHandshakes, clockOffsetMs, verdicts
    }

    /// Whether a verdict failed.
    var hasFailed: Bool { verdicts.contains { $0.holds == false } }

    var json: String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    // MARK: Making it

    mutating func cpu(
        _ before: ServerProcess.Sample?, _ connected: ServerProcess.Sample?, _ joined: ServerProcess.Sample?,
        _ over: ServerProcess.Sample?
    ) {
        guard let before, let connected, let joined, let over, fans > 0 else { return }
        let count = Double(fans)
        process = Server(
            connectCPUSeconds: connected.cpuSeconds - before.cpuSeconds,
            joinCPUSeconds: joined.cpuSeconds - connected.cpuSeconds,
            saleCPUSeconds: over.cpuSeconds - joined.cpuSeconds,
            connectCPUMicroseconds: (connected.cpuSeconds - before.cpuSeconds) / count * 1e6,
            fanCPUMicroseconds: (over.cpuSeconds - connected.cpuSeconds) / count * 1e6,
            memoryBytesPerConnection: Double(connected.residentBytes - before.residentBytes) / count,
            memoryBytesPerJoinedFan: Double(joined.residentBytes - before.residentBytes) / count)
    }

    /// Puts together what the loops have seen, and judges it.
    mutating func take(_ records: [CrowdRecord], _ evidence: inout Evidence, activity: (count: UInt64, looks: Int)?) {
        var latencies: [Measure: Latencies] = [:]
        var low = Int64.min
        var high = Int64.max
        var received = [UInt64](repeating: 0, count: Traffic.allCases.count)
        var sent = received
        var updates: UInt64 = 0
        var waited: UInt64 = 0
        for record in records {
            evidence.fans += record.fans
            for (measure, values) in record.latencies {
                if latencies[measure] == nil { latencies[measure] = values } else { latencies[measure]!.add(values) }
            }
            for (performance, seen) in record.sightings {
                evidence.sightings[performance, default: SeatSightings()].merge(seen)
            }
            for index in received.indices {
                received[index] += record.received[index]
                sent[index] += record.sent[index]
            }
            if instances.isEmpty {
                instances = record.instances
            } else {
                for index in instances.indices { instances[index].add(record.instances[index]) }
            }
            refusals.merge(record.refusals, uniquingKeysWith: +)
            evidence.oddities.merge(record.oddities) { ($0.count + $1.count, $0.example) }
            low = max(low, record.clockLow)
            high = min(high, record.clockHigh)
            updates += record.waitingUpdates
            waited += record.waitedUs
            connectionsLost += record.lost
            reconnects += record.reconnects
            fullHandshakes += record.handshakesFull
        }
        let taken = instances.reduce(0) { $0 + $1.taken }
        let asked = instances.reduce(taken) { $0 + $1.holds + $1.contended }
        lostClaimsPerHold = asked > 0 ? Double(taken) / Double(asked) : 0
        evidence.fans.sort { $0.index < $1.index }
        if high < .max, low > .min {
            clockOffsetMs = [Double(low) / 1000, Double(high) / 1000]
            // A server that starts again starts its clock again, off by what whole milliseconds lose.
            evidence.clockOffsetUs = max(0, low, high) + 2_000
        }
        evidence.policy = policy
        evidence.mostActive = activity
        evidence.isOwnConcert = isOwnConcert

        let joined = evidence.fans.filter { $0.joinedUs > 0 }
        joins = joined.count
        if let first = joined.map(\.joinSentUs).min(), let last = joined.map(\.joinedUs).max(), last > first {
            joinsPerSecond = Double(joins) / (Double(last - first) / 1e6)
        }
        connectsPerSecond = connectSeconds > 0 ? Double(fans) / connectSeconds : 0
        for outcome in FanRecord.Outcome.allCases {
            let count = evidence.fans.count { $0.outcome == outcome }
            if count > 0 { outcomes[outcome.rawValue] = count }
        }
        seatsSold = evidence.fans.reduce(0) { $0 + $1.payments.reduce(0) { $0 + $1.seats.count } }
        for (measure, values) in latencies { latenciesMs[measure.rawValue] = Distribution(values) }
        let pushes = SeatPushes.latencies(facts: records.flatMap(\.holdFacts), sightings: records.flatMap(\.holdSightings))
        latenciesMs["seat_push"] = Distribution(pushes.sinceJournal)
        if instances.count > 1 {
            latenciesMs["seat_push_same_instance"] = Distribution(pushes.atHolders)
            latenciesMs["seat_push_other_instance"] = Distribution(pushes.elsewhere)
        }
        latenciesMs["seat_push_behind_holder"] = Distribution(pushes.behindHolder)
        for traffic in Traffic.allCases {
            bytes["\(traffic)"] = Bytes(received: received[traffic.rawValue], sent: sent[traffic.rawValue])
        }
        let waiters = Double(max(1, joined.count))
        waitingBytesReceivedPerFan = Double(received[Traffic.waiting.rawValue]) / waiters
        waitingUpdatesPerFan = Double(updates) / waiters
        waitedSecondsPerFan = Double(waited) / 1e6 / waiters
        // With others in the line the truth is not known.
        if isOwnConcert { staleness = Staleness(evidence.fans) }
        verdicts = Verdicts.all(evidence)
    }
}

/// Finds for each watcher's sighting of a hold the hold it shows.
enum SeatPushes {
    struct Found {
        /// From the journal's stamp of the hold to a watcher hearing of it.
        var sinceJournal = Latencies.ofMicroseconds()
        /// The same, of watchers at the instance that answered the holder, and of those at others.
        var atHolders = Latencies.ofMicroseconds()
        var elsewhere = Latencies.ofMicroseconds()
        /// How much later than its holder had the answer; 0 if the watcher was first.
        var behindHolder = Latencies.ofMicroseconds()
    }

    static func latencies(
        facts: [(performance: String, fact: HoldFact)], sightings: [(performance: String, sighting: HoldSighting)]
    ) -> Found {
        var found = Found()
        var holds: [String: [UInt32: [HoldFact]]] = [:]
        for (performance, fact) in facts { holds[performance, default: [:]][fact.seat.seat, default: []].append(fact) }
        for (performance, sighting) in sightings {
            // The latest hold of the seat that was made before the sighting, but for the stamp's coarseness.
            let candidates = holds[performance]?[sighting.seat.seat]?.filter { $0.createdMs * 1000 <= sighting.heardUs + 1000 }
            guard let hold = candidates?.max(by: { $0.createdMs < $1.createdMs }) else { continue }
            let latency = sighting.heardUs - min(sighting.heardUs, hold.createdMs * 1000)
            // A merged delta to a slow reader may show a hold again whose first showing was missed.
            guard latency < 60_000_000 else { continue }
            found.sinceJournal.note(latency)
            if sighting.instance == hold.instance { found.atHolders.note(latency) } else { found.elsewhere.note(latency) }
            found.behindHolder.note(sighting.heardUs - min(sighting.heardUs, hold.answeredUs))
        }
        return found
    }
}
