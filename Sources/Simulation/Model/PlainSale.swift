// The sale again, as slowly and plainly as the requirements say it: lists that are searched from end to end, no heap, no bitmap,
// no chain. One concert, one performance, lobby by arrival. It shares no code with BoxOffice, only the messages of UsherAPI; for
// the same entries it must say the same things.
//
// It is the sequential specification of the linearizability check: the journal is the witness order, and what clients saw
// must be what this says in that order.

package import UsherAPI

/// The sequential model of a sale.
package struct PlainSale {
    /// Where somebody is present: a loop of an instance.
    package struct Source: Equatable {
        package var instance: UInt32
        package var loop: UInt32
    }

    package struct Token {
        package var user: Uuid
        package var place: Int
        package var state = TokenState.waiting
        package var end = EndReason.unspecified
        package var sources: [Source] = []
        /// Present by virtue of an outage: counts until the quiet time ends.
        package var kept = false
        package var graceEnds: UInt64 = 0
        package var activeUntil: UInt64 = 0
        package var idleUntil: UInt64 = 0
        package var hasPaid = false
        package var isPresent: Bool { kept || !sources.isEmpty }
    }

    package struct Booking {
        package var user: Uuid
        package var token: Int
        package var seats: [UInt32]
        package var state = ReservationState.held
        package var deadline: UInt64
        package var price: UInt64
        var isOpen: Bool { state == .held || state == .paid }
    }

    struct Instance {
        var id: UInt32
        var incarnation: UInt64
        var number: UInt64 = 0
        var isAlive = false
        /// Number of the applied entry that was its last one.
        var lastSign = 0
        var lastBeat: UInt64 = 0
        var beats: [Int] = []
    }

    struct Remembered {
        var user: Uuid
        var request: Uuid
        var contents: UInt64
        var ruling: Ruling
    }

    package var concert: ConcertSettings?
    package var seatCount: UInt32 = 0
    package var seatPrice: UInt64 = 0
    package var policy = AdmissionPolicy() {
        didSet { policiesOfEntry.append(policy) }
    }
    /// Those in force while the last entry was applied, in their order: one entry may bring several.
    private(set) var policiesOfEntry: [AdmissionPolicy] = []
    package var state = LineState.scheduled
    package var tokens: [Token] = []
    package var bookings: [Booking] = []
    package var balances: [(user: Uuid, amount: UInt64)] = []
    package var transactionCount: UInt64 = 0
    package var paymentCount: UInt64 = 0
    package var now: UInt64 = 0
    package var quietUntil: UInt64 = 0
    package var respiteUntil: UInt64 = 0
    /// The turnstile's turns are this plus multiples of the interval.
    package var grid: UInt64 = 0
    /// A turn is to come only once there is somebody to enter: what frees a place late does not bring back a turn.
    package var nextTurn: UInt64?
    var accountNeedsToken = true
    var maxCharge: UInt64 = 10_000_000
    var maxBalance: UInt64 = 100_000_000
    var instances: [Instance] = []
    var remembered: [Remembered] = []
    var applied = 0
    /// How many outages were noticed while somebody was in the line.
    var outages = 0

    package init() {}

    // MARK: Looking

    package func live(_ user: Uuid) -> Int? { tokens.firstIndex { $0.user == user && $0.state != .ended } }

    package func holds(of token: Int) -> Int { bookings.count { $0.token == token && $0.state == .held } }

    /// The index of the booking that has the seat.
    package func booking(of seat: UInt32) -> Int? { bookings.firstIndex { $0.isOpen && $0.seats.contains(seat) } }

    package func balance(of user: Uuid) -> UInt64 { balances.first { $0.user == user }?.amount ?? 0 }

    package var active: Int { tokens.count { $0.state == .active } }

    /// How many wait before the token, plus one.
    package func position(of token: Int) -> Int {
        tokens.prefix(token).count { $0.state == .waiting } + 1
    }

    /// Whether it is the next entry of an instance that was declared gone.
    func isLate(_ entry: Entry) -> Bool {
        instances.contains {
            $0.id == entry.instance && $0.incarnation == entry.incarnation && !$0.isAlive && $0.number + 1 == entry.number
        }
    }

    // MARK: One entry

    /// What its commands come to; nil: the entry is ignored.
    package mutating func apply(_ entry: Entry, at time: UInt64) -> [Ruling]? {
        let known = instances.firstIndex { $0.id == entry.instance }
        var isNew = known == nil
        if let known, entry.incarnation > instances[known].incarnation { isNew = true }
        if isNew {
            guard entry.number == 1 else { return nil }
        } else if let known {
            guard entry.incarnation == instances[known].incarnation, instances[known].isAlive,
                entry.number == instances[known].number + 1
            else { return nil }
        }
        let index = known ?? instances.count
        if known == nil { instances.append(Instance(id: entry.instance, incarnation: 0)) }
        instances[index].incarnation = entry.incarnation
        instances[index].number = entry.number
        applied += 1
        policiesOfEntry = [policy]

        let starts = isNew || entry.commands.contains { if case .instanceStarted = $0.body { true } else { false } }
        let startsAlone = starts && !instances.contains { $0.id != entry.instance && $0.isAlive }
        begin(at: time, afterOutage: startsAlone)
        if starts {
            instances[index].isAlive = true
            instances[index].beats = []
            instances[index].lastBeat = 0
            dropSources(of: entry.instance)
        }
        noteSign(of: index)
        return entry.commands.map { rule($0, instance: entry.instance) }
    }

    /// Another instance has beaten eight times since the last entry of a silent one: that one is gone. It beats with its first
    /// entry in each half second.
    private mutating func noteSign(of index: Int) {
        instances[index].lastSign = applied
        guard now / 500 != instances[index].lastBeat / 500 else { return }
        instances[index].lastBeat = now
        instances[index].beats.append(applied)
        guard instances[index].beats.count >= 8 else { return }
        let eighth = instances[index].beats[instances[index].beats.count - 8]
        for other in instances.indices where other != index && instances[other].isAlive && instances[other].lastSign < eighth {
            instances[other].isAlive = false
            dropSources(of: instances[other].id)
        }
    }

    mutating func stop(_ instance: UInt32) {
        for index in instances.indices where instances[index].id == instance { instances[index].isAlive = false }
        if instances.contains(where: \.isAlive) { dropSources(of: instance) }
    }

    // MARK: Commands

    private mutating func rule(_ command: Command, instance: UInt32) -> Ruling {
        guard let body = command.body else { return .refused(.malformedRequest) }
        switch body {
        case .presence, .touched, .configure, .instanceStarted, .instanceStopped, .publishKey, .checkpoint:
            carryOut(body, Source(instance: instance, loop: command.source))
            return .silent
        case .putConcert, .putPerformance, .setPolicy, .changeLine, .notice:
            guard !command.operator.isEmpty else { return .refused(.operatorsOnly) }
        case .join, .leave, .hold, .release, .pay, .cancel, .charge:
            guard let user = command.user, !user.isNone else { return .refused(.identityMissing) }
        }
        let user = command.user ?? .none
        let source = Source(instance: instance, loop: command.source)
        guard let request = command.requestId, !request.isNone else { return .refused(.requestIDMissing) }
        if let known = remembered.first(where: { $0.user == user && $0.request == request }) {
            guard known.contents == command.contents else { return .refused(.requestIDReused) }
            if case .joined(let token, _) = known.ruling { arrive(Int(token) - 1, source) }
            return known.ruling
        }
        let token = command.token == 0 ? nil : Int(command.token) - 1
        if let token, tokens.indices.contains(token), tokens[token].user == user { touch(token) }
        let ruling = carryOut(body, user, token, source)
        if staysTrue(ruling) {
            remembered.append(Remembered(user: user, request: request, contents: command.contents, ruling: ruling))
        }
        return ruling
    }

    /// Whether a repeat is told the same: what was done, and refusals that the catalogue says will not change.
    private func staysTrue(_ ruling: Ruling) -> Bool {
        guard case .refused(let reason) = ruling else { return true }
        return reason.retry == .never || reason.retry == .newRequestID
    }

    /// An instance's own command.
    private mutating func carryOut(_ body: Command.Body, _ source: Source) {
        switch body {
        case .presence(let presence):
            for id in presence.arrived { arrive(Int(clamping: id) - 1, source) }
            for id in presence.departed { depart(Int(clamping: id) - 1, source) }
        case .touched(let touched):
            for id in touched.tokens where id >= 1 && id <= UInt64(tokens.count) { touch(Int(id) - 1) }
        case .configure(let configure):
            accountNeedsToken = !configure.accountNeedsNoToken
            maxCharge = configure.maxCharge == 0 ? 10_000_000 : configure.maxCharge
            maxBalance = configure.maxBalance == 0 ? 100_000_000 : configure.maxBalance
        case .instanceStopped: stop(source.instance)
        default: break
        }
    }

    private mutating func carryOut(_ body: Command.Body, _ user: Uuid, _ token: Int?, _ source: Source) -> Ruling {
        switch body {
        case .join(let join): join.concert == concert?.id ? self.join(user, source) : .refused(.unknownConcert)
        case .leave(let leave): leave.concert == concert?.id ? self.leave(user) : .refused(.unknownConcert)
        case .hold(let hold): self.hold(user, token, hold)
        case .release(let release): self.release(user, token, Int(clamping: release.reservation) - 1)
        case .pay(let pay): self.pay(user, token, Int(clamping: pay.reservation) - 1)
        case .cancel(let cancel): self.cancel(user, Int(clamping: cancel.reservation) - 1)
        case .charge(let charge): self.charge(user, token, charge.amount)
        case .putConcert(let put): putConcert(put)
        case .putPerformance(let settings): putPerformance(settings)
        case .setPolicy(let request): setPolicy(request)
        case .changeLine(let change): changeLine(change.action)
        case .notice, .presence, .touched, .configure, .instanceStarted, .instanceStopped, .publishKey, .checkpoint:
            .operatorDone
        }
    }
}
