// Everything that watches a world. The witness applies the log as it is stored, from the first entry, so that every instance,
// whatever it recovered from, is compared with one that never failed; the plain sale is compared with the witness.

internal import BoxOffice
internal import Journal
internal import UsherAPI
internal import Wire

/// All checkers of one world, and the first thing they found.
final class Checkers {
    private let network: Network
    private let trace: Trace
    private var witness = BoxOffice()
    private var effects = Effects()
    private(set) var model = PlainSale()
    let history: HistoryChecker
    let agreement = AgreementChecker()
    let image = ImageChecker()
    let memory = MemoryChecker()
    let replay: ReplayChecker
    private var line = LineChecker()
    private(set) var findings: [Finding] = []

    init(network: Network, log: SimulatedLog, users: [Uuid], trace: Trace) {
        self.network = network
        self.trace = trace
        history = HistoryChecker(users: users)
        replay = ReplayChecker(log: log)
        history.found = { [unowned self] in found(.history, $0) }
        agreement.found = { [unowned self] in found(.agreement, $0) }
        image.found = { [unowned self] in found(.image, $0) }
        memory.found = { [unowned self] in found(.memory, $0) }
        replay.found = { [unowned self] in found(.replay, $0) }
    }

    func found(_ checker: Checker, _ what: String) {
        findings.append(Finding(checker: checker, atMilliseconds: network.now, what: what))
        trace.say("FOUND", "\(checker.rawValue): \(what)")
    }

    // MARK: An entry is stored

    func stored(_ stored: JournalEntry, by name: String) {
        guard let entry = try? Entry(decoding: stored.payload) else { return found(.replay, "#\(stored.position) is no entry") }
        effects.removeAll()
        let digestBefore = witness.digest
        witness.apply(entry, position: stored.position, timeMilliseconds: stored.timeMilliseconds, effects: &effects)
        if model.isLate(entry) { network.sightings.add(.lateEntries) }
        let gridBefore = model.grid
        let expected = model.apply(entry, at: stored.timeMilliseconds)
        let rulings = effects.outcomes.map { Ruling($0) }
        tell(entry, stored.position, rulings, isIgnored: expected == nil, by: name)
        if rulings != expected ?? [] {
            found(.model, "#\(stored.position) came to \(rulings), not \(expected.map { "\($0)" } ?? "nothing at all")")
        }
        let isIgnored = witness.digest == digestBefore
        if isIgnored != (expected == nil) { found(.model, "#\(stored.position) \(isIgnored ? "is ignored" : "counts")") }
        checkState(at: stored.position, gridBefore: gridBefore, isUnchanged: isIgnored)
        agreement.witnessed(witness.digest)
        image.witnessed(witness)
        if expected != nil { history.stored(entry, rulings, at: network.now, position: stored.position) }
        history.turn(page: HistoryChecker.Page(model, users: history.users))
        count(entry, rulings, isIgnored: expected == nil)
    }

    private func checkState(at position: UInt64, gridBefore: UInt64, isUnchanged: Bool) {
        let problems = line.problems(
            effects.lines, at: witness.clock, policies: model.policiesOfEntry, grids: (gridBefore, model.grid))
        for problem in problems { found(.line, "#\(position): \(problem)") }
        if isUnchanged { return }
        for problem in witness.checkInvariants() { found(.invariants, "#\(position): \(problem)") }
        if let difference = difference() { found(.model, "#\(position): \(difference)") }
    }

    private func count(_ entry: Entry, _ rulings: [Ruling], isIgnored: Bool) {
        network.sightings.add(.entries)
        network.sightings.add(.commands, entry.commands.count)
        if isIgnored { network.sightings.add(.ignoredEntries) }
        network.sightings.add(.evictions, effects.instancesGone.count)
        for change in effects.lines {
            switch change {
            case .joined: network.sightings.add(.joins)
            case .admitted: network.sightings.add(.admissions)
            case .state(_, .closed): if model.tokens.contains(where: { $0.end == .closed }) { network.sightings.add(.closings) }
            case .left, .ended, .drawn, .state: break
            }
        }
        for command in entry.commands where !isIgnored {
            if case .checkpoint = command.body { network.sightings.add(.checkpoints) }
        }
        for ruling in rulings {
            switch ruling {
            case .held: network.sightings.add(.holds)
            case .paid: network.sightings.add(.payments)
            case .cancelled: network.sightings.add(.cancellations)
            case .refused: network.sightings.add(.refusals)
            default: break
            }
        }
    }

    private func tell(_ entry: Entry, _ position: UInt64, _ rulings: [Ruling], isIgnored: Bool, by name: String) {
        trace.say(
            "#\(position)",
            "\(name), entry \(entry.number)"
                + (isIgnored ? ": not its next, ignored" : entry.commands.isEmpty ? ": the clock moves" : ""))
        for (command, ruling) in zip(entry.commands, rulings) {
            trace.say("", "  \(command.user.map { history.name(of: $0) } ?? name) \(command.summary): \(ruling)")
        }
        for change in effects.lines { trace.say("", "  \(change)") }
        for gone in effects.instancesGone { trace.say("", "  instance \(gone.instance) is declared gone") }
    }

    /// Where the box office's state is not the plain sale's.
    private func difference() -> String? {
        guard model.concert != nil else { return nil }
        if Int(witness.joined(concert: 0)) != model.tokens.count { return "\(model.tokens.count) joins by the plain sale" }
        for (index, token) in model.tokens.enumerated() {
            guard let status = witness.token(UInt64(index + 1)) else { return "token \(index + 1) is missing" }
            if status.state != token.state || status.endReason != token.end || status.place != UInt64(token.place) {
                return "token \(index + 1) is \(status.state) \(status.endReason), not \(token.state) \(token.end)"
            }
            guard token.state != .ended else { continue }
            if status.present != token.isPresent { return "token \(index + 1) present: \(status.present)" }
            if token.state == .waiting {
                let position = witness.queuePosition(token: UInt64(index + 1))
                if position != UInt64(model.position(of: index)) {
                    return "token \(index + 1) has position \(position ?? 0), not \(model.position(of: index))"
                }
            } else if status.activeUntil != token.activeUntil || status.idleUntil != token.idleUntil {
                return "token \(index + 1) is active until \(status.activeUntil), idle \(status.idleUntil), "
                    + "not \(token.activeUntil), \(token.idleUntil)"
            }
        }
        for (index, booking) in model.bookings.enumerated() {
            guard let (reservation, user, _) = witness.reservation(UInt64(index + 1)) else {
                return "reservation \(index + 1) is missing"
            }
            if reservation.state != booking.state || reservation.seats != booking.seats || user != booking.user
                || reservation.deadlineMs != booking.deadline || reservation.price != booking.price
            {
                return "reservation \(index + 1) is \(reservation.state) \(reservation.seats) until \(reservation.deadlineMs), "
                    + "not \(booking.state) \(booking.seats) until \(booking.deadline)"
            }
        }
        for seat in 0..<model.seatCount {
            let state = witness.seatState(performance: 0, seat: Int(seat) + 1)
            let booking = model.booking(of: seat + 1)
            if state?.reservation != UInt64((booking ?? -1) + 1) {
                return "seat \(seat + 1) is \(state.map { "\($0)" } ?? "gone")"
            }
        }
        for (user, amount) in model.balances where witness.balance(of: user) != amount {
            return "\(history.name(of: user)) has \(witness.balance(of: user)), not \(amount)"
        }
        if let state = witness.concert(0)?.lineState, state != model.state { return "the line is \(state), not \(model.state)" }
        return nil
    }

    // MARK: The end

    func finish(_ shoppers: [Shopper], _ instances: [Instance]) {
        for booking in model.bookings where booking.state == .expired { network.sightings.add(.expiredHolds) }
        network.sightings.add(.repeats, history.repeats)
        network.sightings.add(.outages, model.outages)
        let bytes = witness.snapshot()
        replay.finish(bytes, digest: witness.digest)
        for instance in instances {
            guard let run = instance.run else { continue }
            image.checkNoClaims(run.catalogue, by: instance.name)
            if run.position == witness.position, run.snapshot() != bytes {
                found(.agreement, "\(instance.name) ends with other bytes")
            }
        }
        for shopper in shoppers where !shopper.isOperator {
            for problem in LedgerChecker.problems(shopper, witness) { found(.ledger, "\(shopper.name): \(problem)") }
        }
        for problem in LedgerChecker.problems(shoppers, witness) { found(.ledger, problem) }
    }

    /// The last position, and whether every instance that runs has it.
    func isAgreed(_ instances: [Instance]) -> Bool {
        instances.allSatisfy { $0.isServing && $0.run?.position == witness.position }
    }
}

extension Command {
    /// For people.
    fileprivate var summary: String {
        switch body {
        case .join: "joins"
        case .leave: "leaves"
        case .hold(let hold):
            hold.bestAvailable > 0 ? "holds the best \(hold.bestAvailable) (\(hold.seats))" : "holds \(hold.seats)"
        case .release(let release): "releases \(release.reservation)"
        case .pay(let pay): "pays \(pay.reservation)"
        case .cancel(let cancel): "cancels \(cancel.reservation)"
        case .charge(let charge): "charges \(charge.amount)"
        case .presence(let presence): "present \(presence.arrived), absent \(presence.departed)"
        case .touched(let touched): "used \(touched.tokens)"
        case .changeLine(let change): "\(change.action)"
        case .setPolicy(let request): "sets \(request.policy.map { "\($0)" } ?? "")"
        case .instanceStarted: "has started"
        case .instanceStopped: "stops"
        case .putConcert: "puts on the concert"
        case .putPerformance: "puts on the performance"
        case .configure: "configures"
        case .checkpoint(let checkpoint): "compares #\(checkpoint.position)"
        case .notice, .publishKey, .none: "says something"
        }
    }
}
