// Outcomes by request id, for 24 hours.
//
// One list in order of time, in pages of 4,096 records; each record knows how far back its user's previous one is. A
// lookup walks the user's own chain, newest first, to the end of the 24 hours: a handful of records for most, 256 for
// the busiest, and the same walk counts how many there are. So there is no table over all ids that would have to grow:
// appending takes the same time with five or with five million remembered, and what is too old goes by whole pages.
//
//   page 0 (dropped)   page 1            page 2
//                      ┌───┬───┬───┐     ┌───┬───┬───
//                      │ a │ b │ a │     │ a │ b │        user a: newest, back 2, back 2
//                      └───┴───┴───┘     └───┴───┴───
//
// A walk costs a miss of the cache for each record. Nearly every id is new, so each user's record has traces of the ids
// remembered: where they exclude an id and are few, nobody walks. They say nothing but that, so what is found is the same
// with or without them.
//
// Invariant: the times in the list never decrease. A record counts while time + 24 h > now, whether its page is still
// there or not, so that forgetting is exact to the millisecond and the same after a restart from a snapshot.

internal import DequeModule
internal import UsherAPI

/// A remembered outcome, 64 bytes.
struct RememberedOutcome {
    let requestId: Uuid
    let contents: UInt64
    let time: UInt64
    let user: UInt32
    /// Distance to the user's previous record; 0: none.
    var back: UInt32 = 0
    /// What `first` and `second` mean: see `OutcomeCode`.
    let code: UInt8
    var first: UInt64
    let second: UInt64
}

/// The list of remembered outcomes.
struct RememberedOutcomes {
    private static let pageBits: UInt64 = 12
    private static let pageSize = 1 << Int(pageBits)

    private struct Page {
        var records: ContiguousArray<RememberedOutcome> = []
        /// Whole, since they are rare and must be told in the same words again.
        var refusals: [Refusal] = []
    }

    private var pages = Deque<Page>()
    /// Number of the first record of the first page; records are numbered from 0 for ever.
    private var start: UInt64 = 0
    private(set) var end: UInt64 = 0

    init() {}

    /// The numbers of the records that are still here, some of which may be too old to count.
    var numbers: Range<UInt64> { start..<end }

    subscript(number: UInt64) -> RememberedOutcome {
        pages[Int((number - start) >> Self.pageBits)].records[Int((number - start) & UInt64(Self.pageSize - 1))]
    }

    /// The refusal that a record of code `refused` stands for.
    func refusal(of number: UInt64) -> Refusal {
        pages[Int((number - start) >> Self.pageBits)].refusals[Int(self[number].first)]
    }

    /// Appends a record for the user whose newest is `last` (number plus one, 0: none); the new value of that.
    mutating func append(_ record: RememberedOutcome, refusal: Refusal?, last: UInt64) -> UInt64 {
        if (end - start) & UInt64(Self.pageSize - 1) == 0 {
            var page = Page()
            page.records.reserveCapacity(Self.pageSize)
            pages.append(page)
        }
        var record = record
        record.back = last == 0 || last - 1 < start ? 0 : UInt32(truncatingIfNeeded: end - (last - 1))
        let page = pages.count - 1
        if let refusal {
            record.first = UInt64(pages[page].refusals.count)
            pages[page].refusals.append(refusal)
        }
        pages[page].records.append(record)
        end += 1
        return end
    }

    /// What a walk over one user's records found.
    struct Search {
        /// The record with the id.
        var number: UInt64?
        /// How many the user has; complete only if the id was not found.
        var count = 0
        /// Time of the oldest of them.
        var oldest: UInt64 = 0
    }

    /// Looks for `requestId` among the records of the user whose newest is `last`.
    func find(_ requestId: Uuid, last: UInt64, now: UInt64) -> Search {
        var search = Search()
        guard last > start else { return search }
        var number = last - 1
        while true {
            let record = self[number]
            guard record.time.saturatingAdd(SaleLimits.rememberedMilliseconds) > now else { return search }
            if record.requestId == requestId {
                search.number = number
                return search
            }
            search.count += 1
            search.oldest = record.time
            let back = UInt64(record.back)
            guard back > 0, number >= start + back else { return search }
            number -= back
        }
    }

    /// Drops pages in which everything is too old: a few at a time, since giving memory back takes time too. It makes
    /// no difference to what is found.
    mutating func forget(now: UInt64) {
        for _ in 0..<4 {
            guard let first = pages.first, first.records.count == Self.pageSize, let newest = first.records.last,
                newest.time.saturatingAdd(SaleLimits.rememberedMilliseconds) <= now
            else { return }
            pages.removeFirst()
            start += UInt64(Self.pageSize)
        }
    }
}

/// Which request ids a user may have outcomes of: two bits of 64 for each. Never forgets.
struct RequestTraces {
    private var bits: UInt64 = 0
    /// How many were left; stays at the largest number.
    private(set) var count: UInt16 = 0

    mutating func add(_ id: Uuid) {
        bits |= Self.trace(of: id)
        if count < .max { count += 1 }
    }

    /// Whether the id was certainly never added.
    func excludes(_ id: Uuid) -> Bool {
        let trace = Self.trace(of: id)
        return bits & trace != trace
    }

    /// Ids may be random, ordered by time or counted, in either half.
    private static func trace(of id: Uuid) -> UInt64 {
        let mixed = (id.high &* 0x9E37_79B9_7F4A_7C15 ^ id.low) &* 0xD6E8_FEB8_6659_FD93
        return 1 << (mixed >> 58) | 1 << (mixed >> 52 & 63)
    }
}

// MARK: - Outcomes in small

/// What the code of a remembered outcome says.
enum OutcomeCode {
    static let joined: UInt8 = 1
    static let left: UInt8 = 2
    static let held: UInt8 = 3
    static let released: UInt8 = 4
    static let paid: UInt8 = 5
    static let cancelled: UInt8 = 6
    static let charged: UInt8 = 7
    static let operatorDone: UInt8 = 8
    static let refused: UInt8 = 9
}

extension Committed {
    /// As code and two numbers.
    var packed: (code: UInt8, first: UInt64, second: UInt64) {
        switch self {
        case .joined(let token): (OutcomeCode.joined, UInt64(token), 0)
        case .left(let token): (OutcomeCode.left, UInt64(token), 0)
        case .held(let reservation, let deadline): (OutcomeCode.held, UInt64(reservation), deadline)
        case .released(let reservation): (OutcomeCode.released, UInt64(reservation), 0)
        case .paid(let payment, let transaction): (OutcomeCode.paid, UInt64(payment), UInt64(transaction))
        case .cancelled(let reservation, let transaction): (OutcomeCode.cancelled, UInt64(reservation), UInt64(transaction))
        case .charged(let transaction): (OutcomeCode.charged, UInt64(transaction), 0)
        case .operatorDone(let concert): (OutcomeCode.operatorDone, UInt64(concert), 0)
        case .none: (0, 0, 0)
        }
    }

    /// From code and two numbers.
    init(code: UInt8, first: UInt64, second: UInt64) {
        let id = Int(clamping: first)
        self =
            switch code {
            case OutcomeCode.joined: .joined(token: id)
            case OutcomeCode.left: .left(token: id)
            case OutcomeCode.held: .held(reservation: id, deadline: second)
            case OutcomeCode.released: .released(reservation: id)
            case OutcomeCode.paid: .paid(payment: id, transaction: Int(clamping: second))
            case OutcomeCode.cancelled: .cancelled(reservation: id, transaction: Int(clamping: second))
            case OutcomeCode.charged: .charged(transaction: id)
            case OutcomeCode.operatorDone: .operatorDone(concert: id)
            default: .none
            }
    }
}
