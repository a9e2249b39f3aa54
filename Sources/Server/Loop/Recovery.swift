import BoxOffice
import Crypto
import Foundation
import Journal
import Logging
import Reactor
import Sequencer
import UsherAPI

/// Brings the state machine to where the journal is, says in the journal that this instance has started, and puts the
/// first sale on. On the sequencer's thread, which owns the state from the first entry to the last.
struct Recovery: Sendable {
    let journal: any Journal
    let thread: SequencerThread
    let loops: Int
    /// Among several on one journal.
    let instance: UInt32
    let publicKey: [UInt8]
    let settings: ServerSettings
    let firstSale: ConcertFile?
    let logger: Logger

    /// One instance alone has one number; its runs differ by incarnation.
    static let loneInstance: UInt32 = 1
    let instanceName = ProcessInfo.processInfo.hostName

    /// A sequencer that has caught up and whose own start is applied.
    ///
    /// - Throws: `JournalError`, `SequencerError`, `SnapshotError`, or `RecoveryError` with what to do.
    func recover() throws -> Sequencer {
        let lookup = try thread.waitForJournal(logger) { () throws(JournalError) in try journal.latestSnapshot() }
        for position in lookup.damagedPositions {
            logger.warning(
                "the snapshot at journal position \(position) is damaged; an older one and the journal itself are used")
        }
        let restored = try SnapshotReplay(from: lookup.snapshot)
        let from = restored.position
        var sequencer = Sequencer(
            office: restored.finish(), instance: instance, incarnation: Clock.wallMilliseconds(),
            limits: journal.isShared ? .shared : SequencerLimits())
        thread.note(from, of: journal.lastPosition)
        try journal.start(from: from + 1) { thread.hear($0) }
        try replay(into: &sequencer)
        sequencer.beginRun(rejoiningWith: journal.isShared ? commands(rejoining) : [])
        logger.info("recovered from a snapshot at position \(from) and \(sequencer.office.position - from) journal entries")
        try begin(&sequencer)
        return sequencer
    }

    /// Applies what the journal has.
    private func replay(into sequencer: inout Sequencer) throws {
        var publication = Publication(loops: loops)
        var events: [JournalEvent] = []
        var lastSaid = Clock.monotonicMilliseconds()
        var isCaughtUp = false
        while !isCaughtUp {
            thread.waitForEvents(&events)
            // All of them: behind `caughtUp` there may be entries of other instances already.
            for event in events {
                switch event {
                case .committed(let entries):
                    for entry in entries { try apply(entry, to: &sequencer, &publication) }
                    publication = Publication(loops: loops)
                    thread.note(sequencer.office.position, of: journal.lastPosition)
                case .caughtUp: isCaughtUp = true
                case .stalled(let reason): sayStalled(reason)
                case .flowing: sayFlowing()
                case .failed(let error): throw error
                }
            }
            events.removeAll(keepingCapacity: true)
            if Clock.monotonicMilliseconds() > lastSaid + 2_000 {
                lastSaid = Clock.monotonicMilliseconds()
                logger.info("replaying the journal: \(sequencer.office.position) of \(journal.lastPosition) entries")
            }
        }
    }

    /// Applies one entry, and sees whether this instance may go on.
    private func apply(_ entry: JournalEntry, to sequencer: inout Sequencer, _ publication: inout Publication) throws {
        try sequencer.apply(entry, now: Clock.monotonicMilliseconds(), into: &publication)
        if case .stopped(let cause) = sequencer.standing { throw RecoveryError.stopped(cause) }
    }

    private func sayStalled(_ reason: String) {
        logger.warning("the journal stands still: \(reason); waiting for it")
        thread.note(obstacle: reason)
    }

    private func sayFlowing() {
        logger.notice("the journal goes on")
        thread.note(obstacle: nil)
    }

    /// Journals this instance's start and settings and, if nothing is on sale yet, the first sale; returns once applied.
    private func begin(_ sequencer: inout Sequencer) throws {
        var publication = Publication(loops: max(1, loops))
        let commands = startCommands(isFirstStart: sequencer.office.concertCount == 0)
        var lastSaid = Clock.monotonicMilliseconds()
        for (ticket, command) in commands.enumerated() {
            sequencer.submit(Submission(command, origin: Origin(loop: 0, ticket: UInt64(ticket))), into: &publication)
        }
        var events: [JournalEvent] = []
        while publication.answers[0].count < commands.count {
            while let batch = sequencer.nextBatch(now: Clock.monotonicMilliseconds()) { journal.append(batch) }
            thread.waitForEvents(&events)
            for event in events {
                switch event {
                case .committed(let entries):
                    for entry in entries { try apply(entry, to: &sequencer, &publication) }
                case .stalled(let reason): sayStalled(reason)
                case .flowing: sayFlowing()
                case .caughtUp: break
                case .failed(let error): throw error
                }
            }
            events.removeAll(keepingCapacity: true)
            if Clock.monotonicMilliseconds() > lastSaid + 2_000 {
                lastSaid = Clock.monotonicMilliseconds()
                logger.info("waiting for the journal to take this instance's start")
            }
        }
        for answer in publication.answers[0] {
            switch answer.content {
            case .outcome(.refused(let refusal)):
                throw RecoveryError.refused(refusal.message, sale: commands[Int(answer.ticket)].body.map { "\($0)" } ?? "")
            case .journalFailed: throw RecoveryError.stopped(sequencer.standing == .rejoining ? .gone : .noRoom)
            case .outcome, .facts: break
            }
        }
    }

    /// What an instance says each time it begins. Not the settings of the sale, where it joins again: another may have been
    /// started with newer ones since.
    private var rejoining: [Command.Body] {
        [
            .instanceStarted(
                InstanceStarted(
                    sources: UInt32(loops), rules: BoxOffice.highestRules, name: instanceName,
                    address: settings.publicAddress ?? "")),
            .publishKey(PublishKey(ed25519: publicKey)),
        ]
    }

    private func startCommands(isFirstStart: Bool) -> [Command] {
        let configure = Configure(
            accountNeedsNoToken: !settings.accountNeedsActiveToken, maxCharge: settings.maxCharge,
            maxBalance: settings.maxBalance)
        var sale: [Command.Body] = []
        if isFirstStart, let firstSale {
            sale += firstSale.concerts.map { .putConcert(PutConcert(settings: $0, drawSeed: randomBytes(32))) }
            sale += firstSale.performances.map { .putPerformance($0) }
        }
        // Several instances may start for the first time together: by these ids the journal knows that they put on one sale,
        // and whoever comes second is told what the first one did.
        let ids = sale.indices.map { Uuid(high: journal.epoch.high | 1, low: journal.epoch.low &+ UInt64($0)) }
        return commands(rejoining + [.configure(configure)]) + commands(sale, ids: ids)
    }

    private func commands(_ bodies: [Command.Body], ids: [Uuid]? = nil) -> [Command] {
        bodies.indices.map { index in
            var command = Command()
            command.user = .developmentOperator
            command.requestId = ids?[index] ?? .random()
            command.operator = "start"
            command.body = bodies[index]
            return command
        }
    }
}

extension SequencerThread {
    /// Repeats `body` until the servers of a shared journal can be reached: where everything starts at once they come when
    /// they come. `/readyz` and the log say what is waited for.
    ///
    /// - Throws: what waiting does not mend.
    func waitForJournal<Result>(
        _ logger: Logger, _ body: () throws(JournalError) -> Result
    ) throws(JournalError) -> Result {
        while true {
            do throws(JournalError) {
                let result = try body()
                note(obstacle: nil)
                return result
            } catch {
                guard case .unreachable = error else { throw error }
                note(obstacle: error.description)
                logger.warning("waiting for the journal: \(error)")
            }
        }
    }
}

/// Why an instance can't start.
enum RecoveryError: Error, CustomStringConvertible {
    /// The first sale breaks a rule.
    case refused(String, sale: String)
    /// The instance may not go on with this journal.
    case stopped(StopCause)

    var description: String {
        switch self {
        case .refused(let message, let sale): "the sale can't be put on: \(message) (\(sale))"
        case .stopped(let cause): cause.advice
        }
    }
}

extension Uuid {
    /// A random UUID, version 4 (RFC 9562, section 5.4).
    static func random() -> Uuid {
        let bytes = randomBytes(16)
        func word(_ start: Int) -> UInt64 { bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        return Uuid(high: word(0) & ~0xF000 | 0x4000, low: word(8) & ~(0b11 << 62) | 0b10 << 62)
    }
}
