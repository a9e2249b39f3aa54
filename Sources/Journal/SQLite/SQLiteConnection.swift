import CSQLite
import Glibc

/// One connection, used by one thread at a time. All of the module's SQLite pointers live in this file.
@safe final class SQLiteConnection {
    let path: String
    /// Pages in the write-ahead log after the last commit.
    private(set) var logPages = 0
    private var handle: OpaquePointer?

    /// - Throws: as `error(_:doing:)`; `readOnly` also for a file that exists and can't be written.
    init(path: String, create: Bool) throws(JournalError) {
        self.path = path
        // Debian's SQLite takes "file:…" for a URI.
        let name = path.hasPrefix("file:") ? "./" + path : path
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (create ? SQLITE_OPEN_CREATE : 0)
        let result = unsafe sqlite3_open_v2(name, &handle, flags, nil)
        guard result == SQLITE_OK else {
            var error = error(result, doing: "opening the file")
            close()
            // Where creating is not allowed SQLite tries to open for reading, and reports that there is no file.
            if create, error == .notFound(path: path), folderExists { error = .readOnly(path: path) }
            throw error
        }
        guard unsafe sqlite3_db_readonly(handle, "main") == 0 else {
            close()
            throw .readOnly(path: path)
        }
        // The hook replaces SQLite's own checkpoints: they are the caller's. It is called by this connection only,
        // inside `step`, so the unretained reference lives.
        unsafe sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                let connection = unsafe Unmanaged<SQLiteConnection>.fromOpaque(context!).takeUnretainedValue()
                connection.logPages = Int(pages)
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { close() }

    private var folderExists: Bool {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        return unsafe access(folder, F_OK) == 0
    }

    /// Whether `close` leaves the write-ahead log beside the file.
    func keepLogOnClose(_ keep: Bool) {
        _ = unsafe usher_sqlite3_keep_wal_on_close(handle, keep ? 1 : 0)
    }

    /// Idempotent. Statements left over would keep the file open and locked until they are finalised (close_v2).
    func close() {
        unsafe sqlite3_close_v2(handle)
        unsafe handle = nil
    }

    func execute(_ sql: String) throws(JournalError) {
        let result = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard result == SQLITE_OK else { throw error(result, doing: sql) }
    }

    /// A statement to be kept and run many times.
    func prepare(_ sql: String) throws(JournalError) -> SQLiteStatement {
        var statement: OpaquePointer?
        let result = unsafe sqlite3_prepare_v3(
            handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard result == SQLITE_OK, let statement = unsafe statement else { throw error(result, doing: sql) }
        return unsafe SQLiteStatement(statement, of: self, sql: sql)
    }

    /// The first column of the first row; `nil` without a row.
    func integer(_ sql: String) throws(JournalError) -> Int64? {
        let statement = try prepare(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : nil
    }

    func text(_ sql: String) throws(JournalError) -> String? {
        let statement = try prepare(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.text(0) : nil
    }

    /// `body` in one transaction: all of it durable, or, where it throws, none of it as far as is known.
    func transaction<R>(_ body: () throws(JournalError) -> R) throws(JournalError) -> R {
        try execute("BEGIN IMMEDIATE")
        do throws(JournalError) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            try? execute("ROLLBACK")  // may have happened by itself
            throw error
        }
    }

    /// Move the write-ahead log into the database, so that the next transaction starts it over.
    /// - Returns: the pages still to be moved.
    @discardableResult
    func checkpoint() throws(JournalError) -> Int {
        var pages: Int32 = 0
        var moved: Int32 = 0
        let result = unsafe sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved)
        guard result == SQLITE_OK else { throw error(result, doing: "checkpoint") }
        logPages = Int(max(0, pages - moved))
        return logPages
    }

    /// A page of the database file as it is on disk, whatever the write-ahead log says of it; `nil` past the end.
    func pageOnDisk(_ number: UInt32, size: Int) throws(JournalError) -> [UInt8]? {
        var page = [UInt8](repeating: 0, count: size)
        let offset = Int64(number - 1) * Int64(size)
        var whole: Int32 = 0
        let result = unsafe page.withUnsafeMutableBytes { bytes in
            // SQLite fills at most `size` bytes, which is what the array has.
            unsafe usher_sqlite3_read_file(handle, bytes.baseAddress, Int32(size), offset, &whole)
        }
        guard result == SQLITE_OK else { throw error(result, doing: "reading page \(number)") }
        return whole != 0 ? page : nil
    }

    /// What `code`, just returned by SQLite, means.
    func error(_ code: Int32, doing operation: String) -> JournalError {
        let systemError = unsafe sqlite3_system_errno(handle)
        let detail = unsafe String(cString: sqlite3_errmsg(handle))
        switch (code & 0xff, systemError) {
        case (SQLITE_BUSY, _), (SQLITE_LOCKED, _): return .inUse(path: path)
        case (SQLITE_NOTADB, _): return .notAJournal(path: path, detail: "it is not a database file")
        case (SQLITE_CORRUPT, _): return .corruptFile(path: path, detail: detail)
        case (SQLITE_FULL, _), (SQLITE_IOERR, ENOSPC), (SQLITE_IOERR, EDQUOT): return .diskFull(path: path)
        case (SQLITE_READONLY, _), (SQLITE_PERM, _): return .readOnly(path: path)
        case (SQLITE_CANTOPEN, EACCES), (SQLITE_CANTOPEN, EPERM), (SQLITE_CANTOPEN, EROFS): return .readOnly(path: path)
        case (SQLITE_CANTOPEN, ENOENT): return .notFound(path: path)
        default:
            let cause = systemError == 0 ? "" : unsafe " (\(String(cString: strerror(systemError))))"
            return .inputOutput(path: path, operation: operation, detail: "\(detail), code \(code)\(cause)")
        }
    }
}

/// A prepared statement. Parameters count from 1, columns from 0. `reset` after every run: an unfinished read holds
/// its snapshot, and the write-ahead log could not start over.
@safe final class SQLiteStatement {
    private var handle: OpaquePointer?
    private let connection: SQLiteConnection
    private let sql: String

    fileprivate init(_ handle: OpaquePointer, of connection: SQLiteConnection, sql: String) {
        unsafe self.handle = unsafe handle
        self.connection = connection
        self.sql = sql
    }

    deinit { finalize() }

    /// The end of its use; a connection closes only without statements. Idempotent.
    func finalize() {
        unsafe sqlite3_finalize(handle)
        unsafe handle = nil
    }

    func bind(_ index: Int32, _ value: Int64) {
        unsafe sqlite3_bind_int64(handle, index, value)
    }

    /// Run to the end with one blob parameter that is borrowed for the run.
    func run(blobAt index: Int32, _ bytes: ArraySlice<UInt8>) throws(JournalError) {
        let result = unsafe bytes.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress, unsafe !bytes.isEmpty {
                // A nil destructor is SQLITE_STATIC: not copied, valid until the reset below.
                unsafe sqlite3_bind_blob64(handle, index, start, sqlite3_uint64(bytes.count), nil)
            } else {
                unsafe sqlite3_bind_zeroblob(handle, index, 0)  // a null pointer would bind NULL
            }
            let result = unsafe sqlite3_step(handle)
            unsafe sqlite3_reset(handle)
            unsafe sqlite3_bind_null(handle, index)
            return result
        }
        guard result == SQLITE_DONE else { throw connection.error(result, doing: sql) }
    }

    /// Run to the end.
    func run() throws(JournalError) {
        defer { reset() }
        while try step() {}
    }

    /// - Returns: whether there is a row.
    func step() throws(JournalError) -> Bool {
        switch unsafe sqlite3_step(handle) {
        case SQLITE_ROW: true
        case SQLITE_DONE: false
        case let code: throw connection.error(code, doing: sql)
        }
    }

    func reset() {
        unsafe sqlite3_reset(handle)
    }

    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

    func bytes(_ column: Int32) -> [UInt8] {
        let start = unsafe sqlite3_column_blob(handle, column)
        let count = unsafe Int(sqlite3_column_bytes(handle, column))
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    func text(_ column: Int32) -> String {
        guard let start = unsafe sqlite3_column_text(handle, column) else { return "" }
        return unsafe String(cString: start)
    }
}
