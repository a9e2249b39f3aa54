public import BoxOffice
public import Journal
import UsherAPI
import Wire

/// Makes a snapshot without a pause and without keeping a second copy of the state: the previous snapshot (or nothing) is
/// replayed forward from the journal, compared with what the live state machine said at that position, encoded, dropped.
public struct SnapshotReplay: ~Copyable {
    private var office: BoxOffice
    private var effects = Effects()

    /// Starts from a snapshot, or from the empty sale.
    ///
    /// - Throws: `SnapshotError` if the snapshot is damaged.
    public init(from snapshot: JournalSnapshot?) throws(SnapshotError) {
        office = if let snapshot { try BoxOffice(snapshot: snapshot.bytes) } else { BoxOffice() }
    }

    /// The last position applied.
    public var position: UInt64 { office.position }

    /// Applies a slice of the journal that begins right after `position`.
    public mutating func apply(_ entries: [JournalEntry]) throws(SequencerError) {
        for stored in entries {
            let entry: Entry
            do {
                entry = try Entry(decoding: stored.payload)
            } catch {
                throw .undecodable(position: stored.position, error)
            }
            effects.removeAll()
            office.apply(entry, position: stored.position, timeMilliseconds: stored.timeMilliseconds, effects: &effects)
        }
    }

    /// The snapshot at `position`.
    ///
    /// - Parameter digest: what the live state machine had there.
    /// - Throws: `SequencerError.diverged` if the replay came to something else: one of the two is wrong.
    public consuming func snapshot(expecting digest: UInt64) throws(SequencerError) -> JournalSnapshot {
        guard office.digest == digest else { throw .diverged(position: office.position) }
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: digest >> UInt64(56 - 8 * $0)) }
        return JournalSnapshot(position: office.position, digest: bytes, bytes: office.snapshot())
    }

    /// The state machine replayed so far, to go on with.
    public consuming func finish() -> BoxOffice { office }
}
