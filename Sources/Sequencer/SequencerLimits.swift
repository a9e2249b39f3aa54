public import Wire

/// How much goes into a batch and how many are on their way.
public struct SequencerLimits: Sendable {
    /// 1 with a local file: a second append would only wait for the first one's fsync.
    public var batchesInFlightMax = 1
    /// 64 KiB is where a replicated stream's rate stops growing; entries stay far below its 1 MB bound.
    public var batchBytesMax = 64 * 1024
    public var batchCommandsMax = 4096
    /// A due deadline is retried no more often than this, lest a slow journal be flooded with empty entries.
    public var clockEntryIntervalMilliseconds: UInt64 = 50
    /// With several instances on one journal: this long after its last batch one with nothing to say appends an empty entry,
    /// lest the others, who count entries, declare it gone. Nil: it is alone.
    public var heartbeatMilliseconds: UInt64?
    /// By how much each further instance waits longer before it appends an empty entry for a due deadline. More than the
    /// interval and a round trip, so that the first one's comes before.
    public var clockEntryStaggerMilliseconds: UInt64 = 60
    /// In a stall: after so long the callers of what is under way are told that its outcome is unknown.
    public var outcomePatienceMilliseconds: UInt64 = 2_000
    /// At so many entries behind the journal's end it takes no commands, until it is a quarter of that. Nil: it is never
    /// looked at.
    public var behindMax: UInt64?
    /// After how many positions the instances compare their digests. Nil: there is nobody to compare with.
    public var checkpointEvery: UInt64?

    /// For an instance that has its journal alone.
    public init() {}

    /// For one of several on a journal. Two batches in flight: while one is being acknowledged by the replicas the next is on
    /// its way; more gain little, since a batch grows with the load, and each is one more that may be stored out of order.
    public static var shared: SequencerLimits {
        var limits = SequencerLimits()
        limits.batchesInFlightMax = 2
        limits.heartbeatMilliseconds = 500
        limits.behindMax = 2_048
        limits.checkpointEvery = 1_024
        return limits
    }
}

/// Why the journal's contents can't be used.
public enum SequencerError: Error, Sendable {
    /// An entry that is none.
    case undecodable(position: UInt64, WireError)
    /// An entry that is not the next one: those between are lost to this instance, and its state would be another.
    case outOfOrder(position: UInt64, expected: UInt64)
    /// Replaying the journal up to here gave another state than the live one: nothing can be trusted any more.
    case diverged(position: UInt64)
}
