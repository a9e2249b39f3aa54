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
        var position: UInt64 = 0
        var isWritable = true
        /// Who wants to know the neighbours.
        var neighbourQuestion: Handoff<[String]>?
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

    /// Makes `run` return after its present round.
    func stop() {
        control.withLock { $0.isStopping = true }
        waker.wake()
    }

    /// The last position applied, and whether commands are still taken. From any thread.
    var state: (position: UInt64, isWritable: Bool) { control.withLock { ($0.position, $0.isWritable) } }

    /// The addresses of the instances that live beside this one, empty texts for those that have none of their own. Waits
    /// for the thread's next round, a second at most; then nobody is known.
    func neighbours() -> [String] {
        let answer = Handoff<[String]>()
        control.withLock { $0.neighbourQuestion = answer }
        waker.wake()
        return answer.take(within: .seconds(1)) ?? []
    }

    /// Runs until stopped or the journal failed and everybody has been told.
    ///
    /// - Parameters:
    ///   - sequencer: caught up with the journal; nothing of it is used elsewhere.
    ///   - entryApplied: called after each entry with its position and the digest, for snapshots.
    func run(
        _ sequencer: consuming Sequencer, journal: any Journal, inboxes: [LoopInbox], pageItems: Int, metrics: Metrics,
        logger: Logger, entryApplied: (_ position: UInt64, _ digest: UInt64) -> Void
    ) {
        var sequencer = sequencer
        var heard: [JournalEvent] = []
        var said: [ToSequencer] = []
        note(sequencer.office.position, isWritable: sequencer.isWritable)
        while !control.withLock({ $0.isStopping }) {
            let takesCommands = sequencer.gatheredCount < Self.gatheredMax
            waker.sleep(upTo: sequencer.idleTime(now: Clock.monotonicMilliseconds())) {
                !events.isEmpty || takesCommands && !commands.isEmpty
                    || control.withLock { $0.isStopping || $0.neighbourQuestion != nil }
            }
            control.withLock { $0.neighbourQuestion.take() }?.give(sequencer.neighbours)
            var publication = Publication(loops: inboxes.count)
            if events.drain(into: &heard) {
                for event in heard { take(event, &sequencer, &publication, metrics, logger, entryApplied) }
                heard.removeAll(keepingCapacity: true)
            }
            if takesCommands, commands.drain(into: &said) {
                for message in said { take(message, &sequencer, &publication, pageItems, metrics) }
                said.removeAll(keepingCapacity: true)
            }
            while let batch = sequencer.nextBatch(now: Clock.monotonicMilliseconds()) { journal.append(batch) }
            for (index, inbox) in inboxes.enumerated() {
                inbox.put(publication.delta, answers: publication.answers[index], isWritable: sequencer.isWritable)
            }
            note(sequencer.office.position, isWritable: sequencer.isWritable)
        }
    }

    private func note(_ position: UInt64, isWritable: Bool) {
        control.withLock {
            $0.position = position
            $0.isWritable = isWritable
        }
    }

    private func take(
        _ event: JournalEvent, _ sequencer: inout Sequencer, _ publication: inout Publication, _ metrics: Metrics,
        _ logger: Logger,
        _ entryApplied: (UInt64, UInt64) -> Void
    ) {
        switch event {
        case .committed(let entries):
            for entry in entries where sequencer.isWritable {
                do throws(SequencerError) {
                    try sequencer.apply(entry, now: Clock.monotonicMilliseconds(), into: &publication)
                    metrics.entries.add()
                    entryApplied(entry.position, sequencer.office.digest)
                    if !sequencer.isWritable {
                        logger.critical(
                            "other instances have declared this one gone; nothing more is acknowledged. Restart the server")
                    }
                } catch {
                    logger.critical("journal entry \(entry.position) can't be read (\(error)); nothing more is acknowledged")
                    sequencer.journalFailed(into: &publication)
                }
            }
        case .caughtUp, .stalled, .flowing:
            break
        case .failed(let error):
            logger.critical("the journal failed: \(error); nothing more is acknowledged. Free the cause and restart the server")
            sequencer.journalFailed(into: &publication)
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
