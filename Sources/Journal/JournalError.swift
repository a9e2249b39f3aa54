/// Why a journal can't be opened, read or written. The description says what is wrong and what to do.
public enum JournalError: Error, Equatable, Sendable {
    /// Another server or tool has the file open.
    case inUse(path: String)
    /// The file is something else; it was not changed.
    case notAJournal(path: String, detail: String)
    /// A newer Usher wrote it.
    case newerFormat(path: String, found: Int64, supported: Int64)
    /// The entry at `position` is missing or not what was written.
    case corruptEntry(path: String, position: UInt64, detail: String)
    /// The file around the entries is damaged.
    case corruptFile(path: String, detail: String)
    /// The write-ahead log beside an uncleanly closed journal is gone, and the latest entries with it.
    case logMissing(path: String)
    /// There is no such file (reading), or no such folder (creating).
    case notFound(path: String)
    case diskFull(path: String)
    /// File or folder can't be written.
    case readOnly(path: String)
    /// The kernel or SQLite failed otherwise.
    case inputOutput(path: String, operation: String, detail: String)
    /// The entries from `position` on have been dropped behind a snapshot, up to the one before `firstPosition`.
    case trimmed(position: UInt64, firstPosition: UInt64)
    /// What names a shared journal can't be read as such.
    case badAddress(text: String, detail: String)
    /// None of the servers of a shared journal answered.
    case unreachable(journal: String, detail: String)
    /// A server of a shared journal, and this instance, do not trust each other.
    case untrusted(journal: String, detail: String, remedy: String)
    /// A shared journal is not set up so that what is acknowledged is safe.
    case unsafeSetting(journal: String, setting: String, found: String, wanted: String, remedy: String)
    /// A shared journal's servers have lost entries, or what they keep is not what was written.
    case corruptStream(journal: String, detail: String)
    /// Its servers said no.
    case refused(journal: String, operation: String, detail: String)
    /// It was moved elsewhere, or a move to it did not end.
    case moved(journal: String, detail: String)
    /// A move needs an empty target.
    case notEmpty(journal: String, detail: String)
    /// Asked to start after the end: state and journal don't belong together.
    case beyondEnd(position: UInt64, lastPosition: UInt64)
    /// The journal has been closed.
    case closed
}

extension JournalError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .inUse(let path):
            "\(path) is in use by another server or tool. Stop that one, or choose another data folder."
        case .notAJournal(let path, let detail):
            "\(path) is not an Usher journal: \(detail). It was left as it is; choose another path."
        case .newerFormat(let path, let found, let supported):
            "\(path) has journal format \(found), this Usher knows formats up to \(supported). "
                + "Use the version that wrote it, or a newer one."
        case .corruptEntry(let path, let position, let detail):
            "\(path) is corrupt at position \(position): \(detail). Keep a copy of the file and its -wal, "
                + "and restore both from a backup."
        case .corruptFile(let path, let detail):
            "\(path) is corrupt: \(detail). Keep a copy of the file and its -wal, and restore both from a backup."
        case .logMissing(let path):
            "\(path) was not closed cleanly, and \(path)-wal, which holds its latest entries, is missing. "
                + "Put that file back beside it. To go on without those entries, create it empty."
        case .notFound(let path):
            "\(path): there is no such file or folder. Check the path."
        case .diskFull(let path):
            "\(path): the disk is full. Make room and start again; everything acknowledged is kept."
        case .readOnly(let path):
            "\(path) can't be written: file, folder or file system is read-only. Check owner and permissions."
        case .inputOutput(let path, let operation, let detail):
            "\(path): \(operation) failed: \(detail). Check the disk, then start again; "
                + "everything acknowledged is kept."
        case .trimmed(let position, let firstPosition):
            "Asked for journal entries from position \(position), but the journal begins at \(firstPosition): what came before "
                + "is in its snapshots. Start from the newest snapshot; a server that is started again does."
        case .badAddress(let text, let detail):
            "'\(text)' is no address of a shared journal: \(detail). It is written nats://HOST:PORT,HOST:PORT,… or tls://…."
        case .unreachable(let journal, let detail):
            "\(journal) can't be reached: \(detail). Check that the NATS servers run, have a majority, and that the addresses "
                + "are right."
        case .untrusted(let journal, let detail, let remedy):
            "\(journal) can't be used: \(detail). \(remedy)."
        case .unsafeSetting(let journal, let setting, let found, let wanted, let remedy):
            "\(journal): \(setting) is \(found) and must be \(wanted), or what was acknowledged can be lost. \(remedy)."
        case .corruptStream(let journal, let detail):
            "\(journal) is corrupt: \(detail). Don't restart the NATS servers; see what to do in docs/operating.md, \"The stream is "
                + "corrupt\"."
        case .refused(let journal, let operation, let detail):
            "\(journal): \(operation) was refused: \(detail). Check the settings of the NATS servers and what this user may do."
        case .moved(let journal, let detail):
            "\(journal) can't be used: \(detail)."
        case .notEmpty(let journal, let detail):
            "\(journal) can't be moved to: \(detail). Choose another name, or remove it first."
        case .beyondEnd(let position, let lastPosition):
            "Asked for journal entries from position \(position), but the journal ends at \(lastPosition): "
                + "entries are missing, or the snapshot is another journal's."
        case .closed:
            "The journal is closed."
        }
    }
}
