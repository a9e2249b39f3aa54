/// The journal thread's side: see `SQLiteJournal`.
///
/// Unchecked Sendable: made by the opener, then handed to the journal thread and touched by no other.
final class SQLiteEngine: @unchecked Sendable {
    private let file: JournalFile
    private let checkpoints: CheckpointPolicy
    private let inbox: Monitor<JournalInbox>
    private var stamper: TimeStamper
    private var deliver: (@Sendable (JournalEvent) -> Void)?
    /// The end of what has been delivered, once replay has reached the end: commits are delivered as they come.
    private var isLive = false
    /// In order of arrival; the first is under way.
    private var jobs: [Job] = []

    /// A request under way, a step a round.
    fileprivate enum Job {
        case replay(after: JournalChain)
        case read(JournalRequest)
        case load(SnapshotLoad, JournalRequest)
        case save(SnapshotSave, JournalRequest)
        case drop(ArraySlice<Int64>)
        case begin(JournalRequest)
    }

    private enum Wake {
        case round(appends: [[UInt8]], requests: [JournalRequest])
        case close
        case quiet
    }

    init(file: JournalFile, clock: JournalClock, checkpoints: CheckpointPolicy, inbox: Monitor<JournalInbox>) {
        self.file = file
        self.checkpoints = checkpoints
        self.inbox = inbox
        stamper = TimeStamper(clock: clock, last: file.chain.timeMilliseconds)
    }

    func run() {
        inbox.update { $0.thread = JournalThread.current }
        let failure = serve()
        let left = inbox.update { inbox in
            defer {
                inbox.requests = []
                inbox.appends = []
            }
            if let failure { inbox.end = failure }
            return inbox.requests
        }
        let end = failure ?? .closed
        for job in jobs { job.request?.refuse(end) }
        for request in left { request.refuse(end) }
        if let failure { deliver?(.failed(failure)) }
        inbox.update { $0.threadEnded = true }
    }

    /// Rounds until `close`, or the failure that ends them. The file is closed then.
    private func serve() -> JournalError? {
        do throws(JournalError) {
            jobs.append(.drop(try file.orphanParts()[...]))
            while true {
                switch next() {
                case .round(let appends, let requests):
                    jobs += requests.map { .begin($0) }
                    try commit(appends)
                    try stepJob()
                    if file.connection.logPages >= checkpoints.pagesMax { try checkpoint() }
                case .quiet:
                    try checkpoint()
                case .close:
                    try file.closeCleanly()
                    return nil
                }
            }
        } catch {
            file.abandon()
            return error
        }
    }

    private func next() -> Wake {
        let logIsWorthMoving = file.connection.logPages >= checkpoints.quietPagesMin
        let patience = jobs.isEmpty ? (logIsWorthMoving ? checkpoints.quietMilliseconds : .max) : 0
        let wake: Wake? = inbox.wait(atMostMilliseconds: patience) { inbox in
            guard inbox.appends.isEmpty, inbox.requests.isEmpty || inbox.end != nil else {
                defer {
                    inbox.appends = []
                    inbox.requests = []
                }
                return .round(appends: inbox.appends, requests: inbox.requests)
            }
            return inbox.end == nil ? nil : .close
        }
        return wake ?? (jobs.isEmpty ? .quiet : .round(appends: [], requests: []))
    }

    /// Everything queued, in one transaction with one time stamp.
    private func commit(_ payloads: [[UInt8]]) throws(JournalError) {
        guard !payloads.isEmpty else { return }
        let entries = try file.append(payloads, timeMilliseconds: stamper.next())
        let bytes = payloads.reduce(0) { $0 + UInt64($1.count) }
        inbox.update { inbox in
            inbox.lastPosition = file.chain.position
            inbox.statistics.commits += 1
            inbox.statistics.entries += UInt64(entries.count)
            inbox.statistics.payloadBytes += bytes
            inbox.statistics.logPages = file.connection.logPages
        }
        if isLive { deliver?(.committed(entries)) }
    }

    private func checkpoint() throws(JournalError) {
        try file.connection.checkpoint()
        inbox.update { inbox in
            inbox.statistics.checkpoints += 1
            inbox.statistics.logPages = file.connection.logPages
        }
    }

    // MARK: Jobs

    private func stepJob() throws(JournalError) {
        guard !jobs.isEmpty else { return }
        if let rest = try step(jobs[0]) { jobs[0] = rest } else { jobs.removeFirst() }
    }

    /// One step; what is left to do of it.
    ///
    /// - Throws: what ends the journal. A damaged snapshot or an old entry that can't be read does not: its asker is
    ///   told. A failed write does, and a hole in what is replayed.
    private func step(_ job: Job) throws(JournalError) -> Job? {
        switch job {
        case .begin(let request):
            return try begin(request)
        case .replay(var chain):
            let entries = try file.read(after: &chain, limit: JournalReadLimit())
            if !entries.isEmpty { deliver?(.committed(entries)) }
            guard chain == file.chain else { return .replay(after: chain) }
            isLive = true
            deliver?(.caughtUp(position: chain.position))
            return nil
        case .read(let request):
            guard case .read(let position, let limit, let completion) = request else { return nil }
            completion(entries(from: position, limit: limit))
            return nil
        case .load(let load, let request):
            guard case .load(_, let completion) = request else { return nil }
            do throws(JournalError) {
                guard let result = try load.step(file) else { return .load(load, request) }
                completion(.success(result))
            } catch {
                completion(.failure(error))
            }
            return nil
        case .save(let save, let request):
            guard case .save(_, let completion) = request else { return nil }
            guard try save.step(file) else { return .save(save, request) }
            completion(nil)
            return .drop(try file.orphanParts()[...])
        case .drop(var ids):
            guard let id = ids.popFirst() else { return nil }
            try file.dropPart(id)
            return .drop(ids)
        }
    }

    private func begin(_ request: JournalRequest) throws(JournalError) -> Job? {
        switch request {
        case .start(let position, let deliver):
            self.deliver = deliver
            return .replay(after: try file.chain(at: position - 1))
        case .read:
            return try step(.read(request))
        case .load(let position, let completion):
            do throws(JournalError) {
                return .load(try SnapshotLoad(from: file, below: position), request)
            } catch {
                completion(.failure(error))
                return nil
            }
        case .save(let snapshot, _):
            return .save(try SnapshotSave(snapshot, to: file), request)
        }
    }

    private func entries(from position: UInt64, limit: JournalReadLimit) -> Result<[JournalEntry], JournalError> {
        do throws(JournalError) {
            guard position <= file.chain.position else { return .success([]) }
            var chain = try file.chain(at: position - 1)
            return .success(try file.read(after: &chain, limit: limit))
        } catch {
            return .failure(error)
        }
    }
}

extension SQLiteEngine.Job {
    /// Who is waiting for it.
    fileprivate var request: JournalRequest? {
        switch self {
        case .replay, .drop: nil
        case .read(let request), .load(_, let request), .save(_, let request), .begin(let request): request
        }
    }
}
