/// What checks the promises, each by its own means.
public enum Checker: String, CaseIterable, Sendable {
    /// BoxOffice.checkInvariants after every entry.
    case invariants
    /// The plain sale says something else.
    case model
    /// What clients were told, and when, is not what the journal's order says (linearizability, one outcome per request id).
    case history
    /// Join numbers, places, caps and turns, counted from the changes alone (I3, I4).
    case line
    /// What clients know at the end is not what the journal has: seats, money, places (I1, I2, I5).
    case ledger
    /// A snapshot or a replay gives other bytes (I6).
    case replay
    /// Two instances differ at the same position.
    case agreement
    /// The published seats or a loop's picture of the line are not the state's.
    case image
    /// One side of a connection broke the rules of calls.
    case calls
    /// A client's slowness costs more than its bound (I7).
    case memory
    /// With all faults over, something never came to rest.
    case rest
}

/// A promise that was broken.
public struct Finding: Sendable, CustomStringConvertible {
    public let checker: Checker
    public let atMilliseconds: UInt64
    public let what: String

    public var description: String { "\(checker.rawValue): \(what) (at \(atMilliseconds) ms)" }
}
