// Positions: a place's rank among those who wait, which must cost the same however many they are.

internal import BoxOffice

extension Benchmark {
    private static let crowd = [1_000, 10_000, 100_000, 1_000_000]

    /// What a line asks of its set of places.
    public static var positions: [Benchmark] { [rank, leaveAndReturn, first] }

    /// n places of which every other one has left, so that ranks differ from places.
    private static func places(_ size: Int) -> PlaceSet {
        var places = PlaceSet()
        for place in 1...2 * size { places.insert(place) }
        for place in stride(from: 1, through: 2 * size, by: 2) { places.remove(place) }
        return places
    }

    private static var rank: Benchmark {
        Benchmark(
            "position", sizes: crowd, of: "waiting", testSize: 100, allocationsMax: 0
        ) { size in
            let places = places(size)
            let asked = scattered(100_000, below: size).map { 2 * ($0 + 1) }
            return Prepared(operations: asked.count, expecting: asked.reduce(0) { $0 + $1 / 2 }) {
                var sum = 0
                for place in asked { sum += places.rank(below: place) + 1 }
                return sum
            }
        }
    }

    private static var leaveAndReturn: Benchmark {
        Benchmark(
            "leave the set and return", sizes: crowd, of: "waiting", testSize: 100, allocationsMax: 0
        ) { size in
            var places = places(size)
            let leavers = scattered(10_000, below: size).map { 2 * ($0 + 1) }
            return Prepared(operations: leavers.count, expecting: leavers.count * size) {
                var sum = 0
                for place in leavers {
                    places.remove(place)
                    places.insert(place)
                    sum += places.count
                }
                return sum
            }
        }
    }

    private static var first: Benchmark {
        Benchmark(
            "the next in line", sizes: crowd, of: "waiting", testSize: 100, allocationsMax: 0
        ) { size in
            let places = places(size)
            let from = scattered(100_000, below: size).map { 2 * $0 + 1 }
            return Prepared(operations: from.count, expecting: from.reduce(0) { $0 + $1 + 1 }) {
                var sum = 0
                for place in from { sum += places.firstMember(from: place) ?? 0 }
                return sum
            }
        }
    }
}

/// Numbers below a bound in an order without order, the same each time.
func scattered(_ count: Int, below bound: Int) -> [Int] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }
}
