import HeapModule
import UsherAPI

/// Who is present at this loop, and what of it the journal has yet to hear. Present is who has an open line stream, or
/// checked within the last 30 s; absence is noted 5 s after the last of both, so that a reconnect costs no entry.
struct PresenceBook {
    static let absenceMilliseconds: UInt64 = 5_000
    /// Ten times what an arrival may wait for the other instance's tick.
    static let moveMilliseconds: UInt64 = 1_000
    static let checkMilliseconds: UInt64 = 30_000

    private struct Record {
        var streams = 0
        /// Present until then, even without a stream.
        var until: UInt64 = 0
        /// What the journal was last told, or will be by what is in `arrived`.
        var isAnnounced = false
        /// There is a look at it in `looks`, at `until` or before.
        var isScheduled = false
    }

    /// When to look again whether a token is still here.
    private struct Look: Comparable {
        var at: UInt64
        var token: UInt64

        static func < (left: Look, right: Look) -> Bool { (left.at, left.token) < (right.at, right.token) }
    }

    let source: UInt32
    private var records: [UInt64: Record] = [:]
    /// One look at most for each record; checks and absences have different spans, so a heap keeps them in order.
    private var looks = Heap<Look>()
    private var arrived: Set<UInt64> = []
    private var departed: Set<UInt64> = []
    /// Whose departure was told within the last one to two minutes: it may be behind a Join in the journal.
    private var departedLately: Set<UInt64> = []
    private var departedBefore: Set<UInt64> = []
    private var latelySince: UInt64 = 0

    init(source: UInt32) { self.source = source }

    /// A line stream of the token began. `isKnown`: the journal knows already, by the Join itself.
    mutating func streamBegan(_ token: UInt64, isKnown: Bool) {
        records[token, default: Record()].streams += 1
        announce(token, isKnown: isKnown)
    }

    /// - Parameter hasMoved: it said that it goes on elsewhere. Absence is told sooner then, but not before the other
    ///   instance has told of its arrival.
    mutating func streamEnded(_ token: UInt64, now: UInt64, hasMoved: Bool = false) {
        guard var record = records[token] else { return }
        record.streams -= 1
        stay(&record, token, until: now + (hasMoved ? Self.moveMilliseconds : Self.absenceMilliseconds))
        records[token] = record
    }

    mutating func checked(_ token: UInt64, now: UInt64) {
        var record = records[token, default: Record()]
        stay(&record, token, until: now + Self.checkMilliseconds)
        records[token] = record
        announce(token, isKnown: false)
    }

    private mutating func stay(_ record: inout Record, _ token: UInt64, until: UInt64) {
        record.until = max(record.until, until)
        guard !record.isScheduled else { return }
        record.isScheduled = true
        looks.insert(Look(at: record.until, token: token))
    }

    private mutating func announce(_ token: UInt64, isKnown: Bool) {
        let isLate = leftLately(token)
        if isKnown, !isLate { arrived.remove(token) }
        guard let record = records[token], !record.isAnnounced else { return }
        records[token]!.isAnnounced = true
        // A departure that was not told yet is no news any more, nor is the return from it.
        if departed.remove(token) != nil { return }
        if !isKnown || isLate { arrived.insert(token) }
    }

    private func leftLately(_ token: UInt64) -> Bool { departedLately.contains(token) || departedBefore.contains(token) }

    /// The token ended: nobody need hear of it any more.
    mutating func forget(_ token: UInt64) {
        records[token] = nil
        arrived.remove(token)
        departed.remove(token)
    }

    /// What has to be told now, or nil; at most `count` tokens of each kind. Call `told` once it is on its way.
    mutating func news(now: UInt64, count: Int = 4096) -> Presence? {
        settle(now: now)
        if now >= latelySince + 60_000 {
            departedBefore = departedLately
            departedLately = []
            latelySince = now
        }
        guard !arrived.isEmpty || !departed.isEmpty else { return nil }
        return Presence(arrived: arrived.prefix(count).sorted(), departed: departed.prefix(count).sorted())
    }

    /// Whether nobody is here and the journal has been told so.
    var isSettled: Bool { records.isEmpty && arrived.isEmpty && departed.isEmpty }

    /// The journal knows of nobody here any more: whoever is here is told of anew.
    mutating func tellAnew() {
        for token in records.keys { records[token]!.isAnnounced = true }
        arrived = Set(records.keys)
        departed = []
        departedLately = []
        departedBefore = []
    }

    mutating func told(_ news: Presence) {
        arrived.subtract(news.arrived)
        departed.subtract(news.departed)
        departedLately.formUnion(news.departed)
    }

    private mutating func settle(now: UInt64) {
        while let look = looks.min, look.at <= now {
            looks.removeMin()
            guard var record = records[look.token] else { continue }
            record.isScheduled = false
            if record.streams == 0, record.until <= now {
                records[look.token] = nil
                guard record.isAnnounced else { continue }
                // Who came and went untold is no news, unless the journal may know of the stay by a Join.
                if arrived.remove(look.token) == nil || leftLately(look.token) { departed.insert(look.token) }
                continue
            }
            // With a stream open its end will schedule the next look.
            if record.streams == 0 { stay(&record, look.token, until: record.until) }
            records[look.token] = record
        }
    }
}
