// The calls of one connection that have not ended. Most connections have one, so this is a plain array, which costs
// nothing until a call is opened, and grows one, two, four, … Ids only grow, so appending keeps it sorted; a few dozen
// are searched by halves and closed up on removal, faster than any hash table.
//
// Invariants
//   1. Entries are in ascending order of id.
//   2. `earliestDeadline` is the smallest deadline of all entries that still wait for theirs (`.max`: none).

/// What a table keeps of a call, whichever side it is.
protocol CallEntry {
    var id: UInt32 { get }
    /// Monotonic milliseconds; `.max` when there is none, or no longer.
    var deadline: UInt64 { get set }
}

struct CallTable<Entry: CallEntry> {
    private var entries: [Entry] = []
    private(set) var earliestDeadline = UInt64.max

    var count: Int { entries.count }

    var all: [Entry] { entries }

    /// Where the call's entry is, nil if it has ended.
    func index(of id: UInt32) -> Int? {
        let index = lowerBound(id)
        return index < entries.count && entries[index].id == id ? index : nil
    }

    subscript(index: Int) -> Entry { entries[index] }

    /// Changes an entry, but neither its id nor its deadline.
    mutating func update(_ index: Int, _ change: (inout Entry) -> Void) {
        change(&entries[index])
    }

    /// Adds a call whose id is above all others.
    mutating func append(_ entry: Entry) {
        entries.append(entry)
        earliestDeadline = min(earliestDeadline, entry.deadline)
    }

    mutating func remove(at index: Int) {
        let deadline = entries.remove(at: index).deadline
        // After a burst the memory goes back; one call after another keeps what one needs.
        if entries.isEmpty, entries.capacity > 4 { entries = [] }
        if deadline == earliestDeadline { findEarliest() }
    }

    /// The first call above `id` whose deadline has come by `now`. Its deadline is cleared, so that it comes once.
    mutating func nextExpired(above id: UInt32, now: UInt64) -> Int? {
        guard earliestDeadline <= now else { return nil }
        var index = id == .max ? entries.count : lowerBound(id + 1)
        while index < entries.count {
            if entries[index].deadline <= now {
                clearDeadline(index)
                return index
            }
            index += 1
        }
        return nil
    }

    /// The call waits for its deadline no longer.
    mutating func clearDeadline(_ index: Int) {
        let deadline = entries[index].deadline
        entries[index].deadline = .max
        if deadline != .max, deadline == earliestDeadline { findEarliest() }
    }

    private mutating func findEarliest() {
        earliestDeadline = .max
        for entry in entries { earliestDeadline = min(earliestDeadline, entry.deadline) }
    }

    /// The index of the first entry whose id is at least `id`.
    private func lowerBound(_ id: UInt32) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
