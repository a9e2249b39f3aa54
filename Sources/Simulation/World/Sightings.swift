/// What happened in a world, or in many: a simulation in which something never happens says nothing about it.
public struct Sightings: Sendable {
    /// Something worth counting.
    public enum Event: String, CaseIterable, Sendable {
        case worlds, entries, commands, joins, admissions, holds
        case expiredHolds = "expired holds"
        case payments, cancellations, refusals
        /// Not their incarnation's next: repeated, or stored out of order.
        case ignoredEntries = "ignored entries"
        /// Commands whose request id was in the journal already.
        case repeats
        /// Of a line in which somebody waited.
        case closings
        /// Noticed while somebody was in the line.
        case outages
        /// Instances declared gone.
        case evictions
        /// Instances that joined again by themselves after that.
        case rejoins
        /// Their next entries, stored all the same.
        case lateEntries = "late entries"
        /// Times in which the log took nothing of an instance for a second or more.
        case stalls
        /// Digests said for the others to compare.
        case checkpoints
        /// Instances that stopped, since their state was not the others'.
        case divergences
        /// Instances that stopped in good order.
        case departures
        case starts
        case startsFromSnapshots = "starts from snapshots"
        case brokenConnections = "broken connections"
        /// Holds refused by a door, without the journal.
        case lostClaims = "lost claims"
        /// Pushes that had to wait for credit or for a reader, and were merged into later ones.
        case heldBack = "held-back pushes"

        fileprivate var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    private var counts = [Int](repeating: 0, count: Event.allCases.count)

    /// Nothing.
    public init() {}

    /// How often it happened.
    public subscript(event: Event) -> Int { counts[event.index] }

    mutating func add(_ event: Event, _ count: Int = 1) { counts[event.index] += count }

    /// Adds another's.
    public mutating func add(_ other: Sightings) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }
}

extension Sightings: CustomStringConvertible {
    public var description: String {
        Event.allCases.map { "\(self[$0]) \($0.rawValue)" }.joined(separator: ", ")
    }
}
