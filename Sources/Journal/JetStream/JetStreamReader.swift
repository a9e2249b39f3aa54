/// Reads a shared journal from one end to the other, also while instances use it: up to what was there when it was opened.
/// Changes nothing. Confined to one thread.
public final class JetStreamReader: JournalSource {
    public let epoch: JournalEpoch
    public let firstPosition: UInt64
    public let lastPosition: UInt64
    public var name: String { store.options.description }

    private let store: JetStreamStore
    private var position: UInt64
    private var slice: ArraySlice<JournalEntry> = []

    /// - Throws: as `JetStreamJournal.init`; `notFound` where there is no such stream.
    public init(_ options: JetStreamOptions) throws(JournalError) {
        store = JetStreamStore(options)
        let (epoch, state) = try store.open(creates: false)
        self.epoch = epoch
        firstPosition = state.first
        lastPosition = state.last
        position = state.first
    }

    deinit { close() }

    public func seek(to position: UInt64) throws(JournalError) {
        precondition(position > 0, "positions count from 1")
        guard position >= firstPosition else { throw .trimmed(position: position, firstPosition: firstPosition) }
        guard position <= lastPosition + 1 else { throw .beyondEnd(position: position, lastPosition: lastPosition) }
        self.position = position
        slice = []
    }

    public func next() throws(JournalError) -> JournalEntry? {
        guard position <= lastPosition else { return nil }
        if slice.isEmpty { slice = try store.read(from: position, limit: JournalReadLimit())[...] }
        guard let entry = slice.popFirst() else { return nil }
        position += 1
        return entry
    }

    public func snapshots() throws(JournalError) -> [JournalReader.SnapshotSummary] {
        var summaries: [JournalReader.SnapshotSummary] = []
        for place in try store.snapshotPlaces().whole {
            guard let manifest = try store.manifest(at: place) else { continue }
            summaries.append(
                JournalReader.SnapshotSummary(
                    position: manifest.position, digest: manifest.digest, byteCount: UInt64(manifest.byteCount)))
        }
        return summaries
    }

    public func latestSnapshot(below position: UInt64) throws(JournalError) -> JournalSnapshotLookup {
        try store.loadSnapshot(below: position)
    }

    /// Every entry is there, in order, and every snapshot is whole.
    public func verify() throws(JournalError) -> UInt64 {
        try seek(to: firstPosition)
        while try next() != nil {}
        for place in try store.snapshotPlaces().whole {
            guard try store.loadSnapshot(below: place.position + 1).snapshot?.position == place.position else {
                throw .corruptStream(
                    journal: name, detail: "the snapshot of position \(place.position) is damaged; the one before is used")
            }
        }
        return lastPosition + 1 - firstPosition
    }

    /// Whether nothing is appended within so long. (An instance that lives appends something every half a second.)
    public func isQuiet(milliseconds: UInt64 = 2_000) throws(JournalError) -> Bool {
        let before = try store.info(of: store.options.stream)?.last
        try store.link.pause(milliseconds)
        return try store.info(of: store.options.stream)?.last == before
    }

    public func close() { store.link.close() }
}
