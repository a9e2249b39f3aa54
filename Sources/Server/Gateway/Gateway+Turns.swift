import BoxOffice
import Reactor
import Sequencer
import UsherAPI

/// What those are told whose turn it is, besides what happens to them: what is about to end, and what will not end yet.
extension Gateway {
    /// Looks at those whose turn it is: warnings that begin, passes that run out, the line's state, notices.
    func pushToActive() {
        for (id, status) in statuses where status.state == .active {
            let warnings = warnings(status)
            for stream in lineStreams[id] ?? [] where !stream.isOwed {
                let isNews =
                    warnings != stream.shownWarnings
                    || lines[status.concert].state != stream.shownLineState
                    || stream.passExpires < loop.wallNow + QueueTokens.passRenewalMilliseconds
                    || (noticeLog[status.concert]?.last?.number ?? 0) > stream.shownNotice
                    || isStalled != stream.shownStalled
                    || respiteUntil != stream.shownRespite
                if isNews {
                    sendUpdate(stream)
                    stream.session.flush()
                }
            }
        }
    }

    /// What is about to end. A function of the status and the time: no state of its own.
    func warnings(_ status: TokenStatus) -> [Warning] {
        guard status.state == .active else { return [] }
        let settings = catalogue.concerts[status.concert].settings
        let now = journalNow
        let holds = status.reservations.filter { $0.state == .held }
        var warnings: [Warning] = []
        if PushPolicy.isEnding(deadline: status.activeUntil, now: now, whole: settings.activeTtlMs, most: 60_000) {
            warnings.append(.activeTimeEnding)
        }
        if holds.isEmpty, PushPolicy.isEnding(deadline: status.idleUntil, now: now, whole: settings.idleTtlMs, most: 30_000) {
            warnings.append(.idleTimeEnding)
        }
        if holds.contains(where: {
            PushPolicy.isEnding(deadline: $0.deadlineMs, now: now, whole: settings.holdTtlMs, most: 60_000)
        }) {
            warnings.append(.holdEnding)
        }
        return warnings
    }

    /// There was an outage, and nothing lapses before its respite is over: whose turn it is has longer than was said.
    func prolong(until respite: UInt64) {
        respiteUntil = respite
        for id in statuses.keys where statuses[id]?.state == .active {
            statuses[id]?.prolong(until: respite)
        }
    }
}

extension TokenStatus {
    /// As the state machine has it of what is open in a respite.
    fileprivate mutating func prolong(until respite: UInt64) {
        activeUntil = max(activeUntil, respite)
        idleUntil = max(idleUntil, respite)
        for index in reservations.indices where reservations[index].state == .held {
            reservations[index].deadlineMs = max(reservations[index].deadlineMs, respite)
        }
    }
}
