public import SeatMap
public import UsherAPI

/// Where an outcome goes: a loop of this instance and the ticket under which it keeps the call.
public struct Origin: Sendable, Hashable {
    public var loop: Int
    public var ticket: UInt64

    public init(loop: Int, ticket: UInt64) {
        self.loop = loop
        self.ticket = ticket
    }
}

/// Seats that a loop has claimed in the published image for a hold it submits. From the submission on only the
/// sequencer touches them: it settles the claim when the entry comes back.
public struct SeatClaim: Sendable {
    public var shard: SeatShard
    public var claim: Claim

    public init(shard: SeatShard, claim: Claim) {
        self.shard = shard
        self.claim = claim
    }

    /// For the loop, if the command could not be submitted.
    public func undo() { shard.undo(claim) }

    /// For the sequencer, once the outcome is published: seats the hold did not get are free again; those it got are HELD
    /// by now and match the claim no more.
    func settle() { shard.settle(claim) }
}

/// A command on its way to the journal. Without an origin nobody waits for its outcome.
public struct Submission: Sendable {
    public var command: Command
    public var origin: Origin?
    public var claim: SeatClaim?

    public init(_ command: Command, origin: Origin? = nil, claim: SeatClaim? = nil) {
        self.command = command
        self.origin = origin
        self.claim = claim
    }
}

/// What a call wants to know of the state machine that the published image does not show.
public enum Question: Sendable {
    case balance(Uuid)
    case transactions(Uuid, before: UInt64)
    case reservations(Uuid, before: UInt64)
    case payments(Uuid, before: UInt64)
    /// That of this user; what is another's is nothing, as it may be after a restore from an older backup.
    case token(UInt64, of: Uuid)
    case liveToken(user: Uuid, concert: Int)
    case stats(concert: Int?)
}
