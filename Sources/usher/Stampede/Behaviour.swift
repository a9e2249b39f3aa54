// How a crowd behaves: shares of its people, and what one of them is like, drawn from one seed. Pure.

/// Which share of the fans does what.
struct Behaviour: Sendable, Equatable {
    /// Take the best available instead of naming seats.
    var best = 0.4
    /// Come for two seats, not one.
    var pair = 0.3
    /// Hold seats, then think better of it: half of them release, half let the time run out.
    var dither = 0.15
    /// Give their place up while waiting.
    var leave = 0.05
    /// Lose their connection at some moment and come back.
    var drop = 0.1
    /// Try to pay before there is enough money on the account.
    var broke = 0.1
    /// Have only come to see how it is to wait: leave when their turn comes.
    var look = 0.0

    private static let keys: [(name: String, path: any WritableKeyPath<Behaviour, Double> & Sendable)] = [
        ("best", \.best), ("pair", \.pair), ("dither", \.dither), ("leave", \.leave), ("drop", \.drop), ("broke", \.broke),
        ("look", \.look),
    ]

    /// Changes shares as `dither=0.3,drop=0` says.
    ///
    /// - Returns: what is wrong with the text; nil if it was taken.
    mutating func change(_ text: String) -> String? {
        for part in text.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let key = Self.keys.first(where: { $0.name == sides[0] }) else {
                return "'\(part)' is not NAME=SHARE with one of \(Self.keys.map(\.name).joined(separator: ", "))"
            }
            guard let share = Double(sides[1]), (0...1).contains(share) else { return "'\(part)': a share is 0 to 1" }
            self[keyPath: key.path] = share
        }
        return nil
    }
}

/// Numbers from a seed (SplitMix64, Steele, Lea and Flood 2014): the same seed, the same people.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64, stream: UInt64) {
        state = seed
        let mixed = next()
        state = mixed ^ (stream &* 0xD1B5_4A32_D192_ED03)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func share() -> Double { Double(next() >> 11) / Double(1 << 53) }

    mutating func chance(_ share: Double) -> Bool { self.share() < share }
}

/// One fan's character: what it will do is decided here, when it will is drawn as it goes.
struct Persona {
    /// What the fan does after its first hold.
    enum Doubt {
        case none, release, letPass
    }

    /// When the fan's connection breaks.
    enum Loss: CaseIterable {
        case waiting, holding, charging, paying, thinking
    }

    var numbers: SeededNumbers
    let wantsBest: Bool
    let party: Int
    var doubt = Doubt.none
    var loss: Loss?
    /// Gives up after so long in line, in milliseconds.
    var patience: UInt64?
    let isBroke: Bool
    /// Where in the hall it would like to sit, 0 to 1.
    let favourite: Double
    /// Which date it would like, 0 (the first) to 1; early dates are popular.
    let date: Double
    /// Leaves when its turn comes.
    let onlyWaits: Bool
    private let pace: Double

    init(seed: UInt64, index: Int, behaviour: Behaviour, pace: Double) {
        numbers = SeededNumbers(seed: seed, stream: UInt64(index))
        wantsBest = numbers.chance(behaviour.best)
        party = numbers.chance(behaviour.pair) ? 2 : 1
        if numbers.chance(behaviour.dither) { doubt = numbers.chance(0.5) ? .release : .letPass }
        if numbers.chance(behaviour.drop) { loss = Loss.allCases.randomElement(using: &numbers) }
        self.pace = pace
        if numbers.chance(behaviour.leave) { patience = UInt64(Double.random(in: 500...20_000, using: &numbers) * pace) }
        isBroke = numbers.chance(behaviour.broke)
        favourite = numbers.share()
        let share = numbers.share()
        date = share * share
        // Drawn last: everybody else stays who they were.
        onlyWaits = numbers.chance(behaviour.look)
    }

    /// A moment's thought before the next step, in milliseconds.
    mutating func thought() -> UInt64 { UInt64(Double.random(in: 150...900, using: &numbers) * pace) }

    /// How long it stays away once its connection is lost: mostly a moment; a third long enough to be noted absent.
    mutating func absence() -> UInt64 {
        numbers.chance(0.33) ? .random(in: 6_000...9_000, using: &numbers) : .random(in: 200...2_500, using: &numbers)
    }
}
