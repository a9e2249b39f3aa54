/// A timer that was scheduled; names nothing once it fired or was cancelled, so a stale token is harmless.
public struct TimerToken: Equatable, Sendable {
    var index: UInt32
    var generation: UInt32

    /// A token of no timer.
    public static let none = TimerToken(index: .max, generation: 0)
}

/// Timers with a resolution of a millisecond: schedule and cancel are O(1), and what one call may cost is bounded.
///
/// A hierarchical wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987). `current` is the next
/// millisecond to fire:
///
///     level 0: 256 slots of 1 ms        deadline − current < 256: slot deadline mod 256
///     level 1:  64 slots of 256 ms      else by the distance in units of the slot
///     level 2:  64 slots of 16.4 s
///     level 3:  64 slots of 17.5 min    what lies further waits in the last slot and is placed again from there
///
/// When `current` reaches the start of an upper slot its timers are placed anew, further down ("cascade"). A timer of level 1
/// or above is never in the slot that `current` lies in, unless that slot's cascade is pending (invariant 1), so a cascade
/// never refills the slot it empties. Both cascading and firing draw on a budget, and `current` stays where it is while
/// something is left there: a million timers due at once are spread over several turns, late but in order of their
/// milliseconds.
///
/// Nodes live in one array with a free list: rescheduling allocates nothing once the array has grown.
struct TimerWheel<Payload>: ~Copyable {
    private struct Node {
        var deadline: UInt64 = 0
        var next: Int32 = -1
        var previous: Int32 = -1
        var slot: Int32 = -1  // −1: free
        var generation: UInt32 = 0
        var payload: Payload?
    }

    private var nodes: [Node] = []
    private var freeNodes: [UInt32] = []
    private var heads = [Int32](repeating: -1, count: 256 + 3 * 64)
    /// One bit a slot: words 0–3 are level 0, words 4, 5 and 6 the levels above.
    private var occupied = [UInt64](repeating: 0, count: 7)
    private var current: UInt64
    /// The earliest millisecond a new timer may get: past `current` once something fired there, so that a timer which
    /// reschedules itself "now" cannot keep one call busy for ever.
    private var earliest: UInt64
    private var cascadePending = false
    private(set) var count = 0

    /// An empty wheel whose time is `now`.
    init(now: UInt64) {
        current = now
        earliest = now
    }

    // MARK: Scheduling

    mutating func schedule(at deadline: UInt64, _ payload: Payload) -> TimerToken {
        let index: Int
        if let free = freeNodes.popLast() {
            index = Int(free)
        } else {
            index = nodes.count
            nodes.append(Node())
        }
        nodes[index].payload = payload
        place(index, at: deadline)
        count += 1
        return TimerToken(index: UInt32(index), generation: nodes[index].generation)
    }

    /// Moves a live timer. Returns false when it has fired or was cancelled.
    mutating func reschedule(_ token: TimerToken, at deadline: UInt64) -> Bool {
        guard isLive(token) else { return false }
        unlink(Int(token.index))
        place(Int(token.index), at: deadline)
        return true
    }

    /// Returns false when the timer has fired or was cancelled before.
    @discardableResult
    mutating func cancel(_ token: TimerToken) -> Bool {
        guard isLive(token) else { return false }
        _ = take(Int(token.index))
        return true
    }

    private func isLive(_ token: TimerToken) -> Bool {
        token.index < nodes.count && nodes[Int(token.index)].generation == token.generation && nodes[Int(token.index)].slot >= 0
    }

    // MARK: Time

    /// Takes the next timer whose deadline is `now` or before, or nil when none is left or the budget is used up.
    /// Each timer fired or moved to a lower level costs one of `budget`.
    mutating func popDue(now: UInt64, budget: inout Int) -> Payload? {
        if count == 0 {
            if current <= now { step(to: now + 1) }
            cascadePending = false
            return nil
        }
        while current <= now {
            if cascadePending {
                guard cascade(&budget) else { return nil }
                cascadePending = false
            }
            let head = heads[Int(current & 255)]
            if head >= 0 {
                guard budget > 0 else { return nil }
                budget -= 1
                earliest = current + 1
                return take(Int(head))
            }
            step(to: min(now + 1, nextStop()))
        }
        return nil
    }

    /// When to look again: the next deadline if it is near, else the next cascade before it. Nil without timers.
    var nextWakeUp: UInt64? {
        guard count > 0 else { return nil }
        var best = UInt64.max
        if let distance = distance(inWords: 0..<4, from: Int(current & 255)) { best = current + UInt64(distance) }
        for level in 1...3 {
            let unit = Self.shift(level)
            if let distance = distance(inWords: (3 + level)..<(4 + level), from: Int((current >> unit) & 63)) {
                best = min(best, ((current >> unit) + UInt64(distance)) << unit)
            }
        }
        return best
    }

    private mutating func step(to time: UInt64) {
        if time >> 8 != current >> 8 { cascadePending = true }
        current = time
        earliest = max(earliest, time)
    }

    /// The next occupied slot of level 0 in this block of 256, or the start of the next block; with level 0 empty, the start of
    /// the next occupied slot above, since nothing happens at the blocks between.
    private func nextStop() -> UInt64 {
        if occupied[0] | occupied[1] | occupied[2] | occupied[3] == 0, let next = nextWakeUp { return next }
        let block = (current >> 8) << 8
        var word = Int(current & 255) >> 6
        var bits = occupied[word] & (~0 << (current & 63))
        while bits == 0 {
            word += 1
            if word == 4 { return block + 256 }
            bits = occupied[word]
        }
        return block + UInt64(word << 6 + bits.trailingZeroBitCount)
    }

    /// How far from `start`, going once round and ending in the word it began in, the first occupied slot of these words lies.
    private func distance(inWords words: Range<Int>, from start: Int) -> Int? {
        let slotCount = words.count * 64
        var visited = 0
        while visited < slotCount {
            let slot = (start + visited) & (slotCount - 1)
            let bits = occupied[words.lowerBound + slot >> 6] >> UInt64(slot & 63)
            if bits != 0 { return visited + bits.trailingZeroBitCount }
            visited += 64 - (slot & 63)
        }
        return nil
    }

    // MARK: Slots

    private static func shift(_ level: Int) -> UInt64 { UInt64(2 + 6 * level) }  // 8, 14, 20

    private mutating func place(_ index: Int, at deadline: UInt64) {
        let due = max(deadline, earliest)
        nodes[index].deadline = due
        link(index, into: slot(for: due))
    }

    private func slot(for due: UInt64) -> Int {
        if due - current < 256 { return Int(due & 255) }
        for level in 1...3 {
            let unit = Self.shift(level)
            let position = due >> unit
            let distance = position - current >> unit
            if distance < 64 { return 192 + 64 * level + Int(position & 63) }
        }
        return 192 + 64 * 3 + Int((current >> Self.shift(3) + 63) & 63)
    }

    /// Places the timers of the upper slots that begin at `current` anew, the highest level first.
    private mutating func cascade(_ budget: inout Int) -> Bool {
        for level in stride(from: 3, through: 1, by: -1) {
            let unit = Self.shift(level)
            guard current & ((1 << unit) - 1) == 0 else { continue }
            let slot = 192 + 64 * level + Int((current >> unit) & 63)
            while heads[slot] >= 0 {
                guard budget > 0 else { return false }
                budget -= 1
                let index = Int(heads[slot])
                unlink(index)
                place(index, at: nodes[index].deadline)
            }
        }
        return true
    }

    private mutating func link(_ index: Int, into slot: Int) {
        // At the tail, so that timers of one millisecond fire in the order they were placed: the head's `previous` is the tail.
        let head = heads[slot]
        nodes[index].slot = Int32(slot)
        nodes[index].next = -1
        if head < 0 {
            heads[slot] = Int32(index)
            nodes[index].previous = Int32(index)
            occupied[slot >> 6] |= 1 << UInt64(slot & 63)
        } else {
            let tail = nodes[Int(head)].previous
            nodes[Int(tail)].next = Int32(index)
            nodes[index].previous = tail
            nodes[Int(head)].previous = Int32(index)
        }
    }

    private mutating func unlink(_ index: Int) {
        let node = (slot: Int(nodes[index].slot), next: nodes[index].next, previous: nodes[index].previous)
        let head = heads[node.slot]
        if head == Int32(index) {
            heads[node.slot] = node.next
            if node.next < 0 {
                occupied[node.slot >> 6] &= ~(1 << UInt64(node.slot & 63))
            } else {
                nodes[Int(node.next)].previous = node.previous
            }
        } else {
            nodes[Int(node.previous)].next = node.next
            nodes[Int(node.next < 0 ? head : node.next)].previous = node.previous
        }
        nodes[index].slot = -1
    }

    private mutating func take(_ index: Int) -> Payload? {
        unlink(index)
        count -= 1
        nodes[index].generation &+= 1
        freeNodes.append(UInt32(index))
        return nodes[index].payload.take()
    }
}
