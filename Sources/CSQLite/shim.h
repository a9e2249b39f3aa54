#pragma once
#include <sqlite3.h>

// sqlite3_db_config is variadic, which Swift can't call.

/// Closing the last connection leaves the write-ahead log as it is (on != 0), or moves it into the database.
static inline int usher_sqlite3_keep_wal_on_close(sqlite3 *db, int on) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on, (int *)0);
}

/// Reads the database file itself, as it is below SQLite's cache and log, through SQLite's own descriptor: another one's
/// close would drop the process's locks on the file.
///
/// - Returns: SQLITE_OK, also where the file ends first (`*whole` is 0 then), or an error.
static inline int usher_sqlite3_read_file(sqlite3 *db, void *buffer, int count, sqlite3_int64 offset, int *whole) {
    sqlite3_file *file = 0;
    int result = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (result != SQLITE_OK) return result;
    if (!file || !file->pMethods) return SQLITE_MISUSE;
    result = file->pMethods->xRead(file, buffer, count, offset);
    *whole = result == SQLITE_OK;
    return result == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : result;
}
