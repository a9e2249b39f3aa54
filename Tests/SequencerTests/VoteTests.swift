import Testing

@testable import Sequencer

/// Who has to stop, for everything that can be said at a checkpoint. Instance 1 counts; its digest is 7 unless said otherwise.
@Suite struct `votes on digests` {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// By instance, in the order in which they come.
        var claims: [(UInt32, UInt64)]
        /// Who has written since the checkpoint before.
        var voters: [UInt32]
        var stops: Bool
        var agrees = false
    }

    static let cases = [
        Case(testDescription: "nobody has spoken", claims: [], voters: [1, 2, 3], stops: false),
        Case(testDescription: "one alone", claims: [(1, 7)], voters: [1], stops: false, agrees: true),
        Case(testDescription: "all agree", claims: [(1, 7), (2, 7), (3, 7)], voters: [1, 2, 3], stops: false, agrees: true),
        Case(
            testDescription: "two of three agree with me", claims: [(2, 7), (3, 7)], voters: [1, 2, 3], stops: false,
            agrees: true),
        Case(
            testDescription: "the third differs", claims: [(1, 7), (2, 7), (3, 8)], voters: [1, 2, 3], stops: false,
            agrees: true),
        Case(testDescription: "I am the minority of three", claims: [(2, 8), (3, 8)], voters: [1, 2, 3], stops: true),
        Case(
            testDescription: "I am, though I have spoken first", claims: [(1, 7), (2, 8), (3, 8)], voters: [1, 2, 3],
            stops: true),
        Case(
            testDescription: "one of three differs, one has died on the way", claims: [(1, 7), (2, 8)], voters: [1, 2, 3],
            stops: false),
        Case(
            testDescription: "the third has not written for long: a tie of two", claims: [(1, 7), (2, 8)], voters: [1, 2],
            stops: true),
        Case(testDescription: "a tie of two is none before I have spoken", claims: [(2, 8)], voters: [1, 2], stops: false),
        Case(testDescription: "all three differ", claims: [(1, 7), (2, 8), (3, 9)], voters: [1, 2, 3], stops: true),
        Case(
            testDescription: "two against two", claims: [(1, 7), (2, 7), (3, 8), (4, 8)], voters: [1, 2, 3, 4], stops: true),
        Case(
            testDescription: "half of four is not most", claims: [(2, 8), (3, 8)], voters: [1, 2, 3, 4], stops: false),
        Case(
            testDescription: "whoever has not written does not count", claims: [(1, 7), (2, 8), (3, 8)], voters: [1, 2],
            stops: true),
        Case(
            testDescription: "nor for those who agree", claims: [(1, 7), (2, 7), (3, 8)], voters: [1, 3], stops: true),
        Case(
            testDescription: "a newcomer that can't speak of it leaves it open", claims: [(1, 7), (2, 8)], voters: [1, 2, 9],
            stops: false),
        Case(
            testDescription: "the last word of an instance counts", claims: [(2, 8), (3, 8), (3, 7), (1, 7)],
            voters: [1, 2, 3],
            stops: false, agrees: true),
    ]

    /// A vote that has heard of `voters` before the checkpoint at each of `positions`.
    static func vote(_ voters: [UInt32], at positions: [UInt64] = [200]) -> DigestVote {
        var vote = DigestVote(every: 100)
        for checkpoint in positions {
            for offset in 1...100 as ClosedRange<UInt64> {
                let position = checkpoint - 100 + offset
                let isCheckpoint = vote.hear(position, by: voters[Int(offset) % voters.count], digest: 7)
                #expect(isCheckpoint == (offset == 100))
            }
        }
        return vote
    }

    @Test(arguments: cases) func `are counted`(_ table: Case) {
        var vote = Self.vote(table.voters)
        for (instance, digest) in table.claims { vote.claim(digest, at: 200, by: instance) }
        // In whatever order they come: only all of them together decide what a case is about.
        let stopped = vote.count(countsTies: true)
        #expect(stopped == (table.stops ? 200 : nil))
        let agreed = vote.agreed
        #expect(agreed == (table.agrees ? 200 : 0))
    }

    @Test func `what began before one was there is compared with nothing`() {
        var vote = DigestVote(every: 100)
        // As after a snapshot of position 150: who wrote before is not known.
        for position in 151...200 as ClosedRange<UInt64> { _ = vote.hear(position, by: 2, digest: 7) }
        for instance in [2, 3] as [UInt32] { vote.claim(8, at: 200, by: instance) }
        let before = vote.count(countsTies: true)
        #expect(before == nil)
        for position in 201...300 as ClosedRange<UInt64> { _ = vote.hear(position, by: UInt32(position % 3 + 1), digest: 7) }
        for instance in [2, 3] as [UInt32] { vote.claim(8, at: 300, by: instance) }
        let after = vote.count(countsTies: true)
        #expect(after == 300)
    }

    @Test func `while it is replayed a tie of others' time stops nobody, a majority does`() {
        var vote = Self.vote([2, 3])
        vote.claim(8, at: 200, by: 2)
        vote.claim(9, at: 200, by: 3)
        let tie = vote.count(countsTies: false)
        #expect(tie == nil)
        vote.claim(8, at: 200, by: 3)
        let majority = vote.count(countsTies: false)
        #expect(majority == 200)
    }

    @Test func `one is no witness against another`() {
        var vote = Self.vote([2])
        vote.claim(8, at: 200, by: 2)
        let verdict = vote.count(countsTies: true)
        #expect(verdict == nil)
    }

    @Test func `what a run did not settle is none of the next one's`() {
        var vote = Self.vote([1, 2])
        vote.claim(8, at: 200, by: 2)
        vote.forgetOpen()
        vote.claim(7, at: 200, by: 1)
        let verdict = vote.count(countsTies: true)
        #expect(verdict == nil)
    }

    @Test func `a claim may come late, but not later than the last eight checkpoints`() {
        var vote = Self.vote([1, 2, 3], at: (1...9).map { $0 * 100 })
        for instance in [2, 3] as [UInt32] { vote.claim(8, at: 100, by: instance) }
        let forgotten = vote.count(countsTies: true)
        #expect(forgotten == nil)
        for instance in [2, 3] as [UInt32] { vote.claim(8, at: 200, by: instance) }
        let kept = vote.count(countsTies: true)
        #expect(kept == 200)
    }
}
