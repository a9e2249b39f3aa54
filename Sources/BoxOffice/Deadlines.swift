// What will happen by itself, and when: a heap in order of (time, kind, id).
//
// The records hold the truth; the heap only says when to look. A record whose deadline moves later leaves its entry
// where it is: when it comes up, the entry is put where the record says now. One that moves earlier or ends leaves an
// entry behind that finds nothing when it comes up. A token has at most one entry that counts (`TokenRecord.scheduled`),
// a hold exactly one, so the heap stays in proportion to the records. It is rebuilt from them when a snapshot is read.
//
// What lapses (holds and tokens) is in a heap of its own, since after an outage all of it waits for the end of the respite
// while lines go on. Once that is over they lapse in the order in which they would have: by what their records say.

internal import HeapModule

/// One entry of the heap. Ties go by kind, then id, so that the order is the same on every instance.
struct Deadline: Comparable {
    /// What happens, in the order it happens in when times are equal.
    enum Kind: UInt8 {
        case quietEnds = 0  // the pause after an outage is over
        case lobbyOpens = 1
        case opens = 2
        case closes = 3
        case tick = 4  // the turnstile's
        case hold = 5
        case token = 6  // active or idle time, or the grace of an absent one
    }

    let time: UInt64
    private let key: UInt64

    init(time: UInt64, kind: Kind, id: Int) {
        self.time = time
        key = UInt64(kind.rawValue) << 56 | UInt64(truncatingIfNeeded: id)
    }

    /// Whether it has to wait for the end of a respite.
    var lapses: Bool { kind.rawValue >= Kind.hold.rawValue }

    var kind: Kind { Kind(rawValue: UInt8(key >> 56)) ?? .token }
    var id: Int { Int(key & 0xFF_FFFF_FFFF_FFFF) }

    static func < (left: Deadline, right: Deadline) -> Bool {
        (left.time, left.key) < (right.time, right.key)
    }
}

/// The heaps of deadlines.
struct Deadlines {
    private var events = Heap<Deadline>()
    private var lapses = Heap<Deadline>()

    init() {}

    /// What comes first, and when, if nothing lapses before `respite`. Of two at the same time the line's event is first.
    func first(respite: UInt64) -> (deadline: Deadline, time: UInt64)? {
        guard let lapse = lapses.min else { return events.min.map { ($0, $0.time) } }
        let time = max(lapse.time, respite)
        if let event = events.min, event.time <= time { return (event, event.time) }
        return (lapse, time)
    }

    mutating func add(_ kind: Deadline.Kind, _ id: Int, at time: UInt64) {
        guard time != .max else { return }
        let deadline = Deadline(time: time, kind: kind, id: id)
        if deadline.lapses { lapses.insert(deadline) } else { events.insert(deadline) }
    }

    /// Takes out what `first` gave.
    mutating func remove(first: Deadline) {
        _ = first.lapses ? lapses.popMin() : events.popMin()
    }

    mutating func removeAll() { self = Deadlines() }
}

extension UInt64 {
    /// The sum, or the largest number: a time so far away never comes.
    func saturatingAdd(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// The difference, or 0.
    func saturatingSubtract(_ other: UInt64) -> UInt64 {
        self > other ? self - other : 0
    }
}
