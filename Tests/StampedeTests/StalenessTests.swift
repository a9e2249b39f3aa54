import Testing
import UsherAPI

@testable import usher

/// What screens showed against the truth. Times in milliseconds after a start far enough from zero.
struct StalenessTests {
    private static let startMs: UInt64 = 1_000_000

    /// A fan in a line, who left it at a time and saw these positions since these times.
    private static func fan(_ place: UInt64, admitted: UInt64? = nil, left: UInt64? = nil, views: [(UInt64, UInt32)])
        -> FanRecord
    {
        var fan = FanRecord(index: Int(place), user: Uuid(high: 1, low: place))
        fan.joinNumber = place
        fan.place = place
        if let admitted { fan.admittedMs = startMs + admitted }
        if let left { fan.leaveSentUs = (startMs + left) * 1_000 }
        fan.views = views.map { ScreenView(sinceUs: (startMs + $0.0) * 1_000, position: $0.1) }
        return fan
    }

    @Test func `a screen that follows at once is right in every look`() throws {
        let staleness = try #require(
            Staleness([
                Self.fan(1, admitted: 1_000, views: [(0, 1), (1_000, 0)]),
                Self.fan(2, admitted: 2_000, views: [(0, 2), (1_000, 1), (2_000, 0)]),
            ]))
        // 1,000 ms and 2,000 ms, each 97 ms, the first at 0.
        #expect(staleness.samples == 11 + 21)
        #expect(staleness.right == 1 && staleness.placesMax == 0 && staleness.secondsMax == 0)
    }

    @Test func `a screen is off by the places that have gone since, for as long as the first has`() throws {
        // Places 1 to 3 go at 1, 2 and 3 s; the fourth's screen shows 4 until 3.5 s, then 2, which was true until 3 s.
        let staleness = try #require(
            Staleness([
                Self.fan(1, admitted: 1_000, views: []), Self.fan(2, left: 2_000, views: []),
                Self.fan(3, admitted: 3_000, views: []),
                Self.fan(4, admitted: 4_000, views: [(0, 4), (3_500, 2), (4_000, 0)]),
            ]))
        #expect(staleness.placesMax == 3)
        #expect(abs(staleness.secondsMax - 2.5) < 0.1, "4 was right until 1 s and stood until 3.5 s")
        let last = try #require(staleness.bySecondsToGo.first { $0.fromSeconds == 0 })
        #expect(last.placesP50 == 1 || last.placesP50 == 3, "the last second: 3 places off until 3.5 s, 1 after it")
        #expect(abs(staleness.right - 1.0 / 4) < 0.05, "only the first of four seconds")
    }

    @Test func `news that is old when it comes counts from when it was true`() throws {
        // Told at 2 s what was true until 1 s.
        let staleness = try #require(
            Staleness([
                Self.fan(1, admitted: 1_000, views: []), Self.fan(2, admitted: 4_000, views: [(2_000, 2), (3_000, 0)]),
            ]))
        #expect(abs(staleness.secondsMax - 2) < 0.1)
        #expect(staleness.placesP50 == 1)
    }

    @Test func `a turn that is not heard of is a place that is no more`() throws {
        let staleness = try #require(
            Staleness([
                Self.fan(1, admitted: 1_000, views: []),
                Self.fan(2, admitted: 2_000, views: [(0, 2), (1_000, 1), (4_000, 0)]),
            ]))
        let late = try #require(staleness.bySecondsToGo.first { $0.fromSeconds == -1 })
        #expect(late.samples == 20 || late.samples == 21)
        #expect(late.placesP99 == 1 && abs(late.secondsP99 - 2) < 0.15)
        // And a position of the time before it counts through both steps.
        var replayed = Self.fan(2, admitted: 2_000, views: [(3_000, 2), (4_000, 0)])
        replayed.index = 9
        let older = try #require(Staleness([Self.fan(1, admitted: 1_000, views: []), replayed]))
        #expect(older.placesMax == 2 && abs(older.secondsMax - 3) < 0.1)
    }

    @Test func `a lost connection shows nothing, and who never joined is in nobody's way`() throws {
        var stranger = Self.fan(0, views: [])
        stranger.joinNumber = 0
        let staleness = try #require(
            Staleness([
                stranger, Self.fan(1, admitted: 1_000, views: [(0, 1), (1_000, 0)]),
                Self.fan(2, admitted: 5_000, views: [(0, 2), (500, 0), (4_500, 1), (5_000, 0)]),
            ]))
        #expect(staleness.right == 1)
        #expect(Staleness([stranger]) == nil)
    }
}
