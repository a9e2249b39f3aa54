import UsherAPI

/// What is worth telling a waiting person (docs/decisions/push.md). A line of n that drains costs each of its members
/// O(log n) updates, all of them O(n log n), where telling everybody every change would cost O(n²).
enum PushPolicy {
    /// Up to this position every change is told.
    static let nearHead: UInt64 = 100

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
