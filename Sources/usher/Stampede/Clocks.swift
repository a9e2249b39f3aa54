import Glibc

/// Clocks finer than the loop's, read at the moment something is heard.
enum Clocks {
    /// CLOCK_MONOTONIC in microseconds.
    static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) }

    /// Since 1970 in microseconds.
    static func wall() -> UInt64 { read(CLOCK_REALTIME) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        guard unsafe clock_gettime(clock, &time) == 0 else { fatalError("clock_gettime failed") }
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }
}
