import Testing
import UsherAPI

@testable import Server

private let now: UInt64 = 1_800_000_000_000

@Suite struct `a file of concerts` {
    private func read(_ yaml: String) throws(SettingsError) -> ConcertFile {
        try ConcertFile(yaml: yaml, name: "sale.yaml", now: now)
    }

    @Test func `sets everything that it names`() throws {
        let file = try read(
            """
            concerts:
              - id: aurora
                title: Aurora Lights
                venue: Harbour Hall
                lobby-opens: 2027-03-01T09:30:00Z
                opens: 2027-03-01T10:00:00Z
                closes: +90d
                lobby-order: draw
                max-active: 5
                batch: 20
                interval: 10s
                max-seats: 4
                hold-ttl: 5m
                active-ttl: 10m
                idle-ttl: 90s
                grace: 1h
                cancel-until: 1d
                performances:
                  - id: aurora-fri
                    starts: 2027-06-04T20:00:00+02:00
                    seats: 50
                    prices: [{first: 1, last: 10, price: 9000}, {first: 11, last: 50, price: 4500}]
              - {id: brass, title: Brass}
            """)
        let aurora = try #require(file.concerts.first)
        #expect(
            aurora
                == ConcertSettings(
                    id: "aurora", title: "Aurora Lights", venue: "Harbour Hall", lobbyOpensMs: 1_803_893_400_000,
                    opensMs: 1_803_895_200_000,
                    closesMs: now + 90 * 86_400_000, lobbyOrder: .draw,
                    policy: AdmissionPolicy(maxActive: 5, batch: 20, intervalMs: 10_000),
                    maxSeats: 4, holdTtlMs: 300_000, activeTtlMs: 600_000, idleTtlMs: 90_000, graceMs: 3_600_000,
                    cancelUntilMs: 86_400_000))
        let friday = try #require(file.performances.first)
        #expect(friday.id == "aurora-fri" && friday.concert == "aurora" && friday.seatCount == 50)
        #expect(friday.startsMs == 1_812_132_000_000)
        #expect(friday.prices.map(\.price) == [9000, 4500] && friday.prices.map(\.lastSeat) == [10, 50])
        #expect(file.concerts.map(\.id) == ["aurora", "brass"] && file.performances.count == 1)
        #expect(file.concerts[1].opensMs == 0 && file.concerts[1].lobbyOrder == .arrival && file.concerts[1].holdTtlMs == 0)
    }

    @Test func `the demonstration is one`() throws {
        let demo = try read(ConcertFile.demo)
        #expect(demo.concerts.count == 3 && demo.performances.count == 7)
        #expect(demo.performances.allSatisfy { $0.seatCount == 50 && $0.startsMs > now })
    }

    /// A line put into a concert, and what the error has to name.
    static let badLines: [(line: String, names: [String])] = [
        ("lobby-opens: soon", ["'aurora'", "lobby-opens", "'soon'"]), ("opens: 2027-13-01T10:00:00Z", ["'aurora'", "opens"]),
        ("closes: 1969-01-01T00:00:00Z", ["closes"]), ("opens: +5", ["opens"]),
        ("lobby-order: random", ["lobby-order", "'random'"]),
        ("interval: 10", ["interval", "'10'"]), ("hold-ttl: 5 m", ["hold-ttl"]), ("active-ttl: -5m", ["active-ttl"]),
        ("idle-ttl: m", ["idle-ttl"]),
        ("grace: 11000d", ["grace"]), ("cancel-until: 1w", ["cancel-until"]), ("max-active: many", ["max-active"]),
        ("batch: -1", ["batch"]),
        ("max-seats: 5000000000", ["max-seats"]), ("hold-tll: 5m", ["entry 1", "hold-tll"]),
        ("performances: none", ["performances"]),
        ("performances: [{id: x, starts: later, prices: []}]", ["'x'", "starts", "'later'"]),
        ("performances: [{id: x, starts: +1d}]", ["prices"]), ("performances: [{id: x, prices: []}]", ["starts"]),
        ("performances: [{starts: +1d, prices: []}]", ["id"]),
        ("performances: [{id: x, starts: +1d, prices: [{first: 1, price: 5}]}]", ["last"]),
        ("performances: [{id: x, starts: +1d, prices: [{first: 1, last: 2, price: 5, note: x}]}]", ["note"]),
        ("performances: [{id: x, starts: +1d, seat: 50, prices: []}]", ["seat"]),
    ]

    @Test(arguments: badLines) func `a bad key is refused by name`(bad: (line: String, names: [String])) {
        let error = #expect(throws: SettingsError.self, "\(bad.line)") {
            try read("concerts:\n  - id: aurora\n    title: Aurora\n    \(bad.line)\n")
        }
        let sentence = error.map { "\($0)" } ?? ""
        for name in ["sale.yaml"] + bad.names { #expect(sentence.contains(name), "\(sentence)") }
        #expect(!sentence.contains("CodingKeys"), "written for people: \(sentence)")
    }

    @Test(arguments: [
        "", "concerts: 5", "concerts:\n  - title: x", "concerts:\n  - id: x", "concert: []", "concerts: [",
        "concerts: []\nshows: []",
    ])
    func `what is no file of concerts is refused`(yaml: String) {
        let error = #expect(throws: SettingsError.self) { try read(yaml) }
        #expect(error.map { "\($0)" }?.hasPrefix("sale.yaml: ") == true)
    }
}

@Suite struct `times as people write them` {
    @Test(
        arguments: [
            ("250ms", 250), ("0ms", 0), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("7d", 604_800_000),
            ("007s", 7_000), ("3660d", 316_224_000_000),
            ("", nil), ("5", nil), ("s", nil), ("5 s", nil), (" 5s", nil), ("5s ", nil), ("5S", nil), ("-5s", nil),
            ("+5s", nil), ("1.5h", nil), ("5w", nil),
            ("٣s", nil), ("3661d", nil), ("99999999999999999999s", nil), ("18446744073709551615d", nil), ("5s5", nil),
        ] as [(text: String, milliseconds: UInt64?)])
    func `a duration`(text: String, milliseconds: UInt64?) {
        #expect(TimeText.milliseconds(text) == milliseconds)
    }

    @Test(
        arguments: [
            (nil, 0), ("+0s", now), ("+30s", now + 30_000), ("2027-03-01T10:00:00Z", 1_803_895_200_000),
            ("2027-03-01T12:00:00+02:00", 1_803_895_200_000),
            ("1970-01-01T00:00:00Z", 0),
        ] as [(text: String?, milliseconds: UInt64)])
    func `an instant`(text: String?, milliseconds: UInt64) throws {
        #expect(try TimeText.instant(text, now: now, key: "opens") == milliseconds)
    }

    @Test(arguments: [
        "", "now", "+", "+5", "30s", "2027-03-01", "10:00", "2027-02-30T10:00:00Z", "1969-12-31T23:59:59Z",
        "2027-03-01T10:00:00",
    ])
    func `what is none is refused with its key`(text: String) {
        let error = #expect(throws: SettingsError.self) { try TimeText.instant(text, now: now, key: "opens") }
        #expect(error.map { "\($0)" }?.hasPrefix("opens: ") == true)
    }
}
