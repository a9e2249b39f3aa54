internal import Synchronization

/// A bounded queue from many threads to one, which it wakes.
///
/// Elements of one sender are delivered in the order sent. A full mailbox refuses: who must not be refused bounds what it
/// has under way (as a loop does its tickets).
///
/// The consumer takes everything at once by swapping arrays, so a sender holds the lock for one append and the consumer for
/// one exchange, and neither array allocates once it has grown.
public final class Mailbox<Element: Sendable>: Sendable {
    /// The most elements that wait.
    public let capacity: Int

    private struct State {
        var queue: [Element] = []
        var waker: Waker?
    }
    private let state = Mutex(State())

    /// A mailbox for at most `capacity` elements.
    public init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    // MARK: Senders, on any thread

    /// Sends one element.
    /// - Returns: false when the mailbox is full; nothing was sent then.
    public func send(_ element: Element) -> Bool {
        let (sent, waker) = state.withLock { state -> (Bool, Waker?) in
            guard state.queue.count < capacity else { return (false, nil) }
            state.queue.append(element)
            return (true, state.waker)
        }
        waker?.wake()
        return sent
    }

    /// Whether `send` would be refused just now: for senders that keep order by waiting.
    public var isFull: Bool { state.withLock { $0.queue.count >= capacity } }

    // MARK: The one consumer

    /// From now on senders wake this waker, which several mailboxes of one consumer may share.
    public func attach(to waker: Waker) {
        state.withLock { $0.waker = waker }
        waker.wake()
    }

    /// Whether nothing waits just now.
    public var isEmpty: Bool { state.withLock { $0.queue.isEmpty } }

    /// Exchanges `batch`, which must be empty, for everything that waits, oldest first. Keep the array from call to call and
    /// empty it with `removeAll(keepingCapacity: true)`: then nothing allocates.
    /// - Returns: whether there was anything.
    public func drain(into batch: inout [Element]) -> Bool {
        precondition(batch.isEmpty, "a batch is emptied before the next")
        return state.withLock { state in
            guard !state.queue.isEmpty else { return false }
            swap(&state.queue, &batch)
            return true
        }
    }

    /// Blocks a plain thread until something waits or the time is over. Needs a waker attached, and does not drain.
    /// A thread with several mailboxes calls `Waker.sleep(upTo:unless:)` itself.
    /// - Parameter milliseconds: at most so long; nil for as long as it takes.
    /// - Returns: whether something waits.
    public func wait(upTo milliseconds: UInt64?) -> Bool {
        guard let waker = state.withLock({ $0.waker }) else { preconditionFailure("attach a waker before waiting") }
        waker.sleep(upTo: milliseconds) { !isEmpty }
        return !isEmpty
    }
}
