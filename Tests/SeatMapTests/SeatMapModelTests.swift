import SeatMap
import Testing

/// A small generator with a seed (SplitMix64, Steele et al. 2014), so that a failing run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

/// The shard as one would write it for one thread: who has claimed what, and what was published.
private struct Model {
    enum Seat: Equatable {
        case available
        case claimed(by: Int)  // number of the claim
        case published(SeatState, holder: UInt32)
    }
    var seats: [Seat]

    mutating func end(_ claim: Int) -> Int {
        var freed = 0
        for index in seats.indices where seats[index] == .claimed(by: claim) {
            seats[index] = .available
            freed += 1
        }
        return freed
    }
}

@Suite struct SeatMapModelTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func `random commands have the model's outcomes`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...9, using: &random)
        let shard = SeatShard(seatCount: count)
        var model = Model(seats: Array(repeating: .available, count: count))
        var claims: [Claim] = []
        var ids: [ClaimID] = []
        for step in 0..<300 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                // Few tickets, so that they come again while old claims are still around.
                let id = ClaimID(loop: Int.random(in: 0..<3, using: &random), ticket: UInt32.random(in: 0..<2, using: &random))
                let wish = Set(
                    (0..<Int.random(in: 1...3, using: &random)).map { _ in UInt16.random(in: 0..<UInt16(count), using: &random)
                    })
                let taken = wish.filter { if case .published = model.seats[Int($0)] { true } else { false } }.sorted()
                let contended = wish.filter { if case .claimed = model.seats[Int($0)] { true } else { false } }.sorted()
                switch shard.claim(wish.shuffled(using: &random), by: id) {
                case .claimed(let claim):
                    #expect(taken.isEmpty && contended.isEmpty, "seed \(seed), step \(step)")
                    #expect(claim.seats.map(\.seat) == wish.sorted())
                    for seat in wish { model.seats[Int(seat)] = .claimed(by: claims.count) }
                    claims.append(claim)
                    ids.append(id)
                case .taken(let seats): #expect(!taken.isEmpty && Array(seats) == taken, "seed \(seed), step \(step)")
                case .contended(let seats):
                    #expect(taken.isEmpty && !contended.isEmpty && Array(seats) == contended, "seed \(seed), step \(step)")
                case .invalid: Issue.record("seed \(seed), step \(step): invalid")
                }
            case 2:
                guard let index = claims.indices.randomElement(using: &random) else { continue }
                // Any claim, long ended or not, by either way.
                let freed = Bool.random(using: &random) ? shard.undo(claims[index]) : shard.settle(claims[index])
                #expect(freed == model.end(index), "seed \(seed), step \(step)")
            default:
                let seat = Int.random(in: 0..<count, using: &random)
                let state = SeatState.allCases.randomElement(using: &random)!
                let holder = UInt32.random(in: 0...2, using: &random)
                let before = model.seats[seat]
                if state != .available {
                    model.seats[seat] = .published(state, holder: holder)
                } else if case .published = before {
                    model.seats[seat] = .available
                }
                #expect(
                    shard.publish(seat, state, holder: state == .available ? 0 : holder) == (before != model.seats[seat]),
                    "seed \(seed), step \(step)")
            }
            for seat in 0..<count {
                let word = shard.state(of: seat)
                switch model.seats[seat] {
                case .available: #expect(word.state == .available && word.claimant == nil, "seed \(seed), step \(step)")
                case .claimed(let claim): #expect(word.claimant == ids[claim], "seed \(seed), step \(step)")
                case .published(let state, let holder):
                    #expect(word.state == state && word.holder == holder, "seed \(seed), step \(step)")
                }
            }
            let free = model.seats.count { if case .published = $0 { false } else { true } }
            #expect(shard.freeCount == free, "seed \(seed), step \(step)")
        }
    }
}
