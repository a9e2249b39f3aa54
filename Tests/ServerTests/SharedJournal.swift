import Foundation
import Journal
import Synchronization

/// One server's journal on a log that several share: entries of all are heard as they come, on a thread of its own, as from
/// a replicated stream. It can be cut off, and say that it stands still.
final class SharedJournal: Journal {
    private struct State {
        var deliver: (@Sendable (JournalEvent) -> Void)?
        var isCutOff = false
        var isStandingStill = false
        var isClosed = false
    }

    /// What the memory journal asks at each round; apart, since it is made before `self` is there.
    private final class Gate: Sendable {
        let isOpen = Atomic<Bool>(true)
    }

    private let journal: MemoryJournal
    private let gate: Gate
    private let state = Mutex(State())

    init(_ log: MemoryLog) {
        let gate = Gate()
        self.gate = gate
        journal = MemoryJournal(log: log, rounds: .pumped, isShared: true) { _ in
            gate.isOpen.load(ordering: .relaxed) ? .commit : .delay
        }
        let thread = Thread { [self] in
            while !state.withLock({ $0.isClosed }) {
                let isCutOff = state.withLock { $0.isCutOff }
                if isCutOff || !journal.pump() { Thread.sleep(forTimeInterval: 0.001) }
            }
        }
        thread.start()
    }

    /// Nothing goes in or out, and it does not say so.
    func cutOff() { state.withLock { $0.isCutOff = true } }

    func reconnect() { state.withLock { $0.isCutOff = false } }

    /// Entries of others are heard, and nothing is committed.
    func standStill(_ reason: String) {
        gate.isOpen.store(false, ordering: .relaxed)
        state.withLock { $0.deliver }?(.stalled(reason: reason))
    }

    func goOn() {
        gate.isOpen.store(true, ordering: .relaxed)
        state.withLock { $0.deliver }?(.flowing)
    }

    // MARK: Journal

    var epoch: JournalEpoch { journal.epoch }
    var isShared: Bool { true }
    var lastPosition: UInt64 { journal.lastPosition }
    var statistics: JournalStatistics { journal.statistics }

    func start(from position: UInt64, deliver: @escaping @Sendable (JournalEvent) -> Void) throws(JournalError) {
        state.withLock { $0.deliver = deliver }
        try journal.start(from: position, deliver: deliver)
    }

    func append(_ payload: [UInt8]) { journal.append(payload) }

    func read(
        from position: UInt64, limit: JournalReadLimit,
        completion: @escaping @Sendable (Result<[JournalEntry], JournalError>) -> Void
    ) { journal.read(from: position, limit: limit, completion: completion) }

    func loadSnapshot(
        below position: UInt64, completion: @escaping @Sendable (Result<JournalSnapshotLookup, JournalError>) -> Void
    ) { journal.loadSnapshot(below: position, completion: completion) }

    func saveSnapshot(_ snapshot: JournalSnapshot, completion: @escaping @Sendable (JournalError?) -> Void) {
        journal.saveSnapshot(snapshot, completion: completion)
    }

    func close() {
        state.withLock { $0.isClosed = true }
        journal.crash()
    }
}
