import ArgumentParser
import Foundation
import Testing
import UsherAPI

@testable import usher

struct ArgumentTests {
    @Test(arguments: [
        ("90s", UInt64(90_000)), ("5m", 300_000), ("1h30m", 5_400_000), ("250ms", 250), ("2d", 172_800_000), ("0s", 0),
        ("1H", 3_600_000),
    ])
    func `durations are read`(text: String, milliseconds: UInt64) {
        #expect(DurationArgument(argument: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: ["", "5", "m", "5 m", "-5m", "5x", "5m3", "99999999999999999999s", "9999999999999999d"])
    func `what is no duration is refused`(text: String) {
        #expect(DurationArgument(argument: text) == nil)
    }

    @Test(arguments: [
        ("+30d", UInt64(1_000_000 + 2_592_000_000)), ("+0s", 1_000_000), ("2026-12-01", 1_796_083_200_000),
        ("2026-12-01T20:00", 1_796_155_200_000), ("2026-12-01T20:00:30", 1_796_155_230_000),
        ("2026-12-01T20:00:00Z", 1_796_155_200_000),
        ("2026-12-01T20:00+01:00", 1_796_151_600_000), ("1796155200000", 1_796_155_200_000),
    ])
    func `times are read`(text: String, milliseconds: UInt64) throws {
        let zone = try #require(TimeZone(identifier: "UTC"))
        #expect(TimeArgument(text, now: 1_000_000, zone: zone)?.milliseconds == milliseconds)
    }

    @Test(arguments: ["", "tomorrow", "+", "+30", "2026-13-01", "2026-12-01 20:00", "20:00", "12345"])
    func `what is no time is refused`(text: String) {
        #expect(TimeArgument(text, now: 0) == nil)
    }

    @Test(arguments: [("12", [UInt32(12)]), ("12,13", [12, 13]), ("3-5", [3, 4, 5]), ("1,4-5", [1, 4, 5])])
    func `seats are read`(text: String, numbers: [UInt32]) {
        #expect(SeatsArgument(argument: text)?.numbers == numbers)
    }

    @Test(arguments: ["", "0", "a", "5-3", "1-", "-1", "1--2", "1,,2", "1-65536", "4294967296"])
    func `what is no seat is refused`(text: String) {
        #expect(SeatsArgument(argument: text) == nil)
    }

    @Test func `a name stands for the same user everywhere and for ever`() throws {
        let ada = try #require(UserName(argument: "ada"))
        // Golden: changing it would lose everybody their places.
        #expect("\(ada.id)" == "b750c904-60e5-82c9-b289-8c7be0e56ddf")
        #expect(UserName(argument: "ADA") == ada)
        #expect(UserName(argument: "bob")?.id != ada.id)
        #expect(ada.id.high >> 12 & 0xF == 8)
        #expect(ada.id.low >> 62 == 0b10)
    }

    @Test func `a UUID stands for itself, the nil one for nobody`() {
        let text = "0198c5f0-1111-7222-8333-944444444444"
        #expect(UserName(argument: text)?.id == Uuid(text))
        #expect(UserName(argument: "00000000-0000-0000-0000-000000000000") == nil)
    }

    @Test(arguments: ["", "a b", "ünal", "a/b", "..\u{0}", String(repeating: "a", count: 65)])
    func `what is neither a UUID nor a name is refused`(text: String) {
        #expect(UserName(argument: text) == nil)
    }

    @Test func `every command explains itself with examples`() {
        func check(_ command: any ParsableCommand.Type, _ path: String) {
            let configuration = command.configuration
            #expect(!configuration.abstract.isEmpty, "\(path)")
            if configuration.subcommands.isEmpty, path != "usher serve", !path.contains("stampede") {
                #expect(configuration.discussion.contains("EXAMPLES"), "\(path)")
            }
            for sub in configuration.subcommands { check(sub, "\(path) \(sub._commandName)") }
        }
        check(Usher.self, "usher")
    }

    @Test(arguments: [
        (["hold", "aurora-1"], "Name the seats"), (["hold", "aurora-1", "1", "--best", "2"], "Name the seats"),
        (["hold", "aurora-1", "--best", "0"], "from 1"), (["journal", "export", "--csv", "x"], "--only"),
        (["history", "--limit", "0"], "--limit"),
        (["admin", "performance", "p", "--concert", "c", "--starts", "+1d"], "--price"),
    ])
    func `a wrong command line is told what is right`(arguments: [String], expected: String) {
        let error = #expect(throws: (any Error).self) { _ = try Usher.parseAsRoot(arguments) }
        if let error { #expect(Usher.fullMessage(for: error).contains(expected)) }
    }

    @Test func `bands of prices lie over the price for all`() throws {
        let command = try #require(
            try Usher.parseAsRoot([
                "admin", "performance", "p", "--concert", "c", "--starts", "+1d", "--price", "10", "--prices",
                "1-5:20",
                "--prices", "60:30",
            ]) as? usher.PutPerformance)
        #expect(
            command.settings(seatCount: 60).prices == [
                PriceBand(firstSeat: 1, lastSeat: 60, price: 10), PriceBand(firstSeat: 1, lastSeat: 5, price: 20),
                PriceBand(firstSeat: 60, lastSeat: 60, price: 30),
            ])
    }

    @Test func `changing a concert keeps what is not said`() throws {
        let command = try #require(try Usher.parseAsRoot(["admin", "concert", "c", "--title", "New"]) as? usher.PutConcert)
        let settings = try command.settings(
            over: Concert(
                id: "c", title: "Old", venue: "Hall", opensMs: 5, lobbyOrder: .draw, policy: AdmissionPolicy(maxActive: 7),
                maxSeats: 4))
        #expect(settings.title == "New")
        #expect(settings.venue == "Hall")
        #expect(settings.opensMs == 5)
        #expect(settings.lobbyOrder == .draw)
        #expect(settings.policy == AdmissionPolicy(maxActive: 7))
        #expect(settings.maxSeats == 4)
    }
}
