import Glibc
import Testing

@testable import Journal

@Suite struct Recovery {
    let folder = TemporaryFolder()

    /// A change behind the journal's back, and the position at which it is to be found.
    struct Tampering: CustomTestStringConvertible {
        let testDescription: String
        let sql: String
        let position: UInt64
        /// Where a server finds it: at opening it looks at the last entry only.
        var positionAtOpening: UInt64?
    }

    static let tamperings = [
        Tampering(
            testDescription: "a payload byte changed",
            sql: "UPDATE entries SET payload = CAST(x'00' || substr(payload, 2) AS BLOB) WHERE position = 5", position: 5),
        Tampering(
            testDescription: "a payload cut", sql: "UPDATE entries SET payload = substr(payload, 1, 39) WHERE position = 5",
            position: 5),
        Tampering(
            testDescription: "a time changed", sql: "UPDATE entries SET time = time + 1 WHERE position = 5", position: 5),
        Tampering(
            testDescription: "a checksum changed", sql: "UPDATE entries SET checksum = checksum - 1 WHERE position = 5",
            position: 5),
        Tampering(
            testDescription: "a checksum out of range", sql: "UPDATE entries SET checksum = -1 WHERE position = 5",
            position: 5),
        Tampering(testDescription: "the first deleted", sql: "DELETE FROM entries WHERE position = 1", position: 1),
        Tampering(testDescription: "one deleted", sql: "DELETE FROM entries WHERE position = 5", position: 5),
        Tampering(
            testDescription: "one deleted, the rest moved up",
            sql: """
                DELETE FROM entries WHERE position = 5;
                UPDATE entries SET position = -(position - 1) WHERE position > 5;
                UPDATE entries SET position = -position WHERE position < 0
                """, position: 5, positionAtOpening: 9),
        Tampering(
            testDescription: "two swapped",
            sql: """
                UPDATE entries SET position = 100 WHERE position = 5;
                UPDATE entries SET position = 5 WHERE position = 6;
                UPDATE entries SET position = 6 WHERE position = 100
                """, position: 5),
        Tampering(
            testDescription: "another journal's entry", sql: "UPDATE entries SET checksum = 4711 WHERE position = 1",
            position: 1),
        Tampering(
            testDescription: "the last one changed", sql: "UPDATE entries SET payload = x'00' WHERE position = 10",
            position: 10),
    ]

    @Test(arguments: tamperings)
    func `a tampered entry is found where it stands`(tampering: Tampering) throws {
        let path = folder("a")
        try makeJournal(path, (1...10).map { payload($0) })
        tamper(path, tampering.sql)

        var read: [UInt64] = []
        var found: JournalError?
        do throws(JournalError) {
            let reader = try JournalReader(path: path)
            defer { reader.close() }
            while let entry = try reader.next() { read.append(entry.position) }
        } catch {
            found = error
        }
        guard case .corruptEntry(path, tampering.position, _) = found else {
            Issue.record("found \(found.map { "\($0)" } ?? "nothing")")
            return
        }
        #expect(read == Array(1..<tampering.position), "the good ones before it")

        // A server finds the last one at opening, the others as it replays.
        let ear = Ear()
        do throws(JournalError) {
            let journal = try SQLiteJournal(path: path)
            try journal.start(from: 1, deliver: ear.deliver)
            found = ear.failure()
        } catch {
            found = error
        }
        guard case .corruptEntry(path, tampering.positionAtOpening ?? tampering.position, _) = found else {
            Issue.record("the server found \(found.map { "\($0)" } ?? "nothing")")
            return
        }
        #expect(ear.entries.allSatisfy { $0.position < tampering.position })
    }

    @Test func `a time before the one before it is found although its checksum is right`() throws {
        let path = folder("a")
        try makeJournal(path, [payload(1)])
        let reader = try JournalReader(path: path)
        let epoch = reader.epoch
        reader.close()
        let chain = JournalChain(epoch: epoch).extended(timeMilliseconds: 2_000, payload: [1])
        let next = chain.extended(timeMilliseconds: 1_999, payload: [2])
        tamper(
            path,
            """
            DELETE FROM entries;
            INSERT INTO entries VALUES (1, 2000, \(chain.checksum), x'01'), (2, 1999, \(next.checksum), x'02')
            """)
        #expect(throws: JournalError.self) { try contents(path) }
        tamper(path, "DELETE FROM entries WHERE position = 2")
        #expect(try contents(path) == [[1]])
    }

    @Test func `entries missing at the end show by a snapshot that is newer`() throws {
        let path = folder("a")
        let journal = try SQLiteJournal(path: path)
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        for number in 1...5 { journal.append(payload(number)) }
        ear.wait(for: 5)
        try journal.save(JournalSnapshot(position: 5, digest: [], bytes: [1]))
        journal.close()
        tamper(path, "DELETE FROM entries WHERE position > 3")
        #expect(throws: JournalError.self) { try SQLiteJournal(path: path) }
        #expect(throws: JournalError.self) { try JournalReader(path: path).verify() }
        #expect(try contents(path).count == 3)
    }

    // MARK: The write-ahead log

    /// File and log of a running journal, and where in the log each entry's commit ends.
    struct Image {
        let database: [UInt8]
        let log: [UInt8]
        let ends: [Int]
        let payloads: [[UInt8]]
        /// Small, so that there are many pages and few bytes.
        static let pageSize = 1_024

        init(_ folder: TemporaryFolder, _ payloads: [[UInt8]]) throws {
            let journal = try SQLiteJournal(
                path: folder("source"), clock: .system, file: JournalFileOptions(pageSize: Self.pageSize),
                checkpoints: CheckpointPolicy(pagesMax: .max, quietPagesMin: .max))
            let ear = Ear()
            try journal.start(from: 1, deliver: ear.deliver)
            var ends: [Int] = []
            for (index, payload) in payloads.enumerated() {
                journal.append(payload)
                ear.wait(for: UInt64(index) + 1)
                ends.append(32 + journal.statistics.logPages * (24 + Self.pageSize))
            }
            database = readBytes(folder("source"))
            log = Array(readBytes(folder("source-wal"))[..<ends.last!])
            self.ends = ends
            self.payloads = payloads
            journal.close()
        }

        func place(_ path: String, log: [UInt8]) {
            writeBytes(path, database)
            writeBytes(path + "-wal", log)
        }
    }

    static let logLengths = [0, 1, 40, 900, 1_024, 2_500, 200, 4_096, 12, 1_700, 40, 40]

    @Test(arguments: [false, true])
    func `a log cut at any sector, the rest gone or garbage, keeps what was durable before the cut, whole`(
        garbage: Bool
    ) throws {
        let image = try Image(folder, Self.logLengths.enumerated().map { payload($0, length: $1) })
        var generator = SeededGenerator(seed: 0x5eed)
        let noise = image.log.map { _ in UInt8.random(in: 0...255, using: &generator) }
        var lastCount = 0
        for cut in stride(from: 0, through: image.log.count + 511, by: 512) {
            let cut = min(cut, image.log.count)
            let expected = image.ends.prefix { $0 <= cut }.count
            var log = Array(image.log[..<cut])
            if garbage { log += noise[cut...] }
            image.place(folder("a"), log: log)
            #expect(try contents(folder("a")) == Array(image.payloads[..<expected]), "cut at \(cut)")
            #expect(readBytes(folder("a-wal")) == log, "a reader changes nothing")
            lastCount = expected
            // Opening to write costs more, so every eighth, and then go on where it ended.
            guard cut / 512 % 8 == 3 else { continue }
            let journal = try SQLiteJournal(path: folder("a"))
            #expect(journal.lastPosition == UInt64(expected), "cut at \(cut)")
            let ear = Ear()
            try journal.start(from: 1, deliver: ear.deliver)
            journal.append(payload(99))
            ear.wait(for: UInt64(expected) + 1)
            journal.close()
            #expect(try contents(folder("a")) == image.payloads[..<expected] + [payload(99)], "cut at \(cut)")
        }
        #expect(lastCount == image.payloads.count)
    }

    @Test func `a log damaged before its last commits is refused, not forgotten`() throws {
        let image = try Image(folder, Self.logLengths.enumerated().map { payload($0, length: $1) })
        // Damage before the last but one commit's end has two whole commits behind it, or is in a frame that says so.
        for position in stride(from: 0, to: image.ends[image.ends.count - 3], by: 333) {
            var log = image.log
            log[position] ^= 0x10
            image.place(folder("a"), log: log)
            #expect(throws: JournalError.self, "byte \(position)") { try contents(folder("a")) }
        }
        // Damage in the last one may be a torn write, which nobody was told about.
        var log = image.log
        log[image.ends[image.ends.count - 2] + 100] ^= 0x10
        image.place(folder("a"), log: log)
        #expect(try contents(folder("a")) == Array(image.payloads.dropLast()))
    }

    @Test func `a header torn as the log starts over loses nothing, for the file has everything`() throws {
        let image = try Image(folder, Self.logLengths.enumerated().map { payload($0, length: $1) })
        // Everything moved into the file and synced, and the log not yet started over: SQLite writes the header next.
        image.place(folder("a"), log: image.log)
        let connection = try SQLiteConnection(path: folder("a"), create: false)
        try connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        #expect(try connection.integer("SELECT count(*) FROM entries") == Int64(image.payloads.count))
        #expect(try connection.checkpoint() == 0)
        connection.keepLogOnClose(true)
        connection.close()
        let moved = readBytes(folder("a"))
        for torn in 1..<32 {
            let log = (0..<torn).map { image.log[$0] ^ 0x5A } + image.log[torn...]
            writeBytes(folder("b"), moved)
            writeBytes(folder("b-wal"), log)
            #expect(try contents(folder("b")) == image.payloads, "\(torn) bytes of the header")
            #expect(readBytes(folder("b-wal")) == log, "a reader changes nothing")
            // One page of the file lacks what the log has: then the log is not to be forgotten.
            var older = moved
            older.replaceSubrange((moved.count - Image.pageSize)..., with: [UInt8](repeating: 0, count: Image.pageSize))
            writeBytes(folder("b"), older)
            #expect(throws: JournalError.self, "\(torn) bytes of the header") { try contents(folder("b")) }
        }
        writeBytes(folder("b"), moved)
        writeBytes(folder("b-wal"), [1, 2, 3] + image.log[3...])
        let journal = try SQLiteJournal(path: folder("b"))
        #expect(journal.lastPosition == UInt64(image.payloads.count))
        journal.close()
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `kill -9 at any moment loses nothing acknowledged`(seed: UInt64) async throws {
        let path = folder("a")
        let acknowledgements = folder("acknowledged")
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, acknowledgements = acknowledgements as String, seed = seed as UInt64] in
            var generator = SeededGenerator(seed: seed)
            let killAt = UInt64.random(in: 20...300, using: &generator)
            let spins = UInt64.random(in: 0...300_000, using: &generator)
            alarm(60)
            // Small logs, so that the kill hits checkpoints as well.
            let journal = try SQLiteJournal(
                path: path, clock: .system, file: JournalFileOptions(),
                checkpoints: CheckpointPolicy(pagesMax: 30, quietPagesMin: 1, quietMilliseconds: 1))
            let file = unsafe open(acknowledgements, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            let acknowledged = Monitor(0 as UInt64)
            try journal.start(from: 1) { event in
                guard case .committed(let entries) = event else { return }
                let marks = [UInt8](repeating: 1, count: entries.count)
                _ = unsafe write(file, marks, marks.count)
                acknowledged.update { $0 += UInt64(entries.count) }
                if entries[0].position == 10 {
                    journal.saveSnapshot(
                        JournalSnapshot(position: 10, digest: [], bytes: payload(1, length: 3_000_000))
                    ) { _ in }
                }
            }
            JournalThread.start(name: "killer") {
                acknowledged.wait { $0 >= killAt ? () : nil }
                var spin = SeededGenerator(seed: 0)
                for _ in 0..<spins { _ = spin.next() }
                kill(getpid(), SIGKILL)
            }
            var number = 0
            while true {
                journal.append(payload(number, length: Int.random(in: 0...6_000, using: &generator)))
                number += 1
                acknowledged.wait { $0 + 8 > UInt64(number) ? () : nil }
            }
        }
        let acknowledged = readBytes(acknowledgements).count
        let journal = try SQLiteJournal(path: path)
        let entries = try journal.entries(from: 1, limit: JournalReadLimit(entriesMax: .max, bytesMax: .max))
        #expect(acknowledged > 0)
        #expect(entries.count >= acknowledged, "seed \(seed)")
        for (index, entry) in entries.enumerated() {
            #expect(entry.payload == payload(index, length: entry.payload.count), "seed \(seed)")
        }
        let lookup = try journal.latestSnapshot()
        #expect(lookup.damagedPositions == [], "seed \(seed)")
        if let snapshot = lookup.snapshot { #expect(snapshot.bytes == payload(1, length: 3_000_000)) }
        journal.close()
        let reader = try JournalReader(path: path)
        #expect(try reader.verify() == UInt64(entries.count))
    }
}
