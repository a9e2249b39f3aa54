/// How long to wait before the next attempt: doubled each time up to a maximum, times a random factor from 0.5 to 1, so
/// that those who failed together do not come back together. (The rule of protocol/errors.json.)
public struct Backoff: Equatable, Sendable {
    /// The first wait, before the random factor.
    public let firstMilliseconds: UInt64
    /// The longest wait.
    public let longestMilliseconds: UInt64
    /// How many waits there have been since the last reset.
    public private(set) var count = 0

    /// A backoff that has not waited yet.
    public init(firstMilliseconds: UInt64, longestMilliseconds: UInt64) {
        precondition(firstMilliseconds > 0 && firstMilliseconds <= longestMilliseconds)
        self.firstMilliseconds = firstMilliseconds
        self.longestMilliseconds = longestMilliseconds
    }

    /// For connections: 1 s, doubled up to 60 s.
    public static var reconnecting: Backoff { Backoff(firstMilliseconds: 1_000, longestMilliseconds: 60_000) }

    /// For calls that the server asks to repeat: 100 ms, doubled up to 10 s.
    public static var repeating: Backoff { Backoff(firstMilliseconds: 100, longestMilliseconds: 10_000) }

    /// The next wait in milliseconds.
    public mutating func next(using random: inout some RandomNumberGenerator) -> UInt64 {
        let doublings = min(count, 32)
        count += 1
        let whole = min(firstMilliseconds << doublings, longestMilliseconds)
        return UInt64.random(in: whole / 2...whole, using: &random)
    }

    /// The next wait in milliseconds.
    public mutating func next() -> UInt64 {
        var random = SystemRandomNumberGenerator()
        return next(using: &random)
    }

    /// Starts again from the first wait.
    public mutating func reset() { count = 0 }
}
