import Reactor
import Sequencer
import Synchronization

/// The way from the sequencer to one loop: a delta into which everything is merged until the loop takes it, and the
/// answers to the loop's tickets. Never a queue: the delta is bounded by the state, the answers by the tickets a loop may
/// have out, so there is always room and the sequencer never waits.
final class LoopInbox: Sendable {
    private struct Content {
        var delta = Delta()
        var answers: [Answer] = []
        var standing = LoopStanding()
    }

    private let content = Mutex(Content())
    /// Rings once for whatever has come; capacity 1 is enough.
    private let doorbell = Mailbox<Bool>(capacity: 1)

    /// Adds what a round brought. From the sequencer's thread.
    func put(_ delta: Delta, answers: [Answer], standing: LoopStanding) {
        let isNews = content.withLock { content in
            if !delta.isEmpty { content.delta.merge(delta) }
            content.answers.append(contentsOf: answers)
            defer { content.standing = standing }
            return !delta.isEmpty || !answers.isEmpty || standing != content.standing
        }
        if isNews { _ = doorbell.send(true) }
    }

    /// Calls `take` on the loop's thread once a turn when something has come; the delta is to be applied before the
    /// answers are.
    func attach(to loop: EventLoop, _ take: @escaping (_ delta: Delta, _ answers: [Answer], _ standing: LoopStanding) -> Void) {
        loop.attach(doorbell) { [self] _ in
            let (delta, answers, standing) = content.withLock { content in
                defer {
                    content.delta = Delta()
                    content.answers = []
                }
                return (content.delta, content.answers, content.standing)
            }
            take(delta, answers, standing)
        }
    }
}
