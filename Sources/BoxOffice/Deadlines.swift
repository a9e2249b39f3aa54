// What will happen by itself, and when: a heap in order of (time, kind, id).
//
// The records hold the truth; the heap only says when to look. A record whose deadline moves later leaves its entry
// where it is: when it comes up, the entry is put where the record says now. One that moves earlier or ends leaves an
// entry behind that finds nothing when it comes up. A token has at most one entry that counts (`TokenRecord.scheduled`),
// a hold exactly one, so the heap stays in proportion to the records. It is rebuilt from them when a snapshot is read.

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

    var kind: Kind { Kind(rawValue: UInt8(key >> 56)) ?? .token }
    var id: Int { Int(key & 0xFF_FFFF_FFFF_FFFF) }

    static func < (left: Deadline, right: Deadline) -> Bool {
        (left.time, left.key) < (right.time, right.key)
    }
}

/// The heap of deadlines.
struct Deadlines {
    private var heap = Heap<Deadline>()

    init() {}

    var first: Deadline? { heap.min }

    /// All of them, in no order that means anything.
    var all: some Collection<Deadline> { heap.unordered }

    mutating func add(_ kind: Deadline.Kind, _ id: Int, at time: UInt64) {
        guard time != .max else { return }
        heap.insert(Deadline(time: time, kind: kind, id: id))
    }

    mutating func removeFirst() {
        _ = heap.popMin()
    }

    mutating func removeAll() {
        heap = Heap()
    }
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
