import Testing

@testable import usher

struct SeatPushTests {
    private static func fact(_ seat: UInt32, createdMs: UInt64, at instance: Int) -> (performance: String, fact: HoldFact) {
        let key = SeatKey(performance: 0, seat: seat)
        return ("a", HoldFact(seat: key, createdMs: createdMs, answeredUs: createdMs * 1000 + 2_000, instance: instance))
    }

    private static func sighting(
        _ seat: UInt32, heardUs: UInt64, at instance: Int
    ) -> (performance: String, sighting: HoldSighting) {
        ("a", HoldSighting(seat: SeatKey(performance: 0, seat: seat), heardUs: heardUs, instance: instance))
    }

    @Test func `watchers at the holder's instance and at others are told apart`() throws {
        let found = SeatPushes.latencies(
            facts: [Self.fact(1, createdMs: 1_000, at: 0), Self.fact(2, createdMs: 1_000, at: 1)],
            sightings: [
                Self.sighting(1, heardUs: 1_001_000, at: 0), Self.sighting(1, heardUs: 1_005_000, at: 1),
                Self.sighting(1, heardUs: 1_005_000, at: 2), Self.sighting(2, heardUs: 1_001_000, at: 1),
            ])
        let all = try #require(Report.Distribution(found.sinceJournal))
        let here = try #require(Report.Distribution(found.atHolders))
        let elsewhere = try #require(Report.Distribution(found.elsewhere))
        #expect(all.count == 4)
        #expect(here.count == 2 && here.max < 1.1)
        #expect(elsewhere.count == 2 && elsewhere.p50 > 4.9)
    }

    @Test func `a sighting is of the last hold before it`() throws {
        let found = SeatPushes.latencies(
            facts: [Self.fact(1, createdMs: 1_000, at: 0), Self.fact(1, createdMs: 9_000, at: 1)],
            sightings: [Self.sighting(1, heardUs: 9_003_000, at: 1), Self.sighting(1, heardUs: 1_004_000, at: 1)])
        #expect(Report.Distribution(found.atHolders)?.count == 1 && Report.Distribution(found.elsewhere)?.count == 1)
        #expect(try #require(Report.Distribution(found.sinceJournal)).max < 4.1)
    }
}
