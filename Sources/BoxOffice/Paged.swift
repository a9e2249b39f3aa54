// Storage that grows without moving. An array that doubles copies everything at once, which for millions of records is
// a pause that everybody waits for; pages make each append cost the same.

internal import UsherAPI

/// A list in pages of 4,096 elements: appending never moves what is there. Indexes stay valid; nothing is taken out.
struct Paged<Element> {
    private static var pageBits: Int { 12 }
    private static var pageSize: Int { 1 << pageBits }

    private var pages: [ContiguousArray<Element>] = []
    private(set) var count = 0

    init() {}

    var indices: Range<Int> { 0..<count }

    subscript(index: Int) -> Element {
        get { pages[index >> Self.pageBits][index & (Self.pageSize - 1)] }
        _modify { yield &pages[index >> Self.pageBits][index & (Self.pageSize - 1)] }
    }

    mutating func append(_ element: Element) {
        if count & (Self.pageSize - 1) == 0 {
            var page = ContiguousArray<Element>()
            page.reserveCapacity(Self.pageSize)
            pages.append(page)
        }
        pages[pages.count - 1].append(element)
        count += 1
    }
}

/// Where each user's record is. Split into many small tables, so that none is ever large enough for its growth to be
/// felt: at a million users each has about 250 of them.
struct UserIndex {
    private static let shardBits: UInt64 = 12
    private var shards = [[Uuid: UInt32]](repeating: [:], count: 1 << Int(shardBits))

    init() {}

    subscript(user: Uuid) -> Int? {
        shards[Self.shard(of: user)][user].map { Int($0) }
    }

    mutating func insert(_ user: Uuid, at index: Int) {
        shards[Self.shard(of: user)][user] = UInt32(truncatingIfNeeded: index)
    }

    /// Ids may be random, ordered by time or counted, in either half: both are mixed, one after the other, so that no
    /// such pattern ends in one table.
    private static func shard(of user: Uuid) -> Int {
        var mixed = (user.high ^ user.high >> 32) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 29) &+ user.low
        mixed = (mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93
        return Int(((mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93) >> (64 - shardBits))
    }
}

/// A set of token ids as a bitmap: who is present at one source.
struct TokenSet {
    private(set) var words: [UInt64] = []

    init() {}

    /// Adds `token`; false if it is in already.
    mutating func insert(_ token: Int) -> Bool {
        let word = token >> 6
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
        let mask: UInt64 = 1 << UInt64(token & 63)
        guard words[word] & mask == 0 else { return false }
        words[word] |= mask
        return true
    }

    /// Takes `token` out; false if it is not in.
    mutating func remove(_ token: Int) -> Bool {
        let word = token >> 6
        guard token >= 0, word < words.count else { return false }
        let mask: UInt64 = 1 << UInt64(token & 63)
        guard words[word] & mask != 0 else { return false }
        words[word] &= ~mask
        return true
    }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// Adds all members of `other`; those that were members already.
    mutating func formUnion(_ other: TokenSet) -> [Int] {
        if words.count < other.words.count {
            words.append(contentsOf: repeatElement(0, count: other.words.count - words.count))
        }
        var common = TokenSet()
        common.words = zip(words, other.words).map { $0 & $1 }
        for (index, word) in other.words.enumerated() { words[index] |= word }
        return common.members
    }

    /// Takes the lowest members out, at most `count`, and returns them.
    mutating func removeFirst(_ count: Int) -> [Int] {
        var taken: [Int] = []
        for index in words.indices where words[index] != 0 {
            while words[index] != 0 {
                guard taken.count < count else { return taken }
                taken.append(index * 64 + words[index].trailingZeroBitCount)
                words[index] &= words[index] &- 1
            }
        }
        words = []
        return taken
    }

    /// All members, ascending.
    var members: [Int] {
        var members: [Int] = []
        for word in words.indices {
            var rest = words[word]
            while rest != 0 {
                members.append(word * 64 + rest.trailingZeroBitCount)
                rest &= rest &- 1
            }
        }
        return members
    }
}
