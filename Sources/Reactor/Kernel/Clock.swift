internal import Glibc

/// The two clocks, in milliseconds.
public enum Clock {
    /// CLOCK_BOOTTIME: grows steadily, also while the machine sleeps; compare only within one boot.
    public static func monotonicMilliseconds() -> UInt64 { read(CLOCK_BOOTTIME) }

    /// CLOCK_REALTIME: since 1970; may jump.
    public static func wallMilliseconds() -> UInt64 { read(CLOCK_REALTIME) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        guard unsafe clock_gettime(clock, &time) == 0 else { fatalError("clock_gettime failed") }
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }
}

/// Where a loop has its times from. A test may give its own, and so decide when which timer fires.
struct LoopClock {
    /// Milliseconds that never go back.
    var monotonic: () -> UInt64
    /// Milliseconds since 1970.
    var wall: () -> UInt64

    static var system: LoopClock { LoopClock(monotonic: Clock.monotonicMilliseconds, wall: Clock.wallMilliseconds) }
}
