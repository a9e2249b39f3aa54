import Histogram
import UsherAPI

// How far what a fan's screen shows is from the truth. Pure: computed after the run, from what the fans were told.
//
//   the truth   the position of place p at a time is 1 + the lower places that have not left the line by then. A place leaves at
//               its admission, by the journal's stamp, or as its fan asks to leave. All of the line are ours, so this is the
//               server's own definition, and no observer's delay is in it. For whoever is admitted the truth is 0: "your turn".
//   the screen  the position in the last update or answer that has arrived, until the next one, until the fan knows of its turn
//               or asks to leave. While a fan's connection is lost it shows nothing.
//   places off  the screen's position minus the truth
//   time off    how long ago the truth was what the screen shows; 0 while it is
//
// Both are looked at for everybody every 97 ms, which is in step with nothing the server does.
//
//   truth    12 ── 11 ── 10 ─────── 9 ── 8
//   screen   12 ──────────── 10 ──────────     places off 0 1 2 0 1 2,
//                  └─ time off ─┘               time off since the truth left 12, then 10

/// What a fan's screen shows from a moment of the wall clock on: a position, or 0 for none.
struct ScreenView: Sendable, Equatable {
    var sinceUs: UInt64
    var position: UInt32
}

/// The staleness of everybody's screens over a run.
struct Staleness: Encodable {
    static let sampleUs: UInt64 = 97_000

    /// Samples of screens that had so long to go until their turn.
    struct Band: Encodable {
        /// Seconds to go, more than this; −1: the turn had come, and the fan had not heard.
        var fromSeconds: Double
        var samples: UInt64
        var placesP50: UInt64
        var placesP99: UInt64
        var secondsP50: Double
        var secondsP99: Double
    }

    var samples: UInt64
    /// Share of the samples in which the screen was right.
    var right: Double
    var placesP50: UInt64
    var placesP99: UInt64
    var placesMax: UInt64
    var secondsP50: Double
    var secondsP99: Double
    var secondsMax: Double
    var bySecondsToGo: [Band]

    /// - Returns: nil if nobody's screen was ever looked at.
    init?(_ fans: [FanRecord]) {
        var replay = ScreenReplay(fans)
        replay.run()
        guard replay.all.count > 0 else { return nil }
        samples = replay.all.count
        right = Double(replay.right) / Double(samples)
        placesP50 = replay.all.places.valueAtPercentile(50)
        placesP99 = replay.all.places.valueAtPercentile(99)
        placesMax = replay.all.places.maxRecorded
        secondsP50 = Double(replay.all.microseconds.valueAtPercentile(50)) / 1e6
        secondsP99 = Double(replay.all.microseconds.valueAtPercentile(99)) / 1e6
        secondsMax = Double(replay.all.microseconds.maxRecorded) / 1e6
        bySecondsToGo = zip(ScreenReplay.bandStarts, replay.bands).filter { $0.1.count > 0 }.map { start, band in
            Band(
                fromSeconds: start, samples: band.count, placesP50: band.places.valueAtPercentile(50),
                placesP99: band.places.valueAtPercentile(99),
                secondsP50: Double(band.microseconds.valueAtPercentile(50)) / 1e6,
                secondsP99: Double(band.microseconds.valueAtPercentile(99)) / 1e6)
        }
    }
}

/// Goes through a run in the order of time: who leaves the line, what screens show, and the samples in between.
///
/// Each departure moves everybody behind it, so n fans cost n²/2 steps of a few nanoseconds: 0.1 s for 10,000.
struct ScreenReplay {
    /// Places off and time off, of the samples taken.
    struct Sampled {
        var places = Latencies(highestTrackableValue: 10_000_000, numberOfSignificantValueDigits: .three)
        var microseconds = Latencies.ofMicroseconds()

        var count: UInt64 { places.totalCount }

        mutating func note(places off: UInt64, microseconds: UInt64) {
            places.record(min(off, 10_000_000))
            self.microseconds.note(microseconds)
        }
    }

    static let bandStarts: [Double] = [-1, 0, 1, 2, 5, 10, 20, 50, 100, 200]

    private(set) var all = Sampled()
    private(set) var right = 0
    private(set) var bands = bandStarts.map { _ in Sampled() }

    private enum Event {
        case departure(Int)
        case view(Int, position: UInt32)
    }

    private var events: [(at: UInt64, event: Event)] = []

    // By rank in the line: nobody is ahead of rank 0.
    private var truth: [UInt32]
    /// The position at its own departure, before that made it 0; nil: still waits.
    private var lastPosition: [UInt32?]
    private var shown: [UInt32]
    /// Since when what is shown has not been true; meaningless while it is.
    private var wrongSince: [UInt64]
    private var turnAt: [UInt64]
    private var departed: [(at: UInt64, rank: Int)] = []

    init(_ fans: [FanRecord]) {
        let line = fans.filter { $0.place > 0 }.sorted { $0.place < $1.place }
        truth = line.indices.map { UInt32($0 + 1) }
        lastPosition = line.map { _ in nil }
        shown = line.map { _ in 0 }
        wrongSince = shown.map { _ in 0 }
        turnAt = line.map { $0.admittedMs * 1000 }
        for (rank, fan) in line.enumerated() {
            let left = fan.admittedMs > 0 ? fan.admittedMs * 1000 : fan.leaveSentUs
            if left > 0 { events.append((left, .departure(rank))) }
            for view in fan.views { events.append((view.sinceUs, .view(rank, position: view.position))) }
        }
        events.sort { $0.at < $1.at }
    }

    mutating func run() {
        guard var nextSample = events.first?.at else { return }
        for (at, event) in events {
            while nextSample < at {
                sample(at: nextSample)
                nextSample += Staleness.sampleUs
            }
            switch event {
            case .departure(let rank): depart(rank, at: at)
            case .view(let rank, let position): show(position, to: rank, at: at)
            }
        }
    }

    private mutating func depart(_ rank: Int, at time: UInt64) {
        guard lastPosition[rank] == nil else { return }
        lastPosition[rank] = truth[rank]
        departed.append((time, rank))
        if truth[rank] == shown[rank] { wrongSince[rank] = time }
        truth[rank] = 0
        for behind in (rank + 1)..<max(truth.count, rank + 1) where truth[behind] > 0 {
            if truth[behind] == shown[behind] { wrongSince[behind] = time }
            truth[behind] -= 1
        }
    }

    private mutating func show(_ position: UInt32, to rank: Int, at time: UInt64) {
        shown[rank] = position
        // News takes a moment to arrive: what is shown may be wrong from the start.
        wrongSince[rank] = position > truth[rank] ? lastTime(position, of: rank) ?? time : time
    }

    /// When the truth ceased to be `position`, of a rank whose truth is below it.
    private func lastTime(_ position: UInt32, of rank: Int) -> UInt64? {
        var truth = truth[rank]
        for (time, other) in departed.reversed() where other <= rank {
            // Its own departure made it 0; one ahead of it, before that, made it one less.
            if other < rank, lastPosition[rank] != nil, truth == 0 { continue }
            truth = other == rank ? lastPosition[rank]! : truth + 1
            if truth >= position { return time }
        }
        return nil
    }

    private mutating func sample(at time: UInt64) {
        for rank in shown.indices where shown[rank] > 0 {
            let isRight = shown[rank] == truth[rank]
            let off = UInt64(shown[rank] > truth[rank] ? shown[rank] - truth[rank] : truth[rank] - shown[rank])
            let microseconds = isRight ? 0 : time - min(time, wrongSince[rank])
            all.note(places: off, microseconds: microseconds)
            if isRight { right += 1 }
            guard turnAt[rank] > 0 else { continue }
            let toGo = (Double(turnAt[rank]) - Double(time)) / 1e6
            let band = toGo <= 0 ? 0 : Self.bandStarts.lastIndex { $0 < toGo } ?? 0
            bands[band].note(places: off, microseconds: microseconds)
        }
    }
}
