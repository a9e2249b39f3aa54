import DequeModule
import UsherAPI

/// Who is present at this loop, and what of it the journal has yet to hear. Present is who has an open line stream, or
/// checked within the last 30 s; absence is noted 5 s after the last of both, so that a reconnect costs no entry.
struct PresenceBook {
    static let absenceMilliseconds: UInt64 = 5_000
    static let checkMilliseconds: UInt64 = 30_000

    private struct Record {
        var streams = 0
        /// Present until then, even without a stream.
        var until: UInt64 = 0
        /// What the journal was last told.
        var isAnnounced = false
        /// Whether it is among `checks`.
        var isScheduled = false
    }

    let source: UInt32
    private var records: [UInt64: Record] = [:]
    /// When to look again whether a token is still here: 5 s after a stream ended, and when a check runs out. The first
    /// in order of time; checks that were prolonged may stand behind later ones.
    private var departures = Deque<(at: UInt64, token: UInt64)>()
    private var checks = Deque<(at: UInt64, token: UInt64)>()
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

    mutating func streamEnded(_ token: UInt64, now: UInt64) {
        guard var record = records[token] else { return }
        record.streams -= 1
        record.until = max(record.until, now + Self.absenceMilliseconds)
        records[token] = record
        if record.streams == 0 { departures.append((now + Self.absenceMilliseconds, token)) }
    }

    mutating func checked(_ token: UInt64, now: UInt64) {
        let until = now + Self.checkMilliseconds
        var record = records[token, default: Record()]
        record.until = until
        if !record.isScheduled {
            record.isScheduled = true
            checks.append((until, token))
        }
        records[token] = record
        announce(token, isKnown: false)
    }

    private mutating func announce(_ token: UInt64, isKnown: Bool) {
        guard let record = records[token], !record.isAnnounced else { return }
        records[token]!.isAnnounced = true
        // A departure that was not told yet is no news any more, nor is the return from it.
        if departed.remove(token) != nil { return }
        if !isKnown || departedLately.contains(token) || departedBefore.contains(token) { arrived.insert(token) }
    }

    /// The token ended: nobody need hear of it any more.
    mutating func forget(_ token: UInt64) {
        records[token] = nil
        arrived.remove(token)
        departed.remove(token)
    }

    /// What has to be told now, or nil; at most `count` tokens of each kind. Call `told` once it is on its way.
    mutating func news(now: UInt64, count: Int = 4096) -> Presence? {
        settleDepartures(now: now)
        settleChecks(now: now)
        if now >= latelySince + 60_000 {
            departedBefore = departedLately
            departedLately = []
            latelySince = now
        }
        guard !arrived.isEmpty || !departed.isEmpty else { return nil }
        return Presence(arrived: arrived.prefix(count).sorted(), departed: departed.prefix(count).sorted())
    }

    mutating func told(_ news: Presence) {
        arrived.subtract(news.arrived)
        departed.subtract(news.departed)
        departedLately.formUnion(news.departed)
    }

    private mutating func settleDepartures(now: UInt64) {
        while let next = departures.first, next.at <= now {
            departures.removeFirst()
            // Back, or present for longer by a later stream or a check, which are looked at in their own turn.
            guard let record = records[next.token], record.streams == 0, record.until <= now else { continue }
            depart(next.token, record)
        }
    }

    private mutating func settleChecks(now: UInt64) {
        while let next = checks.first, next.at <= now {
            checks.removeFirst()
            guard var record = records[next.token] else { continue }
            if record.streams == 0, record.until > now {
                checks.append((record.until, next.token))
                continue
            }
            record.isScheduled = false
            records[next.token] = record
            if record.streams == 0 { depart(next.token, record) }
        }
    }

    private mutating func depart(_ token: UInt64, _ record: Record) {
        records[token] = nil
        guard record.isAnnounced else { return }
        if arrived.remove(token) == nil { departed.insert(token) }
    }
}
