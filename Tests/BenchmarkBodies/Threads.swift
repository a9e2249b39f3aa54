internal import Glibc
internal import Synchronization

/// Runs `work` on so many threads at once, which start together, and adds up what it returns.
func inParallel(threads: Int, _ work: @escaping @Sendable (Int) -> Int) -> Int {
    guard threads > 1 else { return work(0) }
    let crew = Crew(threads, work)
    // Safe: each thread gets a reference of its own and gives it up when it ends, before it is joined.
    var handles = [pthread_t](repeating: 0, count: threads)
    for index in 0..<threads {
        let start = unsafe Unmanaged.passRetained(Start(crew, index)).toOpaque()
        guard unsafe pthread_create(&handles[index], nil, runOneOfTheCrew, start) == 0 else { fatalError("no thread") }
    }
    for index in 0..<threads { pthread_join(handles[index], nil) }
    return crew.sum.load(ordering: .acquiring)
}

private final class Crew: Sendable {
    let waiting: Atomic<Int>
    let sum = Atomic(0)
    let work: @Sendable (Int) -> Int

    init(_ threads: Int, _ work: @escaping @Sendable (Int) -> Int) {
        waiting = Atomic(threads)
        self.work = work
    }

    func run(_ index: Int) {
        waiting.subtract(1, ordering: .acquiringAndReleasing)
        while waiting.load(ordering: .acquiring) > 0 { sched_yield() }
        sum.add(work(index), ordering: .acquiringAndReleasing)
    }
}

private final class Start: Sendable {
    private let crew: Crew
    private let index: Int

    init(_ crew: Crew, _ index: Int) {
        self.crew = crew
        self.index = index
    }

    func run() { crew.run(index) }
}

private func runOneOfTheCrew(_ start: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // Safe: the reference that `inParallel` gave to this thread.
    if let start = unsafe start { unsafe Unmanaged<Start>.fromOpaque(start).takeRetainedValue().run() }
    return nil
}
