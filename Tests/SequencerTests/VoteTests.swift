import Testing

@testable import Sequencer

/// Who has to stop, for everything that can be said at a checkpoint. Instance 1 counts; its digest is 7 unless said otherwise.
@Suite struct `votes on digests` {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// By instance, in the order in which they come.
        var claims: [(UInt32, UInt64)]
        var living: [UInt32]
        var stops: Bool
        var agrees = false
    }

    static let cases = [
        Case(testDescription: "nobody has spoken", claims: [], living: [1, 2, 3], stops: false),
        Case(testDescription: "one alone", claims: [(1, 7)], living: [1], stops: false, agrees: true),
        Case(testDescription: "all agree", claims: [(1, 7), (2, 7), (3, 7)], living: [1, 2, 3], stops: false, agrees: true),
        Case(
            testDescription: "two of three agree with me", claims: [(2, 7), (3, 7)], living: [1, 2, 3], stops: false,
            agrees: true),
        Case(
            testDescription: "the third differs", claims: [(1, 7), (2, 7), (3, 8)], living: [1, 2, 3], stops: false,
            agrees: true),
        Case(testDescription: "I am the minority of three", claims: [(2, 8), (3, 8)], living: [1, 2, 3], stops: true),
        Case(
            testDescription: "I am, though I have spoken first", claims: [(1, 7), (2, 8), (3, 8)], living: [1, 2, 3],
            stops: true),
        Case(
            testDescription: "one of three differs, one is silent", claims: [(1, 7), (2, 8)], living: [1, 2, 3], stops: false),
        Case(testDescription: "the silent one is gone: a tie of two", claims: [(1, 7), (2, 8)], living: [1, 2], stops: true),
        Case(testDescription: "a tie of two is none before I have spoken", claims: [(2, 8)], living: [1, 2], stops: false),
        Case(testDescription: "all three differ", claims: [(1, 7), (2, 8), (3, 9)], living: [1, 2, 3], stops: true),
        Case(
            testDescription: "two against two", claims: [(1, 7), (2, 7), (3, 8), (4, 8)], living: [1, 2, 3, 4], stops: true),
        Case(
            testDescription: "half of four is not most", claims: [(2, 8), (3, 8)], living: [1, 2, 3, 4], stops: false),
        Case(
            testDescription: "who is gone does not count", claims: [(1, 7), (2, 8), (3, 8)], living: [1, 2], stops: true),
        Case(
            testDescription: "nor for those who agree", claims: [(1, 7), (2, 7), (3, 8)], living: [1, 3], stops: true),
        Case(
            testDescription: "a newcomer that can't speak of it leaves it open", claims: [(1, 7), (2, 8)], living: [1, 2, 9],
            stops: false),
        Case(
            testDescription: "the last word of an instance counts", claims: [(2, 8), (3, 8), (3, 7), (1, 7)],
            living: [1, 2, 3],
            stops: false, agrees: true),
    ]

    @Test(arguments: cases) func `are counted`(_ table: Case) {
        var vote = DigestVote(every: 100)
        vote.note(7, at: 200)
        var stopped: UInt64?
        for (index, (instance, digest)) in table.claims.enumerated() {
            vote.claim(digest, at: 200, by: instance)
            // In whatever order they come: only all of them together decide what a case is about.
            guard index == table.claims.count - 1 else { continue }
            stopped = vote.count(living: table.living, countsTies: true)
        }
        #expect(stopped == (table.stops ? 200 : nil))
        let agreed = vote.agreed
        #expect(agreed == (table.agrees ? 200 : 0))
    }

    @Test func `what is not known here is compared with nothing`() {
        var vote = DigestVote(every: 100)
        // As after a snapshot of position 250: of 200 nothing is known.
        vote.claim(8, at: 200, by: 2)
        vote.claim(8, at: 200, by: 3)
        let before = vote.count(living: [1, 2, 3], countsTies: true)
        #expect(before == nil)
        vote.note(7, at: 300)
        vote.claim(8, at: 300, by: 2)
        vote.claim(8, at: 300, by: 3)
        let after = vote.count(living: [1, 2, 3], countsTies: true)
        #expect(after == 300)
    }

    @Test func `while it is replayed a tie of others' time stops nobody, a majority does`() {
        var vote = DigestVote(every: 100)
        vote.note(7, at: 100)
        vote.claim(8, at: 100, by: 2)
        vote.claim(9, at: 100, by: 3)
        let tie = vote.count(living: [2, 3], countsTies: false)
        #expect(tie == nil)
        let alone = vote.count(living: [2], countsTies: false)
        #expect(alone == nil, "one is no witness against another")
        vote.claim(8, at: 100, by: 3)
        let majority = vote.count(living: [2, 3], countsTies: false)
        #expect(majority == 100)
    }

    @Test func `what a run did not settle is none of the next one's`() {
        var vote = DigestVote(every: 100)
        vote.note(7, at: 100)
        vote.claim(8, at: 100, by: 2)
        vote.forgetOpen()
        vote.claim(7, at: 100, by: 1)
        let verdict = vote.count(living: [1, 2], countsTies: true)
        #expect(verdict == nil)
    }

    @Test func `a claim may come late, but not later than the last eight checkpoints`() {
        var vote = DigestVote(every: 100)
        for position in 1...9 as ClosedRange<UInt64> { vote.note(7, at: position * 100) }
        for instance in [2, 3] as [UInt32] { vote.claim(8, at: 100, by: instance) }
        let forgotten = vote.count(living: [1, 2, 3], countsTies: true)
        #expect(forgotten == nil)
        for instance in [2, 3] as [UInt32] { vote.claim(8, at: 200, by: instance) }
        let kept = vote.count(living: [1, 2, 3], countsTies: true)
        #expect(kept == 200)
    }
}
