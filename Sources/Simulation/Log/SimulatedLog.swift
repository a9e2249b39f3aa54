// The replicated log that all instances of a world share, as JetStream gives it (docs/decisions/instances.md):
//
//   - one order; a stored message never changes and never goes away
//   - a message id seen within the window is answered as a duplicate and not stored again; after the window it is
//   - a publish can get lost on its way, or be stored and its acknowledgement lost, or be stored after a later one
//   - the time stamp is the stream leader's wall clock, which jumps; here, as Journal promises, it never goes back
//   - what is stored is told to whoever subscribes, late, and not always: a gap is read by position
//   - snapshots lie beside it

internal import Journal

/// Names one append: the run that made it, its number in that run, and how often it had to be named anew.
struct MessageID: Hashable {
    var run: Int
    var number: UInt64
    var generation: UInt64 = 0
}

/// One totally ordered, durable log. Confined to its world.
final class SimulatedLog {
    private(set) var entries: [JournalEntry] = []
    private(set) var ids: [MessageID] = []
    /// When, by the world's clock, each entry was stored.
    private(set) var storedAt: [UInt64] = []
    private(set) var snapshots: [JournalSnapshot] = []
    let epoch: JournalEpoch
    let window: UInt64
    /// The leader's wall clock, ahead of the world's.
    var clockAhead: UInt64 = 1_800_000_000_000
    private var seen: [MessageID: UInt64] = [:]

    init(epoch: JournalEpoch, window: UInt64) {
        self.epoch = epoch
        self.window = window
    }

    var lastPosition: UInt64 { UInt64(entries.count) }

    /// Stores a message unless its id is known within the window.
    ///
    /// - Returns: the entry, or nil for a duplicate.
    func store(_ id: MessageID, _ payload: [UInt8], now: UInt64) -> JournalEntry? {
        if let at = seen[id], now < at + window { return nil }
        seen[id] = now
        let stamp = max(now + clockAhead, entries.last?.timeMilliseconds ?? 0)
        let entry = JournalEntry(position: lastPosition + 1, timeMilliseconds: stamp, payload: payload)
        entries.append(entry)
        ids.append(id)
        storedAt.append(now)
        return entry
    }

    /// Where a message was stored last.
    func position(of id: MessageID) -> UInt64 { UInt64((ids.lastIndex(of: id) ?? -1) + 1) }

    func id(at position: UInt64) -> MessageID { ids[Int(position) - 1] }

    func read(from position: UInt64, limit: JournalReadLimit) -> [JournalEntry] {
        var slice: [JournalEntry] = []
        var bytes = 0
        var index = Int(position) - 1
        while index < entries.count, slice.isEmpty || (slice.count < limit.entriesMax && bytes < limit.bytesMax) {
            slice.append(entries[index])
            bytes += entries[index].payload.count
            index += 1
        }
        return slice
    }

    /// Keeps the snapshot; all of them, so that a checker can start from each.
    func save(_ snapshot: JournalSnapshot) {
        snapshots.removeAll { $0.position == snapshot.position }
        let index = snapshots.firstIndex { $0.position > snapshot.position } ?? snapshots.count
        snapshots.insert(snapshot, at: index)
    }

    func snapshot(below position: UInt64) -> JournalSnapshot? {
        snapshots.last { $0.position < position }
    }
}
