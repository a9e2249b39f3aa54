// A whole sale in one thread: instances, their log, shoppers, clocks and faults, all from one seed.
//
//     0 ──── instance 1 puts on the sale ──── shoppers and faults ──── calm: faults end, everything is answered ──── the end
//
// The same seed gives the same history, line by line: nothing here asks a clock, a hash table's order or another thread.

internal import BoxOffice
internal import Journal
internal import UsherAPI

/// One simulated world.
final class World {
    /// Longest time from the last fault until everything is at rest: an eviction, a recovery and a quiet time fit in.
    static let calmMilliseconds: UInt64 = 90_000

    private let seed: UInt64
    let shape: Shape
    var dice: Dice
    let trace: Trace
    let network: Network
    let log: SimulatedLog
    private(set) var checkers: Checkers!
    private(set) var instances: [Instance] = []
    private(set) var shoppers: [Shopper] = []
    private(set) var faults: Faults?
    /// When faults ended; nil: not yet.
    private(set) var calmSince: UInt64?
    private var runCount = 0

    init(seed: UInt64, trace print: ((String) -> Void)?) {
        self.seed = seed
        var dice = Dice(seed: seed)
        shape = Shape(&dice)
        trace = Trace(print)
        network = Network(shape, dice: dice.fork(), trace: trace)
        log = SimulatedLog(epoch: JournalEpoch(high: 1, low: 1), window: shape.duplicateWindow)
        self.dice = dice.fork()
        instances = (1...UInt32(shape.instances)).map { Instance(id: $0, world: self) }
        shoppers = (0...shape.shoppers).map { Shopper(index: $0, world: self) }
        checkers = Checkers(network: network, log: log, users: shoppers.map(\.user), trace: trace)
        network.onStored = { [unowned self] entry, name in
            checkers.stored(entry, by: name)
            for instance in instances { instance.run?.journal.stored(entry) }
        }
    }

    var isCalm: Bool { calmSince != nil }

    /// A number for each life of an instance, never used twice.
    func nextRun() -> Int {
        runCount += 1
        return runCount
    }

    /// Lives through it, up to the first finding.
    func run() -> WorldReport {
        trace.say("WORLD", "\(shape)")
        instances[0].start()
        live(until: 30_000) { self.instances[0].isServing }
        for instance in instances.dropFirst() { network.after(dice.number(0...2_000)) { instance.start() } }
        for shopper in shoppers { shopper.begin() }
        faults = Faults(self)
        faults?.begin()
        live(until: network.now + shape.activeMilliseconds) { false }
        calm()
        live(until: network.now + Self.calmMilliseconds) { self.isAtRest }
        if checkers.findings.isEmpty { end() }
        network.stop()
        network.sightings.add(.worlds)
        return WorldReport(
            seed: seed, findings: checkers.findings, sightings: network.sightings, milliseconds: network.now)
    }

    private func live(until end: UInt64, _ isOver: () -> Bool) {
        var lookedAt = network.now
        while checkers.findings.isEmpty, network.step(until: end) {
            guard network.now >= lookedAt + 50 else { continue }
            lookedAt = network.now
            if isOver() { return }
        }
    }

    /// Faults end, and nobody begins anything new.
    private func calm() {
        trace.say("WORLD", "calms down")
        calmSince = network.now
        network.publishesLost = 0
        network.deliveriesLost = 0
        network.isLogUp = true
        for instance in instances { instance.run?.journal.reconnect() }
    }

    private var isAtRest: Bool {
        checkers.isAgreed(instances) && shoppers.allSatisfy { $0.isAtRest }
            && !instances.contains { $0.run?.isFlipped ?? false }
    }

    private func end() {
        guard isAtRest else {
            for shopper in shoppers where !shopper.isAtRest {
                let open = shopper.deeds.filter { $0.outcome == nil }.map(\.what)
                checkers.found(.rest, "\(shopper.name) never learnt what became of \(open)")
            }
            for instance in instances where !(instance.isServing && instance.run?.position == log.lastPosition) {
                checkers.found(.rest, "\(instance.name) never came back, or not to #\(log.lastPosition)")
            }
            for instance in instances where instance.run?.isFlipped ?? false {
                checkers.found(.agreement, "\(instance.name) never noticed that its state is not the others'")
            }
            return
        }
        checkers.finish(shoppers, instances)
    }
}

/// What came of a world.
public struct WorldReport: Sendable {
    public let seed: UInt64
    /// Empty where every promise was kept; else what was found first, and at the same moment.
    public let findings: [Finding]
    public let sightings: Sightings
    /// How long it lived, by its own clock.
    public let milliseconds: UInt64
}

/// Runs worlds.
public enum Simulation {
    /// Lives through the world of a seed.
    ///
    /// - Parameter trace: gets each line of its history.
    public static func run(seed: UInt64, trace: ((String) -> Void)? = nil) -> WorldReport {
        World(seed: seed, trace: trace).run()
    }
}
