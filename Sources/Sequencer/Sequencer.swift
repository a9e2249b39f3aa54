public import BoxOffice
public import Journal
internal import SeatMap
internal import UsherAPI
public import Wire

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
public struct Sequencer: ~Copyable {
    /// The state machine; questions read it between entries.
    public private(set) var office: BoxOffice
    public private(set) var catalogue = Catalogue()
    /// False after the journal failed: nothing more is acknowledged (fail-stop).
    public private(set) var isWritable = true

    private let instance: UInt32
    private var incarnation: UInt64
    private let limits: SequencerLimits
    private var nextNumber: UInt64 = 1
    private var gathering: [Submission] = []
    private var inFlight: [(number: UInt64, submissions: [Submission])] = []
    private var effects = Effects()
    /// Journal time of the last entry and the monotonic time at which it was applied here.
    private var lastEntry: (journalTime: UInt64, heardAt: UInt64)?
    /// Not before this monotonic time is another empty entry appended.
    private var clockEntryAllowedAt: UInt64 = 0
    /// When, by the monotonic clock, this run's last batch was handed out; nil: none yet.
    private var lastBatchAt: UInt64?

    /// Takes over a state machine, fresh or restored from a snapshot, before the journal is replayed into it.
    ///
    /// - Parameter incarnation: larger than that of any earlier run of `instance`: its start in milliseconds.
    public init(office: consuming BoxOffice, instance: UInt32, incarnation: UInt64, limits: SequencerLimits = SequencerLimits())
    {
        self.office = office
        self.instance = instance
        self.incarnation = incarnation
        self.limits = limits
        rebuildCatalogue()
        publishAllSeats()
    }

    /// Makes this run's incarnation larger than any in the journal, whatever the wall clock says: once it is replayed, and
    /// before the first batch. (A run's incarnation is at most the journal time of its first entry.)
    public mutating func beginRun() { incarnation = max(incarnation, office.clock + 1) }

    // MARK: Commands in

    /// Takes a command for the next batch. After the journal has failed it is answered at once and its claim undone.
    public mutating func submit(_ submission: Submission, into publication: inout Publication) {
        guard isWritable else {
            refuse(submission, mayHaveHappened: false, into: &publication)
            return
        }
        gathering.append(submission)
    }

    /// Commands that wait for a batch.
    public var gatheredCount: Int { gathering.count }

    /// The next batch to append, encoded, or nil while enough are in flight or nothing is to be written. A deadline that
    /// is due with nothing gathered makes an empty entry: the clock alone moves on.
    ///
    /// - Parameter now: monotonic milliseconds.
    public mutating func nextBatch(now: UInt64) -> [UInt8]? {
        guard isWritable, inFlight.count < limits.batchesInFlightMax else { return nil }
        if gathering.isEmpty {
            guard inFlight.isEmpty, clockEntryIsDue(now: now) || heartbeatIsDue(now: now) else { return nil }
            clockEntryAllowedAt = now + limits.clockEntryIntervalMilliseconds
        }
        lastBatchAt = now
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

    private func clockEntryIsDue(now: UInt64) -> Bool {
        guard now >= clockEntryAllowedAt, let time = journalTime(now: now), let deadline = office.nextDeadline else {
            return false
        }
        return time >= deadline
    }

    /// When this run has to show that it lives, if it has begun and others write the journal too.
    private var heartbeatDueAt: UInt64? {
        guard let interval = limits.heartbeatMilliseconds, let lastBatchAt else { return nil }
        return lastBatchAt + interval
    }

    private func heartbeatIsDue(now: UInt64) -> Bool { heartbeatDueAt.map { now >= $0 } ?? false }

    /// In how many milliseconds `nextBatch` may have something to write though nothing is submitted; nil: not by itself.
    public func idleTime(now: UInt64) -> UInt64? {
        guard isWritable, inFlight.isEmpty else { return nil }
        let untilHeartbeat = heartbeatDueAt.map { $0 - min($0, now) }
        guard let deadline = office.nextDeadline, let time = journalTime(now: now) else { return untilHeartbeat }
        let untilDue = deadline - min(deadline, time)
        let untilAllowed = clockEntryAllowedAt - min(clockEntryAllowedAt, now)
        return min(max(untilDue, untilAllowed), untilHeartbeat ?? .max)
    }

    // MARK: Entries back

    /// Applies one committed entry, of whichever instance, and adds what follows from it to the publication.
    ///
    /// - Throws: `SequencerError.undecodable`: the journal holds bytes that are no entry; nothing was changed and the
    ///   instance has to stop, since it can't know what the others made of it.
    public mutating func apply(_ stored: JournalEntry, now: UInt64, into publication: inout Publication) throws(SequencerError)
    {
        let entry: Entry
        do {
            entry = try Entry(decoding: stored.payload)
        } catch {
            throw .undecodable(position: stored.position, error)
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
        }
        // Others went on without this run of ours: whatever it writes is ignored from here on.
        if effects.instancesGone.contains(where: { $0.instance == instance && $0.incarnation == incarnation }) {
            journalFailed(into: &publication)
        }
    }

    private mutating func collectDelta(of entry: Entry, position: UInt64, into publication: inout Publication) {
        var delta = Delta()
        delta.position = position
        delta.timeMilliseconds = office.clock
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
            // The entry was ignored: this run was declared gone.
            for submission in submissions { refuse(submission, mayHaveHappened: false, into: &publication) }
            return
        }
        for index in submissions.indices {
            submissions[index].claim?.settle()
            if let origin = submissions[index].origin {
                publication.answers[origin.loop].append(
                    Answer(ticket: origin.ticket, position: position, content: .outcome(effects.outcomes[index])))
            }
        }
    }

    /// The journal can't be written any more, or takes nothing from this run of the instance: whoever waits hears so, and
    /// nothing more is taken.
    public mutating func journalFailed(into publication: inout Publication) {
        isWritable = false
        for batch in inFlight {
            for submission in batch.submissions {
                refuse(submission, mayHaveHappened: true, into: &publication)
            }
        }
        for submission in gathering {
            refuse(submission, mayHaveHappened: false, into: &publication)
        }
        inFlight = []
        gathering = []
    }

    private func refuse(_ submission: Submission, mayHaveHappened: Bool, into publication: inout Publication) {
        submission.claim?.settle()
        guard let origin = submission.origin else { return }
        let content = Answer.Content.journalFailed(mayHaveHappened: mayHaveHappened)
        publication.answers[origin.loop].append(Answer(ticket: origin.ticket, position: office.position, content: content))
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
        case .token(let id):
            facts = .token(office.token(id))
        case .liveToken(let user, let concert):
            facts = .token(office.liveToken(user: user, concert: concert))
        case .stats(let concert):
            let concerts = concert.map { $0..<$0 + 1 } ?? 0..<office.concertCount
            facts = .stats(concerts.compactMap { office.stats(ofConcert: $0) })
        }
        publication.answers[origin.loop].append(
            Answer(ticket: origin.ticket, position: office.position, content: .facts(facts)))
    }

    // MARK: The published image

    private func publish(_ change: SeatChange) {
        publish(performance: change.performance, seat: Int(change.seat), change.state, reservation: change.reservation)
    }

    /// Writes one seat, counted from 1, into the image, over any claim.
    private func publish(performance: Int, seat: Int, _ state: UsherAPI.SeatState, reservation: UInt64) {
        catalogue.performances[performance].shard
            .publish(seat - 1, SeatMap.SeatState(state), holder: UInt32(truncatingIfNeeded: reservation))
    }

    /// Keeps the shards of known performances and makes those of new ones.
    private mutating func rebuildCatalogue() {
        var performances: [Catalogue.PerformanceRecord] = []
        for index in 0..<office.performanceCount {
            guard let status = office.performance(index) else { continue }
            let known = index < catalogue.performances.count ? catalogue.performances[index].shard : nil
            performances.append(
                Catalogue.PerformanceRecord(
                    settings: status.settings, concert: status.concert, prices: status.prices,
                    shard: known ?? SeatShard(seatCount: status.prices.count),
                    priceRange: (status.prices.min() ?? 0)...(status.prices.max() ?? 0)))
        }
        var concerts: [Catalogue.ConcertRecord] = []
        for index in 0..<office.concertCount {
            guard let facts = office.concert(index), var settings = office.settings(ofConcert: index) else { continue }
            settings.policy = facts.policy
            let dates = office.performances(ofConcert: index).sorted {
                (performances[$0].settings.startsMs, performances[$0].settings.id) < (
                    performances[$1].settings.startsMs, performances[$1].settings.id
                )
            }
            concerts.append(
                Catalogue.ConcertRecord(settings: settings, drawCommitment: facts.drawCommitment, performances: dates))
        }
        catalogue = Catalogue(concerts: concerts, performances: performances)
    }

    /// After a restore: brings the image to what the snapshot says.
    private func publishAllSeats() {
        for (index, performance) in catalogue.performances.enumerated() {
            for seat in 1...performance.prices.count {
                guard let (state, reservation) = office.seatState(performance: index, seat: seat), state != .available else {
                    continue
                }
                publish(performance: index, seat: seat, state, reservation: reservation)
            }
        }
    }
}

extension SeatMap.SeatState {
    /// What the image shows for a state of the sale.
    fileprivate init(_ state: UsherAPI.SeatState) {
        switch state {
        case .held: self = .held
        case .sold: self = .sold
        case .available, .unspecified, .unrecognized: self = .available
        }
    }
}

/// How much goes into a batch and how many are on their way.
public struct SequencerLimits: Sendable {
    /// 1 with a local file: a second append would only wait for the first one's fsync.
    public var batchesInFlightMax = 1
    /// 64 KiB is where a replicated stream's rate stops growing; entries stay far below its 1 MB bound.
    public var batchBytesMax = 64 * 1024
    public var batchCommandsMax = 4096
    /// A due deadline is retried no more often than this, lest a slow journal be flooded with empty entries.
    public var clockEntryIntervalMilliseconds: UInt64 = 50
    /// With several instances on one journal: this long after its last batch one with nothing to say appends an empty entry,
    /// lest the others, who count entries, declare it gone. Nil: it is alone.
    public var heartbeatMilliseconds: UInt64?

    public init() {}
}

/// Why the journal's contents can't be used.
public enum SequencerError: Error, Sendable {
    /// An entry that is none.
    case undecodable(position: UInt64, WireError)
    /// Replaying the journal up to here gave another state than the live one: nothing can be trusted any more.
    case diverged(position: UInt64)
}
