// Loaded into a server with LD_PRELOAD by the crash campaign (Tests/CrashTests). It does three things.
//
// 1. It remembers what a power cut could take back. A write is durable only once its file has been synced; until then the
//    disk may hold the old bytes, the new ones or a mixture. So before each write to the journal's files the bytes that
//    were there are appended to a file of their own, which is emptied when a sync of the written file has succeeded, and
//    never again after one has failed (the kernel may then have dropped the pages and marked them clean). After the
//    process is gone, Tests/CrashTests/PowerCut.swift takes back some of what is left there. The record of a write is on
//    its way before the write is, and both survive kill -9 in the page cache, so a kill at any moment leaves them matching.
//
//        <folder>/journal.sqlite.undo, <folder>/journal.sqlite-wal.undo: records, little-endian
//            u64 kind (1 write, 2 truncation) · u64 offset · u64 bytes to write · u64 old size of the file
//            u64 count · count bytes that were there
//        <folder>/names.undo: a file made or removed, until its folder has been synced
//            u64 kind (3 made, 4 removed: kept as <folder>/removed) · u64 file (0 journal.sqlite, 1 its -wal)
//
// 2. It fails one operation, or ends the process at it: POWERCUT_AT="phase operation number action".
//        phase      open (until the first entry is written), commit, snapshot, checkpoint, any
//        operation  write (also truncate), sync
//        number     the how manieth of these in this process, from 1
//        action     before, half (of a write), after: SIGKILL at that point
//                   enospc, eio: the error, of this and all later writes (the full disk takes half of the first);
//                   of a sync only this one
//                   lie: from this sync on none is done, and all say that they were
//    and appends a line to <folder>/fired first.
//
// 3. It lets the journal's time run ahead: POWERCUT_CLOCK="step total" adds `step` ms to CLOCK_BOOTTIME after each commit
//    until `total` ms have been added. No step is an outage (5 s) to the server, yet the quiet after a restart passes
//    within seconds.
//
// POWERCUT_FOLDER names the folder; without it nothing is done. The phases are told by what the server asks SQLite for.
// One thread at a time uses the journal's files (Sources/Journal/SQLite/JournalFile.swift), so there are no locks here.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DATABASE, LOG, FILES, FOLDER = FILES, NONE };
enum { WRITE, SYNC };
static const char *const phaseNames[] = {"open", "commit", "snapshot", "checkpoint", "any"};
enum { OPENING, COMMIT, SNAPSHOT, CHECKPOINT, ANY };
static const char *const suffixes[FILES] = {"/journal.sqlite", "/journal.sqlite-wal"};
#define DESCRIPTORS 32768

static unsigned char kindOf[DESCRIPTORS];  // 0: of no interest; else kind + 1
static char folder[3072];
static char dataFolder[4096];
static int undo[FILES] = {-1, -1}, names = -1;
static int syncFailed[FILES];
static int phase = OPENING;

static int wantedPhase = -1, wantedOperation;
static long wantedNumber, seen[ANY + 1][2];
static char action[16];
static int writesFail;  // errno of all writes from now on
static int syncsLie;

static _Atomic int64_t clockAhead;
static int64_t clockStep, clockTotal;

static ssize_t (*realPwrite)(int, const void *, size_t, off64_t);
static int (*realOpen)(const char *, int, ...);
static int (*realClose)(int);
static int (*realFdatasync)(int);
static int (*realFsync)(int);
static int (*realFtruncate)(int, off64_t);
static int (*realUnlink)(const char *);
static int (*realClock)(clockid_t, struct timespec *);
static int (*realStep)(void *);
static const char *(*realSQL)(void *);
static int (*realCheckpoint)(void *, const char *, int, int *, int *);

#define NEXT(variable, name) variable = (__typeof__(variable))dlsym(RTLD_NEXT, name)

static void stop(const char *why) {
    dprintf(2, "powercut: %s: %s\n", why, strerror(errno));
    abort();
}

static int openUndo(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int descriptor = realOpen(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor < 0) stop(path);
    return descriptor;
}

static void resolve(void) {
    if (realOpen) return;
    NEXT(realPwrite, "pwrite64");
    NEXT(realClose, "close");
    NEXT(realFdatasync, "fdatasync");
    NEXT(realFsync, "fsync");
    NEXT(realFtruncate, "ftruncate64");
    NEXT(realUnlink, "unlink");
    NEXT(realClock, "clock_gettime");
    NEXT(realStep, "sqlite3_step");
    NEXT(realSQL, "sqlite3_sql");
    NEXT(realCheckpoint, "sqlite3_wal_checkpoint_v2");
    NEXT(realOpen, "open64");
}

__attribute__((constructor)) static void begin(void) {
    resolve();
    const char *named = getenv("POWERCUT_FOLDER");
    if (!named || strlen(named) >= sizeof folder) return;
    strcpy(folder, named);
    undo[DATABASE] = openUndo("journal.sqlite.undo");
    undo[LOG] = openUndo("journal.sqlite-wal.undo");
    names = openUndo("names.undo");
    const char *at = getenv("POWERCUT_AT");
    char wanted[2][16];
    if (at && *at) {
        if (sscanf(at, "%15s %15s %ld %15s", wanted[0], wanted[1], &wantedNumber, action) != 4) stop(at);
        for (int i = 0; i <= ANY; i++)
            if (!strcmp(wanted[0], phaseNames[i])) wantedPhase = i;
        wantedOperation = strcmp(wanted[1], "sync") ? WRITE : SYNC;
        if (wantedPhase < 0) stop(at);
    }
    const char *ahead = getenv("POWERCUT_CLOCK");
    if (ahead && *ahead && sscanf(ahead, "%ld %ld", &clockStep, &clockTotal) != 2) stop(ahead);
}

// Whether the operation about to happen is the one to fail.
static int isWanted(int operation) {
    if (wantedPhase < 0 || operation != wantedOperation) return 0;
    if (wantedPhase != ANY && wantedPhase != phase) return 0;
    if (++seen[wantedPhase][operation] != wantedNumber) return 0;
    char path[4096], line[64];
    snprintf(path, sizeof path, "%s/fired", folder);
    int length = snprintf(line, sizeof line, "%s %s %s\n", phaseNames[phase], operation == SYNC ? "sync" : "write", action);
    int descriptor = realOpen(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor < 0 || write(descriptor, line, length) != length) stop(path);
    realClose(descriptor);
    return 1;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int is(const char *name) { return strcmp(action, name) == 0; }

static int kind(int descriptor) {
    return descriptor >= 0 && descriptor < DESCRIPTORS && kindOf[descriptor] ? kindOf[descriptor] - 1 : NONE;
}

// MARK: What a power cut could take back

static void remember(int descriptor, int file, uint64_t kind, uint64_t offset, uint64_t bytes) {
    struct stat status;
    if (fstat(descriptor, &status)) stop("fstat");
    uint64_t size = status.st_size;
    uint64_t end = kind == 2 || offset + bytes > size ? size : offset + bytes;
    uint64_t count = offset < end ? end - offset : 0;
    uint64_t header[5] = {kind, offset, bytes, size, count};
    char *record = malloc(sizeof header + count);
    if (!record) stop("malloc");
    memcpy(record, header, sizeof header);
    uint64_t done = 0;
    while (done < count) {
        ssize_t got = pread64(descriptor, record + sizeof header + done, count - done, offset + done);
        if (got <= 0) stop("reading what is to be overwritten");
        done += got;
    }
    // One write: a kill in the middle leaves a record that is cut short, and nothing has been written after it.
    if (write(undo[file], record, sizeof header + count) != (ssize_t)(sizeof header + count)) stop("undo");
    free(record);
}

static void rememberName(uint64_t kind, uint64_t file) {
    uint64_t header[2] = {kind, file};
    if (write(names, header, sizeof header) != sizeof header) stop("names.undo");
}

// MARK: Files

static int fileOf(const char *path) {
    size_t length = strlen(path);
    for (int file = 0; file < FILES; file++) {
        size_t count = strlen(suffixes[file]);
        if (length > count && !strcmp(path + length - count, suffixes[file])) return file;
    }
    return NONE;
}

int open64(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    resolve();
    int file = names < 0 ? NONE : fileOf(path);
    int isNew = file != NONE && (flags & O_CREAT) && access(path, F_OK) != 0;
    if (isNew) {
        rememberName(3, file);
        snprintf(dataFolder, sizeof dataFolder, "%.*s", (int)(strlen(path) - strlen(suffixes[file])), path);
    }
    int descriptor = realOpen(path, flags, mode);
    if (descriptor >= DESCRIPTORS) stop("too many descriptors for this tool");
    if (descriptor >= 0) {
        kindOf[descriptor] = 0;
        if (file != NONE && (flags & O_ACCMODE) != O_RDONLY) kindOf[descriptor] = file + 1;
        if (*dataFolder && !strcmp(path, dataFolder)) kindOf[descriptor] = FOLDER + 1;
    }
    return descriptor;
}

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return open64(path, flags, mode);
}

int close(int descriptor) {
    resolve();
    if (descriptor >= 0 && descriptor < DESCRIPTORS) kindOf[descriptor] = 0;
    return realClose(descriptor);
}

int unlink(const char *path) {
    resolve();
    int file = names < 0 ? NONE : fileOf(path);
    if (file != NONE) {
        char kept[4096];
        snprintf(kept, sizeof kept, "%s/removed", folder);
        realUnlink(kept);
        if (link(path, kept) && errno != ENOENT) stop(kept);
        rememberName(4, file);
    }
    return realUnlink(path);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    resolve();
    int file = kind(descriptor);
    if (file >= FILES || count == 0) return realPwrite(descriptor, bytes, count, offset);
    if (writesFail) {
        errno = writesFail;
        return -1;
    }
    remember(descriptor, file, 1, offset, count);
    if (!isWanted(WRITE)) return realPwrite(descriptor, bytes, count, offset);
    if (is("enospc") || is("eio")) {
        writesFail = is("eio") ? EIO : ENOSPC;
        if (writesFail == ENOSPC && count > 1) return realPwrite(descriptor, bytes, count / 2, offset);
        errno = writesFail;
        return -1;
    }
    if (is("half")) realPwrite(descriptor, bytes, count / 2, offset);
    if (is("after")) realPwrite(descriptor, bytes, count, offset);
    die();
    return -1;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    return pwrite64(descriptor, bytes, count, offset);
}

int ftruncate64(int descriptor, off64_t size) {
    resolve();
    int file = kind(descriptor);
    if (file >= FILES) return realFtruncate(descriptor, size);
    if (writesFail) {
        errno = writesFail;
        return -1;
    }
    remember(descriptor, file, 2, size, 0);
    if (!isWanted(WRITE)) return realFtruncate(descriptor, size);
    if (is("enospc") || is("eio")) {
        writesFail = errno = is("eio") ? EIO : ENOSPC;
        return -1;
    }
    if (!is("before")) realFtruncate(descriptor, size);
    die();
    return -1;
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

static int synced(int descriptor, int (*real)(int)) {
    int file = kind(descriptor);
    if (file == NONE) return real(descriptor);
    if (file == FOLDER) {
        int result = real(descriptor);
        if (result == 0 && realFtruncate(names, 0)) stop("names.undo");
        return result;
    }
    int wanted = isWanted(SYNC);
    if (wanted && (is("eio") || is("enospc"))) {
        syncFailed[file] = 1;
        errno = is("eio") ? EIO : ENOSPC;
        return -1;
    }
    if (wanted && is("lie")) syncsLie = 1;
    if (syncsLie) return 0;
    if (wanted && !is("after")) die();
    int result = real(descriptor);
    if (result) syncFailed[file] = 1;
    if (!syncFailed[file] && realFtruncate(undo[file], 0)) stop("undo");
    if (wanted) die();
    if (result == 0 && file == LOG && phase == COMMIT && clockAhead < clockTotal) clockAhead += clockStep;
    return result;
}

int fdatasync(int descriptor) {
    resolve();
    return synced(descriptor, realFdatasync);
}

int fsync(int descriptor) {
    resolve();
    return synced(descriptor, realFsync);
}

// MARK: Phases and time

static int startsWith(const char *text, const char *start) { return !strncmp(text, start, strlen(start)); }

int sqlite3_step(void *statement) {
    resolve();
    const char *sql = realSQL(statement);
    if (sql && startsWith(sql, "INSERT INTO entries")) phase = COMMIT;
    else if (sql && (startsWith(sql, "INSERT INTO snapshot_parts") || startsWith(sql, "INSERT OR REPLACE INTO snapshots") ||
                     startsWith(sql, "DELETE FROM snapshot")))
        phase = SNAPSHOT;
    return realStep(statement);
}

int sqlite3_wal_checkpoint_v2(void *database, const char *name, int mode, int *pages, int *moved) {
    resolve();
    int before = phase;
    if (phase != OPENING) phase = CHECKPOINT;
    int result = realCheckpoint(database, name, mode, pages, moved);
    phase = before;
    return result;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    resolve();
    int result = realClock(clock, time);
    if (clock == CLOCK_BOOTTIME && result == 0) {
        int64_t ahead = clockAhead;
        time->tv_sec += ahead / 1000;
        time->tv_nsec += ahead % 1000 * 1000000;
        if (time->tv_nsec >= 1000000000) {
            time->tv_sec++;
            time->tv_nsec -= 1000000000;
        }
    }
    return result;
}
