import Glibc
import Testing

@testable import Journal

@Suite struct `Opening a journal` {
    let folder = TemporaryFolder()

    @Test func `a file in use is refused to servers and readers, and free after close`() throws {
        let path = folder("a")
        let journal = try SQLiteJournal(path: path)
        #expect(throws: JournalError.inUse(path: path)) { try SQLiteJournal(path: path) }
        #expect(throws: JournalError.inUse(path: path)) { try JournalReader(path: path) }
        try journal.start(from: 1) { _ in }
        journal.append(payload(1))
        journal.close()
        let reader = try JournalReader(path: path)
        #expect(throws: JournalError.inUse(path: path)) { try SQLiteJournal(path: path) }
        reader.close()
        _ = try SQLiteJournal(path: path)
    }

    @Test func `a file in use is refused to other processes`() async throws {
        let path = folder("a")
        let journal = try SQLiteJournal(path: path)
        await #expect(processExitsWith: .success) { [path = path as String] in
            #expect(throws: JournalError.inUse(path: path)) { try SQLiteJournal(path: path) }
        }
        journal.close()
    }

    @Test func `a file that is no database is refused and left as it is`() throws {
        let bytes = Array("concert,date,price\n".utf8) + payload(1, length: 5_000)
        writeBytes(folder("a"), bytes)
        for open in [{ _ = try SQLiteJournal(path: $0) }, { _ = try JournalReader(path: $0) }] as [(String) throws -> Void] {
            #expect(throws: JournalError.notAJournal(path: folder("a"), detail: "it is not a database file")) {
                try open(folder("a"))
            }
        }
        #expect(readBytes(folder("a")) == bytes)
        #expect(folder.names == ["a"])
    }

    @Test(arguments: ["DELETE", "WAL"])
    func `another application's database is refused and left as it is`(mode: String) throws {
        tamper(folder("a"), "PRAGMA journal_mode=\(mode); CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        let bytes = readBytes(folder("a"))
        #expect(
            throws: JournalError.notAJournal(path: folder("a"), detail: "it is a database of another application")
        ) { try SQLiteJournal(path: folder("a")) }
        #expect(readBytes(folder("a")) == bytes)
        #expect(folder.names == ["a"])
    }

    @Test func `a newer format is refused, naming both versions`() throws {
        try makeJournal(folder("a"), [payload(1)])
        tamper(folder("a"), "PRAGMA user_version=3")
        #expect(throws: JournalError.newerFormat(path: folder("a"), found: 3, supported: 2)) {
            try SQLiteJournal(path: folder("a"))
        }
    }

    @Test func `a file that is not there is created by a server and not found by a reader`() throws {
        #expect(throws: JournalError.notFound(path: folder("a"))) { try JournalReader(path: folder("a")) }
        #expect(folder.names.isEmpty)
        #expect(throws: JournalError.notFound(path: folder("no/a"))) { try SQLiteJournal(path: folder("no/a")) }
        let journal = try SQLiteJournal(path: folder("a"))
        #expect(journal.lastPosition == 0)
    }

    @Test func `a read-only folder and a read-only file are refused as such`() async throws {
        try makeJournal(folder("a"), [payload(1)])
        unsafe chmod(folder("a"), 0o444)
        unsafe chmod(folder.path, 0o555)
        defer { unsafe chmod(folder.path, 0o700) }
        await #expect(processExitsWith: .exitCode(42)) { [a = folder("a") as String, b = folder("b") as String] in
            seteuid(65_534)  // root may write anywhere
            var errors: [JournalError] = []
            for path in [a, b] {
                do throws(JournalError) { _ = try SQLiteJournal(path: path) } catch { errors.append(error) }
            }
            exit(errors == [.readOnly(path: a), .readOnly(path: b)] ? 42 : 1)
        }
    }

    @Test func `a journal that was not closed is refused without its log, until an empty one is put there`() throws {
        let journal = try SQLiteJournal(path: folder("a"))
        let ear = Ear()
        try journal.start(from: 1, deliver: ear.deliver)
        journal.append(payload(1))
        ear.wait(for: 1)
        writeBytes(folder("b"), readBytes(folder("a")))
        #expect(throws: JournalError.logMissing(path: folder("b"))) { try JournalReader(path: folder("b")) }
        #expect(throws: JournalError.logMissing(path: folder("b"))) { try SQLiteJournal(path: folder("b")) }
        #expect(throws: JournalError.logMissing(path: folder("b"))) { try SQLiteJournal(path: folder("b")) }
        writeBytes(folder("b-wal"), [])
        #expect(try SQLiteJournal(path: folder("b")).lastPosition == 0)
        journal.close()
        #expect(try contents(folder("b")) == [])
    }

    @Test func `every error says what is wrong and what to do`() {
        let errors: [JournalError] = [
            .inUse(path: "p"), .notAJournal(path: "p", detail: "d"), .newerFormat(path: "p", found: 2, supported: 1),
            .corruptEntry(path: "p", position: 7, detail: "d"), .corruptFile(path: "p", detail: "d"),
            .logMissing(path: "p"), .notFound(path: "p"), .diskFull(path: "p"), .readOnly(path: "p"),
            .inputOutput(path: "p", operation: "o", detail: "d"), .beyondEnd(position: 9, lastPosition: 3), .closed,
            .trimmed(position: 1, firstPosition: 9), .badAddress(text: "t", detail: "d"),
            .unreachable(journal: "j", detail: "d"),
            .unsafeSetting(journal: "j", setting: "s", found: "f", wanted: "w", remedy: "r"),
            .corruptStream(journal: "j", detail: "d"), .refused(journal: "j", operation: "o", detail: "d"),
            .moved(journal: "j", detail: "d"), .notEmpty(journal: "j", detail: "d"),
        ]
        for error in errors { #expect("\(error)".hasSuffix("."), "\(error)") }
        #expect(Set(errors.map { "\($0)" }).count == errors.count)
        #expect("\(errors[3])".contains("position 7"))
    }
}
