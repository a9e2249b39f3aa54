import UsherAPI

/// What is worth telling a waiting person, and how soon (docs/decisions/push.md).
///
///     the wait ahead        0 ──────── 1 s ───────────────── 20 s ──────── 200 s ───────────────────────
///     a change is told      each tick │ a tenth of it later │ 2 s later   │ once it is one in a hundred
///
/// Up to `nearHead` every change is told on the tick, however slow the line. So each member of a line that drains hears
/// O(log n) updates, all of them O(n log n), where telling everybody every change would cost O(n²).
enum PushPolicy {
    /// Between two looks at those who wait.
    static let tickMilliseconds: UInt64 = 100
    /// Up to this position every change is told on the tick.
    static let nearHead: UInt64 = 20
    /// The longest time for which a change of a hundredth is kept back.
    static let longestQuiet: UInt64 = 2_000
    /// Without an estimate a line is taken to move so fast: ten places a second.
    private static let millisecondsAPlace: UInt64 = 100

    /// For how long after an update a person is told of no further change of the position: a tenth of the wait, at most 2 s.
    /// 0 near the head, and where it is less than the tick.
    static func quiet(position: UInt64, estimate: Estimate?) -> UInt64 {
        guard position > nearHead else { return 0 }
        // The low end of an estimate is three quarters of the wait.
        let wait = estimate.map { $0.lowMs / 3 * 4 } ?? (position < 1_000_000 ? position * millisecondsAPlace : .max)
        return min(wait / 10, longestQuiet)
    }

    /// Whether a position that shows `shown` should now show `position`: every change near the head, further back one of
    /// at least a hundredth.
    static func isWorthTelling(position: UInt64, shown: UInt64) -> Bool {
        guard position != shown else { return false }
        let difference = position > shown ? position - shown : shown - position
        return position <= nearHead || difference >= shown / 100
    }

    /// Whether the number behind is off by more than a tenth, and what is shown at least 5 s old: while a crowd joins
    /// everybody's number behind grows, and that alone is no reason to hurry.
    static func isWorthTelling(behind: UInt64, shown: UInt64, elapsedMilliseconds: UInt64) -> Bool {
        let difference = behind > shown ? behind - shown : shown - behind
        return elapsedMilliseconds >= 5_000 && difference > shown / 10
    }

    /// Whether an estimate is off by more than a tenth, given what the client's own countdown shows by now.
    ///
    /// The rate of a slow line is uneven, and each step of it would tell everybody. So an estimate is looked at again only
    /// once a twentieth of it has passed: each person hears of O(log) estimates, however uneven the rate.
    static func isWorthTelling(_ estimate: Estimate?, shown: Estimate?, elapsedMilliseconds: UInt64) -> Bool {
        guard let shown else { return estimate != nil }
        guard elapsedMilliseconds >= shown.highMs / 20 else { return false }
        guard let estimate else { return true }
        let counted = shown.highMs - min(shown.highMs, elapsedMilliseconds)
        let difference = counted > estimate.highMs ? counted - estimate.highMs : estimate.highMs - counted
        return difference > max(estimate.highMs / 10, 2_000)
    }

    /// The warnings in force: the less of a fixed time and a fifth of the whole is left.
    static func isEnding(deadline: UInt64, now: UInt64, whole: UInt64, most: UInt64) -> Bool {
        deadline > 0 && deadline <= now + min(most, whole / 5)
    }
}
