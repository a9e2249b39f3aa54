import Glibc

/// State under a mutex, with one condition to wait for its change. (`Synchronization.Mutex` has no condition, and
/// ThreadSanitizer does not see it lock.)
///
/// Unchecked Sendable holds because the state is touched only between lock and unlock.
@safe final class Monitor<State>: @unchecked Sendable {
    private var state: State
    // Allocated, since a pthread object must not move.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>

    init(_ state: State) {
        self.state = state
        unsafe mutex = .allocate(capacity: 1)
        unsafe changed = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)  // a set wall clock must not shorten a wait
        unsafe pthread_cond_init(changed, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe pthread_mutex_destroy(mutex)
        unsafe changed.deallocate()
        unsafe mutex.deallocate()
    }

    /// Read the state.
    func read<R>(_ body: (State) -> R) -> R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body(state)
    }

    /// Change the state and wake those who wait for it.
    func update<R>(_ body: (inout State) -> R) -> R {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(changed)
            unsafe pthread_mutex_unlock(mutex)
        }
        return body(&state)
    }

    /// Wait until `take` gives something.
    func wait<R>(_ take: (inout State) -> R?) -> R {
        while true {
            if let taken = wait(atMostMilliseconds: .max, take) { return taken }
        }
    }

    /// Wait until `take` gives something; `nil` when it has not for so long. 0 looks once.
    func wait<R>(atMostMilliseconds limit: UInt64, _ take: (inout State) -> R?) -> R? {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        if let taken = take(&state) { return taken }
        guard limit > 0 else { return nil }
        guard limit < .max else {
            while true {
                unsafe pthread_cond_wait(changed, mutex)
                if let taken = take(&state) { return taken }
            }
        }
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
        deadline.tv_sec += Int(limit / 1_000)
        deadline.tv_nsec += Int(limit % 1_000) * 1_000_000
        if deadline.tv_nsec >= 1_000_000_000 {
            deadline.tv_sec += 1
            deadline.tv_nsec -= 1_000_000_000
        }
        while unsafe pthread_cond_timedwait(changed, mutex, &deadline) == 0 {
            if let taken = take(&state) { return taken }
        }
        return take(&state)
    }
}

/// A detached POSIX thread.
enum JournalThread {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// The calling thread.
    static var current: UInt { UInt(pthread_self()) }

    /// Run `body` on a thread of its own, named for tools such as `top -H` (at most 15 bytes).
    static func start(name: String, _ body: @escaping @Sendable () -> Void) {
        let result = unsafe create(Unmanaged.passRetained(Body(name: name, body)).toOpaque())
        precondition(result == 0, "pthread_create: error \(result)")
    }

    /// The new thread takes over the reference that `context` holds.
    private static func create(_ context: UnsafeMutableRawPointer) -> Int32 {
        var thread = pthread_t()
        let result = unsafe pthread_create(&thread, nil, enter, context)
        if result == 0 { pthread_detach(thread) }
        return result
    }

    private static let enter: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        let body = unsafe Unmanaged<Body>.fromOpaque(context!).takeRetainedValue()
        setName(body.name)
        body.run()
        return nil
    }

    /// As `pthread_setname_np`, which Glibc's module map lacks. Failing to is no harm.
    private static func setName(_ name: String) {
        let descriptor = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = unsafe write(descriptor, name, name.utf8.count)
        _ = Glibc.close(descriptor)
    }
}
