// What applying an entry changed, for those who tell the world: everything in the order it happened.

public import UsherAPI

/// What entries changed. The caller owns it, hands it to `apply`, reads it and empties it.
public struct Effects: Sendable {
    /// One for each command of the entry, in their order; none if the entry was ignored.
    public var outcomes: [Outcome] = []
    /// What moved in the lines.
    public var lines: [LineChange] = []
    /// Ids of tokens to look at again: those that became active, are active and changed (deadlines, reservations), or
    /// ended, whatever they were. Each once for each entry. A new waiting token is not among them, nor one whose
    /// presence changed, nor those whose waiting ended because their line closed: the line's state says that of all.
    public var tokens: [UInt64] = []
    /// Seats that changed.
    public var seats: [SeatChange] = []
    /// Settings, line states, dates or prices changed, or concerts and performances were added.
    public var catalogueChanged = false
    /// Notices to all who wait.
    public var notices: [SentNotice] = []
    /// Instances declared gone because others went on without them. One that finds itself here stops serving and starts
    /// again with a new incarnation: entries of this one are ignored from now on.
    public var instancesGone: [InstanceGone] = []

    /// Nothing.
    public init() {}

    /// Forgets everything.
    public mutating func removeAll(keepingCapacity: Bool = true) {
        outcomes.removeAll(keepingCapacity: keepingCapacity)
        lines.removeAll(keepingCapacity: keepingCapacity)
        tokens.removeAll(keepingCapacity: keepingCapacity)
        seats.removeAll(keepingCapacity: keepingCapacity)
        catalogueChanged = false
        notices.removeAll(keepingCapacity: keepingCapacity)
        instancesGone.removeAll(keepingCapacity: keepingCapacity)
    }
}

/// One thing that happened in a line, named by the index of its concert. A loop that applies all of them in order to
/// its own sets of waiting and active places has the truth.
public enum LineChange: Equatable, Sendable {
    /// A new waiting token, at the place that equals its join number.
    case joined(line: Int, joinNumber: UInt64, token: UInt64)
    /// A waiting token ended: left, or absent for too long. Not sent for those that a closing line ends.
    case left(line: Int, place: UInt64)
    /// A waiting token became active.
    case admitted(line: Int, place: UInt64, token: UInt64)
    /// An active token ended.
    case ended(line: Int, place: UInt64)
    /// Each join number n up to `places.count` got the place `places[n - 1]`, by `Draw.places(seed:count:)`.
    case drawn(line: Int, seed: [UInt8], places: [UInt32])
    /// The line's state. CLOSED: every waiting token has ended, so the set of waiting places is empty now.
    case state(line: Int, LineState)
}

/// One seat's change.
public struct SeatChange: Equatable, Sendable {
    /// Index of the performance.
    public var performance: Int
    /// Of the performance: counts its seats' changes.
    public var revision: UInt64
    /// The seat's number, from 1.
    public var seat: UInt32
    /// Its state now.
    public var state: SeatState
    /// The reservation that holds or owns it; 0: none.
    public var reservation: UInt64

    /// A change.
    public init(performance: Int, revision: UInt64, seat: UInt32, state: SeatState, reservation: UInt64) {
        self.performance = performance
        self.revision = revision
        self.seat = seat
        self.state = state
        self.reservation = reservation
    }
}

/// A notice and whom it concerns.
public struct SentNotice: Equatable, Sendable {
    /// Index of the concert.
    public var concert: Int
    /// Its text, number and time.
    public var notice: Notice
}

/// An instance that is no longer counted on.
public struct InstanceGone: Equatable, Sendable {
    /// Its id.
    public var instance: UInt32
    /// The run of it that ended.
    public var incarnation: UInt64
}
