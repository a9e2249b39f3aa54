import Glibc

private final class Work: Sendable {
    let body: @Sendable (Int) -> Void
    let index: Int
    init(_ index: Int, _ body: @escaping @Sendable (Int) -> Void) {
        self.index = index
        self.body = body
    }
}

/// Runs the body on so many real threads at once, each with its index, and returns when all have ended.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    var threads: [pthread_t] = []
    for index in 0..<count {
        var thread = pthread_t()
        // The thread takes over the reference that is passed retained.
        let work = unsafe Unmanaged.passRetained(Work(index, body)).toOpaque()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                let work = unsafe Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue()
                work.body(work.index)
                return nil
            }, work)
        precondition(result == 0, "no thread")
        threads.append(thread)
    }
    for thread in threads {
        let result = pthread_join(thread, nil)
        precondition(result == 0, "thread lost")
    }
}

/// Where threads wait for each other, again and again.
@safe final class Barrier: @unchecked Sendable {
    // One barrier at an address that stays; freed in deinit.
    private let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)

    init(_ count: Int) {
        let result = unsafe pthread_barrier_init(barrier, nil, UInt32(count))
        precondition(result == 0, "no barrier")
    }

    deinit {
        unsafe pthread_barrier_destroy(barrier)
        unsafe barrier.deallocate()
    }

    func wait() { unsafe _ = pthread_barrier_wait(barrier) }
}

/// Plain, unguarded numbers. Whoever changes one must be alone with it: the thread sanitizer tells if not.
@safe final class PlainNumbers: @unchecked Sendable {
    private let numbers: UnsafeMutableBufferPointer<Int>

    init(count: Int) {
        unsafe numbers = .allocate(capacity: count)
        unsafe numbers.initialize(repeating: 0)
    }

    deinit { unsafe numbers.deallocate() }

    subscript(index: Int) -> Int {
        get { unsafe numbers[index] }
        set { unsafe numbers[index] = newValue }
    }
}
