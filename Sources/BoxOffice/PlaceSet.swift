// A set of places with exact ranks, for "how many are ahead of me".
//
//   bits    one bit for each place, place p at bit p - 1, 64 to a word
//   words   for each word: members in the words before it within its block       UInt16
//   blocks  for each block of 256 words (16,384 places): members before it       UInt32
//
//   rank(below: p) = blocks[block of p] + words[word of p] + popcount(bits of that word below p)
//
// A rank reads three numbers, however large the set. An insertion or removal adds one to the counts behind it: at most
// 255 words and, at a million places, 61 blocks, some hundred bytes on average. Inserting the highest place so far,
// which is what a join does, moves no count at all.
//
// Invariants: the three arrays cover the same places; `words[w]` is at most 16,320, so it fits; a bit past the last
// place is never set.

/// A set of places, counted from 1, that knows how many members stand before any place. A value: copies share nothing.
public struct PlaceSet: Sendable, Equatable {
    private static let wordsPerBlock = 256

    private var bits: [UInt64] = []
    private var words: [UInt16] = []
    private var blocks: [UInt32] = []

    /// The number of members.
    public private(set) var count = 0

    /// The empty set.
    public init() {}

    /// Whether `place` is a member; false for places never seen, 0 and below.
    public func contains(_ place: Int) -> Bool {
        let bit = place - 1
        guard bit >= 0, bit >> 6 < bits.count else { return false }
        return bits[bit >> 6] >> UInt64(bit & 63) & 1 == 1
    }

    /// The number of members below `place`; for a waiting token this is how many are ahead of it. Constant time.
    public func rank(below place: Int) -> Int {
        let bit = place - 1
        guard bit > 0 else { return 0 }
        let word = bit >> 6
        guard word < bits.count else { return count }
        let before = bits[word] & (1 << UInt64(bit & 63) - 1)
        return Int(blocks[word / Self.wordsPerBlock]) + Int(words[word]) + before.nonzeroBitCount
    }

    /// The lowest member that is `place` or above, nil if there is none. Logarithmic in the number of blocks.
    public func firstMember(from place: Int = 1) -> Int? {
        let rank = rank(below: place)
        guard rank < count else { return nil }
        let block = Self.last(0..<blocks.count) { blocks[$0] <= rank }
        let inBlock = rank - Int(blocks[block])
        let start = block * Self.wordsPerBlock
        let word = Self.last(start..<min(start + Self.wordsPerBlock, words.count)) { words[$0] <= inBlock }
        var rest = bits[word]
        for _ in 0..<(inBlock - Int(words[word])) { rest &= rest &- 1 }
        return word * 64 + rest.trailingZeroBitCount + 1
    }

    /// Adds `place`, growing the set to hold it. False, and nothing changes, if it is a member already or below 1.
    @discardableResult
    public mutating func insert(_ place: Int) -> Bool {
        let bit = place - 1
        guard bit >= 0 else { return false }
        let word = bit >> 6
        grow(toWord: word)
        let mask: UInt64 = 1 << UInt64(bit & 63)
        guard bits[word] & mask == 0 else { return false }
        bits[word] |= mask
        for later in (word + 1)..<max(blockEnd(of: word), word + 1) { words[later] &+= 1 }
        for later in (word / Self.wordsPerBlock + 1)..<max(blocks.count, word / Self.wordsPerBlock + 1) { blocks[later] &+= 1 }
        count += 1
        return true
    }

    /// Takes `place` out. False, and nothing changes, if it is no member.
    @discardableResult
    public mutating func remove(_ place: Int) -> Bool {
        guard contains(place) else { return false }
        let bit = place - 1
        let word = bit >> 6
        bits[word] &= ~(1 << UInt64(bit & 63))
        for later in (word + 1)..<max(blockEnd(of: word), word + 1) { words[later] &-= 1 }
        for later in (word / Self.wordsPerBlock + 1)..<max(blocks.count, word / Self.wordsPerBlock + 1) { blocks[later] &-= 1 }
        count -= 1
        return true
    }

    /// Takes everything out and gives the memory back.
    public mutating func removeAll() {
        self = PlaceSet()
    }

    /// Moves every member p up to `places.count` to place `places[p - 1]`, all at once; higher members stay. This is
    /// the draw. `places` is a permutation of 1...count; what is out of that range is left out of the set.
    public mutating func permute(_ places: [UInt32]) {
        var moved = [UInt64](repeating: 0, count: max(bits.count, (places.count + 63) / 64))
        for word in bits.indices {
            var rest = bits[word]
            while rest != 0 {
                let bit = word * 64 + rest.trailingZeroBitCount
                rest &= rest &- 1
                let target = bit < places.count ? Int(places[bit]) - 1 : bit
                if target >= 0, target >> 6 < moved.count { moved[target >> 6] |= 1 << UInt64(target & 63) }
            }
        }
        bits = moved
        recount()
    }

    /// Calls `body` with every member, ascending.
    public func forEach(_ body: (Int) -> Void) {
        for word in bits.indices {
            var rest = bits[word]
            while rest != 0 {
                body(word * 64 + rest.trailingZeroBitCount + 1)
                rest &= rest &- 1
            }
        }
    }

    /// Sets are equal if their members are; how far they have grown does not matter.
    public static func == (left: PlaceSet, right: PlaceSet) -> Bool {
        guard left.count == right.count else { return false }
        let common = min(left.bits.count, right.bits.count)
        // With equal counts, equal words up to the shorter end leave nothing to be different behind it.
        return left.bits[..<common] == right.bits[..<common]
    }

    /// The end of the words whose counts depend on `word`: of its block, or of the set.
    private func blockEnd(of word: Int) -> Int {
        min((word / Self.wordsPerBlock + 1) * Self.wordsPerBlock, words.count)
    }

    private mutating func grow(toWord word: Int) {
        while bits.count <= word {
            if bits.count % Self.wordsPerBlock == 0 {
                blocks.append(UInt32(truncatingIfNeeded: count))
                words.append(0)
            } else {
                words.append(words[bits.count - 1] + UInt16(bits[bits.count - 1].nonzeroBitCount))
            }
            bits.append(0)
        }
    }

    private mutating func recount() {
        let all = bits
        self = PlaceSet()
        for (word, content) in all.enumerated() {
            grow(toWord: word)
            bits[word] = content
            count += content.nonzeroBitCount
        }
    }

    /// The last index in `range` for which `holds`, which holds for the first and, once false, stays false.
    private static func last(_ range: Range<Int>, where holds: (Int) -> Bool) -> Int {
        var low = range.lowerBound
        var high = range.upperBound
        while high - low > 1 {
            let middle = (low + high) / 2
            if holds(middle) { low = middle } else { high = middle }
        }
        return low
    }
}
