import BoxOffice
import Foundation
import Testing

struct PlaceSetTests {
    @Test func `an empty set has no members, ranks or first`() {
        let set = PlaceSet()
        for place in [-1, 0, 1, 64, 1_000_000] {
            #expect(!set.contains(place))
            #expect(set.rank(below: place) == 0)
            #expect(set.firstMember(from: place) == nil)
        }
    }

    @Test func `places below one are never members`() {
        var set = PlaceSet()
        #expect(!set.insert(0) && !set.insert(-5) && !set.remove(0))
        #expect(set.count == 0)
    }

    @Test func `inserting and removing say whether they changed anything`() {
        var set = PlaceSet()
        #expect(set.insert(70) && !set.insert(70))
        #expect(set.remove(70) && !set.remove(70) && !set.remove(7_000))
    }

    @Test(arguments: [1, 63, 64, 65, 16_383, 16_384, 16_385, 32_769, 100_000])
    func `ranks are right around the edges of words and blocks`(edge: Int) {
        var set = PlaceSet()
        for place in [edge, edge + 1, edge + 64, edge + 16_384] { set.insert(place) }
        #expect(set.rank(below: edge) == 0)
        #expect(set.rank(below: edge + 1) == 1)
        #expect(set.rank(below: edge + 2) == 2)
        #expect(set.rank(below: edge + 65) == 3)
        #expect(set.rank(below: .max) == 4)
        #expect(set.firstMember() == edge)
        #expect(set.firstMember(from: edge + 2) == edge + 64)
        #expect(set.firstMember(from: edge + 65) == edge + 16_384)
        #expect(set.firstMember(from: edge + 16_385) == nil)
    }

    @Test(arguments: 1...8)
    func `it agrees with a plain set under random changes`(seed: Int) {
        var dice = SplitMix(seed: UInt64(seed))
        var set = PlaceSet()
        var plain = Set<Int>()
        let span = [100, 2_000, 40_000][dice.below(3)]
        for _ in 0..<1_500 {
            let place = 1 + dice.below(span)
            if dice.chance(60) {
                #expect(set.insert(place) == plain.insert(place).inserted)
            } else {
                #expect(set.remove(place) == (plain.remove(place) != nil))
            }
            let probe = dice.below(span + 70)
            #expect(set.contains(probe) == plain.contains(probe))
            #expect(set.rank(below: probe) == plain.count { $0 < probe })
            #expect(set.firstMember(from: probe) == plain.filter { $0 >= max(probe, 1) }.min())
            #expect(set.count == plain.count)
        }
        var members: [Int] = []
        set.forEach { members.append($0) }
        #expect(members == plain.sorted())
    }

    @Test func `with a million places ranks are exact after hundreds of thousands have left`() {
        var set = PlaceSet()
        let places = 1_000_000
        for place in 1...places { set.insert(place) }
        #expect(set.count == places)
        var member = [Bool](repeating: true, count: places + 1)
        member[0] = false
        var dice = SplitMix(seed: 99)
        for _ in 0..<20_000 {
            let place = 1 + dice.below(places)
            if set.remove(place) != member[place] { Issue.record("place \(place)") }
            member[place] = false
        }
        var ahead = 0
        var wrong = 0
        for place in 1...places {
            if place % 97 == 0, set.rank(below: place) != ahead { wrong += 1 }
            if member[place] { ahead += 1 }
        }
        #expect(wrong == 0)
        #expect(set.count == ahead)
    }

    @Test func `a permutation moves the members to their drawn places and leaves later ones`() {
        var set = PlaceSet()
        for place in [1, 3, 4, 70, 71] { set.insert(place) }
        set.permute([4, 3, 2, 1])
        var members: [Int] = []
        set.forEach { members.append($0) }
        #expect(members == [1, 2, 4, 70, 71])
        #expect(set.rank(below: 71) == 4)
    }

    @Test func `copies share nothing`() {
        var one = PlaceSet()
        one.insert(5)
        var two = one
        two.insert(6)
        #expect(one.count == 1 && two.count == 2)
        #expect(one != two)
        two.remove(6)
        #expect(one == two)
    }
}

struct DrawTests {
    private struct Vectors: Decodable {
        struct Vector: Decodable { var name, seed, commitment: String, count: Int, places: [UInt32] }

        var vectors: [Vector]
    }

    @Test func `draws come out as protocol/vectors/draw.json says`() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: folder.appending(path: "protocol/vectors/draw.json"))
        let vectors = try JSONDecoder().decode(Vectors.self, from: data).vectors
        #expect(vectors.contains { $0.count > 8 })
        for vector in vectors {
            var digits = Substring(vector.seed)
            var seed: [UInt8] = []
            while !digits.isEmpty {
                seed.append(try #require(UInt8(digits.prefix(2), radix: 16)))
                digits = digits.dropFirst(2)
            }
            #expect(Draw.places(seed: seed, count: vector.count) == vector.places, "\(vector.name)")
            let commitment = Draw.commitment(seed: seed).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
                .joined()
            #expect(commitment == vector.commitment, "\(vector.name)")
        }
    }

    @Test(arguments: [0, 1, 2, 3, 10, 1_000])
    func `a draw is a permutation`(count: Int) {
        let places = Draw.places(seed: [UInt8](repeating: 1, count: 32), count: count)
        #expect(places.sorted() == (0..<count).map { UInt32($0 + 1) })
    }

    @Test func `the same seed draws the same, another draws otherwise`() {
        let one = Draw.places(seed: [UInt8](repeating: 1, count: 32), count: 100)
        #expect(one == Draw.places(seed: [UInt8](repeating: 1, count: 32), count: 100))
        #expect(one != Draw.places(seed: [UInt8](repeating: 2, count: 32), count: 100))
    }

    @Test func `every place is about equally likely for everyone`() {
        var first = [Int](repeating: 0, count: 5)
        for number in 0..<2_000 {
            let seed = (0..<32).map { UInt8(truncatingIfNeeded: number >> ($0 % 3 * 8)) }
            first[Int(Draw.places(seed: seed, count: 5)[0]) - 1] += 1
        }
        // 400 expected, standard deviation 18.
        #expect(first.allSatisfy { (310...490).contains($0) })
    }
}
