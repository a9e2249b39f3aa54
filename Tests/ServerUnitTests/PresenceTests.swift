import Testing
import UsherAPI

@testable import Server

@Suite struct `the presence book` {
    /// One thing that happens at a time in milliseconds, and what the journal then has to hear.
    enum Step {
        case begin(UInt64, at: UInt64, isKnown: Bool = false)
        case end(UInt64, at: UInt64, hasMoved: Bool = false)
        case check(UInt64, at: UInt64)
        case forget(UInt64)
        /// Asks for news, compares it and says it is told.
        case news(at: UInt64, arrived: [UInt64] = [], departed: [UInt64] = [])
        /// Asks for news, which finds no room on its way.
        case newsLost(at: UInt64)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var steps: @Sendable () -> [Step]

        init(_ name: String, _ steps: @escaping @Sendable @autoclosure () -> [Step]) {
            testDescription = name
            self.steps = steps
        }
    }

    static let cases = [
        Case(
            "an arrival is told once",
            [.begin(1, at: 0), .news(at: 0, arrived: [1]), .news(at: 100), .begin(1, at: 200), .news(at: 200)]),
        Case("what the Join said is not told again", [.begin(1, at: 0, isKnown: true), .news(at: 0)]),
        Case(
            "absence is told 5 s after the stream's end, not before",
            [
                .begin(1, at: 0, isKnown: true), .end(1, at: 10_000), .news(at: 14_999), .news(at: 15_000, departed: [1]),
                .news(at: 90_000),
            ]),
        Case(
            "of one that moves after a second",
            [
                .begin(1, at: 0, isKnown: true), .end(1, at: 10_000, hasMoved: true), .news(at: 10_999),
                .news(at: 11_000, departed: [1]),
            ]),
        Case(
            "a tab that moves takes nothing from one that stays",
            [
                .begin(1, at: 0, isKnown: true), .begin(1, at: 0), .end(1, at: 1_000, hasMoved: true), .news(at: 5_000),
                .end(1, at: 6_000), .news(at: 10_999), .news(at: 11_000, departed: [1]),
            ]),
        Case(
            "a reconnect within 5 s costs nothing",
            [.begin(1, at: 0, isKnown: true), .end(1, at: 1_000), .begin(1, at: 5_999), .news(at: 6_000), .news(at: 60_000)]),
        Case(
            "the 5 s begin anew with the last stream's end",
            [
                .begin(1, at: 0, isKnown: true), .end(1, at: 1_000), .begin(1, at: 3_000), .end(1, at: 4_000), .news(at: 8_999),
                .news(at: 9_000, departed: [1]),
            ]),
        Case(
            "of several streams the last one counts",
            [
                .begin(1, at: 0, isKnown: true), .begin(1, at: 0), .end(1, at: 1_000), .news(at: 60_000), .end(1, at: 61_000),
                .news(at: 65_999),
                .news(at: 66_000, departed: [1]),
            ]),
        Case(
            "coming back after an absence is an arrival",
            [
                .begin(1, at: 0, isKnown: true), .end(1, at: 0), .news(at: 5_000, departed: [1]), .begin(1, at: 6_000),
                .news(at: 6_000, arrived: [1]),
            ]),
        Case(
            "a Join soon after a departure was told may be before it in the journal, so the arrival is told too",
            [
                .begin(1, at: 0, isKnown: true), .end(1, at: 0), .news(at: 5_000, departed: [1]),
                .begin(1, at: 6_000, isKnown: true), .news(at: 6_000, arrived: [1]),
            ]),
        Case(
            "two minutes later the Join is enough",
            [
                .begin(1, at: 0, isKnown: true), .end(1, at: 0), .news(at: 5_000, departed: [1]), .news(at: 65_000),
                .news(at: 125_000), .begin(1, at: 125_000, isKnown: true), .news(at: 125_000),
            ]),
        Case(
            "a check counts for 30 s",
            [.check(1, at: 0), .news(at: 0, arrived: [1]), .news(at: 29_999), .news(at: 30_000, departed: [1])]),
        Case(
            "checks go on counting from the last one",
            [
                .check(1, at: 0), .news(at: 0, arrived: [1]), .check(1, at: 20_000), .news(at: 49_999),
                .news(at: 50_000, departed: [1]),
            ]),
        Case(
            "a check outlasts a stream that ends",
            [
                .begin(1, at: 0, isKnown: true), .check(1, at: 1_000), .end(1, at: 2_000), .news(at: 30_999),
                .news(at: 31_000, departed: [1]),
            ]),
        Case(
            "a stream outlasts a check",
            [
                .check(1, at: 0), .begin(1, at: 1_000), .news(at: 1_000, arrived: [1]), .news(at: 60_000), .end(1, at: 61_000),
                .news(at: 66_000, departed: [1]),
            ]),
        Case(
            "nobody's check delays another's absence",
            [
                .check(1, at: 0), .begin(1, at: 0), .begin(2, at: 0, isKnown: true), .news(at: 0, arrived: [1]),
                .end(1, at: 1_000), .end(2, at: 2_000),
                .news(at: 7_000, departed: [2]), .news(at: 30_000, departed: [1]),
            ]),
        Case(
            "nor does one that checks again and again",
            [
                .begin(1, at: 0, isKnown: true), .end(1, at: 0), .check(1, at: 4_000), .begin(2, at: 0, isKnown: true),
                .end(2, at: 5_000),
                .news(at: 5_000), .news(at: 10_000, departed: [2]), .news(at: 34_000, departed: [1]),
            ]),
        Case(
            "whoever ended is no news",
            [
                .begin(1, at: 0), .forget(1), .news(at: 0), .begin(2, at: 0, isKnown: true), .end(2, at: 0), .forget(2),
                .news(at: 9_000),
                .end(2, at: 9_000), .news(at: 20_000),
            ]),
        Case("somebody who came and went untold is no news", [.begin(1, at: 0), .end(1, at: 0), .news(at: 5_000)]),
        Case(
            "news that found no room come again",
            [.begin(1, at: 0), .newsLost(at: 0), .news(at: 100, arrived: [1]), .news(at: 200)]),
        Case(
            "an absence that was never told, undone, is no news, and the next one is told",
            [
                .begin(1, at: 0, isKnown: true), .end(1, at: 0), .newsLost(at: 5_000), .begin(1, at: 5_100), .news(at: 5_100),
                .end(1, at: 6_000),
                .news(at: 11_000, departed: [1]),
            ]),
        Case(
            "a stay that the journal does not know of ends as one it does",
            [
                .begin(1, at: 0, isKnown: true), .end(1, at: 0), .newsLost(at: 5_000), .begin(1, at: 5_100), .end(1, at: 5_200),
                .newsLost(at: 9_000),
                .news(at: 10_200, departed: [1]),
            ]),
        Case(
            "a Join that the journal knows by now ends as one",
            [
                .begin(1, at: 0), .begin(1, at: 100, isKnown: true), .end(1, at: 200), .end(1, at: 300),
                .news(at: 5_300, departed: [1]),
            ]),
    ]

    @Test(arguments: cases) func `tells the journal who came and went`(_ table: Case) {
        var book = PresenceBook(source: 3)
        for (index, step) in table.steps().enumerated() {
            switch step {
            case .begin(let token, _, let isKnown): book.streamBegan(token, isKnown: isKnown)
            case .end(let token, let time, let hasMoved): book.streamEnded(token, now: time, hasMoved: hasMoved)
            case .check(let token, let time): book.checked(token, now: time)
            case .forget(let token): book.forget(token)
            case .newsLost(let time): _ = book.news(now: time)
            case .news(let time, let arrived, let departed):
                let news = book.news(now: time)
                let expected = arrived.isEmpty && departed.isEmpty ? nil : Presence(arrived: arrived, departed: departed)
                #expect(news == expected, "step \(index)")
                if let news { book.told(news) }
            }
        }
    }

    @Test func `a book is settled once nobody is here and all has been told`() {
        var book = PresenceBook(source: 0)
        #expect(book.isSettled)
        book.streamBegan(1, isKnown: true)
        #expect(!book.isSettled)
        book.streamEnded(1, now: 0)
        _ = book.news(now: 4_999)
        #expect(!book.isSettled)
        let news = book.news(now: 5_000)
        #expect(news?.departed == [1] && !book.isSettled)
        if let news { book.told(news) }
        #expect(book.isSettled)
    }

    @Test func `news come in portions`() throws {
        var book = PresenceBook(source: 0)
        for token in 1...10 as ClosedRange<UInt64> { book.streamBegan(token, isKnown: false) }
        var told: Set<UInt64> = []
        for count in [4, 4, 2] {
            let portion = book.news(now: 0, count: 4)
            let news = try #require(portion)
            #expect(news.arrived.count == count && news.arrived == news.arrived.sorted())
            told.formUnion(news.arrived)
            book.told(news)
        }
        #expect(told == Set(1...10))
        let rest = book.news(now: 0)
        #expect(rest == nil)
    }
}
