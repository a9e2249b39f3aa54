// What kind of world a seed makes: most are tiny, so that many can be had in a minute, some are large, and no two have the same
// mixture of rules and faults.

internal import UsherAPI

/// The one sale of every world.
enum Sale {
    static let concert = "gig"
    static let performance = "night"
}

/// The sizes, rules and fault rates of one world.
struct Shape {
    var instances: Int
    var loopsPerInstance: Int
    var shoppers: Int
    var seats: UInt32
    var price: UInt64
    /// Shoppers begin nothing new after this time; then faults end and everything has to come to rest.
    var activeMilliseconds: UInt64
    var policy: AdmissionPolicy
    var settings: ConcertSettings
    var snapshotEvery: UInt64
    var batchesInFlight: Int
    /// Positions between two comparisons of digests.
    var checkpointEvery: UInt64
    /// So far behind an instance takes no commands.
    var behindMax: UInt64
    /// A bit flips in what one instance hears, in nothing that anybody is told: only digests show it.
    var flipsOne: Bool
    /// Largest delay of a message on any way, in milliseconds.
    var delay: UInt64
    /// How long the log knows message ids again.
    var duplicateWindow: UInt64
    /// In a hundred publishes.
    var publishesLost: Int
    var deliveriesLost: Int
    /// Mean time between faults of a kind, in milliseconds; 0: none.
    var crashEvery: UInt64
    var cutEvery: UInt64
    /// One instance is cut off for so long that the others go on without it.
    var losesOne: Bool
    var clockJumpEvery: UInt64
    var dropEvery: UInt64
    var maxCharge: UInt64
    var maxBalance: UInt64
    var accountNeedsNoToken: Bool

    init(_ dice: inout Dice) {
        // Most are tiny: their number finds more than their length, and what is found in one can be read.
        let isTiny = dice.below(100) > 0
        instances = isTiny ? dice.pick([1, 1, 1, 2, 2, 3]) : dice.pick([2, 3, 4])
        loopsPerInstance = dice.pick([1, 1, 2])
        shoppers = isTiny ? 2 + dice.below(2) : 4 + dice.below(6)
        seats = UInt32(isTiny ? 2 + dice.below(3) : 4 + dice.below(9))
        price = dice.number(10...30)
        activeMilliseconds = dice.number(isTiny ? 700...2_400 : 6_000...14_000)
        policy = dice.pick([
            AdmissionPolicy(maxActive: 1), AdmissionPolicy(maxActive: 2), AdmissionPolicy(maxActive: 3),
            AdmissionPolicy(batch: 1, intervalMs: 500), AdmissionPolicy(batch: 2, intervalMs: 1_200),
            AdmissionPolicy(maxActive: 2, batch: 2, intervalMs: 700),
        ])
        settings = ConcertSettings(id: Sale.concert, title: "A concert", venue: "A hall")
        settings.lobbyOrder = .arrival
        settings.policy = policy
        settings.maxSeats = UInt32(1 + dice.below(3))
        settings.holdTtlMs = dice.number(isTiny ? 400...2_000 : 1_000...6_000)
        settings.activeTtlMs = dice.number(isTiny ? 1_200...4_000 : 4_000...12_000)
        settings.idleTtlMs = dice.number(isTiny ? 600...2_000 : 2_000...5_000)
        settings.graceMs = dice.number(isTiny ? 800...3_000 : 3_000...10_000)
        snapshotEvery = dice.number(isTiny ? 6...12 : 15...40)
        batchesInFlight = instances == 1 ? 1 : 1 + dice.below(3)
        // More than there are instances, whose words are entries too.
        checkpointEvery = dice.pick([8, 13, 29])
        behindMax = dice.pick([8, 1_000])
        flipsOne = instances > 1 && dice.chance(instances > 2 ? 30 : 8)
        delay = dice.pick([2, 10, 60, 200])
        duplicateWindow = dice.pick([0, 300, 120_000])
        let isCalm = dice.chance(15)
        publishesLost = isCalm || instances == 1 ? 0 : dice.pick([0, 5, 20])
        deliveriesLost = isCalm || instances == 1 ? 0 : dice.pick([0, 5, 20])
        func every(_ dice: inout Dice, _ milliseconds: ClosedRange<UInt64>, percent: Int) -> UInt64 {
            let wished = dice.number(milliseconds)
            return dice.chance(percent) && !isCalm ? wished : 0
        }
        crashEvery = every(&dice, isTiny ? 1_000...5_000 : 2_000...10_000, percent: 50)
        cutEvery = instances == 1 ? 0 : every(&dice, isTiny ? 1_000...5_000 : 2_000...10_000, percent: 50)
        losesOne = instances > 1 && dice.chance(8)
        if losesOne {
            (crashEvery, cutEvery) = (0, 0)
            activeMilliseconds += 6_000
        }
        clockJumpEvery = every(&dice, isTiny ? 1_000...5_000 : 2_000...10_000, percent: 30)
        dropEvery = every(&dice, 600...5_000, percent: 70)
        maxCharge = dice.pick([0, 40])
        maxBalance = dice.pick([0, 90])
        accountNeedsNoToken = dice.chance(30)
    }

    var performance: PerformanceSettings {
        PerformanceSettings(
            id: Sale.performance, concert: Sale.concert, seatCount: seats,
            prices: [PriceBand(firstSeat: 1, lastSeat: seats, price: price)])
    }
}

extension Shape: CustomStringConvertible {
    var description: String {
        let rule =
            policy.batch == 0
            ? "at most \(policy.maxActive) at a time"
            : "\(policy.batch) each \(policy.intervalMs) ms" + (policy.maxActive > 0 ? ", at most \(policy.maxActive)" : "")
        return """
            \(instances) instances with \(loopsPerInstance) loops, \(shoppers) shoppers, \(seats) seats at \(price), \(rule); \
            hold \(settings.holdTtlMs), active \(settings.activeTtlMs), idle \(settings.idleTtlMs), grace \(settings.graceMs) ms
            """
    }
}
