/// What memory journals write to: one order, one or several writers. It outlives them as a disk outlives a server,
/// so a test "restarts" by making a new `MemoryJournal` on the same log.
public final class MemoryLog: Sendable {
    public let epoch: JournalEpoch
    private let contents = Monitor(Contents())

    private struct Contents {
        var entries: [JournalEntry] = []
        var snapshots: [JournalSnapshot] = []
    }

    /// An empty log. The epoch can be given, for runs that repeat exactly.
    public init(epoch: JournalEpoch = .random()) {
        self.epoch = epoch
    }

    public var lastPosition: UInt64 { contents.read { UInt64($0.entries.count) } }

    /// All entries: for checkers.
    public var entries: [JournalEntry] { contents.read { $0.entries } }

    /// The snapshots kept, oldest first: for checkers.
    public var snapshots: [JournalSnapshot] { contents.read { $0.snapshots } }

    /// The time of the last entry; 0 without entries.
    var lastTimeMilliseconds: UInt64 { contents.read { $0.entries.last?.timeMilliseconds ?? 0 } }

    /// Commit at `stamp`, or at the last entry's time where that is later.
    func append(_ payloads: [[UInt8]], timeMilliseconds stamp: UInt64) {
        contents.update { contents in
            let time = max(stamp, contents.entries.last?.timeMilliseconds ?? 0)
            for payload in payloads {
                let position = UInt64(contents.entries.count) + 1
                contents.entries.append(
                    JournalEntry(position: position, timeMilliseconds: time, payload: payload))
            }
        }
    }

    func entries(from position: UInt64, limit: JournalReadLimit) -> [JournalEntry] {
        contents.read { contents in
            var slice: [JournalEntry] = []
            var bytes = 0
            for entry in contents.entries.dropFirst(Int(clamping: position - 1)) {
                guard slice.isEmpty || (slice.count < limit.entriesMax && bytes < limit.bytesMax) else { break }
                slice.append(entry)
                bytes += entry.payload.count
            }
            return slice
        }
    }

    func save(_ snapshot: JournalSnapshot) {
        contents.update { contents in
            contents.snapshots.removeAll { $0.position == snapshot.position }
            contents.snapshots.append(snapshot)
            contents.snapshots.sort { $0.position < $1.position }
            contents.snapshots = contents.snapshots.suffix(JournalLimits.snapshotsKept)
        }
    }

    func latestSnapshot(below position: UInt64) -> JournalSnapshot? {
        contents.read { $0.snapshots.last { $0.position < position } }
    }
}

/// A journal in memory, for tests, the simulator and trials. It has no thread: everything happens in the caller's call,
/// so one thread drives it in an order that repeats.
///
/// Two ways to run it: `immediate` does all there is to do within `start` and `append` (an append made while an event
/// is being delivered joins the next round, after the delivery returns); `pumped` does one round in each `pump()`.
public final class MemoryJournal: Journal {
    public enum Rounds: Sendable {
        case immediate
        case pumped
    }

    /// What becomes of a round that is about to commit.
    public enum Fate: Equatable, Sendable {
        case commit
        /// Nothing this time; what is queued stays, and more may join it.
        case delay
        /// The writer fails, and nothing of the round is there.
        case fail(JournalError)
        /// The writer fails after the round became durable: nobody is told, and it is there on reopening.
        case failUnheard(JournalError)
        /// As a retry after a lost acknowledgement: the round is in the log twice. (Several writers only.)
        case commitTwice
    }

    public let log: MemoryLog
    private let rounds: Rounds
    private let fate: @Sendable (_ payloads: [[UInt8]]) -> Fate
    private let state: Monitor<State>

    private struct State {
        var stamper: TimeStamper
        var queue: [[UInt8]] = []
        var deliver: (@Sendable (JournalEvent) -> Void)?
        var nextPosition: UInt64 = 1
        var isCaughtUp = false
        var isInRound = false
        var closesAfterRound = false
        var end: JournalError?
        var statistics = JournalStatistics()
    }

    /// A writer of `log`. `fate` is asked at each round that has something to commit.
    public init(
        log: MemoryLog = MemoryLog(), clock: JournalClock = .system, rounds: Rounds = .immediate, isShared: Bool = false,
        fate: @escaping @Sendable (_ payloads: [[UInt8]]) -> Fate = { _ in .commit }
    ) {
        self.log = log
        self.rounds = rounds
        self.isShared = isShared
        self.fate = fate
        state = Monitor(State(stamper: TimeStamper(clock: clock, last: log.lastTimeMilliseconds)))
    }

    public var epoch: JournalEpoch { log.epoch }

    /// Others may write the log; whether its writers have to prove to each other that they live is for the tests to say.
    public let isShared: Bool

    public var lastPosition: UInt64 { log.lastPosition }

    public var statistics: JournalStatistics { state.read { $0.statistics } }

    /// Appends that wait for a round.
    public var queuedCount: Int { state.read { $0.queue.count } }

    public func start(
        from position: UInt64, deliver: @escaping @Sendable (JournalEvent) -> Void
    ) throws(JournalError) {
        precondition(position > 0, "positions count from 1")
        let refusal: JournalError? = state.update { state in
            precondition(state.deliver == nil, "a journal is started once")
            if let end = state.end { return end }
            guard position <= log.lastPosition + 1 else {
                return .beyondEnd(position: position, lastPosition: log.lastPosition)
            }
            state.deliver = deliver
            state.nextPosition = position
            return nil
        }
        if let refusal { throw refusal }
        pumpIfImmediate()
    }

    public func append(_ payload: [UInt8]) {
        precondition(payload.count <= JournalLimits.payloadBytesMax, "a payload of \(payload.count) bytes")
        state.update { state in
            guard state.end == nil else { return }
            precondition(state.deliver != nil, "appended before start")
            precondition(state.queue.count < JournalLimits.appendsQueuedMax, "too many appends at once")
            state.queue.append(payload)
        }
        pumpIfImmediate()
    }

    /// One round: a slice of what was there at the start, or else commit what is queued and hear what is new, also
    /// from other writers of the log. Does nothing within an event of this journal.
    ///
    /// - Returns: whether anything happened.
    @discardableResult
    public func pump() -> Bool {
        let round: (deliver: @Sendable (JournalEvent) -> Void, queue: [[UInt8]], isCaughtUp: Bool)? =
            state.update { state in
                guard state.end == nil, !state.isInRound, let deliver = state.deliver else { return nil }
                state.isInRound = true
                return (deliver, state.queue, state.isCaughtUp)
            }
        guard let round else { return false }
        defer { endRound() }

        var happened = false
        if round.isCaughtUp, !round.queue.isEmpty {
            if let failure = commit(round.queue, happened: &happened) {
                round.deliver(.failed(failure))
                return true
            }
        }
        let heard = state.update { state in
            let entries = log.entries(from: state.nextPosition, limit: JournalReadLimit())
            state.nextPosition += UInt64(entries.count)
            return entries
        }
        if !heard.isEmpty {
            happened = true
            round.deliver(.committed(heard))
        }
        let caughtUp: UInt64? = state.update { state in
            guard !state.isCaughtUp, state.end == nil, state.nextPosition > log.lastPosition else { return nil }
            state.isCaughtUp = true
            return state.nextPosition - 1
        }
        if let caughtUp {
            happened = true
            round.deliver(.caughtUp(position: caughtUp))
        }
        return happened
    }

    private func endRound() {
        let closes = state.update { state in
            state.isInRound = false
            return state.closesAfterRound && state.end == nil
        }
        if closes { close() }
    }

    /// Commit `payloads`, the head of the queue, as `fate` says.
    private func commit(_ payloads: [[UInt8]], happened: inout Bool) -> JournalError? {
        let copies: Int
        let failure: JournalError?
        switch fate(payloads) {
        case .delay: return nil
        case .commit: (copies, failure) = (1, nil)
        case .commitTwice: (copies, failure) = (2, nil)
        case .fail(let error): (copies, failure) = (0, error)
        case .failUnheard(let error): (copies, failure) = (1, error)
        }
        happened = true
        state.update { state in
            let time = state.stamper.next(atLeast: log.lastTimeMilliseconds)
            for _ in 0..<copies { log.append(payloads, timeMilliseconds: time) }
            state.queue.removeFirst(payloads.count)
            if let failure {
                state.end = failure
                state.queue = []
            } else {
                state.statistics.commits += 1
                state.statistics.entries += UInt64(payloads.count)
                state.statistics.payloadBytes += payloads.reduce(0) { $0 + UInt64($1.count) }
            }
        }
        return failure
    }

    private func pumpIfImmediate() {
        guard rounds == .immediate else { return }
        while pump() {}
    }

    /// The end without a word, as `kill -9`: what is queued is lost, what is in the log stays.
    public func crash() {
        state.update { state in
            state.end = .closed
            state.queue = []
        }
    }

    public func read(
        from position: UInt64, limit: JournalReadLimit,
        completion: @escaping @Sendable (Result<[JournalEntry], JournalError>) -> Void
    ) {
        precondition(position > 0, "positions count from 1")
        completion(end.map { .failure($0) } ?? .success(log.entries(from: position, limit: limit)))
    }

    public func loadSnapshot(
        below position: UInt64,
        completion: @escaping @Sendable (Result<JournalSnapshotLookup, JournalError>) -> Void
    ) {
        completion(
            end.map { .failure($0) }
                ?? .success(JournalSnapshotLookup(snapshot: log.latestSnapshot(below: position))))
    }

    public func saveSnapshot(_ snapshot: JournalSnapshot, completion: @escaping @Sendable (JournalError?) -> Void) {
        precondition(snapshot.position <= lastPosition, "a snapshot of what is not committed")
        precondition(snapshot.digest.count <= JournalLimits.digestBytesMax, "a digest of \(snapshot.digest.count) bytes")
        if end == nil { log.save(snapshot) }
        completion(end)
    }

    public func close() {
        let isInRound = state.update { state in
            state.closesAfterRound = state.isInRound
            return state.isInRound
        }
        guard !isInRound else { return }
        while state.read({ $0.end == nil && !$0.queue.isEmpty }), pump() {}
        crash()
    }

    private var end: JournalError? { state.read { $0.end } }
}
