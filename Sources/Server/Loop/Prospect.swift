import UsherAPI

/// Where somebody stands who waits: what moves by itself while a line goes on.
struct Prospect: Equatable {
    var position: UInt64 = 0
    var behind: UInt64 = 0
    var estimate: Estimate?
}

/// What somebody who waits was shown last, and until when it stands.
struct ShownProspect {
    private(set) var prospect = Prospect()
    private(set) var shownAt: UInt64 = 0
    private var quietUntil: UInt64 = 0

    mutating func show(_ prospect: Prospect, now: UInt64) {
        self.prospect = prospect
        shownAt = now
        // Looks come on the tick: a quiet that ends less than half a tick later ends with it.
        let quiet = PushPolicy.quiet(position: prospect.position, estimate: prospect.estimate)
        quietUntil = now + quiet - min(quiet, PushPolicy.tickMilliseconds / 2)
    }

    /// Whether nothing is to be told yet to who is at `position` now.
    func isQuiet(position: UInt64, now: UInt64) -> Bool { now < quietUntil && position > PushPolicy.nearHead }

    /// Whether `new` is worth telling now, the quiet apart.
    func isOutdated(by new: Prospect, now: UInt64) -> Bool {
        let elapsed = now - min(now, shownAt)
        return PushPolicy.isWorthTelling(position: new.position, shown: prospect.position)
            || PushPolicy.isWorthTelling(behind: new.behind, shown: prospect.behind, elapsedMilliseconds: elapsed)
            || PushPolicy.isWorthTelling(new.estimate, shown: prospect.estimate, elapsedMilliseconds: elapsed)
    }
}
