import Glibc

// What SQLite's recovery does not tell apart.
//
// SQLite reads its write-ahead log up to the first frame that does not check, and forgets the rest in silence. After a
// power cut that is right: only the last transaction, which nobody was told about, can be torn. But every commit is
// synced before the next transaction is written (synchronous=FULL), so a bad frame with *later* transactions behind it
// is damage, and forgetting those would lose acknowledged entries. This scan, done before SQLite's word is taken,
// finds that case:
//
//     damaged ⇔ two or more commit frames of this log stand at or behind the first frame that does not check
//
// (One alone may be the torn transaction's own.) But not where the header alone is bad and the database has all that the
// log's frames say: SQLite starts a log over, once all of it has been moved into the database and that is synced, by
// writing a new header, and syncs that before the first frame. A power cut in between can tear the header; then the
// frames behind it are the old ones, and forgetting them loses nothing.
//
// Layout, from https://sqlite.org/fileformat2.html#walformat:
//
//     header  32 bytes, big-endian u32: magic, version, page size, sequence, salt 1, salt 2, checksum 1, checksum 2
//     frame   24 bytes, big-endian u32: page number, pages after commit (0: no commit), salt 1, salt 2, checksum 1, 2
//             then the page
//
// The checksum runs from the header's first 24 bytes over each frame's first 8 bytes and its page, as words whose byte
// order the magic's last bit tells. Frames of an earlier use of the log have other salts.

enum WriteAheadLog {
    private static let headerSize = 32
    private static let frameHeaderSize = 24

    /// The index, from 0, of the frame that is damaged; `nil` when there is none, or no log.
    ///
    /// To be called while the database is locked, before anything is written.
    ///
    /// - Parameter pageOnDisk: a page of the database file below the log, by its number from 1; `nil` past the end.
    static func damagedFrame(
        path: String, pageSize: Int, pageOnDisk: (UInt32) throws(JournalError) -> [UInt8]?
    ) throws(JournalError) -> Int? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(path, "opening")
        }
        defer { _ = close(descriptor) }

        guard let header = try read(descriptor, at: 0, count: headerSize, path: path) else { return nil }
        var sum = RunningSum(bigEndian: header[3] & 1 == 1)
        sum.add(header[..<24])
        // With the header gone SQLite forgets the whole log; then the first frame says what the salts were.
        var intact = word(header, 24) == sum.first && word(header, 28) == sum.second
        var salts = (word(header, 16), word(header, 20))
        var firstBad: Int?
        var commitsBehind = 0
        var moved = MovedPages(isAsked: !intact)
        var index = 0
        let frameSize = frameHeaderSize + pageSize
        while let frame = try read(descriptor, at: headerSize + index * frameSize, count: frameSize, path: path) {
            if index == 0, !intact { salts = (word(frame, 8), word(frame, 12)) }
            let saltsMatch = salts == (word(frame, 8), word(frame, 12))
            if intact {
                sum.add(frame[..<8])
                sum.add(frame[frameHeaderSize...])
                intact = saltsMatch && word(frame, 16) == sum.first && word(frame, 20) == sum.second
            }
            if !intact {
                if firstBad == nil { firstBad = index }
                if saltsMatch, word(frame, 4) != 0 { commitsBehind += 1 }
            }
            if saltsMatch { moved.note(frame: index, page: word(frame, 0), pagesAfterCommit: word(frame, 4)) }
            index += 1
        }
        guard commitsBehind >= 2 else { return nil }
        let isInDatabase = try moved.all { (page, frame) throws(JournalError) in
            let offset = headerSize + frame * frameSize + frameHeaderSize
            return try read(descriptor, at: offset, count: pageSize, path: path) == pageOnDisk(page)
        }
        return isInDatabase ? nil : firstBad
    }

    /// Which frame of the log has the last committed version of each page.
    private struct MovedPages {
        /// The header is bad: otherwise nobody wants to know.
        let isAsked: Bool
        private var committed: [UInt32: Int] = [:]
        /// Of the transaction that has no commit yet.
        private var pending: [UInt32: Int] = [:]

        init(isAsked: Bool) { self.isAsked = isAsked }

        mutating func note(frame: Int, page: UInt32, pagesAfterCommit: UInt32) {
            guard isAsked else { return }
            pending[page] = frame
            guard pagesAfterCommit != 0 else { return }
            committed.merge(pending) { _, new in new }
            committed = committed.filter { $0.key <= pagesAfterCommit }
            pending = [:]
        }

        /// Whether it was asked and something is so for all.
        func all(_ isSo: (UInt32, Int) throws(JournalError) -> Bool) throws(JournalError) -> Bool {
            guard isAsked else { return false }
            for (page, frame) in committed where try !isSo(page, frame) { return false }
            return true
        }
    }

    /// SQLite's checksum: two sums that feed each other, over pairs of words.
    private struct RunningSum {
        let bigEndian: Bool
        var first: UInt32 = 0
        var second: UInt32 = 0

        mutating func add(_ bytes: ArraySlice<UInt8>) {
            unsafe bytes.withUnsafeBytes { bytes in
                // Both words lie within `bytes`: its count is a multiple of 8 (8, 24 or a page).
                for offset in stride(from: 0, to: bytes.count, by: 8) {
                    let one = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                    let two = unsafe bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                    first &+= (bigEndian ? UInt32(bigEndian: one) : UInt32(littleEndian: one)) &+ second
                    second &+= (bigEndian ? UInt32(bigEndian: two) : UInt32(littleEndian: two)) &+ first
                }
            }
        }
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// `nil` where the file ends first.
    private static func read(
        _ descriptor: Int32, at offset: Int, count: Int, path: String
    ) throws(JournalError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let result = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress! + done, count - done, offset + done)
            }
            if result == 0 { return nil }
            if result < 0 {
                if errno == EINTR { continue }
                throw failure(path, "reading")
            }
            done += result
        }
        return bytes
    }

    private static func failure(_ path: String, _ operation: String) -> JournalError {
        let code = errno
        return .inputOutput(path: path, operation: operation, detail: unsafe String(cString: strerror(code)))
    }
}
