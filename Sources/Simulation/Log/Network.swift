internal import Journal

/// The ways between instances and log: time, delay and loss, all of them the world's.
final class Network {
    enum Message {
        case publish, acknowledgement, delivery
    }

    private var agenda: Agenda
    private var dice: Dice
    let trace: Trace
    /// What has happened so far.
    var sightings = Sightings()
    var delayMax: UInt64
    /// In a hundred.
    var publishesLost: Int
    var deliveriesLost: Int
    /// False while the log elects a leader: nothing is stored.
    var isLogUp = true
    /// Who hears of what is stored.
    var onStored: (_ entry: JournalEntry, _ by: String) -> Void = { _, _ in }

    init(_ shape: Shape, dice: Dice, trace: Trace) {
        agenda = Agenda()
        self.dice = dice
        self.trace = trace
        delayMax = shape.delay
        publishesLost = shape.publishesLost
        deliveriesLost = shape.deliveriesLost
    }

    var now: UInt64 { agenda.now }

    func after(_ milliseconds: UInt64, _ event: @escaping () -> Void) { agenda.add(after: milliseconds, event) }

    /// Does the next thing not after `end`; false when there is none.
    func step(until end: UInt64) -> Bool {
        guard let event = agenda.next(until: end) else { return false }
        trace.now = agenda.now
        event()
        return true
    }

    /// Lets go of everything that was to come.
    func stop() { agenda.removeAll() }

    /// Of one message. Mostly short: the long delays are what reorders.
    func delay() -> UInt64 { dice.chance(80) ? 1 : dice.number(1...delayMax) }

    func loses(_ message: Message) -> Bool {
        switch message {
        case .publish, .acknowledgement: publishesLost > 0 && dice.chance(publishesLost)
        case .delivery: deliveriesLost > 0 && dice.chance(deliveriesLost)
        }
    }
}
