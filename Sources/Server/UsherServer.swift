import BoxOffice
import Calls
import Crypto
import Foundation
import Journal
public import Logging
public import Reactor
import SeatMap
import Sequencer
import Synchronization
import UsherAPI
import WebSocket

/// A whole instance: journal, sequencer, loops and listeners, from start to stop.
///
///     main ─┬─ sequencer        applies entries
///           ├─ journal          (the engine's own thread) commits batches
///           ├─ snapshots        replays in the background
///           ├─ admin            health, readiness, metrics
///           └─ loop 0 … n       clients
public final class UsherServer: Sendable {
    /// Where clients connect; the port found when 0 was asked for.
    public let address: SocketAddress
    public let adminAddress: SocketAddress?
    /// What was made at this start, for people to know.
    public let notes: [String]

    private let parts: Parts
    private let isStopped: StopMark

    /// That the end has begun, for `/readyz` too.
    private final class StopMark: Sendable {
        private let mark = Mutex(false)

        var isSet: Bool { mark.withLock { $0 } }

        /// Returns whether it was set already.
        func set() -> Bool {
            mark.withLock { mark in
                defer { mark = true }
                return mark
            }
        }
    }

    /// Everything that has to be ended.
    private struct Parts: Sendable {
        var settings: ServerSettings
        var logger: Logger
        var folder: DataFolder
        var journal: any Journal
        var sequencer: SequencerThread
        var snapshots: SnapshotKeeper
        var orders: [Mailbox<LoopOrder>]
        var admin: AdminListener?
        var loopThreads: [Reactor.Thread]
        var snapshotThread: Reactor.Thread
        var sequencerThread: Reactor.Thread
    }

    /// Starts an instance and returns once it serves.
    ///
    /// - Throws: an error whose description says what to do; nothing runs then.
    public static func start(_ settings: ServerSettings, logger: Logger) throws -> UsherServer {
        try UsherServer(settings, logger)
    }

    private init(_ settings: ServerSettings, _ logger: Logger) throws {
        let folder = try DataFolder(settings.dataFolder, development: settings.developmentFolder)
        var notes: [String] = []
        let tls = try Self.tls(settings, folder, &notes)
        let identities = try Self.identities(settings, folder)
        let key = try folder.tokenKey()
        let loopCount = settings.loops > 0 ? settings.loops : Self.defaultLoops

        // The port first: a second server is refused before it touches the journal.
        let port = try ListeningPort(settings.listen, count: loopCount)
        let adminPort = try settings.adminListen.map { address throws(SystemError) in try ListeningPort(address) }
        let metrics = Metrics()
        let isStopped = StopMark()
        self.isStopped = isStopped
        let sequencer = try SequencerThread()

        // Operators see from the first moment how far it has come. Clients wait in the kernel's queue until its loops run.
        let opened = OpenedJournal()
        let admin = try adminPort.map { port in
            let admin = try AdminListener(port) { Self.adminFacts(sequencer, opened, metrics, isStopped) }
            logger.info("health and metrics http://\(port.address)")
            return admin
        }
        var isStarted = false
        defer { if !isStarted { admin?.stop() } }

        let journal = try Self.journal(settings, folder, sequencer, logger)
        opened.journal = journal
        let snapshots = try SnapshotKeeper(every: settings.snapshotEntries)
        let inboxes = (0..<loopCount).map { _ in LoopInbox() }
        let firstSale = try Self.firstSale(settings)
        let recovery = Recovery(
            journal: journal, thread: sequencer, loops: loopCount,
            instance: journal.isShared ? try folder.instanceNumber() : Recovery.loneInstance,
            publicKey: key.publicKey.rawBytes, settings: settings, firstSale: firstSale, logger: logger)

        let recovered = Handoff<Result<SaleImage, any Error>>()
        let sequencerThread = try Reactor.Thread.start(name: "sequencer") {
            let start: Sequencer
            do {
                start = try recovery.recover()
            } catch {
                recovered.give(.failure(error))
                return
            }
            recovered.give(.success(start.image()))
            sequencer.run(
                start, journal: journal, inboxes: inboxes, pageItems: CallLimits.visitor.pageItems, metrics: metrics,
                logger: logger, entryApplied: { snapshots.entryApplied($0, digest: $1) },
                hasDiverged: { snapshot, position in
                    do {
                        try folder.keepDiverged(snapshot, position: position)
                    } catch {
                        logger.error("the diverged state can't be kept: \(error)")
                    }
                })
        }
        let image: SaleImage
        do {
            image = try recovered.take().get()
        } catch {
            sequencerThread.join()
            sequencer.abandon()
            journal.close()
            throw error
        }
        let snapshotThread = try Reactor.Thread.start(name: "snapshots") {
            snapshots.run(journal: journal, metrics: metrics, logger: logger)
        }

        let instance = InstanceFacts(name: recovery.instanceName, epoch: Uuid(high: journal.epoch.high, low: journal.epoch.low))
        var loopThreads: [Reactor.Thread] = []
        let orders = (0..<loopCount).map { _ in Mailbox<LoopOrder>(capacity: 16) }
        for index in 0..<loopCount {
            let start = LoopStart(
                index: index, loops: loopCount, settings: settings, instance: instance, identities: identities, key: key,
                tls: tls,
                socket: port.sockets[index], metrics: metrics, commands: sequencer.commands, inbox: inboxes[index],
                image: image,
                orders: orders[index])
            loopThreads.append(try start.run())
        }
        try folder.writeServerNote(port: port.address.port, adminPort: adminPort?.address.port)

        address = port.address
        adminAddress = adminPort?.address
        self.notes = notes
        parts = Parts(
            settings: settings, logger: logger, folder: folder, journal: journal, sequencer: sequencer, snapshots: snapshots,
            orders: orders, admin: admin, loopThreads: loopThreads, snapshotThread: snapshotThread,
            sequencerThread: sequencerThread)
        isStarted = true
    }

    // MARK: Stopping

    /// How long a stop may wait for the journal to take that this instance has stopped. Where it stands still the others find
    /// out by this one's silence.
    private static let leaveMilliseconds: UInt64 = 2_000

    /// Ends the instance: is not ready from now on and, after the notice, takes nobody any more, tells the clients to come
    /// back elsewhere or later (GOAWAY, spread over the drain time), lets what is under way finish, hands its users'
    /// presence over to other instances, and closes the journal. Returns when all is closed: no later than
    /// notice, drain time and ten seconds after the call. Idempotent.
    public func stop() {
        guard !isStopped.set() else { return }
        let notice = parts.settings.drainNotice(isShared: parts.journal.isShared)
        if notice > 0 { Foundation.Thread.sleep(forTimeInterval: Double(notice) / 1000) }
        let neighbours = parts.sequencer.neighbours()
        let farewell = Farewell(
            milliseconds: parts.settings.drainMilliseconds, hosts: neighbours.filter { !$0.isEmpty },
            hasNeighbours: !neighbours.isEmpty)
        for mailbox in parts.orders { _ = mailbox.send(.drain(farewell)) }
        parts.snapshots.stop()
        // They end by themselves once drained; then nobody waits for an answer any more.
        for thread in parts.loopThreads { thread.join() }
        parts.sequencer.stop(within: Self.leaveMilliseconds)
        parts.sequencerThread.join()
        parts.journal.close()
        // A snapshot that was being written fails now.
        parts.snapshotThread.join()
        parts.admin?.stop()
        parts.folder.removeServerNote()
    }

    /// Has something done once only a new start can bring this instance back: it was away for longer than the journal keeps.
    /// Once, from any thread; stop the server then, and start another one.
    public func whenOvertaken(_ body: @escaping @Sendable () -> Void) { parts.sequencer.whenOvertaken(body) }

    // MARK: Pieces of the start

    /// One for each core but one, within what a claim can name.
    private static var defaultLoops: Int { min(256, max(1, ProcessInfo.processInfo.activeProcessorCount - 1)) }

    private static func tls(_ settings: ServerSettings, _ folder: DataFolder, _ notes: inout [String]) throws -> TLSContext {
        if let certificate = settings.certificateFile, let key = settings.privateKeyFile {
            return try TLSContext.server(certificateFile: certificate, keyFile: key, minimum: settings.tlsMinimum)
        }
        guard settings.certificateFile == nil, settings.privateKeyFile == nil else {
            throw SettingsError("certificate and private-key are set together or not at all")
        }
        if try folder.ensureCertificate() {
            notes.append(
                "made a development certificate, \(folder.certificate); this machine's usher commands trust it by themselves")
        }
        return try TLSContext.server(
            certificateFile: folder.certificate, keyFile: folder.certificateKey, minimum: settings.tlsMinimum)
    }

    /// How often it is said what an instance waits for whose shared journal's servers are not there.
    private static let journalPatienceMilliseconds: UInt64 = 5_000

    private static func journal(
        _ settings: ServerSettings, _ folder: DataFolder, _ sequencer: SequencerThread, _ logger: Logger
    ) throws -> any Journal {
        if let given = settings.givenJournal { return given }
        switch settings.journal {
        case .sqlite: return try SQLiteJournal(path: folder.journal)
        case .memory: return MemoryJournal()
        case .shared(let url):
            var options = try settings.jetStream(at: url)
            options.openMilliseconds = journalPatienceMilliseconds
            logger.info("opening \(options.description)")
            sequencer.note(obstacle: "opening \(options.description)")
            return try sequencer.waitForJournal(logger) { () throws(JournalError) in try JetStreamJournal(options) }
        }
    }

    private static func identities(_ settings: ServerSettings, _ folder: DataFolder) throws -> IdentityChecker {
        guard let file = settings.identityKeysFile else { return IdentityChecker(operatorKey: try folder.operatorKey()) }
        let bytes: [UInt8]
        do {
            bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw SettingsError("identity-keys: \(file) can't be read: \(error.localizedDescription)")
        }
        return IdentityChecker(
            keys: try JWKS(parsing: bytes), issuer: settings.identityIssuer, audience: settings.identityAudience,
            operatorClaim: settings.operatorClaim, backendClaim: settings.backendClaim)
    }

    private static func firstSale(_ settings: ServerSettings) throws -> ConcertFile? {
        let now = Clock.wallMilliseconds()
        if let file = settings.concertsFile {
            let text: String
            do {
                text = try String(contentsOfFile: file, encoding: .utf8)
            } catch {
                throw SettingsError("concerts: \(file) can't be read: \(error.localizedDescription)")
            }
            return try ConcertFile(yaml: text, name: file, now: now)
        }
        return settings.demo ? try ConcertFile(yaml: ConcertFile.demo, name: "demo", now: now) : nil
    }

    // MARK: Admin

    /// The journal, once there is one.
    private final class OpenedJournal: Sendable {
        private let opened = Mutex<(any Journal)?>(nil)

        var journal: (any Journal)? {
            get { opened.withLock { $0 } }
            set { opened.withLock { $0 = newValue } }
        }
    }

    private static func adminFacts(
        _ sequencer: SequencerThread, _ opened: OpenedJournal, _ metrics: Metrics, _ isStopped: StopMark
    ) -> AdminConnection.Facts {
        let status = sequencer.status
        let notReady = isStopped.isSet ? "stopping; clients are sent away" : status.notReady
        return AdminConnection.Facts(notReady: notReady) {
            metrics.page(
                of: Metrics.State(
                    isReady: notReady == nil, status: status, journal: opened.journal?.statistics ?? JournalStatistics(),
                    process: .now()))
        }
    }
}
