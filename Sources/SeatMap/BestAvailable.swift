// Which seats to give to someone who asks for n of them without naming any.
//
// This file depends on nothing, and the function is pure: a loop uses it to suggest and claim, the state machine to decide,
// and the same free seats give the same choice on every instance.
//
// Seats stand in one row in the order of their index; neighbours are next to each other. A maximal stretch of free seats is a gap.
//
//   ■ □ □ □ □ ■        taking two of a gap of four:  ■ x x □ □ ■  leaves no orphan
//       gap                                          ■ □ x x □ ■  leaves two
//
// An orphan is a gap of one: a single free seat stranded between taken ones or at an end of the row. Hardly anyone wants it.

/// The seats chosen.
public struct SeatChoice: Equatable, Sendable {
    /// Ascending indices.
    public let seats: [UInt16]
    /// Whether they are next to each other.
    public let isTogether: Bool

    /// A choice.
    public init(seats: [UInt16], isTogether: Bool) {
        self.seats = seats
        self.isTogether = isTogether
    }
}

/// The best `count` seats among the free ones, or nil if fewer than `count` are free.
///
/// In this order: seats next to each other; fewest orphans left in the row afterwards (so one seat alone goes into an orphan, if
/// there is one); lowest indices. Where no gap is long enough, the lowest-numbered free seats, scattered (`isTogether` false): the
/// caller decides whether that will do.
///
/// Total: a count below 1 or above the number of seats gives nil. Time O(`seatCount`), less where an early gap cannot be bettered.
/// - Parameter isFree: asked for indices below `seatCount`, each at most twice. Should the answers change in
///   between, the choice may be out of date, but is well formed.
public func bestAvailable(seatCount: Int, count: Int, isFree: (Int) -> Bool) -> SeatChoice? {
    let seatCount = min(seatCount, Int(UInt16.max) + 1)
    if let first = bestStart(seatCount: seatCount, count: count, isFree: isFree) {
        return SeatChoice(seats: (first..<first + count).map { UInt16($0) }, isTogether: true)
    }
    guard count >= 1, count <= seatCount else { return nil }
    var seats: [UInt16] = []
    for seat in 0..<seatCount where isFree(seat) {
        seats.append(UInt16(seat))
        if seats.count == count { return SeatChoice(seats: seats, isTogether: false) }
    }
    return nil
}

/// The first seat of the best `count` adjacent free seats, or nil if no gap is that long. Allocates nothing.
func bestStart(seatCount: Int, count: Int, isFree: (Int) -> Bool) -> Int? {
    guard count >= 1, count <= seatCount else { return nil }
    // One seat alone may take an orphan away; more can at best make none.
    let leastPossible = count == 1 ? -1 : 0
    var best: (start: Int, orphans: Int)?
    var gapStart = 0
    for seat in 0...seatCount where seat == seatCount || !isFree(seat) {
        let gap = gapStart..<seat
        gapStart = seat + 1
        guard gap.count >= count else { continue }
        let orphans = orphansAdded(taking: count, from: gap.count)
        // Gaps come in ascending order, so an equal one loses to the one before.
        if orphans < best?.orphans ?? .max { best = (gap.lowerBound, orphans) }
        if orphans == leastPossible { break }
    }
    return best?.start
}

/// By how much the number of orphans changes when the first `count` seats of a gap are taken.
///
/// The start of a gap is as good as any place in it: nothing is left over before, and what is left over behind is an orphan only if
/// it is exactly one seat, which then is alone at whichever end it stands.
private func orphansAdded(taking count: Int, from gapCount: Int) -> Int {
    switch gapCount - count {
    case 0: gapCount == 1 ? -1 : 0
    case 1: 1
    default: 0
    }
}
