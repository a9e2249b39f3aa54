// One instance's engine on the shared log: what a JetStream engine does, without the sockets.
//
//   append ─▶ outbox ── publish ──▶ log      each publish may be lost, delayed, refused, or its answer lost
//               ▲
//   deliver ◀───┴────── heard ◀──── log      in order; a gap is read by position
//
// What is sent again, when and under which id is decided by the outbox of the real engine (`Journal.Outbox`).

internal import Journal

/// A writer and reader of the simulated log. Confined to its world; `Sendable` only because the interface asks for it.
final class SimulatedJournal: Journal, @unchecked Sendable {
    private let log: SimulatedLog
    private let network: Network
    /// Of this run, unlike that of any other.
    private let run: Int
    private let name: String
    private var outbox = Outbox()
    private var next: UInt64 = 1
    private var deliver: (@Sendable (JournalEvent) -> Void)?
    private var end: JournalError?
    private var isReading = false
    /// When the outbox is looked at next, if it is.
    private var lookAt: UInt64?
    private var isStalled = false
    private static let stallAfter: UInt64 = 1_000
    /// Nothing goes in or out.
    private(set) var isCutOff = false
    /// Told after each delivery, so that the instance can take it in.
    var heard: () -> Void = {}

    init(log: SimulatedLog, network: Network, run: Int, name: String) {
        self.log = log
        self.network = network
        self.run = run
        self.name = name
    }

    var epoch: JournalEpoch { log.epoch }
    var isShared: Bool { true }
    var lastPosition: UInt64 { log.lastPosition }
    var statistics: JournalStatistics { JournalStatistics() }

    // MARK: Reading

    func start(from position: UInt64, deliver: @escaping @Sendable (JournalEvent) -> Void) throws(JournalError) {
        guard position <= log.lastPosition + 1 else {
            throw .beyondEnd(position: position, lastPosition: log.lastPosition)
        }
        self.deliver = deliver
        next = position
        let target = log.lastPosition
        network.after(network.delay()) { [self] in
            while next <= target, end == nil { hearSlice() }
            tell(.caughtUp(position: next - 1))
        }
    }

    /// The log says that an entry was stored: what a subscriber gets, unless it is lost on the way.
    func stored(_ entry: JournalEntry) {
        let isLost = network.loses(.delivery)
        network.after(network.delay()) { [self] in
            guard end == nil, !isCutOff, deliver != nil else { return }
            if isLost {
                network.trace.say(name, "misses #\(entry.position)")
                readSoon(after: 250)
            } else if entry.position == next {
                hear([entry])
            } else if entry.position > next {
                readSoon(after: network.delay())
            }
        }
    }

    private func readSoon(after milliseconds: UInt64) {
        guard !isReading else { return }
        isReading = true
        network.after(milliseconds) { [self] in
            isReading = false
            guard !isCutOff else { return }
            hearSlice()
        }
    }

    private func hearSlice() {
        hear(log.read(from: next, limit: JournalReadLimit(entriesMax: 16)))
    }

    private func hear(_ entries: [JournalEntry]) {
        guard !entries.isEmpty, end == nil else { return }
        next += UInt64(entries.count)
        for entry in entries { settle(log.id(at: entry.position)) }
        outbox.passed(next)
        publishDue()
        tell(.committed(entries))
        if next <= log.lastPosition { readSoon(after: network.delay()) }
    }

    private func tell(_ event: JournalEvent) {
        guard end == nil else { return }
        deliver?(event)
        heard()
    }

    // MARK: Writing

    func append(_ payload: [UInt8]) {
        guard end == nil else { return }
        outbox.append(payload, now: network.now)
        publishDue()
    }

    /// Sends what is due now, and looks again when more can be.
    private func publishDue() {
        guard end == nil else { return }
        for due in outbox.publishes(now: network.now) { publish(due) }
        let age = outbox.age(now: network.now)
        if let age, age >= Self.stallAfter, !isStalled {
            isStalled = true
            tell(.stalled(reason: "nothing heard for \(age) ms"))
        }
        let untilStall = isStalled ? nil : age.map { network.now + Self.stallAfter - min($0, Self.stallAfter) }
        let deadlines = [outbox.deadline(now: network.now), untilStall].compactMap { $0 }
        guard let deadline = deadlines.min(), lookAt.map({ deadline < $0 || $0 <= network.now }) ?? true else { return }
        let time = max(deadline, network.now + 1)
        lookAt = time
        network.after(time - network.now) { [self] in
            guard lookAt == time else { return }
            lookAt = nil
            publishDue()
        }
    }

    private func publish(_ due: Outbox.Publish) {
        let id = MessageID(run: run, number: due.id.number, generation: due.id.generation)
        guard !isCutOff, !network.loses(.publish) else {
            network.trace.say(name, "publish \(id.number) is lost")
            return
        }
        // From here on it is on its way, whatever becomes of its sender.
        network.after(network.delay()) { [self] in
            guard network.isLogUp else {
                answer(due.id, storedAt: nil)
                return
            }
            let position: UInt64
            if let entry = log.store(id, due.payload, now: network.now) {
                position = entry.position
                network.onStored(entry, name)
            } else {
                network.trace.say(name, "publish \(id.number) is a duplicate")
                position = log.position(of: id)
            }
            if network.loses(.acknowledgement) {
                network.trace.say(name, "hears no acknowledgement of publish \(id.number)")
            } else {
                answer(due.id, storedAt: position)
            }
        }
    }

    /// What the log answers comes after a while, unless nothing comes in: where it stored a publish, or that it did not.
    private func answer(_ id: AppendID, storedAt position: UInt64?) {
        network.after(network.delay()) { [self] in
            guard end == nil, !isCutOff else { return }
            if let position {
                outbox.stored(id, at: position, now: network.now)
            } else {
                outbox.refused(id, now: network.now)
            }
            publishDue()
        }
    }

    /// One of the log's messages has been heard; if it is the oldest of one's own it is done.
    private func settle(_ id: MessageID) {
        guard id.run == run else { return }
        if outbox.heard(AppendID(number: id.number, generation: id.generation), now: network.now) {
            if isStalled { tell(.flowing) }
            isStalled = false
        }
    }

    // MARK: Faults

    func cutOff() { isCutOff = true }

    /// What is unheard is sent again at once, before it can learn what happened meanwhile: also by one that was declared gone.
    func reconnect() {
        guard isCutOff else { return }
        isCutOff = false
        outbox.reconnected(now: network.now)
        publishDue()
        readSoon(after: network.delay())
    }

    /// The engine gives up, as after an error it can't explain.
    func fail() {
        tell(.failed(.inputOutput(path: "log", operation: "publish", detail: "simulated")))
        end = .closed
    }

    // MARK: Snapshots

    func read(
        from position: UInt64, limit: JournalReadLimit,
        completion: @escaping @Sendable (Result<[JournalEntry], JournalError>) -> Void
    ) {
        completion(end.map { .failure($0) } ?? .success(log.read(from: position, limit: limit)))
    }

    func loadSnapshot(
        below position: UInt64, completion: @escaping @Sendable (Result<JournalSnapshotLookup, JournalError>) -> Void
    ) {
        completion(end.map { .failure($0) } ?? .success(JournalSnapshotLookup(snapshot: log.snapshot(below: position))))
    }

    func saveSnapshot(_ snapshot: JournalSnapshot, completion: @escaping @Sendable (JournalError?) -> Void) {
        if end == nil { log.save(snapshot) }
        completion(end)
    }

    /// Also the way a run dies: what is unheard stays so, what is on its way arrives.
    func close() {
        end = .closed
        deliver = nil
        heard = {}
        outbox = Outbox()
    }
}
