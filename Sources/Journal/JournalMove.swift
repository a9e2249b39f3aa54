import Glibc

// Moving a journal: the target begins with a snapshot of the whole state after the source's last entry, and goes on from
// there, with the same epoch. Positions, tokens and remembered request ids hold; the entries before stay behind.
//
// 1. The target is usable only once it is whole: a file is made beside its place and renamed, a stream says of itself that
//    it is closed until the snapshot is stored.
// 2. The source is closed last, so that nobody goes on with both: a file is renamed, a stream says where it was moved to.

/// What is taken along.
public struct JournalLoad: Sendable {
    public let epoch: JournalEpoch
    /// The whole state after the last entry.
    public let snapshot: JournalSnapshot
    /// The largest time of the entries so far.
    public let timeMilliseconds: UInt64

    public init(epoch: JournalEpoch, snapshot: JournalSnapshot, timeMilliseconds: UInt64) {
        self.epoch = epoch
        self.snapshot = snapshot
        self.timeMilliseconds = timeMilliseconds
    }
}

public enum JournalMove {
    /// Makes a journal at `path`, where nothing may be, of what is taken along.
    ///
    /// - Throws: `notEmpty`, or as `SQLiteJournal.init`.
    public static func write(_ load: JournalLoad, toFile path: String) throws(JournalError) {
        guard unsafe access(path, F_OK) != 0, unsafe access(path + "-wal", F_OK) != 0 else {
            throw .notEmpty(journal: path, detail: "there is a file already")
        }
        let making = path + ".moving"
        unsafe unlink(making)
        unsafe unlink(making + "-wal")
        var options = JournalFileOptions()
        options.base = JournalBase(
            epoch: load.epoch, position: load.snapshot.position, timeMilliseconds: load.timeMilliseconds)
        let file = try JournalFile(path: making, options: options)
        do throws(JournalError) {
            let save = try SnapshotSave(load.snapshot, to: file)
            while try !save.step(file) {}
            try file.closeCleanly()
        } catch {
            file.abandon()
            throw error
        }
        try rename(making, path)
    }

    /// Makes the two streams, neither of which may be there, of what is taken along.
    ///
    /// - Throws: `notEmpty`, or as `JetStreamJournal.init`.
    public static func write(_ load: JournalLoad, to options: JetStreamOptions) throws(JournalError) {
        let store = JetStreamStore(options)
        defer { store.link.close() }
        let snapshots = StreamRules.snapshots(options)
        for stream in [options.stream, snapshots.stream] {
            guard try store.info(of: stream, within: options.openMilliseconds) == nil else {
                throw .notEmpty(journal: options.description, detail: "there is a stream \(stream) already")
            }
        }
        let first = load.snapshot.position + 1
        let note = "a move to it has not ended; remove the streams \(options.stream) and \(snapshots.stream) and move again"
        let rules = StreamRules.journal(options, epoch: load.epoch, firstPosition: first, closed: note)
        try store.create(rules)
        try store.create(snapshots)
        try store.saveSnapshot(load.snapshot, trims: false)
        guard let state = try store.info(of: options.stream), state.first == first, state.last == load.snapshot.position,
            state.metadata?[StreamRules.epochName]?.string == load.epoch.text
        else {
            throw .notEmpty(journal: options.description, detail: "somebody else has created its stream meanwhile")
        }
        try store.close(because: nil)
    }

    /// A file that was moved away is renamed: nothing opens it by mistake.
    ///
    /// - Returns: its new name.
    public static func retire(file path: String) throws(JournalError) -> String {
        let retired = path + ".moved"
        guard unsafe access(retired, F_OK) != 0 else {
            throw .notEmpty(journal: retired, detail: "there is a file already")
        }
        try rename(path, retired)
        if unsafe access(path + "-wal", F_OK) == 0 { try rename(path + "-wal", retired + "-wal") }
        return retired
    }

    /// A stream that was moved away says so to whoever opens it.
    public static func retire(_ options: JetStreamOptions, movedTo target: String) throws(JournalError) {
        let store = JetStreamStore(options)
        defer { store.link.close() }
        try store.close(
            because: "it was moved to \(target); start the server there. To use the name again remove the streams "
                + "\(options.stream) and \(options.snapshotStream)")
    }

    private static func rename(_ path: String, _ target: String) throws(JournalError) {
        guard unsafe Glibc.rename(path, target) == 0 else {
            let code = errno
            throw .inputOutput(path: path, operation: "renaming to \(target)", detail: "error \(code)")
        }
    }
}
