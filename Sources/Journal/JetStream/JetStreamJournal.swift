/// A journal in a JetStream stream that several instances write and read: docs/decisions/journal-jetstream.md.
///
///     append, start ──▶ inbox ──▶ engine thread: outbox ─▶ publish        libnats's threads
///                         ▲                      feed ◀─ heard, answers ◀── only put events
///                         └───────────────────────────────────────────────── into the inbox
///     read, snapshots ──▶ requests ──▶ store thread: asks and waits, on a connection of its own
///
/// Entries are durable when a majority of the servers has them on disk (`sync_interval: always` in their configuration); an
/// append is done when this instance has heard it in its turn.
public final class JetStreamJournal: Journal {
    public let epoch: JournalEpoch
    private let inbox: Monitor<JetStreamInbox>
    private let requests: Monitor<JetStreamRequests>
    private let stopStore: @Sendable () -> Void

    /// Opens the journal, or creates its streams. Waits, for as long as the options say, for servers that are not there yet.
    ///
    /// - Throws: `unreachable`, `unsafeSetting`, `notAJournal`, `newerFormat`, `moved`, `corruptStream` or `refused`.
    public init(_ options: JetStreamOptions) throws(JournalError) {
        let store = JetStreamStore(options)
        let (epoch, state) = try store.open()
        self.epoch = epoch
        inbox = Monitor(JetStreamInbox(firstPosition: state.first, lastPosition: state.last))
        requests = Monitor(JetStreamRequests())
        stopStore = store.link.stop
        let engine = JetStreamEngine(options, inbox: inbox)
        JournalThread.start(name: "journal") { engine.run() }
        let worker = JetStreamWorker(store, requests: requests, inbox: inbox)
        JournalThread.start(name: "journal-store") { worker.run() }
    }

    deinit { close() }

    public var isShared: Bool { true }

    public var firstPosition: UInt64 { inbox.read { $0.firstPosition } }

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
            guard position >= inbox.firstPosition else {
                return .trimmed(position: position, firstPosition: inbox.firstPosition)
            }
            inbox.started = true
            inbox.start = (position, deliver)
            return nil
        }
        if let refusal { throw refusal }
    }

    public func append(_ payload: [UInt8]) {
        precondition(payload.count <= JournalLimits.payloadBytesMax, "a payload of \(payload.count) bytes")
        inbox.update { inbox in
            guard inbox.end == nil else { return }
            precondition(inbox.started, "appended before start")
            precondition(inbox.unheard < JournalLimits.appendsQueuedMax, "too many appends at once")
            inbox.unheard += 1
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
        inbox.update { if $0.end == nil { $0.end = .closed } }
        requests.update { if $0.end == nil { $0.end = .closed } }
        stopStore()
        let current = JournalThread.current
        if requests.read({ $0.thread }) != current { requests.wait { $0.threadEnded ? () : nil } }
        if inbox.read({ $0.thread }) != current { inbox.wait { $0.threadEnded ? () : nil } }
    }

    private func submit(_ request: JournalRequest) {
        let refusal = requests.update { requests in
            if requests.end == nil { requests.waiting.append(request) }
            return requests.end
        }
        if let refusal { request.refuse(refusal) }
    }
}

/// What callers, libnats's threads and the engine share.
struct JetStreamInbox: Sendable {
    var firstPosition: UInt64
    var lastPosition: UInt64
    var statistics = JournalStatistics()
    var started = false
    var start: (from: UInt64, deliver: @Sendable (JournalEvent) -> Void)?
    var appends: [[UInt8]] = []
    /// Appended and not heard.
    var unheard = 0
    var events: [(connection: UInt64, event: NATSEvent)] = []
    var eventBytes = 0
    /// Set when nothing more is taken: by `close`, or by the failure.
    var end: JournalError?
    var thread: UInt?
    var threadEnded = false

    /// What is heard beyond so much is dropped, and read again when there is room: an engine that waits for whoever applies
    /// must not gather for ever.
    static let eventBytesMax = 32 << 20

    init(firstPosition: UInt64, lastPosition: UInt64) {
        self.firstPosition = firstPosition
        self.lastPosition = lastPosition
    }
}

/// What is asked of the store thread.
struct JetStreamRequests: Sendable {
    var waiting: [JournalRequest] = []
    var end: JournalError?
    var thread: UInt?
    var threadEnded = false
}

/// The store thread: one request after the other. A request that fails is its asker's to hear; entries go on.
///
/// Unchecked Sendable: made by the opener, then handed to the store thread and touched by no other.
final class JetStreamWorker: @unchecked Sendable {
    private let store: JetStreamStore
    private let requests: Monitor<JetStreamRequests>
    private let inbox: Monitor<JetStreamInbox>

    init(_ store: JetStreamStore, requests: Monitor<JetStreamRequests>, inbox: Monitor<JetStreamInbox>) {
        self.store = store
        self.requests = requests
        self.inbox = inbox
    }

    func run() {
        requests.update { $0.thread = JournalThread.current }
        while let request = next() { serve(request) }
        let left = requests.update { requests in
            defer { requests.waiting = [] }
            return requests.waiting
        }
        for request in left { request.refuse(requests.read { $0.end } ?? .closed) }
        store.link.close()
        requests.update { $0.threadEnded = true }
    }

    private func next() -> JournalRequest? {
        requests.wait { requests -> JournalRequest?? in
            if requests.end != nil { return .some(nil) }
            return requests.waiting.isEmpty ? nil : .some(requests.waiting.removeFirst())
        }
    }

    private func serve(_ request: JournalRequest) {
        do throws(JournalError) {
            switch request {
            case .start: break  // the engine's
            case .read(let position, let limit, let completion):
                completion(.success(try store.read(from: position, limit: limit)))
            case .load(let position, let completion):
                let lookup = try store.loadSnapshot(below: position)
                // What another instance made a snapshot of is committed, also where it is not heard here yet.
                if let newest = lookup.snapshot?.position { inbox.update { $0.lastPosition = max($0.lastPosition, newest) } }
                completion(.success(lookup))
            case .save(let snapshot, let completion):
                try store.saveSnapshot(snapshot)
                if let state = try store.info(of: store.options.stream) {
                    inbox.update { $0.firstPosition = max($0.firstPosition, state.first) }
                }
                completion(nil)
            }
        } catch {
            request.refuse(error)
        }
    }
}
