// One instance's engine on the shared log: what a JetStream engine does, without the sockets.
//
//   append ─▶ unheard ── publish ──▶ log      each publish may be lost, delayed or answered by nobody
//                ▲  │ resend, oldest first, when the oldest has not been heard for a while
//   deliver ◀────┴──┴── heard ◀───── log      in order; a gap is read by position
//
// An append is done when it has been heard in its turn. One that was stored before an earlier one counts for nothing (the
// state machine takes only an incarnation's next number), so it is sent again, under a new message id: under the old
// one the log would take it for a duplicate and the instance would never be heard again.

internal import Journal

/// A writer and reader of the simulated log. Confined to its world; `Sendable` only because the interface asks for it.
final class SimulatedJournal: Journal, @unchecked Sendable {
    private struct Append {
        let number: UInt64
        let payload: [UInt8]
        var generation: UInt64 = 0
    }

    private let log: SimulatedLog
    private let network: Network
    /// Of this run, unlike that of any other.
    private let run: Int
    private let name: String
    private var unheard: [Append] = []
    private var lastNumber: UInt64 = 0
    private var next: UInt64 = 1
    private var deliver: (@Sendable (JournalEvent) -> Void)?
    private var end: JournalError?
    private var isReading = false
    private var isResending = false
    /// Half seconds in which the oldest append was not heard.
    private var silentTurns = 0
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
        lastNumber += 1
        unheard.append(Append(number: lastNumber, payload: payload))
        publish(unheard[unheard.count - 1])
        resendLater()
    }

    private func publish(_ append: Append) {
        let id = MessageID(run: run, number: append.number, generation: append.generation)
        guard !isCutOff, !network.loses(.publish) else {
            network.trace.say(name, "publish \(append.number) is lost")
            return
        }
        // From here on it is on its way, whatever becomes of its sender.
        network.after(network.delay()) { [self] in
            guard network.isLogUp else { return }
            if let entry = log.store(id, append.payload, now: network.now) {
                network.onStored(entry, name)
                if network.loses(.acknowledgement) { unacknowledged(append) }
            } else {
                network.trace.say(name, "publish \(append.number) is a duplicate")
            }
        }
    }

    /// What was stored is sent again, since nobody said so: a duplicate by its id or, past the window, a second entry.
    private func unacknowledged(_ append: Append) {
        network.trace.say(name, "hears no acknowledgement of publish \(append.number)")
        network.after(20) { [self] in if end == nil { publish(append) } }
    }

    private func resendLater() {
        guard !isResending, let oldest = unheard.first else { return }
        isResending = true
        network.after(500) { [self] in
            isResending = false
            guard end == nil, let first = unheard.first else { return }
            if first.number == oldest.number {
                for append in unheard { publish(append) }
                silentTurns += 1
                if silentTurns == 2 { tell(.stalled(reason: "nothing heard of #\(first.number)")) }
            }
            resendLater()
        }
    }

    /// One of the log's messages has been heard; if it is the oldest of one's own it is done.
    private func settle(_ id: MessageID) {
        guard id.run == run, let first = unheard.first else { return }
        if id.number == first.number {
            unheard.removeFirst()
            if silentTurns >= 2 { tell(.flowing) }
            silentTurns = 0
        } else if let index = unheard.firstIndex(where: { $0.number == id.number }) {
            network.trace.say(name, "publish \(id.number) was stored before \(first.number): sends it again")
            unheard[index].generation += 1
        }
    }

    // MARK: Faults

    func cutOff() { isCutOff = true }

    /// What is unheard is sent again at once, before it can learn what happened meanwhile: also by one that was declared gone.
    func reconnect() {
        guard isCutOff else { return }
        isCutOff = false
        if end == nil { for append in unheard { publish(append) } }
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
        unheard = []
    }
}
