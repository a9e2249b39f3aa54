import BoxOffice
import Crypto
import Foundation
import Journal
import Logging
import Sequencer
import Synchronization
import Testing
import UsherAPI
import Wire

@testable import Server

@Suite(.timeLimit(.minutes(1))) struct `recovery` {
    private func entry(_ number: UInt64, _ bodies: [Command.Body]) -> [UInt8] {
        var entry = Entry()
        entry.instance = 7
        entry.incarnation = 1_000
        entry.number = number
        entry.commands = bodies.map { body in
            var command = Command()
            command.body = body
            return command
        }
        return entry.encoded()
    }

    /// Found by killing one of three instances under load: what the other two wrote while it caught up was lost to it, and
    /// its sale was another from then on.
    @Test func `entries that others write in the moment of catching up are applied`() throws {
        let start = entry(1, [.instanceStarted(InstanceStarted(sources: 1, rules: BoxOffice.highestRules, name: "other"))])
        let journal = BusyJournal(before: [start], meanwhile: [entry(2, []), entry(3, [])])
        let recovery = Recovery(
            journal: journal, thread: try SequencerThread(), loops: 1, instance: 9,
            publicKey: try Ed25519PrivateKey.generate().publicKey.rawBytes, settings: ServerSettings(), firstSale: nil,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let recovered = try recovery.recover()

        var whole = Sequencer(office: BoxOffice(), instance: 9, incarnation: 1)
        var publication = Publication(loops: 1)
        for entry in journal.entries { try whole.apply(entry, now: 0, into: &publication) }
        let (position, digest) = (recovered.office.position, recovered.office.digest)
        #expect(position == journal.lastPosition && position > 3)
        let wholeDigest = whole.office.digest
        #expect(digest == wholeDigest, "the same state as of who has heard everything")
    }
}

/// A journal that others write: what they have written before, and what they write in the moment in which an instance has
/// caught up. It commits at once.
private final class BusyJournal: Journal {
    private struct State {
        var entries: [JournalEntry] = []
        var deliver: (@Sendable (JournalEvent) -> Void)?
    }

    let epoch = JournalEpoch.random()
    let isShared = true
    let firstPosition: UInt64 = 1
    let statistics = JournalStatistics()
    private let state = Mutex(State())
    private let meanwhile: [[UInt8]]

    init(before: [[UInt8]], meanwhile: [[UInt8]]) {
        self.meanwhile = meanwhile
        for payload in before { _ = commit(payload) }
    }

    var entries: [JournalEntry] { state.withLock { $0.entries } }
    var lastPosition: UInt64 { state.withLock { UInt64($0.entries.count) } }

    private func commit(_ payload: [UInt8]) -> JournalEntry {
        state.withLock { state in
            let position = UInt64(state.entries.count + 1)
            state.entries.append(JournalEntry(position: position, timeMilliseconds: 1_000 + position, payload: payload))
            return state.entries[Int(position) - 1]
        }
    }

    func start(from position: UInt64, deliver: @escaping @Sendable (JournalEvent) -> Void) throws(JournalError) {
        state.withLock { $0.deliver = deliver }
        let known = entries
        deliver(.committed(known))
        deliver(.caughtUp(position: UInt64(known.count)))
        for payload in meanwhile { deliver(.committed([commit(payload)])) }
    }

    func append(_ payload: [UInt8]) {
        let entry = commit(payload)
        state.withLock { $0.deliver }?(.committed([entry]))
    }

    func read(
        from position: UInt64, limit: JournalReadLimit,
        completion: @escaping @Sendable (Result<[JournalEntry], JournalError>) -> Void
    ) { completion(.success(entries.filter { $0.position >= position })) }

    func loadSnapshot(
        below position: UInt64, completion: @escaping @Sendable (Result<JournalSnapshotLookup, JournalError>) -> Void
    ) { completion(.success(JournalSnapshotLookup(snapshot: nil))) }

    func saveSnapshot(_ snapshot: JournalSnapshot, completion: @escaping @Sendable (JournalError?) -> Void) { completion(nil) }

    func close() {}
}
