import Glibc

// The journal as an SQLite database. protocol/journal.md describes the format for others; in short:
//
//     application_id 'Ushr'; user_version = format version
//     meta            name, value: epoch (16 bytes, big-endian), in_use (1 while a server has it open); in format 2 base and
//                     base_time: the position and time after which it begins
//     entries         position, time, checksum, payload
//     snapshot_parts  id, bytes
//     snapshots       position, digest, first_part, part_count, byte_count, checksum; its row is written last
//
// Invariants:
// 1. One connection. locking_mode=EXCLUSIVE comes before the first access, so the file is locked from the first read
//    to the close and the index of the log stays in memory (no -shm). A second opener gets SQLITE_BUSY.
// 2. Nothing is written to a file before it is known as ours, in a format we know, with its log beside it.
// 3. in_use = 1 is in the database itself before the first entry is acknowledged: a file that says so and has no -wal
//    has lost entries, and is refused.

/// How a journal's file is used.
struct JournalFileOptions: Sendable {
    /// Taken when the file is created. Larger pages commit 16 KiB batches no faster and lone commands write more.
    var pageSize = 4_096
    /// Entries may not grow the database beyond so many pages (tests: a full disk).
    var pagesMax: Int?
    /// What a new file begins after, where it is not a new journal.
    var base: JournalBase?
    /// A server writes; a reader leaves file and log as they are.
    var access = Access.serve

    enum Access { case serve, inspect }
}

/// The end of a journal that goes on in another place: what came before is there as a snapshot.
struct JournalBase: Sendable {
    let epoch: JournalEpoch
    let position: UInt64
    let timeMilliseconds: UInt64
}

/// Confined to one thread at a time: the opener's, then the journal's.
final class JournalFile {
    static let applicationID: Int64 = 0x5573_6872  // "Ushr"
    /// 2 is 1 with a base, which a version that knows only 1 must not overlook.
    static let formatVersion: Int64 = 2

    let path: String
    let epoch: JournalEpoch
    let base: JournalBase
    let connection: SQLiteConnection
    /// The end of the entries.
    var chain: JournalChain

    private let options: JournalFileOptions
    // Prepared once, used for every entry.
    let insertEntry: SQLiteStatement
    let selectEntries: SQLiteStatement

    /// Open, or, serving, create where there is no file.
    ///
    /// - Throws: every case of `JournalError` that says what the file is not; the file is then unchanged.
    init(path: String, options: JournalFileOptions) throws(JournalError) {
        self.path = path
        self.options = options
        let logExisted = unsafe access(path + "-wal", F_OK) == 0
        let serving = options.access == .serve
        connection = try SQLiteConnection(path: path, create: serving)
        // A log we found stays as it was unless we serve and close cleanly. One that SQLite creates for the first
        // read goes with the connection.
        connection.keepLogOnClose(logExisted)
        try connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        if try Self.isEmpty(connection) {
            guard serving else { throw .notAJournal(path: path, detail: "it is empty") }
            try Self.create(connection, pageSize: options.pageSize, base: options.base)
        } else {
            try Self.identify(connection)
            try Self.checkLog(connection, existed: logExisted)
        }
        epoch = try Self.readEpoch(connection)
        base = JournalBase(
            epoch: epoch,
            position: UInt64(clamping: try connection.integer("SELECT value FROM meta WHERE name = 'base'") ?? 0),
            timeMilliseconds: UInt64(clamping: try connection.integer("SELECT value FROM meta WHERE name = 'base_time'") ?? 0))
        insertEntry = try connection.prepare(
            "INSERT INTO entries (position, time, checksum, payload) VALUES (?1, ?2, ?3, ?4)")
        selectEntries = try connection.prepare(
            "SELECT position, time, checksum, payload FROM entries WHERE position >= ?1 ORDER BY position")
        chain = JournalChain(base)
        // Without entries the largest is NULL, which reads as 0.
        let largest = UInt64(clamping: try connection.integer("SELECT max(position) FROM entries") ?? 0)
        let last = max(largest, base.position)
        chain = try chain(at: last)
        // A reader wants what is good before it hears what is not.
        if serving {
            try checkEnd()
            try prepareToServe()
        }
    }

    /// A clean end: the log is moved into the database and removed, so that the file alone is the journal.
    func closeCleanly() throws(JournalError) {
        try connection.execute("UPDATE meta SET value = 0 WHERE name = 'in_use'")
        try connection.checkpoint()
        connection.keepLogOnClose(false)
        abandon()
    }

    /// The end after a failure, or of reading: files stay as they are.
    func abandon() {
        insertEntry.finalize()
        selectEntries.finalize()
        connection.close()
    }

    // MARK: Opening

    private static func isEmpty(_ connection: SQLiteConnection) throws(JournalError) -> Bool {
        guard try connection.integer("PRAGMA application_id") == 0 else { return false }
        guard try connection.integer("PRAGMA user_version") == 0 else { return false }
        return try connection.integer("SELECT count(*) FROM sqlite_schema") == 0
    }

    private static func identify(_ connection: SQLiteConnection) throws(JournalError) {
        let path = connection.path
        guard try connection.integer("PRAGMA application_id") == applicationID else {
            throw .notAJournal(path: path, detail: "it is a database of another application")
        }
        let version = try connection.integer("PRAGMA user_version") ?? 0
        guard version <= formatVersion else {
            throw .newerFormat(path: path, found: version, supported: formatVersion)
        }
        guard version >= 1 else {
            throw .notAJournal(path: path, detail: "it has format \(version), which never was one")
        }
    }

    private static func checkLog(_ connection: SQLiteConnection, existed: Bool) throws(JournalError) {
        let path = connection.path
        if existed {
            let pageSize = try connection.integer("PRAGMA page_size") ?? 0
            let frame = try WriteAheadLog.damagedFrame(path: path + "-wal", pageSize: Int(pageSize)) {
                number throws(JournalError) in try connection.pageOnDisk(number, size: Int(pageSize))
            }
            if let frame {
                throw .corruptFile(
                    path: path, detail: "frame \(frame) of \(path)-wal is damaged, with later commits behind it")
            }
        } else if try connection.integer("SELECT value FROM meta WHERE name = 'in_use'") != 0 {
            throw .logMissing(path: path)
        }
    }

    private static func create(
        _ connection: SQLiteConnection, pageSize: Int, base: JournalBase?
    ) throws(JournalError) {
        try connection.execute("PRAGMA page_size=\(pageSize)")
        try useLog(connection)
        let epoch = base?.epoch ?? .random()
        try connection.transaction { () throws(JournalError) in
            try connection.execute(
                """
                PRAGMA application_id=\(applicationID);
                PRAGMA user_version=\(base == nil ? 1 : formatVersion);
                CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
                CREATE TABLE entries (
                    position INTEGER PRIMARY KEY, time INTEGER NOT NULL, checksum INTEGER NOT NULL,
                    payload BLOB NOT NULL) STRICT;
                CREATE TABLE snapshot_parts (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
                CREATE TABLE snapshots (
                    position INTEGER PRIMARY KEY, digest BLOB NOT NULL, first_part INTEGER NOT NULL,
                    part_count INTEGER NOT NULL, byte_count INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
                INSERT INTO meta VALUES ('in_use', 0);
                """)
            let insert = try connection.prepare("INSERT INTO meta VALUES ('epoch', ?1)")
            let bytes = [epoch.high, epoch.low].flatMap { half in
                (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) }
            }
            try insert.run(blobAt: 1, bytes[...])
            if let base {
                try connection.execute(
                    "INSERT INTO meta VALUES ('base', \(base.position)), ('base_time', \(base.timeMilliseconds))")
            }
        }
    }

    /// Write-ahead logging, every commit synced.
    private static func useLog(_ connection: SQLiteConnection) throws(JournalError) {
        let mode = try connection.text("PRAGMA journal_mode=WAL")
        guard mode == "wal" else {
            throw .inputOutput(
                path: connection.path, operation: "write-ahead logging", detail: "SQLite chose \(mode ?? "nothing")")
        }
        try connection.execute("PRAGMA synchronous=FULL")
    }

    private static func readEpoch(_ connection: SQLiteConnection) throws(JournalError) -> JournalEpoch {
        let statement = try connection.prepare("SELECT value FROM meta WHERE name = 'epoch'")
        defer { statement.reset() }
        guard try statement.step(), case let bytes = statement.bytes(0), bytes.count == 16 else {
            throw .corruptFile(path: connection.path, detail: "the journal's epoch is missing")
        }
        func half(_ slice: ArraySlice<UInt8>) -> UInt64 { slice.reduce(0) { $0 << 8 | UInt64($1) } }
        return JournalEpoch(high: half(bytes[..<8]), low: half(bytes[8...]))
    }

    private func prepareToServe() throws(JournalError) {
        try Self.useLog(connection)
        // Debian's SQLite overwrites what is deleted, which would write every dropped snapshot once more.
        try connection.execute("PRAGMA secure_delete=OFF")
        // A log left by a crash is emptied first, so that new frames get new salts (WriteAheadLog relies on it).
        try connection.checkpoint()
        try connection.execute("UPDATE meta SET value = 1 WHERE name = 'in_use'")
        try connection.checkpoint()
        connection.keepLogOnClose(true)
        if let pagesMax = options.pagesMax {
            try connection.execute("PRAGMA max_page_count=\(pagesMax)")
        }
    }
}
