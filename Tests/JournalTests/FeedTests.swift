import Testing

@testable import Journal

/// A feed whose calls can stand in an expectation, which takes no mutating ones.
private final class Box {
    private var feed: Feed

    init(from position: UInt64, limits: FeedLimits = FeedLimits(), now: UInt64) {
        feed = Feed(from: position, limits: limits, now: now)
    }

    var next: UInt64 { feed.next }
    var isCaughtUp: Bool { feed.isCaughtUp }
    var deadline: UInt64 { feed.deadline }
    func heard(_ message: StreamMessage, now: UInt64) -> [StreamMessage] { feed.heard(message, now: now) }
    func answered(_ messages: [StreamMessage], isMore: Bool, now: UInt64) -> [StreamMessage] {
        feed.answered(messages, isMore: isMore, now: now)
    }
    func inspected(first: UInt64, last: UInt64, now: UInt64) { feed.inspected(first: first, last: last, now: now) }
    func reconnected(now: UInt64) { feed.reconnected(now: now) }
    func step(now: UInt64) -> Feed.Step? { feed.step(now: now) }
}

@Suite struct Feeds {
    private func message(_ sequence: UInt64, bytes: Int = 1) -> StreamMessage {
        StreamMessage(
            sequence: sequence, timeMilliseconds: sequence, id: "",
            payload: [UInt8](repeating: UInt8(sequence & 255), count: bytes))
    }

    private func messages(_ sequences: ClosedRange<UInt64>) -> [StreamMessage] { sequences.map { message($0) } }

    /// A feed that has been told what there is.
    private func feed(from position: UInt64 = 1, last: UInt64 = 0, now: UInt64 = 0) -> Box {
        let feed = Box(from: position, now: now)
        #expect(feed.step(now: now) == .inspect)
        feed.inspected(first: 1, last: last, now: now)
        return feed
    }

    @Test func `it asks what there is, reads up to it and is caught up then`() {
        let feed = feed(last: 5)
        #expect(!feed.isCaughtUp)
        #expect(feed.step(now: 0) == .read(from: 1))
        #expect(feed.step(now: 1) == nil)
        #expect(feed.answered(messages(1...3), isMore: true, now: 2).map(\.sequence) == [1, 2, 3])
        #expect(feed.step(now: 2) == .read(from: 4))
        #expect(feed.answered(messages(4...5), isMore: false, now: 3).map(\.sequence) == [4, 5])
        #expect(feed.isCaughtUp)
        #expect(feed.step(now: 252) == nil)
        #expect(feed.step(now: 253) == .read(from: 6))
    }

    @Test func `an empty stream is caught up at once`() {
        #expect(feed(last: 0).isCaughtUp)
        #expect(feed(from: 8, last: 7).isCaughtUp)
    }

    @Test func `what is next is handed on, what was heard is not heard again, what is early waits for the gap to be read`() {
        let feed = feed()
        #expect(feed.heard(message(1), now: 1).map(\.sequence) == [1])
        #expect(feed.heard(message(1), now: 2).isEmpty)
        #expect(feed.heard(message(3), now: 3).isEmpty)
        #expect(feed.heard(message(4), now: 3).isEmpty)
        #expect(feed.step(now: 3) == .read(from: 2))
        #expect(feed.answered([message(2), message(3)], isMore: true, now: 4).map(\.sequence) == [2, 3, 4])
        #expect(feed.next == 5)
        #expect(feed.answered([message(4)], isMore: false, now: 5).isEmpty)
    }

    @Test func `an answer with a gap counts up to the gap`() {
        let feed = feed(last: 4)
        _ = feed.step(now: 0)
        #expect(feed.answered([message(1), message(3), message(4)], isMore: false, now: 1).map(\.sequence) == [1])
        #expect(feed.step(now: 1) == .read(from: 2))
    }

    @Test func `what comes early is kept up to a bound`() {
        var limits = FeedLimits()
        limits.aheadBytesMax = 100
        let feed = Box(from: 1, limits: limits, now: 0)
        _ = feed.step(now: 0)
        feed.inspected(first: 1, last: 0, now: 0)
        _ = feed.heard(message(2, bytes: 60), now: 1)
        _ = feed.heard(message(3, bytes: 60), now: 1)
        _ = feed.heard(message(4, bytes: 40), now: 1)
        #expect(feed.heard(message(1), now: 2).map(\.sequence) == [1, 2])
        #expect(feed.step(now: 2) == .read(from: 3))
        #expect(feed.answered([message(3, bytes: 60)], isMore: true, now: 3).map(\.sequence) == [3, 4])
        // What it let go makes room.
        _ = feed.heard(message(6, bytes: 100), now: 4)
        #expect(feed.heard(message(5), now: 5).map(\.sequence) == [5, 6])
    }

    @Test func `a server that does not answer is left`() {
        let feed = feed(last: 1)
        _ = feed.step(now: 0)
        #expect(feed.step(now: 999) == nil)
        #expect(feed.deadline == 1_000)
        #expect(feed.step(now: 1_000) == .changeServer(reason: "it does not answer"))
        feed.reconnected(now: 1_001)
        #expect(feed.step(now: 1_001) == .read(from: 1))
    }

    @Test func `what has been trimmed is said, not skipped`() {
        var feed = Box(from: 5, now: 0)
        _ = feed.step(now: 0)
        feed.inspected(first: 9, last: 20, now: 0)
        #expect(feed.step(now: 0) == .trimmed(position: 5, firstPosition: 9))
        #expect(feed.step(now: 100) == .trimmed(position: 5, firstPosition: 9))
        // Also later, when the stream went on without a reader that was cut off.
        feed = self.feed(last: 3)
        _ = feed.step(now: 0)
        _ = feed.answered(messages(1...3), isMore: false, now: 0)
        _ = feed.heard(message(40), now: 1)
        var now: UInt64 = 1
        for _ in 0..<3 {
            #expect(feed.step(now: now) == .read(from: 4))
            #expect(feed.answered([], isMore: false, now: now).isEmpty)
            #expect(feed.step(now: now) == nil)
            now += 20
        }
        #expect(feed.step(now: now) == .inspect)
        feed.inspected(first: 30, last: 40, now: now)
        #expect(feed.step(now: now) == .trimmed(position: 4, firstPosition: 30))
    }

    @Test func `a hole is asked for at all servers, again and again, before it is one`() {
        let feed = feed(last: 5)
        var now: UInt64 = 0
        var servers = 0
        var asked: Set<UInt64> = []
        while true {
            guard let step = feed.step(now: now) else {
                now = max(now + 1, feed.deadline)
                continue
            }
            switch step {
            case .read(let position):
                asked.insert(position)
                _ = feed.answered([], isMore: false, now: now)
            case .inspect: feed.inspected(first: 1, last: 5, now: now)
            case .changeServer:
                servers += 1
                now += 10
                feed.reconnected(now: now)
            case .hole(let position):
                #expect(position == 1)
                #expect(servers >= 6)
                #expect(now >= 10_000)
                #expect(asked == [1])
                return
            default:
                Issue.record("\(step)")
                return
            }
        }
    }

    @Test func `an entry that a later server has ends the suspicion`() {
        let feed = feed(last: 5)
        var now: UInt64 = 0
        var servers = 0
        var foundAt: UInt64?
        while true {
            guard let step = feed.step(now: now) else {
                now = max(now + 1, feed.deadline)
                continue
            }
            switch step {
            case .read(let position):
                // One server more, or a moment longer, and it would be a hole.
                let isFound = foundAt == nil && servers >= 6 && now >= 9_000
                if isFound { foundAt = now }
                let delivered = feed.answered(isFound ? messages(position...2) : [], isMore: isFound, now: now)
                #expect(delivered.count == (isFound ? 2 : 0))
            case .inspect: feed.inspected(first: 1, last: 5, now: now)
            case .changeServer:
                servers += 1
                now += 1_000
                feed.reconnected(now: now)
            case .hole(let position):
                #expect(position == 3)
                #expect(foundAt.map { now >= $0 + 10_000 } == true, "a suspicion of its own")
                return
            default:
                Issue.record("\(step)")
                return
            }
        }
    }

    @Test func `a stream that ends before the start is believed only when it says so for long`() {
        let feed = Box(from: 10, now: 0)
        var now: UInt64 = 0
        while true {
            guard let step = feed.step(now: now) else {
                now = max(now + 1, feed.deadline)
                continue
            }
            guard step == .inspect else {
                #expect(step == .beyondEnd(position: 10, lastPosition: 4))
                #expect(now >= 10_000)
                return
            }
            feed.inspected(first: 1, last: 4, now: now)
        }
    }

    /// Republished messages that are lost, repeated and out of order, reads that are cut short or find nothing yet.
    @Test(arguments: 0..<40) func `whatever is lost or repeated, everything is heard once and in order`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let start = UInt64.random(in: 1...20, using: &random)
        let feed = Box(from: start, now: 0)
        var stored = UInt64.random(in: (start - 1)...40, using: &random)
        var now: UInt64 = 0
        var heard: [UInt64] = []
        var wire: [(at: UInt64, sequence: UInt64)] = []
        while feed.next <= 200, now < 100_000 {
            now += 1
            if stored < 200, Int.random(in: 0..<3, using: &random) == 0 {
                stored += 1
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    wire.append((now + .random(in: 1...9, using: &random), stored))
                }
            }
            for (at, sequence) in wire where at == now {
                heard += feed.heard(message(sequence), now: now).map(\.sequence)
            }
            wire.removeAll { $0.at <= now }
            if Int.random(in: 0..<300, using: &random) == 0 { feed.reconnected(now: now) }
            switch feed.step(now: now) {
            case nil: break
            case .inspect:
                if Int.random(in: 0..<4, using: &random) > 0 { feed.inspected(first: 1, last: stored, now: now) }
            case .read(let position):
                // The server may be a little behind.
                let end = stored - min(stored, UInt64.random(in: 0...2, using: &random))
                let most = position + .random(in: 0...6, using: &random)
                let found = position <= end ? messages(position...min(end, most)) : []
                switch Int.random(in: 0..<6, using: &random) {
                case 0: break
                default: heard += feed.answered(found, isMore: most < end, now: now).map(\.sequence)
                }
            case .changeServer: feed.reconnected(now: now)
            case let step?:
                Issue.record("seed \(seed): \(step)")
                return
            }
        }
        #expect(heard == Array(start...200), "seed \(seed)")
    }
}
