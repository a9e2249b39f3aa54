import BoxOffice
import Calls
import Sequencer
import UsherAPI

/// One performance's seats as one loop shows them, with the changes kept for those who resume.
struct SeatFeed {
    private(set) var revision: UInt64
    /// State of seat n at index n − 1, at `revision`.
    private(set) var states: [SeatState]
    private(set) var left: Int
    /// Seats of the last changes: that of revision r is at index r − firstKept.
    private var changed: [UInt32] = []
    private var firstKept: UInt64
    /// The last revision at which prices changed since this instance began: they have no revision of their own.
    private var repricedAt: UInt64?
    private(set) var watches: [SeatWatch] = []

    init(_ image: SeatImage) {
        revision = image.revision
        states = image.states
        left = image.states.count { $0 == .available }
        firstKept = image.revision + 1
    }

    /// Prices have changed: who watches, now or once they come back, gets a new snapshot.
    mutating func reprice() {
        repricedAt = revision
        for watch in watches { watch.restart() }
    }

    /// Whether a client that has this revision can go on from it.
    func canResume(after revision: UInt64) -> Bool {
        if let repricedAt, revision <= repricedAt { return false }
        return revision > 0 && seats(changedAfter: revision) != nil
    }

    /// Takes the next change. O(1) amortised.
    mutating func apply(_ change: SeatChange, kept: Int) {
        let index = Int(change.seat) - 1
        if states[index] == .available { left -= 1 }
        if change.state == .available { left += 1 }
        states[index] = change.state
        revision = change.revision
        changed.append(change.seat)
        if changed.count >= 2 * kept {
            firstKept += UInt64(changed.count - kept)
            changed.removeFirst(changed.count - kept)
        }
    }

    /// The seats that changed after a revision, ascending and each once; nil if that is too long ago to know.
    func seats(changedAfter revision: UInt64) -> [UInt32]? {
        // Clients send any number: what is ahead of us goes first, so that the sum can't overflow.
        guard revision <= self.revision, revision + 1 >= firstKept else { return nil }
        return Set(changed[Int(revision + 1 - firstKept)...]).sorted()
    }

    mutating func add(_ watch: SeatWatch) {
        watch.feedIndex = watches.count
        watches.append(watch)
    }

    /// O(1): a crowd that goes at once must not cost the square of its number. A watch that is not here is left alone.
    mutating func remove(_ watch: SeatWatch) {
        guard let index = watch.feedIndex else { return }
        watch.feedIndex = nil
        let last = watches.removeLast()
        if last !== watch {
            watches[index] = last
            last.feedIndex = index
        }
    }
}

/// One running WatchSeats, or StreamSeats, which is the same without an afterwards.
final class SeatWatch {
    unowned let session: Session
    let call: CallID
    /// Whose turn it is; the watch ends with it.
    let token: UInt64
    var performance: Int
    /// Where it stands among the watches of its feed; nil: nowhere, as is a list.
    var feedIndex: Int?
    /// Of a list of several performances: those that come after this one. Nil: a watch of one, which goes on.
    var afterwards: [Int]?
    /// The revision that the client has after what was sent; nil: it needs a snapshot.
    var revision: UInt64?
    /// While a snapshot goes out in parts: the first seat of the next part, and the revision of the first part.
    var nextSeat: UInt32 = 1
    var snapshotRevision: UInt64 = 0
    /// Something could not be sent for want of credit or since the reader is slow.
    var isOwed = false

    init(session: Session, call: CallID, token: UInt64, performance: Int, revision: UInt64?) {
        self.session = session
        self.call = call
        self.token = token
        self.performance = performance
        self.revision = revision
    }

    /// Forgets what the client has: a snapshot comes next, from its first part.
    func restart() {
        revision = nil
        nextSeat = 1
    }
}

/// One running WatchStats: a sample each second.
final class StatsWatch {
    unowned let session: Session
    let call: CallID
    let concert: Int?
    var isAsking = false

    init(session: Session, call: CallID, concert: Int?) {
        self.session = session
        self.call = call
        self.concert = concert
    }
}
