import Synchronization

/// A journal in one SQLite file, with one writer: this process.
///
/// All of SQLite's work is done by one thread of the journal's own:
///
///     append, read, snapshots ──▶ inbox ──▶ ┌ round: 1 commit everything queued, deliver it     ┐
///                                           │        2 one step of the oldest other request     │──▶ completions
///                                           │        3 checkpoint, when the log has grown       │
///                                           └ nothing to do: wait; quiet for a while: checkpoint┘
///
/// The inbox's mutex is never held while SQLite works, so callers never wait for a disk.
public final class SQLiteJournal: Journal {
    public let epoch: JournalEpoch
    public let firstPosition: UInt64
    private let inbox: Monitor<JournalInbox>

    /// Open the journal at `path`, or create it in a folder that exists.
    ///
    /// - Throws: `inUse`, `notAJournal`, `newerFormat`, `corruptEntry` (of the last entry; the others are checked as
    ///   they are read), `corruptFile`, `logMissing`, `notFound`, `diskFull`, `readOnly` or `inputOutput`; a file that
    ///   is no journal is left as it was.
    public convenience init(path: String, clock: JournalClock = .system) throws(JournalError) {
        try self.init(path: path, clock: clock, file: JournalFileOptions(), checkpoints: CheckpointPolicy())
    }

    init(
        path: String, clock: JournalClock, file options: JournalFileOptions, checkpoints: CheckpointPolicy
    ) throws(JournalError) {
        let file = try JournalFile(path: path, options: options)
        epoch = file.epoch
        firstPosition = file.base.position + 1
        inbox = Monitor(JournalInbox(lastPosition: file.chain.position))
        let engine = SQLiteEngine(file: file, clock: clock, checkpoints: checkpoints, inbox: inbox)
        JournalThread.start(name: "journal") { engine.run() }
    }

    deinit { close() }

    public var isShared: Bool { false }

    public var lastPosition: UInt64 { inbox.read { $0.lastPosition } }

    public var statistics: JournalStatistics { inbox.read { $0.statistics } }

    public func start(
        from position: UInt64, deliver: @escaping @Sendable (JournalEvent) -> Void
    ) throws(JournalError) {
        precondition(position > 0, "positions count from 1")
        let refusal: JournalError? = inbox.update { inbox in
            precondition(!inbox.started, "a journal is started once")
            if let end = inbox.end { return end }
            guard position <= inbox.lastPosition + 1 else {
                return .beyondEnd(position: position, lastPosition: inbox.lastPosition)
            }
            guard position >= firstPosition else {
                return .trimmed(position: position, firstPosition: firstPosition)
            }
            inbox.started = true
            inbox.requests.append(.start(position, deliver))
            return nil
        }
        if let refusal { throw refusal }
    }

    public func append(_ payload: [UInt8]) {
        precondition(payload.count <= JournalLimits.payloadBytesMax, "a payload of \(payload.count) bytes")
        inbox.update { inbox in
            guard inbox.end == nil else { return }
            precondition(inbox.started, "appended before start")
            precondition(inbox.appends.count < JournalLimits.appendsQueuedMax, "too many appends at once")
            inbox.appends.append(payload)
        }
    }

    public func read(
        from position: UInt64, limit: JournalReadLimit,
        completion: @escaping @Sendable (Result<[JournalEntry], JournalError>) -> Void
    ) {
        precondition(position > 0, "positions count from 1")
        submit(.read(position, limit, completion))
    }

    public func loadSnapshot(
        below position: UInt64,
        completion: @escaping @Sendable (Result<JournalSnapshotLookup, JournalError>) -> Void
    ) {
        submit(.load(below: position, completion))
    }

    public func saveSnapshot(_ snapshot: JournalSnapshot, completion: @escaping @Sendable (JournalError?) -> Void) {
        precondition(snapshot.position <= lastPosition, "a snapshot of what is not committed")
        precondition(snapshot.digest.count <= JournalLimits.digestBytesMax, "a digest of \(snapshot.digest.count) bytes")
        submit(.save(snapshot, completion))
    }

    public func close() {
        let onEngineThread = inbox.update { inbox in
            if inbox.end == nil { inbox.end = .closed }
            return inbox.thread == JournalThread.current
        }
        if !onEngineThread { inbox.wait { $0.threadEnded ? () : nil } }
    }

    private func submit(_ request: JournalRequest) {
        let refusal = inbox.update { inbox in
            if inbox.end == nil { inbox.requests.append(request) }
            return inbox.end
        }
        if let refusal { request.refuse(refusal) }
    }
}

/// When the write-ahead log is moved into the database. A longer log means fewer but longer pauses of commits.
struct CheckpointPolicy: Sendable {
    /// Log pages after which it is done at once: 4 MiB of 4 KiB pages, some milliseconds.
    var pagesMax = 1_000
    /// Log pages worth doing it for when nothing is going on.
    var quietPagesMin = 64
    /// How long nothing has to go on.
    var quietMilliseconds: UInt64 = 50
}

/// What is asked of the journal thread, other than appends.
enum JournalRequest: Sendable {
    case start(UInt64, @Sendable (JournalEvent) -> Void)
    case read(UInt64, JournalReadLimit, @Sendable (Result<[JournalEntry], JournalError>) -> Void)
    case load(below: UInt64, @Sendable (Result<JournalSnapshotLookup, JournalError>) -> Void)
    case save(JournalSnapshot, @Sendable (JournalError?) -> Void)

    func refuse(_ error: JournalError) {
        switch self {
        case .start: break  // told by `failed`, or by nothing after `close`
        case .read(_, _, let completion): completion(.failure(error))
        case .load(_, let completion): completion(.failure(error))
        case .save(_, let completion): completion(error)
        }
    }
}

/// What callers and the journal thread share.
struct JournalInbox: Sendable {
    var lastPosition: UInt64
    var statistics = JournalStatistics()
    var appends: [[UInt8]] = []
    var requests: [JournalRequest] = []
    var started = false
    /// Set when nothing more is taken: by `close`, or by the failure.
    var end: JournalError?
    var thread: UInt?
    var threadEnded = false

    init(lastPosition: UInt64) {
        self.lastPosition = lastPosition
    }
}
