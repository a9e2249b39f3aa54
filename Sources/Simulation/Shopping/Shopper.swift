// One client: connects, asks, loses connections, repeats what was not answered under the same request id, on whichever instance.
// What it was told is checked as it comes; what it believes at the end must be what the journal says.

internal import Calls
internal import UsherAPI
internal import Wire

/// A fan, or the operator.
final class Shopper {
    static let operatorID = Uuid(high: 0xFFFF, low: 1)

    let index: Int
    let user: Uuid
    let name: String
    unowned let world: World
    let network: Network
    var dice: Dice
    private(set) var connections: [ShopperConnection] = []
    private(set) var deeds: [Deed] = []
    /// Those whose outcome it may not know.
    private var open: [Deed] = []
    private var epoch: Uuid?
    /// The highest journal position it has been shown.
    private(set) var position: UInt64 = 0

    // What it believes.
    var isActive = false
    var lineState = LineState.unspecified
    /// Proves its place on any connection.
    private var queueToken = ""
    var held: [UInt64] = []
    var paid: [UInt64] = []
    /// Waits this long, by the monotonic clock, before its next step.
    var pace: UInt64

    init(index: Int, world: World) {
        self.index = index
        self.world = world
        network = world.network
        user = index == 0 ? Self.operatorID : Uuid(high: 0xFA, low: UInt64(index))
        name = index == 0 ? "operator" : "shopper \(index)"
        dice = world.dice.fork()
        pace = dice.number(60...400)
    }

    var now: UInt64 { network.now }
    var isOperator: Bool { index == 0 }
    /// Whether it knows what became of everything it did.
    var isAtRest: Bool { open.allSatisfy { $0.isAtRest } }

    // MARK: Steps

    func begin() { stepLater(after: dice.number(0...400)) }

    private func stepLater(after milliseconds: UInt64) {
        network.after(milliseconds) { [weak self] in self?.step() }
    }

    private func step() {
        if connections.isEmpty { connect() }
        retry()
        if dice.chance(40) { connections.last?.giveCredit() }
        if !world.isCalm, let connection = connections.last, connection.takesCalls { wish(over: connection) }
        let wait = world.isCalm ? 400 : dice.number(20...pace * 2)
        stepLater(after: wait)
    }

    func connect() {
        let serving = world.instances.filter(\.isServing)
        guard !serving.isEmpty else { return }
        let instance = dice.pick(serving)
        guard let doors = instance.run?.doors, !doors.isEmpty else { return }
        let door = dice.pick(doors)
        let link = Link(network)
        door.accept(link)
        network.trace.say(name, "connects to \(instance.name), door \(door.index)")
        connections.append(
            ShopperConnection(of: self, link: link, instance: instance.name, epoch: epoch, position: position))
    }

    private func retry() {
        open.removeAll { $0.isAtRest }
        for deed in open where deed.needsCopy && deed.retryAt <= now {
            guard let connection = connections.last else { return }
            guard connection.takesCalls else {
                // Nothing else would end the streams that leave no room.
                if world.isCalm { connection.cancel(0) }
                return
            }
            send(deed, over: connection)
        }
    }

    // MARK: Doing

    /// Does something under a new request id.
    @discardableResult
    func does(_ method: Method, _ request: some WireEncodable, _ what: String, over connection: ShopperConnection) -> Deed {
        let id = dice.uuid()
        let deed = Deed(
            number: deeds.count, user: user, id: Uuid(high: id.high, low: id.low), method: method, request: request.encoded(),
            what: what)
        deeds.append(deed)
        open.append(deed)
        send(deed, over: connection)
        return deed
    }

    /// Sends one more copy.
    func send(_ deed: Deed, over connection: ShopperConnection) {
        let isLine = deed.method == .join
        let options = CallOptions(
            timeoutMilliseconds: !isLine && dice.chance(20) ? UInt32(dice.number(300...2_000)) : 0,
            metadata: queueToken.isEmpty || isLine ? [] : [Metadata(key: "queue-token", value: [UInt8](queueToken.utf8))],
            requestID: deed.id,
            attempts: deed.attempts, credit: isLine ? 1 + UInt32(dice.below(3)) : 0,
            replenishesCredit: dice.chance(60))
        guard connection.open(deed.method, deed.request, options, isLine ? .line(deed) : .deed(deed)) else { return }
        network.trace.say(name, "\(deed.what)\(deed.attempts > 0 ? ", attempt \(deed.attempts + 1)" : "") [\(deed.number)]")
        if deed.firstSentAt == nil { deed.firstSentAt = now }
        if deed.isAtRest { open.append(deed) }
        deed.copies += 1
        deed.attempts += 1
    }

    // MARK: Hearing

    func answered(_ deed: Deed, _ status: Status, _ ruling: Ruling?, _ position: UInt64) {
        deed.copies -= 1
        hear(deed, status, ruling, position)
    }

    private func hear(_ deed: Deed, _ status: Status, _ ruling: Ruling?, _ position: UInt64) {
        seen(position)
        network.trace.say(
            name, "  [\(deed.number)] \(ruling.map { "\($0)" } ?? "\(status.reason) \(status.message)") at #\(position)")
        guard let told = ruling ?? Reason(rawValue: status.reason).map(Ruling.refused) else {
            return broke("an answer without a known reason: \(status)")
        }
        switch told {
        case .refused(.deadlinePassed), .refused(.cancelledByCaller), .refused(.outcomeUnknown):
            deed.isUncertain = true
            deed.retryAt = now + dice.number(50...500)
        case .refused(.notCaughtUp), .refused(.journalUnavailable), .refused(.notStarted), .refused(.seatContended),
            .refused(.tooManyCalls), .refused(.rateLimited):
            // Nothing was begun by this copy.
            deed.retryAt = now + dice.number(50...500)
        default:
            let answer = Deed.Answer(
                ruling: told, position: position, at: now, isFromDoor: status.message.hasPrefix("door:"))
            world.checkers.history.check(answer, of: deed, name: name)
            deed.answers.append(answer)
            deed.retryAt = now + dice.number(500...1_500)
            // With every instance back at the log for so long, no copy is on its way any more.
            if let calmSince = world.calmSince, now > calmSince + 2_000, deed.copies == 0 { deed.isUncertain = false }
            believe(told)
        }
    }

    /// What it makes of an outcome.
    private func believe(_ ruling: Ruling) {
        switch ruling {
        case .held(let reservation, _, _, _): if !held.contains(reservation) { held.append(reservation) }
        case .released(let reservation): held.removeAll { $0 == reservation }
        case .paid(_, let reservation, _, _):
            held.removeAll { $0 == reservation }
            if !paid.contains(reservation) { paid.append(reservation) }
        case .cancelled(let reservation, _, _): paid.removeAll { $0 == reservation }
        case .left: isActive = false
        case .refused(.tokenEnded): isActive = false
        case .refused(.holdExpired), .refused(.reservationNotHeld): if !held.isEmpty { held.removeFirst() }
        default: break
        }
    }

    /// A message of the line's stream; the first is also the answer to the Join.
    func toldPlace(_ update: LineUpdate, _ deed: Deed, _ position: UInt64, _ connection: ShopperConnection) {
        seen(position)
        world.checkers.history.check(update, of: deed, at: position, now: now, name: name)
        if deed.answers.isEmpty {
            network.trace.say(name, "  [\(deed.number)] has place \(update.place), \(update.state) at #\(position)")
        }
        // Of a stream's many messages the first and the last are kept.
        if deed.answers.suffix(2).filter(\.ruling.isDone).count == 2 { deed.answers.removeLast() }
        deed.answers.append(
            Deed.Answer(
                ruling: .joined(token: 0, joinNumber: update.place), position: position, at: now, isFromDoor: false))
        isActive = update.state == .active
        queueToken = update.queueToken
        lineState = update.lineState
        if update.state == .active { held = update.reservations.filter { $0.state == .held }.map(\.id) }
    }

    /// The line's stream is over: the Join was refused, given up, or the token has ended.
    func lineEnded(_ deed: Deed, _ status: Status, _ position: UInt64) {
        deed.copies -= 1
        isActive = false
        if !deed.isDone, status.code != .ok { hear(deed, status, nil, position) }
    }

    func toldBalance(_ balance: UInt64, _ position: UInt64, seen: UInt64) {
        self.seen(position)
        world.checkers.history.check(balance: balance, of: index, at: position, seen: seen, name: name)
    }

    func toldSeats(_ list: SeatList, _ position: UInt64, _ revision: UInt64) {
        seen(position)
        world.checkers.history.check(list, at: position, name: name)
    }

    private func seen(_ position: UInt64) { self.position = max(self.position, position) }

    // MARK: Losing

    func lost(_ deed: Deed, _ call: UnansweredCall) {
        deed.copies -= 1
        deed.attempts = max(deed.attempts, call.attempts)
        if !deed.isDone { deed.isUncertain = true }
        deed.retryAt = now + dice.number(0...400)
    }

    func ended(_ connection: ShopperConnection) {
        epoch = connection.epoch ?? epoch
        connections.removeAll { $0 === connection }
        if connections.isEmpty { isActive = false }
    }

    func broke(_ what: String) { world.checkers.found(.calls, "\(name): \(what)") }
}
