import Testing
import UsherAPI

@testable import usher

struct SaidDigestsTests {
    private static func entry(by instance: UInt32, saying digest: UInt64, at position: UInt64) -> Entry {
        Entry(
            instance: instance, incarnation: 1, number: 1,
            commands: [Command(body: .checkpoint(Checkpoint(position: position, digest: digest)))])
    }

    @Test func `digests that are the replay's are counted, with the last of each instance`() throws {
        var digests = SaidDigests()
        for position in 1...2_500 as ClosedRange<UInt64> { digests.replayed(position, position * 3) }
        #expect(digests.sentence == nil)
        try digests.compare(Self.entry(by: 7, saying: 3_072, at: 1_024))
        try digests.compare(Self.entry(by: 9, saying: 3_072, at: 1_024))
        try digests.compare(Self.entry(by: 7, saying: 6_144, at: 2_048))
        #expect(digests.sentence == "3 digests said by 2 instances, all equal to the replay's.")
        #expect(
            digests.json.map(\.description) == [
                #"{"instance":7,"position":2048,"digest":"1800"}"#, #"{"instance":9,"position":1024,"digest":"c00"}"#,
            ])
    }

    @Test func `a digest that is not the replay's is told with its instance and position`() throws {
        var digests = SaidDigests()
        digests.replayed(1_024, 1)
        let failure = #expect(throws: Failure.self) { try digests.compare(Self.entry(by: 7, saying: 2, at: 1_024)) }
        let message = try #require(failure).message
        #expect(message.contains("Instance 7") && message.contains("position 1024"), "\(message)")
    }

    @Test func `digests of before a replay's beginning are compared with nothing`() throws {
        var digests = SaidDigests()
        digests.replayed(2_048, 1)
        try digests.compare(Self.entry(by: 7, saying: 5, at: 1_024))
        #expect(digests.count == 0)
    }
}
