// The published image of one performance's seats, and the claims on them: one atomic word a seat (drawn in SeatWord.swift).
//
// Who writes
//  - Any loop: AVAILABLE → CLAIMED by itself, and its own claim back to AVAILABLE (`claim`, `undo`).
//  - The one sequencer: everything else (`publish`), and claims whose command it has accepted (`settle`).
//  - Every change is one compare-and-swap of the whole word and adds one to its version.
//
// What holds, and why
//  S1  A seat has at most one claimant. A claim replaces a word that says AVAILABLE; of all exchanges that expect one value exactly
//      one finds it, since all changes of a word have one total order (its modification order) and the version makes each
//      value in it new. So of two claims that share a seat at most one is complete: none can win "its half" and count as a winner,
//      because a claim counts only when all its exchanges succeeded, and is undone otherwise.
//  S2  A claim is a filter, not a decision. The state machine keeps its own seats and decides in journal order; `publish` overwrites
//      a claim without asking. So even a misuse of this class can give nobody a seat: it can only waste a command.
//  S3  An undo frees nothing but its own claim. It expects the very word that the claim wrote, claimant and version included.
//      If the seat was published, or claimed anew (even under the same ticket, after it wrapped), the version is another
//      and the exchange fails. The version repeats after 2^30 changes of one seat; a claim lives for milliseconds.
//  S4  Undo and settle of one claim can't both free a seat, by the same argument; who ends it is agreed all the same: the loop until
//      the sequencer has accepted the command, the sequencer from then on.
//  S5  `publish` ends: it retries only when a loop's claim or undo got in between. It leaves AVAILABLE and CLAIMED as they are when
//      told AVAILABLE, so a claim that came early survives a hold's release by the same entry.
//  S6  In every clash between claims somebody gets on: claims are made in ascending seat order, so the claimant of the seat at which
//      one gave up can itself give up only at a higher seat. The highest such seat's claimant does not give up, unless at a
//      held or sold seat. Nobody waits for anybody.
//
// Memory order
//  - Words: exchanges are acquiring and releasing, loads acquiring. What an S-rule needs is only the modification order of the
//    single word, which any ordering gives. Acquire and release make a reader that sees the sequencer's HELD also see everything
//    the sequencer did before, and the sequencer that overwrites or settles a claim see what the loop did before claiming.
//  - The number free has one writer; it lives on a line of its own, which claims never touch. It is a hint, behind by the one
//    entry that is just being published.
//
// What is shown to people is not read here: each loop has its own copy of the states at a known revision, brought up to date by
// deltas, so that a snapshot and the changes after it fit together exactly.

/// The seats of one performance: read by all threads, claimed by loops, written by the sequencer.
///
/// Seats are named by index from 0. All methods are safe on any thread at any time; none waits.
public final class SeatShard: Sendable {
    /// The numbers of seats a performance can have.
    public static let seatCounts = 1...65_535

    /// How many seats there are.
    public let seatCount: Int
    /// One word a seat.
    let words: AtomicWords
    /// Written by the sequencer only.
    private let free = AtomicWords(count: 1)

    /// A shard with all seats available.
    ///
    /// - Precondition: `seatCounts` contains the count.
    public init(seatCount: Int) {
        precondition(Self.seatCounts.contains(seatCount), "a performance has 1 to 65,535 seats")
        self.seatCount = seatCount
        words = AtomicWords(count: seatCount)
        free.store(UInt64(seatCount), at: 0)
    }

    // MARK: Reading

    /// The seat's word now.
    ///
    /// - Precondition: the seat exists.
    public func state(of seat: Int) -> SeatWord { SeatWord(bits: words.load(seat)) }

    /// Seats neither held nor sold, claimed ones included. Behind the words by the entry that is just being published.
    public var freeCount: Int { Int(truncatingIfNeeded: free.load(0)) }

    // MARK: For the sequencer only

    /// Makes the seat what the state machine says it is, over any claim.
    ///
    /// AVAILABLE leaves a seat that is available or claimed as it is. A state and holder that the seat has already change nothing.
    /// - Parameter holder: a number that means something to the caller, such as part of a reservation's; 0 for AVAILABLE.
    /// - Returns: whether the state, or its holder, changed.
    /// - Precondition: the seat exists. Only one thread publishes.
    @discardableResult
    public func publish(_ seat: Int, _ state: SeatState, holder: UInt32 = 0) -> Bool {
        let (tag, owner): (SeatWord.Tag, UInt32) =
            switch state {
            case .available: (.available, 0)
            case .held: (.held, holder)
            case .sold: (.sold, holder)
            }
        var found = self.state(of: seat)
        while true {
            // Only publish moves a word out of AVAILABLE and CLAIMED for good or back to them, so this can't go stale.
            if state == .available, found.state == .available { return false }
            if found.tag == tag, found.owner == owner { return false }
            let previous = exchange(seat, found, found.next(tag, owner))
            if previous == found { break }
            found = previous
        }
        if found.state == .available {
            changeFree(by: -1)
        } else if state == .available {
            changeFree(by: 1)
        }
        return true
    }

    /// Ends a claim whose command has been decided and whose outcome has been published: what still stands as claimed by it
    /// becomes available. Harmless if nothing does.
    ///
    /// - Returns: how many seats it freed.
    @discardableResult
    public func settle(_ claim: Claim) -> Int { release(claim.seats) }

    private func changeFree(by difference: Int) {
        // Load and store need not be one step: there is one writer.
        free.store(UInt64(truncatingIfNeeded: freeCount + difference), at: 0)
    }

    // MARK: Words

    /// Replaces the word if it is the one expected; returns the one found.
    func exchange(_ seat: Int, _ expected: SeatWord, _ desired: SeatWord) -> SeatWord {
        SeatWord(bits: words.compareExchange(seat, expected: expected.bits, desired: desired.bits))
    }

    /// Frees those of the seats that still have the word their claim left.
    func release(_ seats: some Sequence<ClaimedSeat>) -> Int {
        var freed = 0
        for claimed in seats where exchange(Int(claimed.seat), claimed.word, claimed.word.next(.available, 0)) == claimed.word {
            freed += 1
        }
        return freed
    }
}
