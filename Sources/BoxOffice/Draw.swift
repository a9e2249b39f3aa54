// The draw: how a lobby's join numbers 1...m become places 1...m.
//
// Anyone can recompute it from the seed, whose SHA-256 was shown before the first join:
//
//   stream   the 32-bit big-endian numbers of SHA-256(seed ‖ c), c = 0, 1, 2 … as 8 bytes big-endian, eight from each
//   order    starts as 1, 2 … m
//   shuffle  for i = m, m - 1 … 2: take numbers from the stream until one is below 2³² - (2³² mod i), r = it mod i;
//            swap order[i] and order[r + 1]                                   (Fisher and Yates, counted from 1)
//   result   place p belongs to join number order[p]
//
// Leaving out the numbers past the last whole multiple of i makes every permutation the seed can reach equally likely.

internal import Crypto

/// The draw of a lobby's places.
public enum Draw {
    /// Bytes of a seed.
    public static let seedBytes = 32

    /// What is shown of a seed before the draw.
    public static func commitment(seed: [UInt8]) -> [UInt8] {
        sha256(seed)
    }

    /// The place of each join number: element j - 1 is the place of join number j. Linear in `count`.
    public static func places(seed: [UInt8], count: Int) -> [UInt32] {
        var shuffle = Shuffle(seed: seed, count: count)
        shuffle.advance(by: count)
        return Order(shuffle).places
    }

    /// The shuffle, which can be done in parts: a million people take some tenths of a second.
    struct Shuffle {
        /// Join numbers by place; those of places above `left` are final.
        fileprivate var order: [UInt32]
        private var stream: Stream
        /// Places still to be drawn; 0 or 1: done.
        private(set) var left: Int

        init(seed: [UInt8], count: Int) {
            order = (0..<max(count, 0)).map { UInt32(truncatingIfNeeded: $0 + 1) }
            stream = Stream(seed: seed)
            left = order.count
        }

        var count: Int { order.count }
        var isDone: Bool { left <= 1 }

        /// Draws the next places, at most so many.
        mutating func advance(by steps: Int) {
            for _ in 0..<max(0, min(steps, left - 1)) {
                order.swapAt(left - 1, Int(stream.below(UInt32(truncatingIfNeeded: left))))
                left -= 1
            }
        }
    }

    /// Places by join numbers and back. Empty before a draw; who joins after it stands behind it, at the join number.
    struct Order {
        let places: [UInt32]
        private let joinNumbers: [UInt32]

        /// Before a draw.
        init() {
            places = []
            joinNumbers = []
        }

        /// What a shuffle that is done came to.
        init(_ shuffle: Shuffle) {
            var places = [UInt32](repeating: 0, count: shuffle.count)
            for (place, joinNumber) in shuffle.order.enumerated() {
                places[Int(joinNumber) - 1] = UInt32(truncatingIfNeeded: place + 1)
            }
            self.places = places
            joinNumbers = shuffle.order
        }

        /// How many join numbers were drawn.
        var count: Int { places.count }

        func place(ofJoin number: Int) -> Int { number <= places.count ? Int(places[number - 1]) : number }
        func joinNumber(atPlace place: Int) -> Int { place <= joinNumbers.count ? Int(joinNumbers[place - 1]) : place }
    }

    /// The numbers that drive the shuffle.
    private struct Stream {
        private var block: [UInt8]
        private let counterStart: Int
        private var counter: UInt64 = 0
        private var digest: [UInt8] = []
        private var used = 0

        init(seed: [UInt8]) {
            block = seed + [UInt8](repeating: 0, count: 8)
            counterStart = seed.count
        }

        mutating func next() -> UInt32 {
            if used == digest.count {
                for byte in 0..<8 {
                    block[counterStart + byte] = UInt8(truncatingIfNeeded: counter >> UInt64(56 - 8 * byte))
                }
                digest = sha256(block)
                counter &+= 1
                used = 0
            }
            defer { used += 4 }
            return UInt32(digest[used]) << 24 | UInt32(digest[used + 1]) << 16 | UInt32(digest[used + 2]) << 8
                | UInt32(digest[used + 3])
        }

        /// A number below `bound`, each as likely as the others.
        mutating func below(_ bound: UInt32) -> UInt32 {
            let limit = (1 << 32) - (1 << 32) % UInt64(bound)
            while true {
                let number = next()
                if UInt64(number) < limit { return number % bound }
            }
        }
    }
}
