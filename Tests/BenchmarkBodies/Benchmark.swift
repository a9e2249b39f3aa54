// What a benchmark is, so that the same body is timed by `make bench` and run once, small and checked, by the tests.
//
// A harness of our own, since what is measured is processor time and allocations, by turns between implementations:
// google/swift-benchmark measures wall time of one after the other, and ordo-one/benchmark counts no allocations here.

/// One thing that is measured, at any size.
public struct Benchmark {
    /// What it is called in the table and on the command line.
    public let name: String
    /// The sizes at which it is measured, small to large; what they count is said in `sizeMeaning`.
    public let sizes: [Int]
    /// What n is.
    public let sizeMeaning: String
    /// The size at which the tests run it.
    public let testSize: Int
    /// The most allocations an operation may make; nil: not promised.
    public let allocationsMax: Double?
    /// The operations a second that are wanted at the largest size; nil: none.
    public let aimPerSecond: Double?
    /// Makes the body ready. Not measured.
    public let prepare: (_ size: Int) -> Prepared

    public init(
        _ name: String, sizes: [Int] = [1], of sizeMeaning: String = "", testSize: Int = 1, allocationsMax: Double? = nil,
        aimPerSecond: Double? = nil, prepare: @escaping (_ size: Int) -> Prepared
    ) {
        self.name = name
        self.sizes = sizes
        self.sizeMeaning = sizeMeaning
        self.testSize = testSize
        self.allocationsMax = allocationsMax
        self.aimPerSecond = aimPerSecond
        self.prepare = prepare
    }
}

/// A body that can be run again and again.
public struct Prepared {
    /// Operations of one run.
    public let operations: Int
    /// Threads that run it; with more than one the whole process's time counts.
    public let threads: Int
    /// Brings about what a run needs. Not measured.
    public let before: () -> Void
    /// What is measured. Its result must not be foreseeable to the compiler.
    public let run: () -> Int
    /// What `run` has to return.
    public let expected: Int

    public init(
        operations: Int, threads: Int = 1, expecting expected: Int, before: @escaping () -> Void = {},
        run: @escaping () -> Int
    ) {
        self.operations = operations
        self.threads = threads
        self.expected = expected
        self.before = before
        self.run = run
    }
}

extension Benchmark {
    /// All of them, in the order of the table.
    public static var all: [Benchmark] { codec + frames + seats + positions + applying }
}
