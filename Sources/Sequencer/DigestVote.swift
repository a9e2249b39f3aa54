// Which of the instances have the same state: at each checkpoint, a fixed position, every one says in the journal what its
// digest is, and every one counts.
//
//   more than half of the voters, and at least two, say              I have diverged
//   something else than I have
//   all voters have spoken, and no digest has more than half         nobody knows who is right: all have to stop
//   otherwise                                                        wait: for who has not spoken, or for the next checkpoint
//
// The voters of a checkpoint are all who wrote since the one before it, and it and their claims are taken as the journal has
// them: not as this instance's state has it, which may be what is wrong. (Whoever has lost an entry takes all that another
// writes after it for out of turn, ignores it, declares it gone, and would be right all alone.) Everyone who lives writes twice
// a second. Who dies on the way to a checkpoint never speaks of it and may keep it from being settled; the digest runs on, so
// the next one settles it.
//
// Two at least, since one that lived alone for a while is no witness against another: neither could ever come back from that.
//
// A checkpoint that began before this instance was there is compared with nothing. Ties count only while it runs: what others
// could not settle before its time must not keep it from starting, while a majority that it differs from means that its own
// replay came to something else.

/// The votes on the digests of the last checkpoints.
struct DigestVote {
    /// Checkpoints kept: claims for older ones come too late.
    static let kept = 8

    private struct Round {
        let position: UInt64
        /// What this instance had there.
        let digest: UInt64
        let voters: [UInt32]
        /// By whom, in the order in which they came. (A handful.)
        var claims: [(instance: UInt32, digest: UInt64)] = []
        var isSettled = false
    }

    private let interval: UInt64
    /// Oldest first.
    private var rounds: [Round] = []
    /// Who has written since the last checkpoint.
    private var voters: [UInt32] = []
    /// The first position heard.
    private var firstHeard: UInt64?
    /// The last checkpoint at which most had what this instance has; 0: none yet.
    private(set) var agreed: UInt64 = 0

    init(every interval: UInt64) { self.interval = interval }

    /// Hears of an entry, in the journal's order.
    ///
    /// - Parameter digest: what this instance has after it.
    /// - Returns: whether digests are compared at its position.
    mutating func hear(_ position: UInt64, by instance: UInt32, digest: UInt64) -> Bool {
        let first = firstHeard ?? position
        firstHeard = first
        if !voters.contains(instance) { voters.append(instance) }
        guard position.isMultiple(of: interval) else { return false }
        if position - first + 1 >= interval {
            rounds.append(Round(position: position, digest: digest, voters: voters))
            if rounds.count > Self.kept { rounds.removeFirst() }
        }
        voters = []
        return true
    }

    /// What an instance says that it had. Its last word counts; words on positions not kept, and of others than the voters, are
    /// not heard.
    mutating func claim(_ digest: UInt64, at position: UInt64, by instance: UInt32) {
        guard let round = rounds.firstIndex(where: { $0.position == position && $0.voters.contains(instance) }) else { return }
        rounds[round].claims.removeAll { $0.instance == instance }
        rounds[round].claims.append((instance, digest))
    }

    /// Lets go of what is open: a new run has no part in it.
    mutating func forgetOpen() { rounds.removeAll { !$0.isSettled } }

    /// Counts what is open.
    ///
    /// - Returns: the first checkpoint by which this instance has to stop; nil: there is none.
    mutating func count(countsTies: Bool) -> UInt64? {
        for index in rounds.indices where !rounds[index].isSettled {
            let round = rounds[index]
            let isMost = { (count: Int) in count * 2 > round.voters.count }
            let count = { (digest: UInt64) in round.claims.count { $0.digest == digest } }
            if isMost(count(round.digest)) {
                rounds[index].isSettled = true
                agreed = max(agreed, round.position)
            } else {
                let most = round.claims.map { count($0.digest) }.max() ?? 0
                if isMost(most) {
                    if most >= 2 { return round.position }
                } else if countsTies, round.claims.count == round.voters.count {
                    return round.position
                }
            }
        }
        return nil
    }
}
