// A sale to tell stories about: `sale.join("ada")`, `sale.advance(seconds: 30)`, and what came of it.

import BoxOffice
import Testing
import UsherAPI

/// One box office with the journal that made it. After every entry the invariants must hold.
final class Sale {
    var office = BoxOffice()
    var now: UInt64 = 1_000_000
    var position: UInt64 = 0
    /// Everything appended, for replays.
    private(set) var journal: [(entry: Entry, position: UInt64, time: UInt64)] = []
    /// Effects of the last step: a command, or an advance.
    private(set) var effects = Effects()
    var checksInvariants = true
    private var numbers: [UInt32: (incarnation: UInt64, number: UInt64)] = [:]
    private var requests: UInt64 = 0

    /// An instance runs, and a concert is on sale: 50 seats at 20 each, open, unless told otherwise.
    init(
        _ policy: AdmissionPolicy = AdmissionPolicy(maxActive: 2), opens: Bool = true, seats: UInt32 = 50,
        _ change: (inout ConcertSettings) -> Void = { _ in }
    ) {
        start(1)
        putConcert("gig", policy, change)
        putPerformance("night", concert: "gig", seats: seats)
        if opens { line(.openLine) }
    }

    // MARK: Time and entries

    /// Applies one entry of commands now.
    @discardableResult
    func apply(_ commands: [Command], instance: UInt32 = 1, incarnation: UInt64? = nil) -> [Outcome] {
        var counted = numbers[instance] ?? (1, 0)
        if let incarnation, incarnation != counted.incarnation { counted = (incarnation, 0) }
        counted.number += 1
        numbers[instance] = counted
        effects.removeAll()
        append(Entry(instance: instance, incarnation: counted.incarnation, number: counted.number, commands: commands))
        return effects.outcomes
    }

    /// Applies an entry as it is.
    func append(_ entry: Entry) {
        position += 1
        journal.append((entry, position, now))
        office.apply(entry, position: position, timeMilliseconds: now, effects: &effects)
        guard checksInvariants else { return }
        let problems = office.checkInvariants()
        #expect(problems.isEmpty)
    }

    /// Lets time pass as a sequencer does: with an empty entry at each deadline, and one at the end.
    func advance(milliseconds: UInt64, instance: UInt32 = 1) {
        let end = now + milliseconds
        var all = Effects()
        while let next = office.nextDeadline, next < end {
            now = max(now, next)
            apply([], instance: instance)
            all.take(effects)
        }
        now = end
        apply([], instance: instance)
        all.take(effects)
        effects = all
    }

    func advance(seconds: UInt64) { advance(milliseconds: seconds * 1_000) }
    func advance(minutes: UInt64) { advance(seconds: minutes * 60) }

    // MARK: Commands

    func command(
        _ user: String, _ body: Command.Body, token: UInt64? = nil, request: Uuid? = nil, contents: UInt64? = nil,
        source: UInt32 = 0
    ) -> Command {
        Command(
            user: Uuid(user: user), requestId: request ?? newRequest(), contents: contents ?? 0,
            token: token ?? self.token(user)?.id ?? 0, source: source, body: body)
    }

    @discardableResult
    func run(
        _ user: String, _ body: Command.Body, token: UInt64? = nil, request: Uuid? = nil, contents: UInt64? = nil,
        source: UInt32 = 0, instance: UInt32 = 1
    ) -> Outcome {
        let command = command(user, body, token: token, request: request, contents: contents, source: source)
        return apply([command], instance: instance).last ?? .done(.none)
    }

    func newRequest() -> Uuid {
        requests += 1
        return Uuid(high: 7, low: requests)
    }

    @discardableResult
    func join(
        _ user: String, _ concert: String = "gig", request: Uuid? = nil, source: UInt32 = 0, instance: UInt32 = 1
    ) -> Outcome {
        run(user, .join(Join(concert: concert)), request: request, source: source, instance: instance)
    }

    @discardableResult
    func leave(_ user: String, _ concert: String = "gig", request: Uuid? = nil) -> Outcome {
        run(user, .leave(Leave(concert: concert)), request: request)
    }

    @discardableResult
    func hold(
        _ user: String, _ seats: [UInt32], best: UInt32 = 0, in performance: String = "night", token: UInt64? = nil,
        request: Uuid? = nil
    ) -> Outcome {
        run(
            user, .hold(Hold(performance: performance, seats: seats, bestAvailable: best)), token: token, request: request)
    }

    @discardableResult
    func release(_ user: String, _ reservation: UInt64, request: Uuid? = nil) -> Outcome {
        run(user, .release(Release(reservation: reservation)), request: request)
    }

    @discardableResult
    func pay(_ user: String, _ reservation: UInt64, token: UInt64? = nil, request: Uuid? = nil) -> Outcome {
        run(user, .pay(Pay(reservation: reservation)), token: token, request: request)
    }

    @discardableResult
    func cancel(_ user: String, _ reservation: UInt64, request: Uuid? = nil) -> Outcome {
        run(user, .cancel(CancelReservation(reservation: reservation)), request: request)
    }

    @discardableResult
    func charge(_ user: String, _ amount: UInt64, request: Uuid? = nil) -> Outcome {
        run(user, .charge(Charge(amount: amount)), request: request)
    }

    /// The user's token comes to a source, or goes.
    func arrive(_ user: String, source: UInt32 = 0, instance: UInt32 = 1) {
        apply([Command(source: source, body: .presence(Presence(arrived: [lastToken(user)])))], instance: instance)
    }

    func depart(_ user: String, source: UInt32 = 0, instance: UInt32 = 1) {
        apply([Command(source: source, body: .presence(Presence(departed: [lastToken(user)])))], instance: instance)
    }

    func touch(_ user: String) {
        apply([Command(body: .touched(Touched(tokens: [lastToken(user)])))])
    }

    func start(_ instance: UInt32, incarnation: UInt64? = nil) {
        let started = InstanceStarted(sources: 4, rules: 1, name: "i\(instance)")
        apply([Command(body: .instanceStarted(started))], instance: instance, incarnation: incarnation ?? now)
    }

    // MARK: Operators

    @discardableResult
    func operate(_ body: Command.Body, request: Uuid? = nil) -> Outcome {
        apply([Command(requestId: request ?? newRequest(), operator: "olga", body: body)]).last ?? .done(.none)
    }

    @discardableResult
    func putConcert(
        _ id: String, _ policy: AdmissionPolicy, _ change: (inout ConcertSettings) -> Void = { _ in }
    ) -> Outcome {
        var settings = ConcertSettings(id: id, title: "A concert", venue: "A hall", policy: policy)
        change(&settings)
        return operate(.putConcert(PutConcert(settings: settings, drawSeed: [UInt8](repeating: 7, count: 32))))
    }

    @discardableResult
    func putPerformance(
        _ id: String, concert: String, seats: UInt32 = 50, starts: UInt64 = 0, price: UInt64 = 20
    ) -> Outcome {
        let prices = [PriceBand(firstSeat: 1, lastSeat: seats == 0 ? 50 : seats, price: price)]
        return operate(
            .putPerformance(
                PerformanceSettings(id: id, concert: concert, startsMs: starts, seatCount: seats, prices: prices)))
    }

    @discardableResult
    func line(_ action: LineAction, _ concert: String = "gig") -> Outcome {
        operate(.changeLine(ChangeLine(concert: concert, action: action)))
    }

    // MARK: Looking

    /// The user's live token, or nil.
    func token(_ user: String, _ concert: Int = 0) -> TokenStatus? {
        office.liveToken(user: Uuid(user: user), concert: concert)
    }

    /// The user's newest token of the first concert, live or ended.
    func last(_ user: String) -> TokenStatus? {
        let joined = office.joined(concert: 0)
        var newest: TokenStatus?
        for place in 0..<joined {
            if let id = office.token(atPlace: place + 1, concert: 0), let status = office.token(id),
                status.user == Uuid(user: user), status.id > newest?.id ?? 0
            {
                newest = status
            }
        }
        return newest
    }

    private func lastToken(_ user: String) -> UInt64 { token(user)?.id ?? last(user)?.id ?? 0 }

    /// Names of those who are active, by place; only names given here are found.
    func active(of names: [String]) -> [String] {
        names.filter { token($0)?.state == .active }
    }

    func state(of seat: Int, in performance: Int = 0) -> SeatState? {
        office.seatState(performance: performance, seat: seat)?.state
    }

    /// What an instance has that replays the journal, from the start or from a snapshot taken before entry `from`.
    static func replay(
        _ journal: ArraySlice<(entry: Entry, position: UInt64, time: UInt64)>, into office: inout BoxOffice
    ) -> [Outcome] {
        var effects = Effects()
        for step in journal {
            office.apply(step.entry, position: step.position, timeMilliseconds: step.time, effects: &effects)
        }
        return effects.outcomes
    }
}

extension Effects {
    /// Appends what another had.
    mutating func take(_ other: Effects) {
        outcomes += other.outcomes
        lines += other.lines
        tokens += other.tokens
        seats += other.seats
        catalogueChanged = catalogueChanged || other.catalogueChanged
        notices += other.notices
        instancesGone += other.instancesGone
    }
}

extension Uuid {
    /// The id of a user of a story.
    init(user: String) {
        self.init(high: 1, low: user.utf8.reduce(0) { $0 &* 131 &+ UInt64($1) })
    }
}

extension Outcome {
    var reason: Reason? {
        if case .refused(let refusal) = self { refusal.reason } else { nil }
    }

    var refusal: Refusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }

    var isDone: Bool { reason == nil }

    var token: TokenStatus? {
        if case .done(.joined(let status)) = self { status } else { nil }
    }

    var reservation: Reservation? {
        switch self {
        case .done(.held(let reservation)), .done(.released(let reservation)), .done(.cancelled(let reservation, _, _)):
            reservation
        default: nil
        }
    }

    var reservationId: UInt64 { reservation?.id ?? 0 }
}

extension AdmissionPolicy {
    static func teller(_ maxActive: UInt32) -> AdmissionPolicy { AdmissionPolicy(maxActive: maxActive) }
    static func turnstile(_ batch: UInt32, each interval: UInt32, cap: UInt32 = 0) -> AdmissionPolicy {
        AdmissionPolicy(maxActive: cap, batch: batch, intervalMs: interval)
    }
}
