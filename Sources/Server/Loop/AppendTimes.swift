/// When the batches that are under way were handed to the journal, oldest first: what the journal's latency is counted from.
struct AppendTimes {
    private var times: [ContinuousClock.Instant] = []

    /// A batch has been appended.
    mutating func appended(at now: ContinuousClock.Instant = .now) { times.append(now) }

    /// Of the batches only the latest `inFlight` are under way still: the others have come back, in order, or are not waited
    /// for any more, and then count for nothing.
    mutating func heard(inFlight: Int, at now: ContinuousClock.Instant = .now, into latency: DurationHistogram?) {
        while times.count > inFlight {
            let taken = times.removeFirst().duration(to: now).components
            latency?.observe(microseconds: UInt64(max(0, taken.seconds * 1_000_000 + taken.attoseconds / 1_000_000_000_000)))
        }
    }
}
