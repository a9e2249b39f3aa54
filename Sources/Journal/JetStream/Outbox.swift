// What has been appended and not been heard back: the deciding half of a writer of a shared journal. It has no clock and
// no socket; times go in, publishes come out.
//
//   append ─▶ waiting ── publishes(now) ──▶ published ── stored ──▶ stored ── heard ─▶ gone
//                ▲                              │                      │
//                ├── refused, no answer in time ┘                      │
//                └── heard out of its turn, or passed over: under a new generation
//
// 1. An append is done when it has been heard in its turn, and not before: an acknowledgement only frees its place in
//    flight.
// 2. What is sent again is sent from the oldest on, under the same message id, so that the stream can tell the repeat.
//    After a failure one message probes the way until something is stored again: less is stored out of order.
// 3. What was stored before an earlier append counts for nothing (whoever applies takes only a writer's next number). It is
//    sent again under a new generation, since under the old one the stream would answer "duplicate" for ever; and not before
//    all that is earlier is stored, or it would be too early again, as fast as the stream answers.
// 4. An entry that was acknowledged at a position that has been read past, and was not there, is sent again likewise.
//
// Nothing here looks at the payload. A repeat can be stored twice (the stream forgets message ids after a while): the
// payload carries what tells it.

/// Names one append of one writer, and how often it had to be named anew.
public struct AppendID: Hashable, Sendable {
    /// Counted from 1 in each opening of the journal.
    public let number: UInt64
    public let generation: UInt64

    public init(number: UInt64, generation: UInt64 = 0) {
        self.number = number
        self.generation = generation
    }
}

/// The bounds of an outbox. Times in milliseconds.
public struct OutboxLimits: Equatable, Sendable {
    /// Publishes without an answer at one time. More gain nothing: the stream's throughput is flat from here.
    public var inFlightMax = 4
    /// After a refusal, before the next attempt.
    public var retryDelay: UInt64 = 20
    /// A publish without an answer for so long is taken as lost.
    public var answerTimeout: UInt64 = 500

    public init() {}
}

/// Unheard appends of one writer, oldest first. All times are monotonic milliseconds of one clock.
public struct Outbox: Sendable {
    /// One message to publish now.
    public struct Publish: Equatable, Sendable {
        public let id: AppendID
        public let payload: [UInt8]
    }

    private enum Stage: Equatable {
        case waiting
        case published(at: UInt64)
        /// Acknowledged at this position.
        case stored(at: UInt64)
    }

    private struct Item {
        let number: UInt64
        let payload: [UInt8]
        let appendedAt: UInt64
        var generation: UInt64 = 0
        var stage = Stage.waiting

        var id: AppendID { AppendID(number: number, generation: generation) }
        var isPublished: Bool { if case .published = stage { true } else { false } }
    }

    private let limits: OutboxLimits
    private var items: [Item] = []
    private var lastNumber: UInt64 = 0
    private var isProbing = false
    private var notBefore: UInt64 = 0
    /// When something was last stored or heard, or there was last nothing to wait for.
    private var successAt: UInt64 = 0

    public init(limits: OutboxLimits = OutboxLimits()) {
        self.limits = limits
    }

    /// Appends not heard yet.
    public var count: Int { items.count }

    /// For how long the oldest has not been heard; nil without one.
    public func age(now: UInt64) -> UInt64? { items.first.map { now - min(now, $0.appendedAt) } }

    /// For how long nothing has gone well although something was to be stored; nil when nothing is.
    public func troubledFor(now: UInt64) -> UInt64? {
        items.contains { if case .stored = $0.stage { false } else { true } } ? now - min(now, successAt) : nil
    }

    public mutating func append(_ payload: [UInt8], now: UInt64) {
        lastNumber += 1
        if troubledFor(now: now) == nil { successAt = now }
        items.append(Item(number: lastNumber, payload: payload, appendedAt: now))
    }

    /// What to publish now, in this order. Publishes without an answer for too long are among it once more.
    public mutating func publishes(now: UInt64) -> [Publish] {
        let isLate = items.contains { item in
            if case .published(let at) = item.stage { now >= at + limits.answerTimeout } else { false }
        }
        if isLate { goBack(notBefore: now) }
        guard now >= notBefore else { return [] }
        var due: [Publish] = []
        while inFlight < mostInFlight, let index = nextToSend {
            items[index].stage = .published(at: now)
            due.append(Publish(id: items[index].id, payload: items[index].payload))
        }
        return due
    }

    private var mostInFlight: Int { isProbing ? 1 : limits.inFlightMax }
    private var inFlight: Int { items.count(where: \.isPublished) }

    /// The first that waits, unless it is to wait for those before it.
    private var nextToSend: Int? {
        guard let index = items.firstIndex(where: { $0.stage == .waiting }) else { return nil }
        return items[index].generation > 0 && items[..<index].contains(where: \.isPublished) ? nil : index
    }

    /// When `publishes` may have something that it has not now, other than by what is said to it; nil: not by itself.
    public func deadline(now: UInt64) -> UInt64? {
        var deadline: UInt64?
        func consider(_ time: UInt64) { deadline = min(deadline ?? .max, time) }
        for case .published(let at) in items.lazy.map(\.stage) { consider(at + limits.answerTimeout) }
        if inFlight < mostInFlight, nextToSend != nil { consider(notBefore) }
        return deadline
    }

    /// The stream says that it stored a publish, or had stored it before.
    public mutating func stored(_ id: AppendID, at position: UInt64, now: UInt64) {
        succeeded(now)
        guard let index = items.firstIndex(where: { $0.id == id }) else { return }
        items[index].stage = .stored(at: position)
    }

    /// A publish was not stored, or nobody was there to say so.
    public mutating func refused(_ id: AppendID, now: UInt64) {
        guard items.contains(where: { $0.id == id && $0.isPublished }) else { return }
        goBack(notBefore: now + limits.retryDelay)
    }

    /// Another connection is used from now on: what was on its way is not known.
    public mutating func reconnected(now: UInt64) {
        goBack(notBefore: now)
        successAt = now
    }

    private mutating func goBack(notBefore time: UInt64) {
        for index in items.indices where items[index].isPublished { items[index].stage = .waiting }
        isProbing = true
        notBefore = max(notBefore, time)
    }

    private mutating func succeeded(_ now: UInt64) {
        successAt = max(successAt, now)
        isProbing = false
        notBefore = 0
    }

    /// One's own message was heard at `position`; everything before it has been heard. Said for each that is.
    ///
    /// - Returns: whether it was the oldest, which is done now. Else it was too early, or a copy.
    @discardableResult
    public mutating func heard(_ id: AppendID, now: UInt64) -> Bool {
        guard let first = items.first, id.number >= first.number else { return false }
        if id.number == first.number {
            items.removeFirst()
            succeeded(now)
            return true
        }
        // Numbers are consecutive in the outbox.
        let index = Int(id.number - first.number)
        guard index < items.count, items[index].generation <= id.generation else { return false }
        renew(index)
        // Those before it were sent before it, and are not there: most likely they are lost.
        if items[..<index].contains(where: \.isPublished) { goBack(notBefore: now) }
        return false
    }

    /// All entries before `position` have been heard: what was acknowledged there and was not among them is lost.
    public mutating func passed(_ position: UInt64) {
        for index in items.indices {
            if case .stored(let at) = items[index].stage, at < position { renew(index) }
        }
    }

    private mutating func renew(_ index: Int) {
        items[index].generation += 1
        items[index].stage = .waiting
    }
}
