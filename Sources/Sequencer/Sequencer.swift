public import BoxOffice
public import Journal
public import UsherAPI
internal import Wire

/// Between commands and journal: gathers commands into batches, applies the entries that come back, and says what each
/// loop has to hear. It has no thread, socket or clock of its own, so that the simulator drives the same code.
///
///     submit ─▶ gathering ─▶ nextBatch ─▶ (journal) ─▶ apply ─▶ Publication: delta, answers
///                              │ in flight, oldest first ▲
///                              └─────────────────────────┘
///
/// 1. While `batchesInFlightMax` appends are under way the next batch gathers: throughput grows with load, latency
///    stays near one durable write (group commit).
/// 2. An answer leaves only after its entry is durable and applied.
/// 3. Every entry of every instance is applied in journal order; one's own are recognised by (instance, incarnation,
///    number) and then also settle seat claims and answer callers.
/// 4. Only the sequencer writes HELD, SOLD and AVAILABLE into the published seats, in journal order.
///
/// How it stands to a journal that stands still, or that others write too, is in Sequencer+Standing.
public struct Sequencer: ~Copyable {
    /// The state machine; questions read it between entries.
    public private(set) var office: BoxOffice
    public internal(set) var catalogue = Catalogue()
    /// How often this instance has joined the others again, since they had declared it gone. All who are present here are to
    /// be reported anew then.
    public internal(set) var rejoins = 0

    let instance: UInt32
    var incarnation: UInt64
    let limits: SequencerLimits
    var nextNumber: UInt64 = 1
    var gathering: [Submission] = []
    var inFlight: [(number: UInt64, submissions: [Submission])] = []
    var effects = Effects()
    /// Journal time of the last entry and the monotonic time at which it was applied here.
    private var lastEntry: (journalTime: UInt64, heardAt: UInt64)?
    /// Not before this monotonic time is another empty entry appended.
    private var clockEntryAllowedAt: UInt64 = 0
    /// When, by the monotonic clock, this run's last batch was handed out; nil: none yet.
    private var lastBatchAt: UInt64?

    // How it stands.
    var life = Life.running
    var hasBegun = false
    var stall: Stall?
    var isBehind = false
    /// What it says when it joins again: its start and its key. Empty: it does not.
    var rejoinCommands: [Command] = []
    var vote: DigestVote?

    /// Takes over a state machine, fresh or restored from a snapshot, before the journal is replayed into it.
    ///
    /// - Parameter incarnation: larger than that of any earlier run of `instance`: its start in milliseconds.
    public init(office: consuming BoxOffice, instance: UInt32, incarnation: UInt64, limits: SequencerLimits = SequencerLimits())
    {
        self.office = office
        self.instance = instance
        self.incarnation = incarnation
        self.limits = limits
        vote = limits.checkpointEvery.map { DigestVote(every: $0) }
        rebuildCatalogue()
        publishAllSeats()
    }

    /// Makes this run's incarnation larger than any in the journal, whatever the wall clock says: once it is replayed, and
    /// before the first batch. (A wall clock that was ahead and has been set back may have given an earlier run a larger
    /// incarnation than the journal's own time.)
    ///
    /// - Parameter commands: what it says again, under a new incarnation, after others have declared it gone: its start and
    ///   its key. None: then it stops.
    public mutating func beginRun(rejoiningWith commands: [Command] = []) {
        incarnation = max(incarnation, office.clock + 1, (office.incarnation(of: instance) ?? 0) + 1)
        rejoinCommands = commands
        hasBegun = true
        vote?.forgetOpen()
    }

    // MARK: Commands in

    /// Takes a command for the next batch. While none can be taken it is answered at once and its claim undone; what the loops
    /// themselves have to say waits, if it will be true when the journal goes on.
    public mutating func submit(_ submission: Submission, into publication: inout Publication) {
        switch standing {
        case .serving: gathering.append(submission)
        case .stalled where submission.origin == nil, .behind where submission.origin == nil: gathering.append(submission)
        case .stalled, .behind, .rejoining, .leaving, .stopped:
            refuse(submission, mayHaveHappened: false, into: &publication)
        }
    }

    /// Commands that wait for a batch.
    public var gatheredCount: Int { gathering.count }

    /// Batches that were handed out and have not come back.
    public var inFlightCount: Int { inFlight.count }

    /// The next batch to append, encoded, or nil while enough are in flight or nothing is to be written. A deadline that
    /// is due with nothing gathered makes an empty entry: the clock alone moves on.
    ///
    /// - Parameter now: monotonic milliseconds.
    public mutating func nextBatch(now: UInt64) -> [UInt8]? {
        guard mayAppend, inFlight.count < limits.batchesInFlightMax else { return nil }
        if life == .gone { joinAgain() }
        if gathering.isEmpty {
            guard life == .running, inFlight.isEmpty, clockEntryIsDue(now: now) || heartbeatIsDue(now: now) else { return nil }
            clockEntryAllowedAt = now + limits.clockEntryIntervalMilliseconds
        }
        lastBatchAt = now
        hasBegun = true
        let batch = takeBatch()
        var entry = Entry()
        entry.instance = instance
        entry.incarnation = incarnation
        entry.number = nextNumber
        entry.commands = batch.map(\.command)
        inFlight.append((nextNumber, batch))
        nextNumber += 1
        return entry.encoded()
    }

    /// Commands from the front of the queue up to the batch's bounds.
    private mutating func takeBatch() -> [Submission] {
        var bytes = 0
        var count = 0
        while count < gathering.count, count < limits.batchCommandsMax, bytes < limits.batchBytesMax {
            bytes += gathering[count].command.encodedSize
            count += 1
        }
        if count == gathering.count {
            defer { gathering = [] }
            return gathering
        }
        defer { gathering.removeFirst(count) }
        return Array(gathering.prefix(count))
    }

    // MARK: Time

    /// Estimated journal time, never ahead of it: the last stamp plus what has passed since it was heard.
    public func journalTime(now: UInt64) -> UInt64? {
        lastEntry.map { $0.journalTime + (now - min(now, $0.heardAt)) }
    }

    /// By the journal's last stamp and not by the state machine's clock, which may be ahead of it where stamps went back: what
    /// was due by that clock has fired, and what is due later fires once a stamp is there, not before.
    private func clockEntryIsDue(now: UInt64) -> Bool {
        guard now >= clockEntryAllowedAt, let time = journalTime(now: now), let deadline = nextDeadline else { return false }
        return time >= deadline
    }

    /// When this instance has to see to it that the journal's clock moves on. Of several the first by number goes at once and
    /// the others only when that came to nothing, so that usually one empty entry is appended, not one each.
    private var nextDeadline: UInt64? {
        guard let deadline = office.nextDeadline, limits.heartbeatMilliseconds != nil else { return office.nextDeadline }
        let rank = office.rank(of: instance)
        return deadline + UInt64(rank) * limits.clockEntryStaggerMilliseconds
    }

    /// When this run has to show that it lives, if it has begun and others write the journal too.
    private var heartbeatDueAt: UInt64? {
        guard let interval = limits.heartbeatMilliseconds, let lastBatchAt else { return nil }
        return lastBatchAt + interval
    }

    private func heartbeatIsDue(now: UInt64) -> Bool { heartbeatDueAt.map { now >= $0 } ?? false }

    /// In how many milliseconds `nextBatch` may have something to write though nothing is submitted; nil: not by itself.
    public func idleTime(now: UInt64) -> UInt64? {
        if mayAppend, !gathering.isEmpty, inFlight.count < limits.batchesInFlightMax { return 0 }
        if let patience = untilOutcomesAreUnknown(now: now) { return patience }
        guard mayAppend, life == .running, inFlight.isEmpty else { return nil }
        let untilHeartbeat = heartbeatDueAt.map { $0 - min($0, now) }
        guard let deadline = nextDeadline, let time = journalTime(now: now) else { return untilHeartbeat }
        let untilDue = deadline - min(deadline, time)
        let untilAllowed = clockEntryAllowedAt - min(clockEntryAllowedAt, now)
        return min(max(untilDue, untilAllowed), untilHeartbeat ?? .max)
    }

    // MARK: Entries back

    /// Applies one committed entry, of whichever instance, and adds what follows from it to the publication.
    ///
    /// It may stop by it: see `standing`. Once it has stopped nothing is applied any more.
    ///
    /// - Throws: `SequencerError.undecodable` or `outOfOrder`: the journal gave bytes that are no entry, or not the next one;
    ///   nothing was changed and the instance has to stop, since it can't know what the others made of it.
    public mutating func apply(_ stored: JournalEntry, now: UInt64, into publication: inout Publication) throws(SequencerError)
    {
        if case .stopped = life { return }
        let entry: Entry
        do {
            entry = try Entry(decoding: stored.payload)
        } catch {
            throw .undecodable(position: stored.position, error)
        }
        guard stored.position == office.position + 1 else {
            throw .outOfOrder(position: stored.position, expected: office.position + 1)
        }
        effects.removeAll()
        office.apply(entry, position: stored.position, timeMilliseconds: stored.timeMilliseconds, effects: &effects)
        lastEntry = (stored.timeMilliseconds, now)

        if effects.catalogueChanged {
            rebuildCatalogue()
        }
        for change in effects.seats {
            publish(change)
        }
        collectDelta(of: entry, position: stored.position, into: &publication)
        if entry.instance == instance, entry.incarnation == incarnation, inFlight.first?.number == entry.number {
            answer(inFlight.removeFirst().submissions, position: stored.position, into: &publication)
            if life == .joining { joined(into: &publication) }
        }
        takeStock(after: entry, into: &publication)
    }

    private mutating func collectDelta(of entry: Entry, position: UInt64, into publication: inout Publication) {
        var delta = Delta()
        delta.position = position
        delta.timeMilliseconds = office.clock
        delta.oldestTimeMilliseconds = office.clock
        delta.respiteUntil = office.respiteUntil
        delta.catalogue = effects.catalogueChanged ? catalogue : nil
        delta.lines = effects.lines
        delta.seats = effects.seats
        delta.notices = effects.notices
        // An entry that was ignored has no outcomes, and publishes nothing.
        for index in effects.outcomes.indices {
            if case .publishKey(let key) = entry.commands[index].body { delta.keys.append(key.ed25519) }
        }
        delta.tokens.reserveCapacity(effects.tokens.count)
        for id in effects.tokens {
            delta.tokens[id] = office.token(id)
        }
        publication.delta.merge(delta)
    }

    private mutating func answer(_ submissions: [Submission], position: UInt64, into publication: inout Publication) {
        guard effects.outcomes.count == submissions.count else {
            // The entry was ignored: this run was declared gone, or could not begin.
            for submission in submissions { refuse(submission, mayHaveHappened: false, into: &publication) }
            return
        }
        for index in submissions.indices {
            submissions[index].claim?.settle()
            if submissions[index].claim != nil, case .refused(let refusal) = effects.outcomes[index],
                refusal.reason == .seatTaken
            {
                publication.claimsLost += 1
            }
            if let origin = submissions[index].origin {
                publication.answers[origin.loop].append(
                    Answer(ticket: origin.ticket, position: position, content: .outcome(effects.outcomes[index])))
            }
        }
    }

    // MARK: Questions

    /// The addresses of the instances that live beside this one; empty texts for those that have none of their own.
    public var neighbours: [String] { office.neighbours(of: instance) }

    /// Answers a question from the state as it stands, between entries.
    public func answer(_ question: Question, origin: Origin, pageItems: Int, into publication: inout Publication) {
        let facts: Facts
        switch question {
        case .balance(let user):
            facts = .balance(office.balance(of: user))
        case .transactions(let user, let before):
            let page = office.transactions(of: user, before: before, limit: pageItems)
            facts = .transactions(page.items, more: page.more)
        case .reservations(let user, let before):
            let page = office.reservations(of: user, before: before, limit: pageItems)
            facts = .reservations(page.items, more: page.more)
        case .payments(let user, let before):
            let page = office.payments(of: user, before: before, limit: pageItems)
            facts = .payments(page.items, more: page.more)
        case .token(let id, let user):
            let status = office.token(id)
            facts = .token(status?.user == user ? status : nil)
        case .liveToken(let user, let concert):
            facts = .token(office.liveToken(user: user, concert: concert))
        case .stats(let concert):
            let concerts = concert.map { $0..<$0 + 1 } ?? 0..<office.concertCount
            facts = .stats(concerts.compactMap { office.stats(ofConcert: $0) })
        }
        publication.answers[origin.loop].append(
            Answer(ticket: origin.ticket, position: office.position, content: .facts(facts)))
    }
}
