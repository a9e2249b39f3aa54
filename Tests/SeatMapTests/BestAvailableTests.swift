import SeatMap
import Testing

/// A row drawn with `.` for a free and `#` for a taken seat.
private func best(_ row: String, _ count: Int) -> SeatChoice? {
    let seats = Array(row.utf8)
    return bestAvailable(seatCount: seats.count, count: count) { seats[$0] == UInt8(ascii: ".") }
}

private func orphans(_ free: [Bool]) -> Int {
    free.indices.count { free[$0] && ($0 == 0 || !free[$0 - 1]) && ($0 + 1 == free.count || !free[$0 + 1]) }
}

@Suite struct BestAvailableTests {
    @Test(
        arguments: [
            ("....", 1, [0], true), ("....", 2, [0, 1], true), ("....", 4, [0, 1, 2, 3], true),
            ("#..#.#", 1, [4], true),  // the orphan is used up
            ("...#..", 2, [4, 5], true),  // the first gap would leave an orphan
            ("...#...", 2, [0, 1], true),  // both would: the lowest
            ("...#....", 2, [4, 5], true), ("..#..", 2, [0, 1], true), (".#..#...", 3, [5, 6, 7], true),
            ("#..#", 1, [1], true), (".", 1, [0], true),
            (".#.#.", 2, [0, 2], false), ("..#.#.", 3, [0, 1, 3], false),
        ] as [(String, Int, [UInt16], Bool)])
    func `seats are together, leave fewest orphans, and are the lowest`(
        row: String, count: Int, seats: [UInt16], isTogether: Bool
    ) {
        #expect(best(row, count) == SeatChoice(seats: seats, isTogether: isTogether))
    }

    @Test(arguments: [
        ("", 1), ("", 0), ("....", 0), ("....", -1), ("....", 5), ("....", Int.max), ("....", Int.min), ("#", 1), ("..#", 3),
    ])
    func `an impossible wish has no choice`(row: String, count: Int) {
        #expect(best(row, count) == nil)
    }

    @Test func `it agrees with trying every place in every row of up to nine seats`() {
        for seatCount in 1...9 {
            for bits in 0..<(1 << seatCount) {
                let free = (0..<seatCount).map { bits >> $0 & 1 == 1 }
                for count in 1...seatCount {
                    let places = (0...seatCount - count).filter { free[$0..<$0 + count].allSatisfy { $0 } }
                    func left(_ start: Int) -> Int {
                        var after = free
                        for seat in start..<start + count { after[seat] = false }
                        return orphans(after)
                    }
                    let fewest = places.map(left).min()
                    let expected = places.first { left($0) == fewest }
                    let choice = bestAvailable(seatCount: seatCount, count: count) { free[$0] }
                    if let expected {
                        #expect(choice == SeatChoice(seats: (expected..<expected + count).map { UInt16($0) }, isTogether: true))
                    } else if free.count(where: { $0 }) >= count {
                        let lowest = free.indices.filter { free[$0] }.prefix(count).map { UInt16($0) }
                        #expect(choice == SeatChoice(seats: lowest, isTogether: false))
                    } else {
                        #expect(choice == nil)
                    }
                }
            }
        }
    }

    @Test func `a full house of 65,535 seats is asked at most twice a seat`() {
        var questions = 0
        let choice = bestAvailable(seatCount: 65_535, count: 2) { seat in
            questions += 1
            return seat == 7 || seat == 65_534
        }
        #expect(choice == SeatChoice(seats: [7, 65_534], isTogether: false))
        #expect(questions <= 2 * 65_535)
    }

    @Test func `an early gap that can't be bettered ends the search`() {
        var questions = 0
        let choice = bestAvailable(seatCount: 65_535, count: 2) { seat in
            questions += 1
            return seat != 4
        }
        #expect(choice?.seats == [0, 1])
        #expect(questions == 5)
    }
}
