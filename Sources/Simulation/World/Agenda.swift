/// What will happen, in order of (time, order of entry): the only order there is in a world.
struct Agenda {
    private struct Item {
        let time: UInt64
        let event: () -> Void
    }

    /// The latest first, so that the next one is taken off the end.
    private var items: [Item] = []
    private(set) var now: UInt64 = 0

    mutating func add(after milliseconds: UInt64, _ event: @escaping () -> Void) {
        let time = now + milliseconds
        var low = 0
        var high = items.count
        while low < high {
            let middle = (low + high) / 2
            if items[middle].time > time { low = middle + 1 } else { high = middle }
        }
        items.insert(Item(time: time, event: event), at: low)
    }

    /// Moves on to the next event not after `end`; nil when there is none.
    mutating func next(until end: UInt64) -> (() -> Void)? {
        guard let item = items.last, item.time <= end else { return nil }
        items.removeLast()
        now = item.time
        return item.event
    }

    mutating func removeAll() { items = [] }
}
