// A token bucket as one number (the generic cell rate algorithm, ITU-T I.371): instead of a level and when it was
// looked at last, the moment at which the bucket will be full again.
//
//      level = burst − (fullAt − now) / interval        interval = 1 s / perSecond
//
// Taking n tokens moves `fullAt` n intervals later, and is allowed while it stays within `burst` intervals of now.
// Eight bytes at rest for each bucket, nothing to refill. Nanoseconds, so that rates of bytes have intervals too.

/// How many of something are allowed: `burst` at once, and `perSecond` in the long run.
public struct RateLimit: Equatable, Sendable {
    /// Tokens that come back each second, at most 10⁹.
    public let perSecond: UInt32
    /// Tokens in a full bucket.
    public let burst: UInt32

    /// A rate above 0.
    public init(perSecond: UInt32, burst: UInt32) {
        precondition(1...1_000_000_000 ~= perSecond, "a rate is between 1 and 10⁹ a second")
        self.perSecond = perSecond
        self.burst = burst
    }

    /// More than any connection can send.
    public static let unlimited = RateLimit(perSecond: 1_000_000_000, burst: .max)

    fileprivate var interval: UInt64 { 1_000_000_000 / UInt64(perSecond) }
}

/// The state of one bucket, full at first.
struct TokenBucket: Equatable {
    private var fullAt: UInt64 = 0

    /// Takes `count` tokens at `now`, in monotonic milliseconds.
    ///
    /// Returns 0 when they were there; otherwise takes nothing and returns in how many milliseconds they will be, at
    /// least 1. (For a `count` above the burst they never will.)
    mutating func take(_ count: Int = 1, of limit: RateLimit, now: UInt64) -> UInt64 {
        let now = now &* 1_000_000
        let fullAt = max(self.fullAt, now) &+ UInt64(count) &* limit.interval
        let latest = now &+ UInt64(limit.burst) &* limit.interval
        guard fullAt <= latest else { return (fullAt - latest + 999_999) / 1_000_000 }
        self.fullAt = fullAt
        return 0
    }
}
