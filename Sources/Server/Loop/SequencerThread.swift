import BoxOffice
import Foundation
import Journal
import Logging
import Reactor
import Sequencer
import Synchronization

/// The one thread that applies entries. It sleeps until a command, a committed entry or a deadline wakes it, does a round,
/// and never waits for a loop.
///
///     round: entries that were committed ─▶ apply │ commands ─▶ gather │ questions ─▶ answer │ next batch ─▶ journal
///            ─▶ each loop's inbox: the delta of all of it, then its answers
final class SequencerThread: Sendable {
    private let waker: Waker
    /// Commands and questions from all loops. Its bound is the sale's: what does not fit is refused with a retry hint.
    let commands = Mailbox<ToSequencer>(capacity: 65_536)
    /// What the journal says: rounds of entries, few since its thread waits where they are not taken (a replay reads faster
    /// than entries are applied).
    private let events = Mailbox<JournalEvent>(capacity: 16)
    /// Commands gathered for coming batches before the rest is left in the mailbox, whose bound then tells the loops.
    private static let gatheredMax = 16_384
    private let control = Mutex(Control())

    private struct Control {
        var isStopping = false
        /// Say goodbye first, but be through by this monotonic time.
        var leaveBy: UInt64?
        var status = InstanceStatus()
        /// Who wants to know the neighbours.
        var neighbourQuestion: Handoff<[String]>?
        /// The journal no longer has the entries that come next.
        var isOvertaken = false
        var whenOvertaken: (@Sendable () -> Void)?
    }

    init() throws(SystemError) {
        waker = try Waker()
        commands.attach(to: waker)
        events.attach(to: waker)
    }

    /// Takes what the journal delivers. From the journal's thread.
    func hear(_ event: JournalEvent) {
        while !events.send(event), !control.withLock({ $0.isStopping }) { Foundation.Thread.sleep(forTimeInterval: 0.001) }
    }

    /// Blocks until the journal has said something. For recovery, before `run`.
    func waitForEvents(_ heard: inout [JournalEvent]) {
        while !events.drain(into: &heard) {
            waker.sleep(upTo: nil) { !events.isEmpty }
        }
    }

    /// Makes `run` journal this instance's stop, so that others need not wait for it to fall silent, and return: after so many
    /// milliseconds at the latest, also if the journal stands still.
    func stop(within milliseconds: UInt64) {
        control.withLock { $0.leaveBy = Clock.monotonicMilliseconds() + milliseconds }
        waker.wake()
    }

    /// Has something done once the others have gone on for so long that the journal no longer has what this instance needs
    /// next: only a start, from a snapshot, brings it back. At once if that is so already.
    func whenOvertaken(_ body: @escaping @Sendable () -> Void) {
        let isOvertaken = control.withLock { control in
            control.whenOvertaken = body
            return control.isOvertaken
        }
        if isOvertaken { body() }
    }

    private func noteOvertaken() {
        let body = control.withLock { control in
            control.isOvertaken = true
            return control.whenOvertaken
        }
        body?()
    }

    /// Takes no more of what the journal says: nobody will run.
    func abandon() { control.withLock { $0.isStopping = true } }

    /// How it stands. From any thread.
    var status: InstanceStatus { control.withLock { $0.status } }

    /// The addresses of the instances that live beside this one, empty texts for those that have none of their own. Waits
    /// for the thread's next round, a second at most; then nobody is known.
    func neighbours() -> [String] {
        let answer = Handoff<[String]>()
        control.withLock { $0.neighbourQuestion = answer }
        waker.wake()
        return answer.take(within: .seconds(1)) ?? []
    }

    /// Runs until it has left. An instance that has stopped for good still answers, that it has.
    ///
    /// - Parameters:
    ///   - sequencer: caught up with the journal; nothing of it is used elsewhere.
    ///   - entryApplied: called after each entry with its position and the digest, for snapshots.
    ///   - hasDiverged: called with the state of an instance that stops since its state is not the others'.
    func run(
        _ sequencer: consuming Sequencer, journal: any Journal, inboxes: [LoopInbox], pageItems: Int, metrics: Metrics,
        logger: Logger, entryApplied: (_ position: UInt64, _ digest: UInt64) -> Void,
        hasDiverged: (_ snapshot: [UInt8], _ position: UInt64) -> Void = { _, _ in }
    ) {
        var sequencer = sequencer
        var heard: [JournalEvent] = []
        var said: [ToSequencer] = []
        var appends = AppendTimes()
        var standing = Standing.serving
        note(sequencer, journal)
        while true {
            let leaveBy = control.withLock { $0.leaveBy }
            // Not before what the loops have said last: it may be whose departure has to be told.
            if let leaveBy, commands.isEmpty || Clock.monotonicMilliseconds() >= leaveBy {
                sequencer.leave()
                if sequencer.hasLeft || Clock.monotonicMilliseconds() >= leaveBy { break }
            }
            let takesCommands = sequencer.gatheredCount < Self.gatheredMax
            waker.sleep(upTo: idleTime(sequencer, metrics, leaveBy: leaveBy)) {
                !events.isEmpty || takesCommands && !commands.isEmpty
                    || control.withLock { $0.leaveBy != leaveBy || $0.neighbourQuestion != nil }
            }
            control.withLock { $0.neighbourQuestion.take() }?.give(sequencer.neighbours)
            var publication = Publication(loops: inboxes.count)
            if events.drain(into: &heard) {
                for event in heard { take(event, &sequencer, &publication, &appends, metrics, logger, entryApplied) }
                heard.removeAll(keepingCapacity: true)
            }
            if takesCommands, commands.drain(into: &said) {
                for message in said { take(message, &sequencer, &publication, pageItems, metrics) }
                said.removeAll(keepingCapacity: true)
            }
            sequencer.losePatience(now: Clock.monotonicMilliseconds(), into: &publication)
            sequencer.note(journalEnd: journal.lastPosition)
            while let batch = sequencer.nextBatch(now: Clock.monotonicMilliseconds()) {
                journal.append(batch)
                appends.appended()
            }
            metrics.claimsOverruled.add(publication.claimsLost)
            var loopStanding = LoopStanding(standing: sequencer.standing, rejoins: sequencer.rejoins)
            if case .stopped = loopStanding.standing { loopStanding.neighbours = sequencer.neighbours }
            for (index, inbox) in inboxes.enumerated() {
                inbox.put(publication.delta, answers: publication.answers[index], standing: loopStanding)
            }
            if loopStanding.standing != standing {
                say(loopStanding.standing, after: standing, sequencer, logger)
                if case .stopped(.diverged(_, let position)) = loopStanding.standing {
                    hasDiverged(sequencer.office.snapshot(), position)
                }
                standing = loopStanding.standing
            }
            note(sequencer, journal)
            metrics.sale.refresh(from: sequencer, now: Clock.monotonicMilliseconds())
        }
        // The journal's thread waits no more for what it says to be taken.
        control.withLock { $0.isStopping = true }
    }

    private func idleTime(_ sequencer: borrowing Sequencer, _ metrics: Metrics, leaveBy: UInt64?) -> UInt64? {
        let now = Clock.monotonicMilliseconds()
        return [sequencer.idleTime(now: now), metrics.sale.idleTime(now: now), leaveBy.map { $0 - min($0, now) }]
            .compactMap(\.self).min()
    }

    /// Notes how far a recovery has come.
    func note(_ position: UInt64, of journalEnd: UInt64) {
        control.withLock { $0.status = InstanceStatus(position: position, journalEnd: journalEnd) }
    }

    /// Notes what a start waits for, or that it goes on.
    func note(obstacle: String?) { control.withLock { $0.status.obstacle = obstacle } }

    private func note(_ sequencer: borrowing Sequencer, _ journal: any Journal) {
        let status = InstanceStatus(
            position: sequencer.office.position, journalEnd: journal.lastPosition, standing: sequencer.standing,
            rejoins: sequencer.rejoins)
        control.withLock { $0.status = status }
    }

    /// Tells the log how the instance stands now.
    private func say(_ standing: Standing, after former: Standing, _ sequencer: borrowing Sequencer, _ logger: Logger) {
        switch standing {
        case .serving: logger.notice("commands are taken again, at journal position \(sequencer.office.position)")
        case .stalled(let reason):
            if case .stalled = former { return }
            logger.warning("the journal stands still: \(reason); commands are refused until it goes on, by itself")
        case .behind: logger.warning("this instance has fallen behind the journal; commands are refused until it has caught up")
        case .rejoining: logger.warning("the other instances had declared this one gone; joining them again")
        case .leaving: logger.info("leaving")
        case .stopped(let cause): logger.critical("\(cause.advice)")
        }
    }

    private func take(
        _ event: JournalEvent, _ sequencer: inout Sequencer, _ publication: inout Publication, _ appends: inout AppendTimes,
        _ metrics: Metrics, _ logger: Logger,
        _ entryApplied: (UInt64, UInt64) -> Void
    ) {
        switch event {
        case .committed(let entries):
            for entry in entries {
                if case .stopped = sequencer.standing { return }
                do throws(SequencerError) {
                    try sequencer.apply(entry, now: Clock.monotonicMilliseconds(), into: &publication)
                    metrics.entries.add()
                    metrics.sale.entryApplied()
                    // What an instance that was declared gone had under way has not come back: it is not waited for.
                    let isCounted = sequencer.standing != .rejoining
                    appends.heard(inFlight: sequencer.inFlightCount, into: isCounted ? metrics.journalLatency : nil)
                    entryApplied(entry.position, sequencer.office.digest)
                } catch {
                    logger.critical("journal entry \(entry.position) can't be read: \(error)")
                    sequencer.stop(.undecodable(position: entry.position), into: &publication)
                }
            }
        case .caughtUp:
            break
        case .stalled(let reason):
            sequencer.journalStalled(reason, now: Clock.monotonicMilliseconds(), into: &publication)
        case .flowing:
            sequencer.journalFlows()
        case .failed(let error):
            logger.critical("the journal failed: \(error); nothing more is acknowledged")
            sequencer.journalFailed(into: &publication)
            if case .trimmed = error { noteOvertaken() }
        }
    }

    private func take(
        _ message: ToSequencer, _ sequencer: inout Sequencer, _ publication: inout Publication, _ pageItems: Int,
        _ metrics: Metrics
    ) {
        switch message {
        case .submission(let submission):
            metrics.commands.add()
            sequencer.submit(submission, into: &publication)
        case .question(let question, let origin):
            sequencer.answer(question, origin: origin, pageItems: pageItems, into: &publication)
        }
    }
}
