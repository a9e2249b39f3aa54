// Hearing a stream in order: the deciding half of a reader of a shared journal. Like the outbox it has no clock and no
// socket.
//
//   republished message ── heard ──┐                      ┌─▶ entries in order, each once
//   answer to a read ── answered ──┼─▶ next, ahead, gap ──┤
//   first, last ── inspected ──────┘                      └─▶ step(now): read, inspect, change server, or fail
//
// 1. The next position is delivered, or nothing. What comes early waits, up to a bound; what comes again is ignored.
// 2. A gap, or silence for a while, makes a read from the next position. (A republished message may be lost: nothing
//    is known by not hearing.)
// 3. A read that finds nothing though something later is known is repeated, then the stream's own first and last
//    position are asked for. Next before first: trimmed. Next up to last, and still nothing: this server is behind, or has
//    lost it; another is asked. When all have been asked, more than once, for some seconds, the entry is lost: corruption,
//    for nothing may be deleted from the middle of the stream. A hole is never stepped over.

/// One stored message as a stream tells it.
struct StreamMessage: Equatable, Sendable {
    let sequence: UInt64
    let timeMilliseconds: UInt64
    /// As its writer named it; empty without a name.
    let id: String
    let payload: [UInt8]
}

struct FeedLimits: Equatable, Sendable {
    /// Without anything heard for so long the stream is read.
    var silence: UInt64 = 250
    /// A read or an inspection without an answer for so long: another server is asked.
    var answerTimeout: UInt64 = 1_000
    /// Between two reads that find nothing where something is known to be.
    var retryDelay: UInt64 = 20
    /// Reads that find nothing where something is known to be, before the stream is inspected.
    var missesMax = 3
    /// A hole is believed after so many servers in a row did not have the entry …
    var serversMax = 6
    /// … over at least so long.
    var holeTime: UInt64 = 10_000
    /// What waits because it came early.
    var aheadBytesMax = 8 << 20
    /// The stream's last position may be told a little late, by a leader that has just been elected.
    var beyondEndTime: UInt64 = 10_000
}

struct Feed {
    enum Step: Equatable {
        case read(from: UInt64)
        case inspect
        case changeServer(reason: String)
        /// Nothing more comes of this feed.
        case trimmed(position: UInt64, firstPosition: UInt64)
        case hole(position: UInt64)
        case beyondEnd(position: UInt64, lastPosition: UInt64)
    }

    private let limits: FeedLimits
    private(set) var next: UInt64
    /// The last position that is known to be in the stream.
    private(set) var knownLast: UInt64 = 0
    /// The end of what was there at the start; nil until it is known.
    private(set) var target: UInt64?

    private var ahead: [UInt64: StreamMessage] = [:]
    private var aheadBytes = 0
    private var askedAt: UInt64?
    private var isInspecting = true
    private var notBefore: UInt64 = 0
    private var heardAt: UInt64
    private var misses = 0
    /// Since when a known entry is not to be had, and how many servers have been left for it.
    private var missingSince: UInt64?
    private var serversLeft = 0
    private var mustChange: String?
    private var end: Step?

    /// Begins with an inspection, so that there is a target.
    init(from position: UInt64, limits: FeedLimits = FeedLimits(), now: UInt64) {
        self.limits = limits
        next = position
        heardAt = now
    }

    var isCaughtUp: Bool { target.map { next > $0 } ?? false }

    // MARK: What comes

    /// A message was republished. What can be delivered now, in order.
    mutating func heard(_ message: StreamMessage, now: UInt64) -> [StreamMessage] {
        guard message.sequence >= next else { return [] }
        knownLast = max(knownLast, message.sequence)
        if message.sequence == next {
            heardAt = now
            return deliver([message])
        }
        if ahead[message.sequence] == nil, aheadBytes + message.payload.count <= limits.aheadBytesMax {
            ahead[message.sequence] = message
            aheadBytes += message.payload.count
        }
        return []
    }

    /// A read was answered with these, ascending; `isMore` where the stream has more. What can be delivered now.
    mutating func answered(_ messages: [StreamMessage], isMore: Bool, now: UInt64) -> [StreamMessage] {
        askedAt = nil
        heardAt = now
        var fresh: [StreamMessage] = []
        for message in messages where message.sequence >= next {
            knownLast = max(knownLast, message.sequence)
            guard message.sequence == next + UInt64(fresh.count) else { break }
            fresh.append(message)
        }
        if fresh.isEmpty {
            if isGap { misses += 1 }
            notBefore = now + limits.retryDelay
            return []
        }
        let delivered = deliver(fresh)
        if isMore { knownLast = max(knownLast, next) }
        return delivered
    }

    /// What the stream's leader says of it.
    mutating func inspected(first: UInt64, last: UInt64, now: UInt64) {
        askedAt = nil
        isInspecting = false
        heardAt = now
        misses = 0
        knownLast = max(knownLast, last)
        if next < first {
            end = .trimmed(position: next, firstPosition: first)
        } else if target == nil {
            if last + 1 < next {
                let since = missingSince ?? now
                missingSince = since
                isInspecting = true
                notBefore = now + limits.silence
                if now - since >= limits.beyondEndTime { end = .beyondEnd(position: next, lastPosition: last) }
                return
            }
            missingSince = nil
            target = last
        } else if next <= last {
            let since = missingSince ?? now
            missingSince = since
            if serversLeft >= limits.serversMax, now - since >= limits.holeTime {
                end = .hole(position: next)
            } else {
                mustChange = "the entry at position \(next) is not to be had from it"
            }
        }
    }

    /// Another connection is used from now on.
    mutating func reconnected(now: UInt64) {
        askedAt = nil
        heardAt = now - min(now, limits.silence)
        notBefore = now
        mustChange = nil
        if missingSince != nil { serversLeft += 1 }
    }

    private var isGap: Bool { knownLast >= next }

    private mutating func deliver(_ messages: [StreamMessage]) -> [StreamMessage] {
        var run = messages
        next += UInt64(messages.count)
        while let message = ahead.removeValue(forKey: next) {
            aheadBytes -= message.payload.count
            run.append(message)
            next += 1
        }
        // What was read meanwhile and waits still.
        if !ahead.isEmpty {
            for sequence in ahead.keys where sequence < next {
                aheadBytes -= ahead.removeValue(forKey: sequence)?.payload.count ?? 0
            }
        }
        misses = 0
        if target != nil { missingSince = nil }
        serversLeft = 0
        notBefore = 0
        return run
    }

    // MARK: What is to be done

    /// What to ask or do now, if anything. A step is taken as done by the caller.
    mutating func step(now: UInt64) -> Step? {
        if let end { return end }
        if let reason = mustChange {
            mustChange = nil
            return .changeServer(reason: reason)
        }
        if let askedAt {
            guard now >= askedAt + limits.answerTimeout else { return nil }
            self.askedAt = nil
            return .changeServer(reason: "it does not answer")
        }
        guard now >= notBefore else { return nil }
        if isInspecting || misses >= limits.missesMax {
            isInspecting = true
            askedAt = now
            return .inspect
        }
        guard isGap || now >= heardAt + limits.silence else { return nil }
        askedAt = now
        return .read(from: next)
    }

    /// When `step` may have something that it has not now.
    var deadline: UInt64 {
        if end != nil || mustChange != nil { return 0 }
        if let askedAt { return askedAt + limits.answerTimeout }
        if isInspecting || isGap { return notBefore }
        return max(notBefore, heardAt + limits.silence)
    }
}
