// Reading a journal in a file that no server has open, or a shared one: `usher journal verify`, `show` and `export`.

/// A journal to be read from one end to the other, with all checks.
public protocol JournalSource: AnyObject {
    /// For people.
    var name: String { get }
    var epoch: JournalEpoch { get }
    var firstPosition: UInt64 { get }
    /// The last entry's position when it was opened; `firstPosition - 1` without entries.
    var lastPosition: UInt64 { get }
    /// Go to before `position`.
    func seek(to position: UInt64) throws(JournalError)
    /// The next entry; nil at the end.
    func next() throws(JournalError) -> JournalEntry?
    /// The snapshots kept, newest first.
    func snapshots() throws(JournalError) -> [JournalReader.SnapshotSummary]
    func latestSnapshot(below position: UInt64) throws(JournalError) -> JournalSnapshotLookup
    /// Check everything there is; the number of entries.
    func verify() throws(JournalError) -> UInt64
    func close()
}

/// Reads the entries of a closed journal, or of one whose server died, one after the other, with all checks.
/// Leaves file and log as they are. (It has to lock the file, so it needs leave to write it.)
///
/// Confined to one thread.
public final class JournalReader: JournalSource {
    public let path: String
    public var name: String { path }
    public var firstPosition: UInt64 { file.base.position + 1 }
    public let epoch: JournalEpoch
    /// The last entry's position; 0 without entries.
    public let lastPosition: UInt64

    private let file: JournalFile
    private var chain: JournalChain
    private var slice: ArraySlice<JournalEntry> = []

    /// What is kept of a snapshot.
    public struct SnapshotSummary: Equatable, Sendable {
        public let position: UInt64
        public let digest: [UInt8]
        public let byteCount: UInt64
    }

    /// Open the journal at `path` and stand before its first entry.
    ///
    /// - Throws: as `SQLiteJournal.init`; `notFound` where there is no file, `inUse` while a server has it.
    public init(path: String) throws(JournalError) {
        self.path = path
        var options = JournalFileOptions()
        options.access = .inspect
        file = try JournalFile(path: path, options: options)
        epoch = file.epoch
        lastPosition = file.chain.position
        chain = JournalChain(file.base)
    }

    deinit { close() }

    /// Go to before `position`; the entry before it is taken on trust.
    public func seek(to position: UInt64) throws(JournalError) {
        precondition(position > 0, "positions count from 1")
        guard position <= lastPosition + 1 else {
            throw .beyondEnd(position: position, lastPosition: lastPosition)
        }
        chain = try file.chain(at: position - 1)
        slice = []
    }

    /// The next entry; `nil` at the end.
    ///
    /// - Throws: `corruptEntry` where it is missing or altered. There is no way past it but `seek`.
    public func next() throws(JournalError) -> JournalEntry? {
        if slice.isEmpty {
            // The good entries before a bad one are to be had: where a slice fails, go on one by one.
            let before = chain
            do throws(JournalError) {
                slice = try file.read(after: &chain, limit: JournalReadLimit())[...]
            } catch {
                chain = before
                slice = try file.read(after: &chain, limit: JournalReadLimit(entriesMax: 1))[...]
            }
        }
        return slice.popFirst()
    }

    /// The snapshots kept, newest first.
    public func snapshots() throws(JournalError) -> [SnapshotSummary] {
        try file.snapshotRows().map { row in
            SnapshotSummary(position: row.position, digest: row.digest, byteCount: UInt64(clamping: row.byteCount))
        }
    }

    /// The newest whole snapshot below `position`, and those that are damaged.
    public func latestSnapshot(below position: UInt64 = .max) throws(JournalError) -> JournalSnapshotLookup {
        let load = try SnapshotLoad(from: file, below: position)
        while true {
            if let result = try load.step(file) { return result }
        }
    }

    /// Check everything: SQLite's own structure, every entry, every snapshot kept.
    ///
    /// - Returns: the number of entries.
    /// - Throws: the first fault found; a damaged snapshot is `corruptFile`.
    public func verify() throws(JournalError) -> UInt64 {
        let verdict = try file.connection.text("PRAGMA integrity_check(1)") ?? "no answer"
        guard verdict == "ok" else { throw .corruptFile(path: path, detail: verdict) }
        try seek(to: firstPosition)
        while try next() != nil {}
        try file.checkEnd()
        for row in try file.snapshotRows() {
            let lookup = try latestSnapshot(below: row.position + 1)
            guard lookup.snapshot?.position == row.position else {
                throw .corruptFile(path: path, detail: "the snapshot of position \(row.position) is damaged")
            }
        }
        return lastPosition + 1 - firstPosition
    }

    /// Let the file go. Idempotent.
    public func close() {
        file.abandon()
    }
}
