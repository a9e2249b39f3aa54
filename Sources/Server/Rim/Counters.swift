import Synchronization

/// A number that only grows, readable from any thread. One thread adds, so that adding is a relaxed load and store and no
/// locked instruction; relaxed, since a counter orders nothing.
final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)

    func add(_ count: UInt64 = 1) { value.store(value.load(ordering: .relaxed) &+ count, ordering: .relaxed) }

    var count: UInt64 { value.load(ordering: .relaxed) }
}

/// How long something took, counted in buckets; as `Counter`, one thread adds.
final class DurationHistogram: Sendable {
    /// Upper bounds of the buckets in microseconds; what takes longer than the last is in none of them.
    ///
    /// From a local file's commit (0.2 ms) to a stream's election (10 s), so that one set of buckets serves all.
    static let bounds: [UInt64] = [
        250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
        10_000_000,
    ]

    private let buckets = (0...bounds.count).map { _ in Counter() }
    private let microseconds = Counter()

    /// Counts `count` events that took so long each. Constant time.
    func observe(microseconds duration: UInt64, count: UInt64 = 1) {
        guard count > 0 else { return }
        buckets[Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count].add(count)
        microseconds.add(duration &* count)
    }

    /// What has been counted.
    var reading: Reading { Reading(buckets: buckets.map(\.count), microseconds: microseconds.count) }

    /// The buckets of one or several histograms at about one moment.
    struct Reading {
        /// Events of each bucket by itself, those beyond the last bound at the end.
        var buckets = [UInt64](repeating: 0, count: DurationHistogram.bounds.count + 1)
        /// The sum of all durations.
        var microseconds: UInt64 = 0

        static func + (left: Reading, right: Reading) -> Reading {
            Reading(
                buckets: zip(left.buckets, right.buckets).map { $0 &+ $1 },
                microseconds: left.microseconds &+ right.microseconds)
        }
    }
}

/// What one loop's gateway counts. Its loop adds; the page sums over all loops.
final class LoopMetrics: Sendable {
    let calls = Counter()
    let hellos = Counter()
    let violations = Counter()
    let upgradesRefused = Counter()
    let lineStreams = Counter()
    let linePushes = Counter()
    let seatWatches = Counter()
    let seatPushes = Counter()
    let pushedBytes = Counter()
    let holdsTurnedAway = Counter()
    /// From the journal's time stamp to the moment when the last push of a delta was handed to its connection.
    let pushLatency = DurationHistogram()
    private let refusals = Mutex<[String: UInt64]>([:])

    /// Counts a refusal by its reason word.
    func refused(_ reason: String) {
        refusals.withLock { $0[reason, default: 0] += 1 }
    }

    var refusalsByReason: [String: UInt64] { refusals.withLock { $0 } }

    /// Updates of lines and seats sent so far.
    var pushes: UInt64 { linePushes.count &+ seatPushes.count }
}
