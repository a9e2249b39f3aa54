// How an instance stands to its journal.
//
//                      own eviction            its new start is applied
//        ┌─ serving ──────────────▶ rejoining ──────────────┐
//        │     ▲ └── stalled, behind: by themselves back    │
//        │     └────────────────────────────────────────────┘
//        └─▶ leaving: its stop is the last thing it writes
//        └─▶ stopped: for good, whatever comes
//
// 1. Only a serving instance takes commands. Reads and pushes go on in all states.
// 2. Stalled: nothing is appended, so that nothing begins. What is under way stays so, with its claims, until its entry is
//    heard; those who wait for it are told after 2 s that its outcome is unknown.
// 3. Declared gone: from that position on the journal ignores this incarnation, so what was under way has not happened,
//    and will not. It joins again by itself under a larger incarnation; until its new start is applied it takes nothing.
// 4. Stopped: another runs under its number, its state is not the others', an entry can't be read or follows rules that
//    it does not know, or the journal failed. Nothing is applied any more, and what was under way may have happened.

internal import BoxOffice
internal import UsherAPI

/// How an instance stands to its journal, and what follows for commands.
public enum Standing: Equatable, Sendable {
    /// It takes commands.
    case serving
    /// The journal commits nothing, for a reason that is for people.
    case stalled(String)
    /// The journal has many entries more than were applied here.
    case behind
    /// The others had declared it gone; it is joining them again.
    case rejoining
    /// It has said goodbye.
    case leaving
    /// For good: fail-stop.
    case stopped(StopCause)
}

/// Why an instance has stopped for good.
public enum StopCause: Equatable, Sendable {
    case journalFailed
    /// An entry that is none.
    case undecodable(position: UInt64)
    /// The others declared it gone, and it was not told how to join again.
    case gone
    /// Another run has its number.
    case replaced
    /// The journal takes no more instances.
    case noRoom
    /// Rules are in force that this code does not know.
    case rules(UInt32)
    /// Its state is not the others': the same up to one position, another at the other.
    case diverged(after: UInt64, at: UInt64)
}

extension Sequencer {
    /// A run's way through its life.
    enum Life: Equatable {
        case running, gone, joining, leaving
        case stopped(StopCause)
    }

    struct Stall {
        let reason: String
        let since: UInt64
        /// Whether the callers of what is under way have been told.
        var isTold = false
    }

    public var standing: Standing {
        switch life {
        case .stopped(let cause): .stopped(cause)
        case .leaving: .leaving
        case .gone, .joining: .rejoining
        case .running: if let stall { .stalled(stall.reason) } else if isBehind { .behind } else { .serving }
        }
    }

    /// Whether commands are taken.
    public var isWritable: Bool { standing == .serving }

    /// Whether a batch may be handed out.
    var mayAppend: Bool {
        if case .stopped = life { return false }
        return stall == nil && (life != .joining || !gathering.isEmpty)
    }

    // MARK: Stalls

    /// The journal has committed nothing of what was appended for a while. What was not begun is refused.
    public mutating func journalStalled(_ reason: String, now: UInt64, into publication: inout Publication) {
        stall = Stall(reason: reason, since: stall?.since ?? now, isTold: stall?.isTold ?? false)
        refuseGathered(into: &publication)
    }

    /// It commits again.
    public mutating func journalFlows() { stall = nil }

    /// Tells those whose commands are under way in a stall that has lasted that the outcome is unknown. To be called each round.
    public mutating func losePatience(now: UInt64, into publication: inout Publication) {
        guard untilOutcomesAreUnknown(now: now) == 0 else { return }
        stall?.isTold = true
        for batch in inFlight.indices {
            for index in inFlight[batch].submissions.indices {
                guard let origin = inFlight[batch].submissions[index].origin else { continue }
                tell(origin, mayHaveHappened: true, into: &publication)
                // Its claim stays: the seats are nobody else's before its entry is heard.
                inFlight[batch].submissions[index].origin = nil
            }
        }
    }

    /// In how many milliseconds that is due; nil: it is not.
    func untilOutcomesAreUnknown(now: UInt64) -> UInt64? {
        guard let stall, !stall.isTold else { return nil }
        let due = stall.since + limits.outcomePatienceMilliseconds
        return due - min(due, now)
    }

    /// Refuses what waits for a batch. What the loops themselves have to say stays: they would not say it again.
    private mutating func refuseGathered(into publication: inout Publication) {
        for submission in gathering where submission.origin != nil {
            refuse(submission, mayHaveHappened: false, into: &publication)
        }
        gathering.removeAll { $0.origin != nil }
    }

    /// Sees how far the journal is ahead.
    public mutating func note(journalEnd: UInt64) {
        guard let most = limits.behindMax else { return }
        isBehind = journalEnd > office.position + (isBehind ? most / 4 : most)
    }

    // MARK: Among others

    /// Looks at what an entry just applied means for this instance.
    mutating func takeStock(after entry: Entry, into publication: inout Publication) {
        if office.rules > BoxOffice.highestRules { return stop(.rules(office.rules), into: &publication) }
        if hasBegun, entry.instance == instance, entry.incarnation > incarnation,
            office.incarnation(of: instance) == entry.incarnation
        {
            return stop(.replaced, into: &publication)
        }
        if effects.instancesGone.contains(where: { $0.instance == instance && $0.incarnation == incarnation }) {
            becameGone(into: &publication)
        }
        compare(entry, into: &publication)
    }

    /// From here on the journal ignores what this incarnation writes: nothing of what is under way will happen.
    private mutating func becameGone(into publication: inout Publication) {
        let isLeaving = life == .leaving
        for batch in inFlight {
            for submission in batch.submissions { refuse(submission, mayHaveHappened: false, into: &publication) }
        }
        for submission in gathering { refuse(submission, mayHaveHappened: false, into: &publication) }
        inFlight = []
        gathering = []
        guard !isLeaving else { return }
        life = rejoinCommands.isEmpty ? .stopped(.gone) : .gone
    }

    /// Begins a new incarnation.
    mutating func joinAgain() {
        incarnation = max(incarnation, office.clock) + 1
        nextNumber = 1
        gathering = rejoinCommands.map { Submission($0) }
        vote?.forgetOpen()
        life = .joining
    }

    /// The new incarnation's start has come back.
    mutating func joined(into publication: inout Publication) {
        guard !effects.outcomes.isEmpty else { return stop(.noRoom, into: &publication) }
        life = .running
        rejoins += 1
    }

    private mutating func compare(_ entry: Entry, into publication: inout Publication) {
        guard let isCheckpoint = vote?.hear(office.position, by: entry.instance, digest: office.digest) else { return }
        for index in entry.commands.indices {
            guard case .checkpoint(let checkpoint) = entry.commands[index].body else { continue }
            vote?.claim(checkpoint.digest, at: checkpoint.position, by: entry.instance)
            guard let verdict = vote?.count(countsTies: hasBegun) else { continue }
            return stop(.diverged(after: vote?.agreed ?? 0, at: verdict), into: &publication)
        }
        guard isCheckpoint, hasBegun, life == .running else { return }
        let checkpoint = Checkpoint(position: office.position, digest: office.digest)
        gathering.append(Submission(Command(body: .checkpoint(checkpoint))))
    }

    // MARK: The end

    /// Says goodbye: after what is gathered comes this instance's stop, and nothing else.
    public mutating func leave() {
        switch life {
        case .running: gathering.append(Submission(Command(body: .instanceStopped(InstanceStopped()))))
        case .gone, .joining: gathering = []
        case .leaving, .stopped: return
        }
        life = .leaving
    }

    /// Whether everything that it had to say is said.
    public var hasLeft: Bool {
        switch life {
        case .leaving: gathering.isEmpty && inFlight.isEmpty
        case .stopped: true
        case .running, .gone, .joining: false
        }
    }

    /// Fail-stop: whoever waits hears so, and nothing more is taken or applied.
    public mutating func stop(_ cause: StopCause, into publication: inout Publication) {
        if case .stopped = life { return }
        life = .stopped(cause)
        for batch in inFlight {
            for submission in batch.submissions { refuse(submission, mayHaveHappened: true, into: &publication) }
        }
        for submission in gathering { refuse(submission, mayHaveHappened: false, into: &publication) }
        inFlight = []
        gathering = []
    }

    /// The journal can't be written any more.
    public mutating func journalFailed(into publication: inout Publication) { stop(.journalFailed, into: &publication) }

    // MARK: Refusing

    func refuse(_ submission: Submission, mayHaveHappened: Bool, into publication: inout Publication) {
        submission.claim?.settle()
        if let origin = submission.origin { tell(origin, mayHaveHappened: mayHaveHappened, into: &publication) }
    }

    private func tell(_ origin: Origin, mayHaveHappened: Bool, into publication: inout Publication) {
        let content = Answer.Content.journalFailed(mayHaveHappened: mayHaveHappened)
        publication.answers[origin.loop].append(Answer(ticket: origin.ticket, position: office.position, content: content))
    }
}
