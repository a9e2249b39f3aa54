// What strikes a world, when and whom: crashes, cut-offs, an engine that gives up, clocks that jump, connections that drop, an
// election of the log.

/// The misfortunes of one world.
final class Faults {
    private unowned let world: World
    private var dice: Dice
    private(set) var hasFlipped = false

    init(_ world: World) {
        self.world = world
        dice = world.dice.fork()
    }

    private var shape: Shape { world.shape }
    private var network: Network { world.network }

    func begin() {
        again(shape.crashEvery) { $0.crash() }
        again(shape.cutEvery) { $0.cut() }
        again(shape.clockJumpEvery) { $0.jump() }
        again(shape.dropEvery) { $0.drop() }
        if shape.losesOne { network.after(dice.number(200...1_500)) { [weak self] in self?.loseOne() } }
    }

    /// Lets it happen about every so often, until the world calms down.
    private func again(_ every: UInt64, _ strike: @escaping (Faults) -> Void) {
        guard every > 0 else { return }
        network.after(dice.number(every / 2...every * 2)) { [weak self] in
            guard let self, !world.isCalm else { return }
            strike(self)
            again(every, strike)
        }
    }

    private func crash() {
        let running = world.instances.filter { $0.run != nil }
        guard !running.isEmpty else { return }
        let instance = dice.pick(running)
        if dice.chance(20) {
            network.trace.say("FAULT", "the journal of \(instance.name) fails")
            instance.run?.journal.fail()
        } else if dice.chance(20) {
            network.trace.say("WORLD", "\(instance.name) is stopped in good order")
            instance.run?.leave(backAfter: dice.number(100...2_000))
        } else {
            network.trace.say("FAULT", "\(instance.name) is killed")
            if dice.chance(30) { instance.wallAhead = 1_800_000_000_000 - dice.number(0...100_000) }
            instance.kill(backAfter: dice.number(100...2_000))
        }
    }

    private func cut() {
        if dice.chance(30) {
            network.trace.say("FAULT", "the log elects a leader")
            network.isLogUp = false
            network.after(dice.number(300...4_000)) { [network] in network.isLogUp = true }
            return
        }
        let running = world.instances.filter { $0.run != nil }
        guard !running.isEmpty else { return }
        let instance = dice.pick(running)
        network.trace.say("FAULT", "\(instance.name) is cut off from the log")
        let journal = instance.run?.journal
        journal?.cutOff()
        // Sometimes long enough for the others to go on without it.
        network.after(dice.chance(40) ? dice.number(5_000...9_000) : dice.number(200...2_000)) { journal?.reconnect() }
    }

    private func loseOne() {
        let running = world.instances.filter(\.isServing)
        guard running.count > 1, !world.isCalm else { return }
        let instance = dice.pick(running)
        network.trace.say("FAULT", "\(instance.name) is cut off from the log for long")
        let journal = instance.run?.journal
        journal?.cutOff()
        network.after(dice.number(4_500...7_500)) { journal?.reconnect() }
    }

    /// The next time an instance hears something in which a flipped bit changes nothing but digests, does it flip?
    func flips() -> Bool {
        guard shape.flipsOne, !hasFlipped, !world.isCalm, dice.chance(20) else { return false }
        hasFlipped = true
        return true
    }

    private func jump() {
        switch dice.below(3) {
        case 0:
            let milliseconds = dice.number(100...9_000)
            network.trace.say("FAULT", "the log's clock jumps \(milliseconds) ms ahead")
            world.log.clockAhead += milliseconds
        case 1:
            let milliseconds = dice.number(100...9_000)
            network.trace.say("FAULT", "the log's clock jumps \(milliseconds) ms back")
            world.log.clockAhead -= milliseconds
        default:
            guard let run = world.instances.compactMap(\.run).last else { return }
            let milliseconds = dice.number(100...9_000)
            network.trace.say("FAULT", "an instance's clock jumps \(milliseconds) ms ahead")
            run.clockAhead += milliseconds
        }
    }

    private func drop() {
        let shopper = dice.pick(world.shoppers)
        guard let connection = shopper.connections.last else { return }
        network.trace.say("FAULT", "the connection of \(shopper.name) breaks")
        connection.link.cut(
            serverNoticesAfter: dice.chance(80) ? dice.number(1...1_500) : nil, clientNoticesAfter: dice.number(1...300))
    }
}
