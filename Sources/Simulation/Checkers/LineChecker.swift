// I3 and I4 from outside: the line's changes are counted, nothing of the state is asked.

internal import BoxOffice
internal import UsherAPI

/// Counts joins and admissions.
struct LineChecker {
    private var joined: UInt64 = 0
    private var waiting: [UInt64] = []
    private var active: [UInt64] = []
    /// The turn (time since the grid's start, in whole intervals) in which the last ones were admitted, and how many.
    private var turn: (grid: UInt64, number: UInt64, admitted: UInt32)?

    /// What an entry's changes break.
    ///
    /// - Parameters:
    ///   - policies: those in force while the entry was applied; where they differ the widest counts. (An operator may widen
    ///     the cap and narrow it again in one entry: whoever came in between came in rightly, and stays.)
    ///   - grids: start of the turnstile's grid, before and after.
    mutating func problems(
        _ changes: [LineChange], at time: UInt64, policies: [AdmissionPolicy], grids: (UInt64, UInt64)
    ) -> [String] {
        var problems: [String] = []
        for change in changes {
            switch change {
            case .joined(_, let joinNumber, _):
                joined += 1
                if joinNumber != joined { problems.append("join number \(joinNumber) follows \(joined - 1)") }
                waiting.append(joinNumber)
            case .left(_, let place):
                if !waiting.contains(place) { problems.append("place \(place) leaves and did not wait") }
                waiting.removeAll { $0 == place }
            case .admitted(_, let place, _):
                if !waiting.contains(place) { problems.append("place \(place) is admitted and did not wait") }
                waiting.removeAll { $0 == place }
                active.append(place)
                problems += admitted(place, at: time, policies, grids)
            case .ended(_, let place):
                if !active.contains(place) { problems.append("place \(place) ends and was not active") }
                active.removeAll { $0 == place }
            case .drawn: break
            case .state(_, let state): if state == .closed { waiting = [] }
            }
        }
        return problems
    }

    private mutating func admitted(
        _ place: UInt64, at time: UInt64, _ policies: [AdmissionPolicy], _ grids: (UInt64, UInt64)
    ) -> [String] {
        var problems: [String] = []
        let cap = policies.contains { $0.maxActive == 0 } ? 0 : policies.map(\.maxActive).max() ?? 0
        if cap > 0, active.count > Int(cap) {
            problems.append("place \(place) is admitted as number \(active.count) of at most \(cap)")
        }
        guard let policy = policies.first, policies.count == 1, grids.0 == grids.1, policy.batch > 0, time >= grids.0 else {
            turn = nil
            return problems
        }
        let number = (time - grids.0) / UInt64(policy.intervalMs)
        let admitted = turn.map { $0.grid == grids.0 && $0.number == number ? $0.admitted : 0 } ?? 0
        turn = (grids.0, number, admitted + 1)
        if admitted + 1 > policy.batch { problems.append("place \(place) is admitted beyond the batch of \(policy.batch)") }
        return problems
    }
}
