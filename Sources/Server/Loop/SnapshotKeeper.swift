import BoxOffice
import Journal
import Logging
import Reactor
import Sequencer
import Synchronization

/// A thread of low priority that makes a snapshot every so many entries, by replaying the last one forward. It compares
/// what it comes to with the live state machine's digest, so every snapshot is also a proof that replay is deterministic.
final class SnapshotKeeper: Sendable {
    private struct Work {
        var isStopping = false
        /// A position to make a snapshot at, and the live digest there.
        var wished: (position: UInt64, digest: UInt64)?
    }

    private let interval: UInt64
    private let waker: Waker
    private let work = Mutex(Work())

    init(every interval: UInt64) throws(SystemError) {
        self.interval = interval
        waker = try Waker()
    }

    /// Notes the live digest at a position. From the sequencer's thread; cheap.
    func entryApplied(_ position: UInt64, digest: UInt64) {
        guard position % interval == 0 else { return }
        work.withLock { $0.wished = (position, digest) }
        waker.wake()
    }

    func stop() {
        work.withLock { $0.isStopping = true }
        waker.wake()
    }

    /// Works until stopped. A snapshot that can't be made is said and left out: the journal itself has everything.
    func run(journal: any Journal, metrics: Metrics, logger: Logger) {
        while true {
            waker.sleep(upTo: nil) { work.withLock { $0.isStopping || $0.wished != nil } }
            let (isStopping, wished) = work.withLock { work in
                defer { work.wished = nil }
                return (work.isStopping, work.wished)
            }
            if isStopping { return }
            guard let wished else { continue }
            do {
                guard try makeSnapshot(at: wished.position, digest: wished.digest, journal) else { continue }
                metrics.snapshots.add()
                logger.info("snapshot at journal position \(wished.position)")
            } catch {
                if work.withLock({ $0.isStopping }) { return }
                logger.error("no snapshot at journal position \(wished.position): \(error)")
            }
        }
    }

    /// - Returns: false when it was not made, since there is no need any more.
    private func makeSnapshot(at position: UInt64, digest: UInt64, _ journal: any Journal) throws -> Bool {
        var replay = try SnapshotReplay(from: try journal.latestSnapshot(below: position).snapshot)
        while replay.position < position {
            let entries = try journal.entries(from: replay.position + 1)
            guard !entries.isEmpty, !work.withLock({ $0.isStopping }) else { return false }
            try replay.apply(entries.filter { $0.position <= position })
        }
        try journal.save(try replay.snapshot(expecting: digest))
        return true
    }
}
