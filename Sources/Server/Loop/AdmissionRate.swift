/// How fast a line admits, measured over the last minute of journal time, and the wait that follows from it.
struct AdmissionRate: Sendable {
    /// Admissions in each of the last 60 seconds; second s is at index s mod 60.
    private var buckets = [UInt32](repeating: 0, count: 60)
    private var lastSecond: UInt64 = 0
    private var total: UInt32 = 0
    private var firstSecond: UInt64?

    /// Counts admissions at a journal time.
    mutating func admitted(_ count: Int, at timeMilliseconds: UInt64) {
        advance(to: timeMilliseconds)
        buckets[Int(lastSecond % 60)] += UInt32(clamping: count)
        total += UInt32(clamping: count)
        firstSecond = firstSecond ?? lastSecond
    }

    /// Drops what is older than a minute.
    ///
    /// - Returns: whether the rate is another now: without admissions it stays none.
    @discardableResult
    mutating func advance(to timeMilliseconds: UInt64) -> Bool {
        let second = timeMilliseconds / 1000
        guard second > lastSecond else { return false }
        let before = total
        for passed in 0..<min(second - lastSecond, 60) {
            let index = Int((lastSecond + 1 + passed) % 60)
            total -= buckets[index]
            buckets[index] = 0
        }
        lastSecond = second
        return before > 0
    }

    /// Admissions a second over the part of the last minute since the first admission; nil with fewer than two.
    var perSecond: Double? {
        guard let firstSecond, total >= 2 else { return nil }
        return Double(total) / Double(min(60, max(1, lastSecond - firstSecond + 1)))
    }

    /// The wait for the one at `position`, as a range: three quarters to one and a half of what the rate gives. Without
    /// a measurement the turnstile's own pace counts, if there is one.
    ///
    /// - Parameter turnstile: admissions a second that the policy allows at most; nil without a turnstile.
    func estimate(position: UInt64, turnstile: Double?) -> (lowMilliseconds: UInt64, highMilliseconds: UInt64)? {
        guard let rate = perSecond ?? turnstile, rate > 0 else { return nil }
        let wait = Double(position) / rate * 1000
        guard wait < 30 * 86_400_000 else { return nil }
        return (UInt64(wait * 0.75), UInt64(wait * 1.5) + 1000)
    }
}
