import Glibc

/// Where a journal's time comes from. Tests and the simulator bring their own.
public struct JournalClock: Sendable {
    /// Milliseconds since 1970; may jump either way.
    public var wallMilliseconds: @Sendable () -> UInt64
    /// Milliseconds since some start; runs on through suspends and never goes back.
    public var elapsedMilliseconds: @Sendable () -> UInt64

    public init(
        wallMilliseconds: @escaping @Sendable () -> UInt64, elapsedMilliseconds: @escaping @Sendable () -> UInt64
    ) {
        self.wallMilliseconds = wallMilliseconds
        self.elapsedMilliseconds = elapsedMilliseconds
    }

    /// CLOCK_REALTIME and CLOCK_BOOTTIME.
    public static let system = JournalClock(
        wallMilliseconds: { milliseconds(of: CLOCK_REALTIME) },
        elapsedMilliseconds: { milliseconds(of: CLOCK_BOOTTIME) })

    private static func milliseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
    }
}

/// Time stamps of one opening of a journal: the wall clock is read once, at the start, and never again, so that
/// setting it moves no deadline; from there on time elapses. A start before the last stamp goes on from that.
struct TimeStamper {
    private let clock: JournalClock
    private let base: UInt64
    private let elapsedAtStart: UInt64
    private(set) var last: UInt64

    init(clock: JournalClock, last: UInt64) {
        self.clock = clock
        self.last = last
        base = max(clock.wallMilliseconds(), last)
        elapsedAtStart = clock.elapsedMilliseconds()
    }

    /// The stamp for entries committed now; never less than any before, nor than `floor`.
    mutating func next(atLeast floor: UInt64 = 0) -> UInt64 {
        let elapsed = clock.elapsedMilliseconds()
        let now = base + (elapsed > elapsedAtStart ? elapsed - elapsedAtStart : 0)
        last = max(last, now, floor)
        return last
    }
}
