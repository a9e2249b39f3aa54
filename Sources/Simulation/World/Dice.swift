/// A seeded source of numbers: SplitMix64 (Steele, Lea, Flood 2014). All chance in a world comes from one of these, so that a
/// seed is a whole history.
package struct Dice: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// 0 up to, not including, `limit`, which must be positive.
    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

    /// A number of the range, both ends included.
    mutating func number(_ range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + next() % (range.upperBound - range.lowerBound + 1)
    }

    /// True that many times in a hundred.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    /// An id that nobody else has.
    mutating func uuid() -> (high: UInt64, low: UInt64) { (next(), next() | 1) }

    /// Dice of their own for one part of the world, so that what another part throws doesn't change its luck.
    mutating func fork() -> Dice { Dice(seed: next()) }
}
