internal import CAllocations
internal import Glibc

/// What operations cost.
public struct Cost: Sendable {
    /// Processor time of an operation.
    public var nanoseconds: Double
    /// Calls of malloc and its kin in an operation.
    public var allocations: Double
}

extension Prepared {
    /// Runs the body once and says what an operation cost.
    ///
    /// - Throws: `WrongResult` if it did not come to what it should.
    public func measure() throws -> Cost {
        before()
        let clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID
        let allocationsBefore = allocations_of_this_thread()
        let start = Stopwatch.nanoseconds(of: clock)
        let result = run()
        let nanoseconds = Stopwatch.nanoseconds(of: clock) - start
        let allocations = allocations_of_this_thread() - allocationsBefore
        guard result == expected else { throw WrongResult(found: result, expected: expected) }
        return Cost(
            nanoseconds: Double(nanoseconds) / Double(operations), allocations: Double(allocations) / Double(operations))
    }

    /// The median of so many runs.
    public func measure(runs: Int) throws -> Cost {
        try Self.measureByTurns([self], runs: runs)[0]
    }

    /// Runs several bodies by turns, A B C A B C, and gives each one's median: what drifts on the machine drifts for all.
    public static func measureByTurns(_ bodies: [Prepared], runs: Int) throws -> [Cost] {
        var costs = [[Cost]](repeating: [], count: bodies.count)
        for _ in 0..<runs {
            for (index, body) in bodies.enumerated() { costs[index].append(try body.measure()) }
        }
        return costs.map { costs in
            Cost(
                nanoseconds: costs.map(\.nanoseconds).sorted()[costs.count / 2],
                allocations: costs.map(\.allocations).sorted()[costs.count / 2])
        }
    }
}

/// A benchmark that did something else than it should.
public struct WrongResult: Error {
    /// What its run returned.
    public var found: Int
    /// What it should have returned.
    public var expected: Int
}

/// Processor time and time.
public enum Stopwatch {
    /// Processor time of this thread.
    public static var threadNanoseconds: UInt64 { nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) }

    /// Processor time of all threads.
    public static var processNanoseconds: UInt64 { nanoseconds(of: CLOCK_PROCESS_CPUTIME_ID) }

    /// Time since some start.
    public static var monotonicNanoseconds: UInt64 { nanoseconds(of: CLOCK_MONOTONIC) }

    static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        // Safe: a place of one's own to write to.
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Allocations of this thread, for gates.
public enum Allocations {
    /// Whether they are counted: not under a sanitizer.
    public static var areCounted: Bool { allocations_are_counted() }

    /// How many `body` makes.
    public static func count(in body: () -> Void) -> UInt64 {
        let before = allocations_of_this_thread()
        body()
        return allocations_of_this_thread() - before
    }
}

/// Keeps the compiler from knowing what a value is, and from leaving out what made it.
@inline(never) public func opaque<Value>(_ value: Value) -> Value { value }
