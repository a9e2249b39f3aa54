public import BoxOffice
public import Journal
public import SeatMap
public import UsherAPI
import Wire

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
    private let incarnation: UInt64
    private let limits: SequencerLimits
    private var nextNumber: UInt64 = 1
    private var gathering: [Submission] = []
    private var inFlight: [(number: UInt64, submissions: [Submission])] = []
    private var effects = Effects()
    /// Journal time of the last entry and the monotonic time at which it was applied here.
    private var lastEntry: (journalTime: UInt64, heardAt: UInt64)?
    /// Not before this monotonic time is another empty entry appended.
    private var clockEntryAllowedAt: UInt64 = 0

    /// Takes over a state machine, fresh or restored from a snapshot, before the journal is replayed into it.
    ///
    /// - Parameter incarnation: larger than that of any earlier run of `instance`: its start in milliseconds.
    public init(office: consuming BoxOffice, instance: UInt32, incarnation: UInt64, limits: SequencerLimits = SequencerLimits()) {
        self.office = office
        self.instance = instance
        self.incarnation = incarnation
        self.limits = limits
        rebuildCatalogue()
        publishAllSeats()
    }

    // MARK: Commands in

    /// Takes a command for the next batch. After the journal has failed it is answered at once and its claim undone.
    public mutating func submit(_ submission: Submission, into publication: inout Publication) {
        guard isWritable else {
            refuse(submission, mayHaveHappened: false, into: &publication)
            return
        }
        gathering.append(submission)
    }

    /// The next batch to append, encoded, or nil while enough are in flight or nothing is to be written. A deadline that
    /// is due with nothing gathered makes an empty entry: the clock alone moves on.
    ///
    /// - Parameter now: monotonic milliseconds.
    public mutating func nextBatch(now: UInt64) -> [UInt8]? {
        guard isWritable, inFlight.count < limits.batchesInFlightMax else { return nil }
        if gathering.isEmpty {
            guard inFlight.isEmpty, clockEntryIsDue(now: now) else { return nil }
            clockEntryAllowedAt = now + limits.clockEntryIntervalMilliseconds
        }
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
        guard now >= clockEntryAllowedAt, let time = journalTime(now: now), let deadline = office.nextDeadline else { return false }
        return time >= deadline
    }

    /// In how many milliseconds `nextBatch` may have something to write though nothing is submitted; nil: not by itself.
    public func idleTime(now: UInt64) -> UInt64? {
        guard isWritable, inFlight.isEmpty, let deadline = office.nextDeadline, let time = journalTime(now: now) else { return nil }
        let untilDue = deadline - min(deadline, time)
        let untilAllowed = clockEntryAllowedAt - min(clockEntryAllowedAt, now)
        return max(untilDue, untilAllowed)
    }

    // MARK: Entries back

    /// Applies one committed entry, of whichever instance, and adds what follows from it to the publication.
    ///
    /// - Throws: `SequencerError.undecodable`: the journal holds bytes that are no entry; nothing was changed and the
    ///   instance has to stop, since it can't know what the others made of it.
    public mutating func apply(_ stored: JournalEntry, now: UInt64, into publication: inout Publication) throws(SequencerError) {
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
    }

    private mutating func collectDelta(of entry: Entry, position: UInt64, into publication: inout Publication) {
        var delta = Delta()
        delta.position = position
        delta.timeMilliseconds = office.timeMilliseconds
        delta.catalogue = effects.catalogueChanged ? catalogue : nil
        delta.lines = effects.lines
        delta.seats = effects.seats
        delta.notices = effects.notices
        delta.keys = effects.keys
        for id in effects.tokens {
            delta.tokens[id] = office.token(id)
        }
        publication.delta.merge(delta)
    }

    private mutating func answer(_ submissions: [Submission], position: UInt64, into publication: inout Publication) {
        for (submission, outcome) in zip(submissions, effects.outcomes) {
            // Seats the hold did not get are free again; those it got are HELD by now and no longer match the claim.
            submission.claim?.undo()
            if let origin = submission.origin {
                publication.answers[origin.loop].append(Answer(ticket: origin.ticket, position: position, content: .outcome(outcome)))
            }
        }
    }

    /// The journal can't be written any more: whoever waits hears so, and nothing more is taken.
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
        submission.claim?.undo()
        guard let origin = submission.origin else { return }
        let content = Answer.Content.journalFailed(mayHaveHappened: mayHaveHappened)
        publication.answers[origin.loop].append(Answer(ticket: origin.ticket, position: office.position, content: content))
    }

    // MARK: The published image

    private func publish(_ change: SeatChange) {
        catalogue.performances[change.performance].shard
            .publish(seat: change.seat, change.state.published, reservation: change.reservation)
    }

    /// Keeps the shards of known performances and makes those of new ones.
    private mutating func rebuildCatalogue() {
        let shards = catalogue.performances.map(\.shard)
        let performances = office.performances.enumerated().map { index, performance in
            Catalogue.PerformanceRecord(
                settings: performance.settings, concert: performance.concert, prices: performance.prices,
                shard: index < shards.count ? shards[index] : SeatShard(seatCount: performance.prices.count),
                priceRange: (performance.prices.min() ?? 0)...(performance.prices.max() ?? 0))
        }
        let concerts = office.concerts.enumerated().map { index, concert in
            let dates = performances.indices.filter { performances[$0].concert == index }
                .sorted { (performances[$0].settings.startsMs, performances[$0].settings.id) < (performances[$1].settings.startsMs, performances[$1].settings.id) }
            return Catalogue.ConcertRecord(settings: concert.settings, drawCommitment: concert.drawCommitment, performances: dates)
        }
        catalogue = Catalogue(concerts: concerts, performances: performances)
    }

    /// After a restore: brings the image to what the snapshot says.
    private func publishAllSeats() {
        for (index, performance) in catalogue.performances.enumerated() {
            for seat in 0..<performance.prices.count {
                let (state, reservation) = office.seat(performance: index, seat: seat)
                if state != .available {
                    performance.shard.publish(seat: seat, state.published, reservation: reservation)
                }
            }
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

    public init() {}
}

public enum SequencerError: Error, Sendable {
    case undecodable(position: UInt64, WireError)
}
