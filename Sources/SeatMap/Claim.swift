/// A seat together with the word that the claim left there.
///
/// The word holds the claimant and the version, so it stands in the seat only as long as nothing else has happened to it.
public struct ClaimedSeat: Hashable, Sendable {
    /// The index of the seat.
    public let seat: UInt16
    let word: SeatWord
}

/// One or several seats of one performance, set aside until the journal has decided.
///
/// It belongs to the loop that claimed, which ends it by `undo`, or hands it to the sequencer with the command; from then
/// on only the sequencer ends it, by `settle`. A claim that is neither undone nor settled blocks its seats for other claims.
public struct Claim: Hashable, Sendable {
    /// Who claimed.
    public let id: ClaimID
    /// The seats, ascending.
    public let seats: Few<ClaimedSeat>
}

/// What became of a claim of named seats.
public enum ClaimResult: Hashable, Sendable {
    /// All seats are claimed.
    case claimed(Claim)
    /// Nothing is claimed: these seats are held or sold.
    case taken(seats: Few<UInt16>)
    /// Nothing is claimed, and none of the seats was seen held or sold: others are claiming these. Worth a retry.
    case contended(seats: Few<UInt16>)
    /// Nothing is claimed: these seats don't exist or were named twice. An empty list, too, is invalid.
    case invalid(seats: Few<UInt16>)
}

/// What became of a claim of the best available seats.
public enum BestClaimResult: Hashable, Sendable {
    /// So many seats are claimed; `isTogether` unless only scattered ones were left and the caller allowed them.
    case claimed(Claim, isTogether: Bool)
    /// Nothing is claimed: others are claiming seats without which the wish can't be met. Worth a retry.
    case contended
    /// Nothing is claimed: there are enough free seats, but not so many together, and scattered ones weren't allowed.
    case notTogether
    /// Nothing is claimed: fewer seats than wished for are neither held nor sold.
    case tooFew(free: Int)
}
