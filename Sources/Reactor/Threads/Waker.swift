internal import CLinux
internal import Glibc
internal import Synchronization

/// Wakes one thread that sleeps, and costs one atomic exchange when it does not.
///
/// The consumer says that it is about to sleep, looks once more whether there is work, and only then sleeps:
///
///     consumer: asleep = true · look at the queues (under their locks) · poll the eventfd
///     producer: append (under the lock) · if asleep was true, set it false and write the eventfd
///
/// A producer whose append the consumer's look missed locks after that look, so it sees `asleep` and writes. Only the first
/// producer after the consumer went to sleep writes; the others find `asleep` false.
public final class Waker: Sendable {
    let event: Descriptor
    private let asleep = Atomic<Bool>(false)
    private let written = Atomic<UInt64>(0)

    /// A waker of its own eventfd.
    /// - Throws: `SystemError` when the process has no descriptor left.
    public init() throws(SystemError) {
        event = try Descriptor(eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC)), from: "eventfd")
    }

    /// How often the eventfd was written: the wake-ups that cost a system call.
    public var wakeUpCount: UInt64 { written.load(ordering: .relaxed) }

    /// Wakes the thread if it sleeps or is about to. From any thread; never blocks.
    public func wake() {
        // Pairs with fallAsleep's exchange: whoever reads true owes the write.
        guard asleep.exchange(false, ordering: .sequentiallyConsistent) else { return }
        written.wrappingAdd(1, ordering: .relaxed)
        // Can only fail when the counter is full (2⁶⁴−2), and then the thread is awake anyway.
        eventfd_write(event.raw, 1)
    }

    /// Sleeps until `wake()` or the time is over, unless there is work already. Only the one consuming thread may call it.
    /// - Parameters:
    ///   - milliseconds: at most so long; nil for as long as it takes.
    ///   - busy: asked after producers can see the intent to sleep: true when there is work.
    public func sleep(upTo milliseconds: UInt64?, unless busy: () -> Bool) {
        fallAsleep()
        defer { rise() }
        if busy() { return }
        var entry = pollfd(fd: event.raw, events: Int16(POLLIN), revents: 0)
        let timeout = milliseconds.map { Int32(clamping: $0) } ?? -1
        if unsafe poll(&entry, 1, timeout) > 0 { clear() }
    }

    // The loop sleeps in epoll_wait instead, between these two.
    func fallAsleep() { asleep.store(true, ordering: .sequentiallyConsistent) }
    func rise() { asleep.store(false, ordering: .sequentiallyConsistent) }

    /// Takes the event away, after the eventfd was found readable.
    func clear() {
        var count: eventfd_t = 0
        _ = unsafe eventfd_read(event.raw, &count)
    }
}
