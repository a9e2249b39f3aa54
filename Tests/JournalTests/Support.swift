import CSQLite
import Glibc

@testable import Journal

/// A folder that goes with the test, in memory where there is room for it: these tests are about order and content,
/// and a disk would only make them slow.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        let parent = unsafe access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/usher-journal-XXXXXX".utf8CString)
        path = unsafe template.withUnsafeMutableBufferPointer { unsafe String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit {
        for name in names { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir(path)
    }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    var names: [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

func readBytes(_ path: String) -> [UInt8] {
    guard let file = unsafe fopen(path, "rb") else { return [] }
    defer { unsafe fclose(file) }
    unsafe fseek(file, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: unsafe ftell(file))
    unsafe rewind(file)
    let count = unsafe fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
}

func writeBytes(_ path: String, _ bytes: [UInt8]) {
    let file = unsafe fopen(path, "wb")!
    unsafe fwrite(bytes, 1, bytes.count, file)
    unsafe fclose(file)
}

/// Change a closed journal behind its back.
func tamper(_ path: String, _ sql: String) {
    var handle: OpaquePointer?
    unsafe sqlite3_open(path, &handle)
    let result = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
    precondition(result == SQLITE_OK, unsafe String(cString: sqlite3_errmsg(handle)))
    unsafe sqlite3_close(handle)
}

/// Hears a journal.
final class Ear: Sendable {
    private let events = Monitor<[JournalEvent]>([])

    var deliver: @Sendable (JournalEvent) -> Void {
        { [events] event in events.update { $0.append(event) } }
    }

    var heard: [JournalEvent] { events.read { $0 } }

    var entries: [JournalEntry] { Self.entries(heard) }

    /// Returns when the entry at `position` has been heard, or the journal has failed.
    func wait(for position: UInt64) {
        events.wait { events in
            if case .failed = events.last { return () }
            return position == 0 || Self.entries(events).contains { $0.position >= position } ? () : nil
        }
    }

    /// Returns when what was heard satisfies `condition`, or the journal has failed.
    func wait(until condition: ([JournalEntry]) -> Bool) {
        events.wait { events in
            if case .failed = events.last { return () }
            return condition(Self.entries(events)) ? () : nil
        }
    }

    /// Returns when such an event has been heard.
    func waitForEvent(_ isIt: (JournalEvent) -> Bool) {
        events.wait { $0.contains(where: isIt) ? () : nil }
    }

    /// The error by which the journal failed.
    func failure() -> JournalError {
        events.wait { events in
            guard case .failed(let error) = events.last else { return nil }
            return error
        }
    }

    func waitUntilCaughtUp() {
        events.wait { events in
            events.contains { if case .caughtUp = $0 { true } else { false } } ? () : nil
        }
    }

    private static func entries(_ events: [JournalEvent]) -> [JournalEntry] {
        events.flatMap { event -> [JournalEntry] in
            if case .committed(let entries) = event { entries } else { [] }
        }
    }
}

/// Clocks that stand where they are put.
final class HandClock: Sendable {
    private let times: Monitor<(wall: UInt64, elapsed: UInt64)>

    init(wall: UInt64, elapsed: UInt64 = 0) {
        times = Monitor((wall, elapsed))
    }

    func set(wall: UInt64) { times.update { $0.wall = wall } }

    func elapse(_ milliseconds: UInt64) { times.update { $0.elapsed += milliseconds } }

    var clock: JournalClock {
        JournalClock(
            wallMilliseconds: { [times] in times.read { $0.wall } },
            elapsedMilliseconds: { [times] in times.read { $0.elapsed } })
    }
}

/// A payload that tells where it belongs, of a length that varies.
func payload(_ number: Int, length: Int = 40) -> [UInt8] {
    let period = (0..<256).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0) }
    var bytes: [UInt8] = []
    while bytes.count < length { bytes += period[..<min(256, length - bytes.count)] }
    return bytes
}

/// Create a journal with `payloads` as its entries, one commit each, and close it.
func makeJournal(_ path: String, _ payloads: [[UInt8]]) throws {
    let journal = try SQLiteJournal(path: path)
    let ear = Ear()
    try journal.start(from: 1, deliver: ear.deliver)
    for (index, payload) in payloads.enumerated() {
        journal.append(payload)
        ear.wait(for: UInt64(index) + 1)
    }
    journal.close()
}

/// Everything in a journal, checked.
func contents(_ path: String) throws(JournalError) -> [[UInt8]] {
    let reader = try JournalReader(path: path)
    defer { reader.close() }
    var payloads: [[UInt8]] = []
    while let entry = try reader.next() { payloads.append(entry.payload) }
    return payloads
}

/// SplitMix64: repeats from its seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
