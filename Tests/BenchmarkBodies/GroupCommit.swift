// Group commit end to end: clients that each wait for their answer before they send the next command, the real sequencer
// and a real journal: SQLite's on a real disk, or a stream of real NATS servers. The one measurement here that is about time
// and not processor time.

internal import BoxOffice
internal import Glibc
internal import Journal
internal import Sequencer
internal import Synchronization
internal import UsherAPI

/// Commands made durable, by how many clients there are.
public struct GroupCommit: Sendable {
    /// Answers a second.
    public var commandsPerSecond: Double
    /// From submission to answer, milliseconds.
    public var p50: Double
    public var p99: Double
    public var longest: Double
    /// Durable writes; of a stream, the rounds in which its entries were heard.
    public var commits: UInt64
    /// Journal entries.
    public var entries: UInt64
    /// Processor time of all threads of this process for each command, microseconds.
    public var processorMicroseconds: Double

    /// Runs `clients` closed-loop clients until `commands` answers have come; after `commandsOfUser` of them a client is
    /// another user. The journal is made at `path`, which must not exist.
    ///
    /// - Precondition: `commandsOfUser` is below 256, the most that is remembered.
    /// - Throws: the journal's error; `WrongResult` if not every command was carried out once.
    public static func run(clients: Int, commands: Int, commandsOfUser: Int = 5, path: String) throws -> GroupCommit {
        let journal = try SQLiteJournal(path: path)
        defer { journal.close() }
        return try run(clients, commands, commandsOfUser, journal, SequencerLimits())
    }

    /// As above, on a stream of three NATS servers, `nats://HOST:PORT,…`; the stream must not exist.
    public static func run(
        clients: Int, commands: Int, commandsOfUser: Int = 5, servers: String, stream: String
    ) throws -> GroupCommit {
        var options = try JetStreamOptions(url: servers)
        options.stream = stream
        let journal = try JetStreamJournal(options)
        defer { journal.close() }
        return try run(clients, commands, commandsOfUser, journal, .shared)
    }

    private static func run(
        _ clients: Int, _ commands: Int, _ commandsOfUser: Int, _ journal: any Journal, _ limits: SequencerLimits
    ) throws -> GroupCommit {
        let bell = Bell()
        try journal.start(from: 1) { bell.ring($0) }
        var sequencer = Sequencer(office: BoxOffice(), instance: 1, incarnation: 1, limits: limits)
        var nothing = Publication(loops: 1)
        sequencer.submit(
            Submission(Command(body: .instanceStarted(InstanceStarted(sources: 1, rules: 1, name: "one")))), into: &nothing)
        sequencer.submit(Submission(Command(body: .configure(Configure(accountNeedsNoToken: true)))), into: &nothing)

        var submittedAt = [UInt64](repeating: 0, count: clients)
        var latencies: [UInt64] = []
        latencies.reserveCapacity(commands)
        var submitted = 0
        func submit(_ client: Int, _ sequencer: inout Sequencer) {
            submitted += 1
            let user = UInt64(client * 1_000_000 + submitted / (clients * commandsOfUser) + 1)
            let command = Command(
                user: Uuid(high: user &* 0x9E37_79B9_7F4A_7C15, low: user),
                requestId: Uuid(high: UInt64(submitted) &* 0xD6E8_FEB8_6659_FD93, low: UInt64(submitted)),
                contents: UInt64(submitted), body: .charge(Charge(amount: 1)))
            submittedAt[client] = Stopwatch.monotonicNanoseconds
            sequencer.submit(
                Submission(command, origin: Origin(loop: 0, ticket: UInt64(client + 1))), into: &nothing)
        }

        for client in 0..<clients { submit(client, &sequencer) }
        let processorStart = Stopwatch.processNanoseconds
        let start = Stopwatch.monotonicNanoseconds
        while latencies.count < commands {
            let now = Stopwatch.monotonicNanoseconds
            while let batch = sequencer.nextBatch(now: now / 1_000_000) { journal.append(batch) }
            var publication = Publication(loops: 1)
            for entry in try bell.wait() {
                try sequencer.apply(entry, now: Stopwatch.monotonicNanoseconds / 1_000_000, into: &publication)
            }
            for answer in publication.answers[0] {
                guard case .outcome(.done) = answer.content else {
                    throw WrongResult(found: latencies.count, expected: commands)
                }
                let client = Int(answer.ticket) - 1
                latencies.append(Stopwatch.monotonicNanoseconds - submittedAt[client])
                if submitted < commands { submit(client, &sequencer) }
            }
        }
        let seconds = Double(Stopwatch.monotonicNanoseconds - start) / 1e9
        let processor = Double(Stopwatch.processNanoseconds - processorStart)
        latencies.sort()
        func milliseconds(_ share: Double) -> Double {
            Double(latencies[min(latencies.count - 1, Int(Double(latencies.count) * share))]) / 1e6
        }
        return GroupCommit(
            commandsPerSecond: Double(commands) / seconds, p50: milliseconds(0.5), p99: milliseconds(0.99),
            longest: milliseconds(1), commits: journal.statistics.commits, entries: journal.statistics.entries,
            processorMicroseconds: processor / 1e3 / Double(commands))
    }
}

/// What the disk itself gives: 16 KiB written and synced, one after the other.
public struct DiskSync: Sendable {
    public var perSecond: Double
    public var p50: Double
    public var p99: Double

    /// Writes `count` times to a new file at `path`, which is removed.
    public static func run(count: Int, path: String) -> DiskSync? {
        let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600)
        guard descriptor >= 0 else { return nil }
        defer {
            close(descriptor)
            unsafe unlink(path)
        }
        let bytes = [UInt8](repeating: 7, count: 16_384)
        var times: [UInt64] = []
        let start = Stopwatch.monotonicNanoseconds
        for _ in 0..<count {
            let before = Stopwatch.monotonicNanoseconds
            // Safe: the array outlives the call.
            let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard written == bytes.count, fdatasync(descriptor) == 0 else { return nil }
            times.append(Stopwatch.monotonicNanoseconds - before)
        }
        let seconds = Double(Stopwatch.monotonicNanoseconds - start) / 1e9
        times.sort()
        return DiskSync(
            perSecond: Double(count) / seconds, p50: Double(times[count / 2]) / 1e6, p99: Double(times[count * 99 / 100]) / 1e6)
    }
}

/// Wakes the one thread that applies, as the server's mailbox does.
@safe private final class Bell: @unchecked Sendable {
    // Safe: what is mutable is touched only under the mutex; the semaphore is the kernel's.
    private let events = Mutex<[JournalEvent]>([])
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func ring(_ event: JournalEvent) {
        events.withLock { $0.append(event) }
        unsafe sem_post(semaphore)
    }

    /// Waits for at least one event; the entries it and those behind it committed.
    func wait() throws(JournalError) -> [JournalEntry] {
        unsafe sem_wait(semaphore)
        let heard = events.withLock { events in
            defer { events = [] }
            return events
        }
        var entries: [JournalEntry] = []
        for event in heard {
            switch event {
            case .committed(let committed): entries += committed
            case .caughtUp, .stalled, .flowing: break
            case .failed(let error): throw error
            }
        }
        return entries
    }
}
