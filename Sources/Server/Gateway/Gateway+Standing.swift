import Calls
import Reactor
import Sequencer
import UsherAPI

/// What the loop makes of how its instance stands to the journal: which commands it takes, and what those who watch are told.
extension Gateway {
    /// Whether commands are taken.
    var isWritable: Bool { standing.standing == .serving }

    /// Whether what is shown may be old, since the journal stands still or the instance has stopped.
    var isStalled: Bool {
        switch standing.standing {
        case .stalled, .stopped: true
        case .serving, .behind, .rejoining, .leaving: false
        }
    }

    /// The instance stands otherwise, or has joined the others anew.
    func take(_ new: LoopStanding) {
        let old = standing
        let wasStalled = isStalled
        standing = new
        if new.rejoins != old.rejoins {
            // For the journal nobody is here any more, and what was under way of touches was lost.
            presence.tellAnew()
            touches.removeAll()
        }
        if case .stopped = new.standing, farewell == nil, !new.neighbours.isEmpty {
            sendAway(
                Farewell(
                    milliseconds: settings.drainMilliseconds, hosts: new.neighbours.filter { !$0.isEmpty }, hasNeighbours: true)
            )
        }
        if isStalled != wasStalled {
            for line in lines.indices { lines[line].soil(urgently: true) }
            pushPositions()
            pushToActive()
        }
    }

    /// Others go on where this instance has stopped for good: its clients are told to go there, also those who come only now.
    private func sendAway(_ farewell: Farewell) {
        self.farewell = farewell
        for session in sessions {
            session.calls.goAway(nextGoAway(farewell), output: &frames)
            session.flush()
        }
        loop.schedule(after: farewell.milliseconds) { [weak self] in
            for session in self?.sessions ?? [] {
                session.close(.shuttingDown, reason: "this instance has stopped; try another")
            }
        }
    }

    /// The refusal of a command that was not begun.
    var notTaken: Status {
        let (message, milliseconds): (String, UInt32) =
            switch standing.standing {
            case .stalled: ("The journal stands still; nothing was begun. Try again in a moment.", 1_000)
            case .behind:
                ("This instance has fallen behind; nothing was begun. Try again in a moment, or on another one.", 1_000)
            case .rejoining: ("This instance is joining the others again; nothing was begun. Try again in a moment.", 500)
            case .leaving: ("This instance is stopping; nothing was begun. Try again on another one.", 1_000)
            case .serving, .stopped: ("The journal can't be written here; nothing was begun.", 5_000)
            }
        return Status(.journalUnavailable, message, details: ErrorDetails(retryAfterMs: milliseconds))
    }

    /// The end of a call whose command is under way, when nobody knows how long.
    var outcomeUnknown: Status {
        Status(
            .outcomeUnknown, "The journal has not said what became of the command; repeat the same request id to know.",
            details: ErrorDetails(retryAfterMs: 1_000, mayHaveHappened: true))
    }
}
