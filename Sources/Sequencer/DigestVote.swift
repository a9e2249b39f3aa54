// Which of the instances have the same state: at each checkpoint, a fixed position, every one says in the journal what its
// digest is, and every one counts.
//
//   more than half of the living, and at least two, say             I have diverged
//   something else than I have
//   all of the living have spoken, and no digest has more than half  nobody knows who is right: all have to stop
//   otherwise                                                        wait: for who has not spoken, or to be declared gone
//
// Who lives is asked when it is counted, at the same positions on every instance. Those that did not live at the checkpoint
// never speak of it and keep an open one from being settled; the digest runs on, so the next one settles it.
//
// Two at least, since one that lived alone for a while is no witness against another: neither could ever come back from that.
//
// A digest that is not known here (the instance began after that position) is compared with nothing. Ties count only while the
// instance runs: what others could not settle before its time must not keep it from starting, while a majority that it differs from
// means that its own replay came to something else.

/// The votes on the digests of the last checkpoints.
struct DigestVote {
    /// Checkpoints kept: claims for older ones come too late.
    static let kept = 8

    private struct Round {
        let position: UInt64
        /// What this instance had there.
        let digest: UInt64
        /// By whom, in the order in which they came. (A handful.)
        var claims: [(instance: UInt32, digest: UInt64)] = []
        var isSettled = false
    }

    private let interval: UInt64
    /// Oldest first.
    private var rounds: [Round] = []
    /// The last checkpoint at which most had what this instance has; 0: none yet.
    private(set) var agreed: UInt64 = 0

    init(every interval: UInt64) { self.interval = interval }

    /// Whether digests are compared at a position.
    func isCheckpoint(_ position: UInt64) -> Bool { position > 0 && position.isMultiple(of: interval) }

    /// What this instance has at a position, if that is a checkpoint.
    mutating func note(_ digest: UInt64, at position: UInt64) {
        guard isCheckpoint(position) else { return }
        rounds.append(Round(position: position, digest: digest))
        if rounds.count > Self.kept { rounds.removeFirst() }
    }

    /// What an instance says that it had. Its last word counts; words on positions not kept are not heard.
    mutating func claim(_ digest: UInt64, at position: UInt64, by instance: UInt32) {
        guard let round = rounds.firstIndex(where: { $0.position == position }) else { return }
        rounds[round].claims.removeAll { $0.instance == instance }
        rounds[round].claims.append((instance, digest))
    }

    /// Lets go of what is open: a new run has no part in it.
    mutating func forgetOpen() { rounds.removeAll { !$0.isSettled } }

    /// Counts what is open.
    ///
    /// - Returns: the first checkpoint by which this instance has to stop; nil: there is none.
    mutating func count(living: [UInt32], countsTies: Bool) -> UInt64? {
        for index in rounds.indices where !rounds[index].isSettled {
            let round = rounds[index]
            let claims = round.claims.filter { living.contains($0.instance) }
            let count = { (digest: UInt64) in claims.count { $0.digest == digest } }
            if count(round.digest) * 2 > living.count {
                rounds[index].isSettled = true
                agreed = max(agreed, round.position)
            } else {
                let most = claims.map { count($0.digest) }.max() ?? 0
                if most >= 2, most * 2 > living.count { return round.position }
                if countsTies, claims.count == living.count, !claims.isEmpty { return round.position }
            }
        }
        return nil
    }
}
