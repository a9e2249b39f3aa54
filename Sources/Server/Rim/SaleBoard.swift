import BoxOffice
import Sequencer
import Synchronization
import UsherAPI

/// The numbers of the sale for whoever asks from another thread. The sequencer's thread brings them up to date at most once a
/// second, and only when something has happened: an entry costs it nothing but a mark, and whoever asks waits for nobody.
final class SaleBoard: Sendable {
    struct Numbers: Sendable {
        var lines: [LineStats] = []
        /// Instances that live, as the journal has it.
        var instances = 0
    }

    private struct Content {
        var numbers = Numbers()
        var isStale = true
        /// Monotonic milliseconds; 0: never.
        var refreshedAt: UInt64 = 0
    }

    private static let intervalMilliseconds: UInt64 = 1_000
    private let content = Mutex(Content())

    var numbers: Numbers { content.withLock { $0.numbers } }

    /// Notes that the numbers are old.
    func entryApplied() { content.withLock { $0.isStale = true } }

    /// In how many milliseconds `refresh` has something to do; nil: not before the next entry.
    func idleTime(now: UInt64) -> UInt64? {
        content.withLock { content in
            guard content.isStale else { return nil }
            let due = content.refreshedAt + Self.intervalMilliseconds
            return due - min(due, now)
        }
    }

    /// Brings the numbers up to date if it is time. Linear in concerts and performances.
    func refresh(from sequencer: borrowing Sequencer, now: UInt64) {
        guard idleTime(now: now) == 0 else { return }
        var numbers = Numbers()
        for index in 0..<sequencer.office.concertCount {
            if let stats = sequencer.office.stats(ofConcert: index) { numbers.lines.append(stats) }
        }
        numbers.instances = sequencer.office.livingInstanceCount
        content.withLock { content in
            content.numbers = numbers
            content.isStale = false
            content.refreshedAt = now
        }
    }
}
