import BoxOffice
import Sequencer
import Testing
import UsherAPI

@testable import Server

@Suite struct `a seat feed` {
    private func feed(revision: UInt64 = 0, seats: Int = 5) -> SeatFeed {
        SeatFeed(SeatImage(revision: revision, states: Array(repeating: .available, count: seats)))
    }

    private func change(_ revision: UInt64, _ seat: UInt32, _ state: SeatState) -> SeatChange {
        SeatChange(performance: 0, revision: revision, seat: seat, state: state, reservation: 1)
    }

    @Test func `keeps states and the number left`() {
        var feed = feed()
        feed.apply(change(1, 2, .held), kept: 10)
        feed.apply(change(2, 3, .held), kept: 10)
        feed.apply(change(3, 2, .sold), kept: 10)
        feed.apply(change(4, 3, .available), kept: 10)
        #expect(feed.states == [.available, .sold, .available, .available, .available])
        #expect(feed.left == 4 && feed.revision == 4)
    }

    @Test func `names each seat that changed after a revision once, in order`() {
        var feed = feed()
        for (index, seat) in [4, 1, 4, 2, 1].enumerated() {
            feed.apply(change(UInt64(index + 1), UInt32(seat), .held), kept: 10)
        }
        #expect(feed.seats(changedAfter: 0) == [1, 2, 4])
        #expect(feed.seats(changedAfter: 2) == [1, 2, 4])
        #expect(feed.seats(changedAfter: 3) == [1, 2])
        #expect(feed.seats(changedAfter: 5) == [])
    }

    @Test func `a revision of the future, as of another journal, is not known`() {
        var feed = feed()
        feed.apply(change(1, 1, .held), kept: 10)
        #expect(feed.seats(changedAfter: 2) == nil)
        #expect(feed.seats(changedAfter: .max) == nil)
        #expect(feed.seats(changedAfter: .max - 1) == nil)
    }

    @Test func `nobody goes on from before prices changed`() {
        var feed = feed()
        feed.apply(change(1, 1, .held), kept: 10)
        #expect(feed.canResume(after: 1) && !feed.canResume(after: 0))
        feed.reprice()
        #expect(!feed.canResume(after: 1))
        feed.apply(change(2, 2, .held), kept: 10)
        #expect(feed.canResume(after: 2) && !feed.canResume(after: 1))
    }

    @Test func `what was before the feed began is not known`() {
        var feed = feed(revision: 100)
        #expect(feed.seats(changedAfter: 100) == [])
        #expect(feed.seats(changedAfter: 99) == nil)
        feed.apply(change(101, 1, .held), kept: 10)
        #expect(feed.seats(changedAfter: 100) == [1])
        #expect(feed.seats(changedAfter: 99) == nil)
    }

    @Test(arguments: [1, 2, 10]) func `at least so many changes are kept, and less than twice as many`(kept: Int) {
        var feed = feed()
        for revision in 1...100 as ClosedRange<UInt64> {
            feed.apply(change(revision, UInt32(revision % 5) + 1, .held), kept: kept)
            let known = (0...revision).filter { feed.seats(changedAfter: $0) != nil }
            #expect(known == Array((revision + 1 - UInt64(known.count))...revision), "the window ends at the present")
            #expect(known.count - 1 >= min(kept, Int(revision)) && known.count - 1 < 2 * kept)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `old states and the seats that changed give the present ones`(seed: UInt64) {
        var random = Seeded(seed)
        var feed = feed(seats: 20)
        var history = [feed.states]
        for revision in 1...300 as ClosedRange<UInt64> {
            let state = [SeatState.available, .held, .sold].randomElement(using: &random)!
            feed.apply(change(revision, .random(in: 1...20, using: &random), state), kept: 16)
            history.append(feed.states)
            let past = UInt64.random(in: 0...revision, using: &random)
            guard let seats = feed.seats(changedAfter: past) else { continue }
            var states = history[Int(past)]
            for seat in seats { states[Int(seat) - 1] = feed.states[Int(seat) - 1] }
            #expect(states == feed.states, "seed \(seed): from \(past) to \(revision)")
        }
    }
}
