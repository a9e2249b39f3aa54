#pragma once
#include <sqlite3.h>

// sqlite3_db_config is variadic, which Swift can't call.

/// Closing the last connection leaves the write-ahead log as it is (on != 0), or moves it into the database.
static inline int usher_sqlite3_keep_wal_on_close(sqlite3 *db, int on) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on, (int *)0);
}
