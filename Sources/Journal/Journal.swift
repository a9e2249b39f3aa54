// The journal: one totally ordered, durable log of opaque payloads, which decides everything.
//
//     append ──▶ queue ──▶ one transaction a round ──▶ committed, in order, to whoever started
//
// 1. Positions are 1, 2, 3 … without gaps; an entry never changes. It goes away only as part of the journal's beginning, up
//    to a position of which there is a snapshot: a shared journal is trimmed, and one that was moved begins with a snapshot.
// 2. What is heard through `deliver` is durable. What was appended and not heard when the journal fails
//    may be there on reopening, or not: whole or absent, and never out of order.
// 3. Time stamps are the journal's and never go back, also over restarts and when the wall clock does. Those of a shared
//    journal may, when another of its servers leads: whoever needs them to rise takes the largest so far.
// 4. An engine may have several writers. Each hears the entries of all, in the one order, its own among them,
//    and a retry after a lost acknowledgement may commit one append twice: the payload has to carry what tells
//    a repeat. The memory and SQLite engines have one writer, in append order, each append once.
// 5. Fail-stop: after `failed` nothing is committed or heard any more. Open the journal anew to go on. `stalled` is no
//    failure: what was appended waits, and is committed once the journal can.
//
// A journal does not know what a payload means.

/// One committed entry.
public struct JournalEntry: Equatable, Sendable {
    /// Counted from 1, without gaps.
    public let position: UInt64
    /// The journal's own time: milliseconds since 1970, never less than the entry before.
    public let timeMilliseconds: UInt64
    public let payload: [UInt8]

    public init(position: UInt64, timeMilliseconds: UInt64, payload: [UInt8]) {
        self.position = position
        self.timeMilliseconds = timeMilliseconds
        self.payload = payload
    }
}

/// A journal's identity, made when it is created: positions of two journals can't be compared.
public struct JournalEpoch: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An epoch nobody else has.
    public static func random() -> JournalEpoch {
        JournalEpoch(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
    }
}

/// What a journal says to the one who started it.
public enum JournalEvent: Equatable, Sendable {
    /// The next entries, at least one, in order and without gaps from event to event.
    case committed([JournalEntry])
    /// Everything committed before `start` has been delivered, up to this position. Said once.
    case caughtUp(position: UInt64)
    /// A shared journal has committed nothing of what was appended for a second. It tries by itself until it can. The
    /// reason is for people.
    case stalled(reason: String)
    /// The end of a stall.
    case flowing
    /// Fail-stop: the last event.
    case failed(JournalError)
}

/// The state after the entry at `position`, and the digest by which its maker compares it.
public struct JournalSnapshot: Equatable, Sendable {
    public let position: UInt64
    public let digest: [UInt8]
    public let bytes: [UInt8]

    public init(position: UInt64, digest: [UInt8], bytes: [UInt8]) {
        self.position = position
        self.digest = digest
        self.bytes = bytes
    }
}

/// The newest snapshot that is whole, and the positions of newer ones that were not.
public struct JournalSnapshotLookup: Equatable, Sendable {
    public let snapshot: JournalSnapshot?
    public let damagedPositions: [UInt64]

    public init(snapshot: JournalSnapshot?, damagedPositions: [UInt64] = []) {
        self.snapshot = snapshot
        self.damagedPositions = damagedPositions
    }
}

/// How much one `read` returns: it ends at whichever comes first, and after one entry at the earliest.
public struct JournalReadLimit: Equatable, Sendable {
    public var entriesMax: Int
    public var bytesMax: Int

    public init(entriesMax: Int = 1_024, bytesMax: Int = 256 * 1_024) {
        self.entriesMax = entriesMax
        self.bytesMax = bytesMax
    }
}

/// What a journal has done since it was opened.
public struct JournalStatistics: Equatable, Sendable {
    /// Rounds that committed entries: one durable write each.
    public var commits: UInt64 = 0
    public var entries: UInt64 = 0
    public var payloadBytes: UInt64 = 0
    /// Moves of the write-ahead log into the database (SQLite).
    public var checkpoints: UInt64 = 0
    /// Pages in the write-ahead log now (SQLite).
    public var logPages: Int = 0

    public init() {}
}

/// The bounds of every engine.
public enum JournalLimits {
    /// Largest payload of one entry. A JetStream message of 1 MiB holds it with its headers.
    public static let payloadBytesMax = 1_000_000
    /// Appends that may wait for their round. The sequencer keeps a few in flight; more is its bug.
    public static let appendsQueuedMax = 1_024
    /// Largest digest of a snapshot.
    public static let digestBytesMax = 256
    /// Snapshots kept: the newest, and the one before in case the newest turns out damaged.
    public static let snapshotsKept = 2
}

/// A durable log with one order. Any thread may call it; see the head of the file for what holds.
///
/// Completions and events come on the engine's thread and must not block it; where the journal has closed or
/// failed, completions come at once on the caller's.
public protocol Journal: AnyObject, Sendable {
    var epoch: JournalEpoch { get }

    /// Whether other processes write it too: rule 4.
    var isShared: Bool { get }

    /// Where the entries begin, or will: above 1 where what came before is in a snapshot only.
    var firstPosition: UInt64 { get }

    /// The last committed position this process knows of; 0 when there is none.
    var lastPosition: UInt64 { get }

    var statistics: JournalStatistics { get }

    /// Hear the entries from `position` on: what is there, then `caughtUp`, then each round as it is committed.
    /// Called once.
    ///
    /// - Throws: `beyondEnd` where `position` is above `lastPosition + 1`, `trimmed` where it is below `firstPosition`, or the cause by which the journal closed.
    func start(from position: UInt64, deliver: @escaping @Sendable (JournalEvent) -> Void) throws(JournalError)

    /// Queue one entry and return at once; it is durable when `deliver` hears it. Everything queued becomes one
    /// commit. Ignored once the journal has failed or closed.
    ///
    /// - Precondition: started; at most `payloadBytesMax` bytes and `appendsQueuedMax` entries waiting.
    func append(_ payload: [UInt8])

    /// Entries from `position` on, checked, at most `limit`; none when `position` is past the end, `trimmed` when it is
    /// before `firstPosition`.
    /// A slice at a time, between commits: how a snapshot is replayed forward.
    func read(
        from position: UInt64, limit: JournalReadLimit,
        completion: @escaping @Sendable (Result<[JournalEntry], JournalError>) -> Void)

    /// The newest whole snapshot below `position`.
    func loadSnapshot(
        below position: UInt64,
        completion: @escaping @Sendable (Result<JournalSnapshotLookup, JournalError>) -> Void)

    /// Store a snapshot in parts between commits, then drop all but the last `snapshotsKept`. `nil` means it is
    /// durable; a crash before leaves the former ones.
    ///
    /// - Precondition: its position is committed.
    func saveSnapshot(_ snapshot: JournalSnapshot, completion: @escaping @Sendable (JournalError?) -> Void)

    /// Commit what is queued, then close; returns when the files are closed. Called from a completion or an event
    /// it returns at once and closes after it. Idempotent.
    func close()
}

extension Journal {
    /// A journal from which nothing is ever dropped.
    public var firstPosition: UInt64 { 1 }

    /// As `loadSnapshot`, blocking the caller. Never from the engine's thread.
    public func latestSnapshot(below position: UInt64 = .max) throws(JournalError) -> JournalSnapshotLookup {
        let answer = Monitor<Result<JournalSnapshotLookup, JournalError>?>(nil)
        loadSnapshot(below: position) { result in answer.update { $0 = result } }
        return try answer.wait { $0 }.get()
    }

    /// As `saveSnapshot`, blocking the caller. Never from the engine's thread.
    public func save(_ snapshot: JournalSnapshot) throws(JournalError) {
        let answer = Monitor<Result<Void, JournalError>?>(nil)
        saveSnapshot(snapshot) { error in
            answer.update { $0 = error.map { .failure($0) } ?? .success(()) }
        }
        try answer.wait { $0 }.get()
    }

    /// As `read`, blocking the caller. Never from the engine's thread.
    public func entries(
        from position: UInt64, limit: JournalReadLimit = JournalReadLimit()
    ) throws(JournalError) -> [JournalEntry] {
        let answer = Monitor<Result<[JournalEntry], JournalError>?>(nil)
        read(from: position, limit: limit) { result in answer.update { $0 = result } }
        return try answer.wait { $0 }.get()
    }
}
