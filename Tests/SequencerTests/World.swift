import BoxOffice
import Journal
import SeatMap
import Sequencer
import Synchronization
import UsherAPI
import Wire

/// A sequencer, its journal and a clock, moved by hand on one thread. Wall time starts at `World.start`, monotonic time
/// at 0, and both move only by `advance`.
final class World {
    static let start: UInt64 = 1_800_000_000_000
    static let instance: UInt32 = 1
    static let incarnation: UInt64 = 1_000

    let clock: HandClock
    let log: MemoryLog
    let journal: MemoryJournal
    private let inbox = Inbox()
    var sequencer: Sequencer
    var publication = Publication(loops: 2)
    /// Entries applied so far, oldest first.
    private(set) var applied: [JournalEntry] = []
    var failure: JournalError?
    private var requests: UInt64 = 0

    init(
        limits: SequencerLimits = SequencerLimits(), office: consuming BoxOffice = BoxOffice(), log: MemoryLog = MemoryLog(),
        clock: HandClock = HandClock(), instance: UInt32 = World.instance,
        fate: @escaping @Sendable ([[UInt8]]) -> MemoryJournal.Fate = { _ in .commit }
    ) throws {
        self.log = log
        self.clock = clock
        journal = MemoryJournal(log: log, clock: clock.journalClock, rounds: .pumped, fate: fate)
        let position = office.position
        sequencer = Sequencer(office: office, instance: instance, incarnation: Self.incarnation, limits: limits)
        try journal.start(from: position + 1) { [inbox] in inbox.put($0) }
        try commit()
    }

    // MARK: Moves

    func advance(_ milliseconds: UInt64) { clock.advance(milliseconds) }

    func submit(_ command: Command, loop: Int = 0, ticket: UInt64? = nil, claim: SeatClaim? = nil) {
        let origin = ticket.map { Origin(loop: loop, ticket: $0) }
        sequencer.submit(Submission(command, origin: origin, claim: claim), into: &publication)
    }

    /// Hands the journal what is ready to be written; the commands of each batch.
    @discardableResult
    func append() throws -> [[Command]] {
        var batches: [[Command]] = []
        while let batch = sequencer.nextBatch(now: clock.elapsed) {
            batches.append(try Entry(decoding: batch).commands)
            journal.append(batch)
        }
        return batches
    }

    /// Lets the journal commit and applies what it delivers.
    func commit() throws {
        while journal.pump() {}
        for event in inbox.take() {
            switch event {
            case .committed(let entries):
                for entry in entries {
                    try sequencer.apply(entry, now: clock.elapsed, into: &publication)
                    applied.append(entry)
                }
            case .caughtUp: break
            case .stalled(let reason): sequencer.journalStalled(reason, now: clock.elapsed, into: &publication)
            case .flowing: sequencer.journalFlows()
            case .failed(let error):
                failure = error
                sequencer.journalFailed(into: &publication)
            }
        }
    }

    /// One command all the way; its outcome.
    @discardableResult
    func run(_ command: Command, claim: SeatClaim? = nil) throws -> Outcome? {
        submit(command, ticket: 999, claim: claim)
        try append()
        try commit()
        return takeAnswers().last { $0.ticket == 999 }?.outcome
    }

    func takeAnswers(loop: Int = 0) -> [Answer] {
        defer { publication.answers[loop] = [] }
        return publication.answers[loop]
    }

    func takeDelta() -> Delta {
        defer { publication.delta = Delta() }
        return publication.delta
    }

    /// An entry of another instance, put into the log behind this one's back.
    func foreign(_ commands: [Command], instance: UInt32 = 7, number: UInt64, incarnation: UInt64 = 5) throws {
        let other = MemoryJournal(log: log, clock: clock.journalClock)
        try other.start(from: log.lastPosition + 1) { _ in }
        other.append(Entry(instance: instance, incarnation: incarnation, number: number, commands: commands).encoded())
    }

    // MARK: Commands

    static func user(_ number: UInt64) -> Uuid { Uuid(high: 0xA, low: number) }

    func command(_ body: Command.Body, user: UInt64 = 1, token: UInt64 = 0) -> Command {
        requests += 1
        return Command(
            user: Self.user(user), requestId: Uuid(high: 0xB, low: requests), contents: requests, token: token,
            operator: "test", body: body)
    }

    /// The start of this instance, a concert "c" with a teller for `maxActive`, and a performance "p" of ten seats;
    /// answers and delta are taken away.
    func open(maxActive: UInt32 = 100, holdMilliseconds: UInt64 = 300_000, maxSeats: UInt32 = 4) throws {
        submit(command(.instanceStarted(InstanceStarted(sources: 1, rules: 1, name: "test"))))
        var settings = ConcertSettings()
        settings.id = "c"
        settings.title = "Concert"
        settings.policy = AdmissionPolicy(maxActive: maxActive)
        settings.maxSeats = maxSeats
        settings.holdTtlMs = holdMilliseconds
        submit(command(.putConcert(PutConcert(settings: settings))))
        submit(command(.putPerformance(Self.performance)))
        submit(command(.changeLine(ChangeLine(concert: "c", action: .openLine))))
        try append()
        try commit()
        _ = takeAnswers()
        _ = takeDelta()
    }

    static var performance: PerformanceSettings {
        var performance = PerformanceSettings()
        performance.id = "p"
        performance.concert = "c"
        performance.seatCount = 10
        performance.prices = [PriceBand(firstSeat: 1, lastSeat: 10, price: 100)]
        return performance
    }

    /// Joins and returns the token's id.
    func join(user: UInt64) throws -> UInt64 {
        guard case .done(.joined(let status)) = try run(command(.join(Join(concert: "c")), user: user)) else { return 0 }
        return status.id
    }

    // MARK: What the sequencer says (copied out, since it is not copyable)

    var isWritable: Bool { sequencer.isWritable }
    var standing: Standing { sequencer.standing }
    var rejoins: Int { sequencer.rejoins }
    var position: UInt64 { sequencer.office.position }
    var digest: UInt64 { sequencer.office.digest }
    /// Of this instance, as the journal has it.
    var knownIncarnation: UInt64 { sequencer.office.incarnation(of: Self.instance) ?? 0 }
    var living: [UInt32] { sequencer.office.livingInstances }

    func isPresent(_ token: UInt64) -> Bool { sequencer.office.token(token)?.present ?? false }
    var idleTime: UInt64? { sequencer.idleTime(now: clock.elapsed) }
    var catalogue: Catalogue { sequencer.catalogue }
    var joined: UInt64 { sequencer.office.joined(concert: 0) }
    var keys: [PublishedKey] { sequencer.office.keys }

    func journalTime(_ now: UInt64) -> UInt64? { sequencer.journalTime(now: now) }

    var shard: SeatShard { sequencer.catalogue.performances[0].shard }
}

/// Monotonic time that moves when told.
final class HandClock: Sendable {
    private let milliseconds = Atomic<UInt64>(0)

    var elapsed: UInt64 { milliseconds.load(ordering: .relaxed) }

    func advance(_ by: UInt64) { milliseconds.wrappingAdd(by, ordering: .relaxed) }

    var journalClock: JournalClock {
        JournalClock(wallMilliseconds: { [self] in World.start + elapsed }, elapsedMilliseconds: { [self] in elapsed })
    }
}

/// What the journal delivered.
private final class Inbox: Sendable {
    private let events = Mutex<[JournalEvent]>([])

    func put(_ event: JournalEvent) { events.withLock { $0.append(event) } }

    func take() -> [JournalEvent] {
        events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}

extension Answer {
    var outcome: Outcome? {
        if case .outcome(let outcome) = content { outcome } else { nil }
    }

    /// Of a journal that failed: whether the command may have been carried out.
    var mayHaveHappened: Bool? {
        if case .journalFailed(let mayHaveHappened) = content { mayHaveHappened } else { nil }
    }
}

extension Outcome {
    var reservation: Reservation? {
        if case .done(.held(let reservation)) = self { reservation } else { nil }
    }

    var reason: Reason? {
        if case .refused(let refusal) = self { refusal.reason } else { nil }
    }
}

/// A seeded source of numbers (SplitMix64), so that a failing run can be repeated.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
