// What loops do: claim and undo. The rules S1 to S6 stand at the head of SeatShard.swift.

extension SeatShard {
    /// Claims one seat. Allocates nothing, and for a seat that is not to be had writes nothing either: whoever loses a
    /// stampede reads one word.
    public func claim(_ seat: UInt16, by id: ClaimID) -> ClaimResult {
        guard Int(seat) < seatCount else { return .invalid(seats: Few(one: seat)) }
        switch claimWord(seat, id) {
        case .claimed(let claimed): return .claimed(Claim(id: id, seats: Few(one: claimed)))
        case .refused(let word):
            return word.state == .available ? .contended(seats: Few(one: seat)) : .taken(seats: Few(one: seat))
        }
    }

    /// Claims all of the seats or none, in ascending order whatever order they are named in.
    public func claim(_ seats: [UInt16], by id: ClaimID) -> ClaimResult {
        if seats.count == 1 { return claim(seats[0], by: id) }
        let seats = zip(seats, seats.dropFirst()).allSatisfy { $0 < $1 } ? seats : seats.sorted()
        let invalid = seats.indices.filter { Int(seats[$0]) >= seatCount || ($0 > 0 && seats[$0 - 1] == seats[$0]) }
        guard !seats.isEmpty, invalid.isEmpty else { return .invalid(seats: Few(invalid.map { seats[$0] })) }
        // Look before claiming, so that a hopeless wish disturbs nobody.
        if seats.contains(where: { state(of: Int($0)).tag != .available }), let clash = clash(seats) { return clash }
        var claimed: [ClaimedSeat] = []
        claimed.reserveCapacity(seats.count)
        for seat in seats {
            switch claimWord(seat, id) {
            case .claimed(let one): claimed.append(one)
            case .refused(let word):
                _ = release(claimed)
                return clash(seats, met: seat, word) ?? .contended(seats: Few(one: seat))
            }
        }
        return .claimed(Claim(id: id, seats: Few(claimed)))
    }

    /// Claims the best available seats by ``bestAvailable(seatCount:count:isFree:)``, where a seat claimed by others is not free.
    ///
    /// - Parameter allowsScattered: whether seats that are not next to each other will do where there are no others.
    ///   They are taken at once, even if seats together might come back from claims that are under way.
    /// - Returns: a count below 1 is `tooFew`. After ``bestAttemptsMax`` attempts that others got ahead of, `contended`.
    public func claimBest(count: Int, allowsScattered: Bool, by id: ClaimID) -> BestClaimResult {
        for _ in 0..<Self.bestAttemptsMax {
            let free = freeCount
            guard count >= 1, count <= free else { return .tooFew(free: free) }
            let result: ClaimResult
            var isTogether = true
            // One seat is the usual wish, and needs no list.
            if count == 1, let seat = bestStart(seatCount: seatCount, count: 1, isFree: isUnclaimed) {
                result = claim(UInt16(seat), by: id)
            } else if let choice = bestAvailable(seatCount: seatCount, count: count, isFree: isUnclaimed),
                choice.isTogether || allowsScattered
            {
                isTogether = choice.isTogether
                result = claim(choice.seats, by: id)
            } else {
                return missing(count, allowsScattered)
            }
            if case .claimed(let claim) = result { return .claimed(claim, isTogether: isTogether) }
        }
        return .contended
    }

    /// Each attempt fails only because another thread claimed one of the seats in the same moment.
    public static var bestAttemptsMax: Int { 8 }

    /// Gives a claim back. For the loop that made it, before the sequencer has accepted the command.
    ///
    /// Seats that have been published meanwhile stay as they are.
    /// - Returns: how many seats it freed.
    @discardableResult
    public func undo(_ claim: Claim) -> Int { release(claim.seats) }

    // MARK: Steps

    private enum Attempt {
        case claimed(ClaimedSeat)
        /// The word that was in the way.
        case refused(SeatWord)
    }

    private func claimWord(_ seat: UInt16, _ id: ClaimID) -> Attempt {
        var found = state(of: Int(seat))
        while found.tag == .available {
            let desired = found.next(.claimed, id.bits)
            let previous = exchange(Int(seat), found, desired)
            if previous == found { return .claimed(ClaimedSeat(seat: seat, word: desired)) }
            // Somebody changed it in between; if it is available again, try again.
            found = previous
        }
        return .refused(found)
    }

    /// Names all seats in the way; nil if none is any more.
    ///
    /// - Parameter met: a seat already found in the way, with its word then.
    private func clash(_ seats: [UInt16], met: UInt16? = nil, _ word: SeatWord? = nil) -> ClaimResult? {
        var taken: [UInt16] = []
        var claimed: [UInt16] = []
        for seat in seats {
            let found = if seat == met, let word { word } else { state(of: Int(seat)) }
            switch found.tag {
            case .available: break
            case .claimed: claimed.append(seat)
            case .held, .sold: taken.append(seat)
            }
        }
        if !taken.isEmpty { return .taken(seats: Few(taken)) }
        return claimed.isEmpty ? nil : .contended(seats: Few(claimed))
    }

    private func isUnclaimed(_ seat: Int) -> Bool { state(of: seat).tag == .available }

    /// Why no choice was found: claims in the way, or too few seats together even without them.
    private func missing(_ count: Int, _ allowsScattered: Bool) -> BestClaimResult {
        let choice = bestAvailable(seatCount: seatCount, count: count) { state(of: $0).state == .available }
        guard let choice else { return .tooFew(free: freeCount) }
        return choice.isTogether || allowsScattered ? .contended : .notTogether
    }
}
