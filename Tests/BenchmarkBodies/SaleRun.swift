internal import BoxOffice
internal import Journal
internal import Sequencer
internal import UsherAPI

/// One sale on a sequencer, without threads or disk: commands become entries, entries are applied, and what follows from
/// them is read as the loops would. One line, "gig", whose users are made as they are needed.
final class SaleRun {
    /// Commands of an entry. Under load the server's entries hold some hundreds.
    static let batchCommands = 256

    private var sequencer: Sequencer
    private(set) var now: UInt64 = 1_800_000_000_000
    private var position: UInt64 = 0
    private var written: [JournalEntry] = []
    private var tickets: UInt64 = 0
    private var requests: UInt64 = 0
    private var users = 0

    /// Commands carried out and refused in the last `apply`.
    private(set) var done = 0
    private(set) var refused = 0
    /// Entries applied in all.
    private(set) var entries = 0
    /// Of the last `apply` or `settle`: processor time of the longest entry, and the most changes one told the loops.
    private(set) var longestNanoseconds: UInt64 = 0
    private(set) var mostChanges = 0

    /// Users of the active tokens, and of the holds, as the outcomes and deltas told.
    private(set) var active: [UInt64: Uuid] = [:]
    private(set) var holds: [(user: Uuid, token: UInt64, reservation: UInt64)] = []

    init(
        maxActive: UInt32, order: LobbyOrder = .arrival, holdMilliseconds: UInt64 = 0, activeMilliseconds: UInt64 = 0,
        opens: Bool = true
    ) {
        var limits = SequencerLimits()
        limits.batchesInFlightMax = .max
        limits.batchCommandsMax = Self.batchCommands
        sequencer = Sequencer(office: BoxOffice(), instance: 1, incarnation: 1, limits: limits)
        let settings = ConcertSettings(
            id: "gig", title: "A concert", venue: "A hall", lobbyOrder: order, policy: AdmissionPolicy(maxActive: maxActive),
            holdTtlMs: holdMilliseconds, activeTtlMs: activeMilliseconds, idleTtlMs: activeMilliseconds)
        submit(.instanceStarted(InstanceStarted(sources: 1, rules: 1, name: "one")))
        submit(.configure(Configure(accountNeedsNoToken: true, maxBalance: 1_000_000_000)))
        operate(.putConcert(PutConcert(settings: settings, drawSeed: [UInt8](repeating: 7, count: 32))))
        operate(.changeLine(ChangeLine(concert: "gig", action: opens ? .openLine : .openLobby)))
        finish()
    }

    var office: SaleFacts { SaleFacts(stats: sequencer.office.stats(ofConcert: 0) ?? LineStats()) }

    // MARK: Commands

    func newUser() -> Uuid {
        users += 1
        return Self.user(users)
    }

    static func user(_ number: Int) -> Uuid {
        Uuid(high: UInt64(number) &* 0x9E37_79B9_7F4A_7C15, low: UInt64(number))
    }

    func submit(_ body: Command.Body, user: Uuid? = nil, token: UInt64 = 0, operator: String = "") {
        requests += 1
        tickets += 1
        let command = Command(
            user: user, requestId: Uuid(high: requests &* 0xD6E8_FEB8_6659_FD93, low: requests), contents: requests,
            token: token, operator: `operator`, body: body)
        var nothing = Publication(loops: 1)
        sequencer.submit(Submission(command, origin: Origin(loop: 0, ticket: tickets)), into: &nothing)
    }

    func operate(_ body: Command.Body) { submit(body, operator: "olga") }

    func submitJoins(_ count: Int) {
        for _ in 0..<count { submit(.join(Join(concert: "gig")), user: newUser()) }
    }

    func put(performance id: String, seats: UInt32) {
        let prices = [PriceBand(firstSeat: 1, lastSeat: seats, price: 20)]
        operate(
            .putPerformance(PerformanceSettings(id: id, concert: "gig", seatCount: seats, prices: prices)))
        finish()
    }

    // MARK: Entries

    /// Makes entries of what was submitted, as the journal would give them back.
    func write() {
        while let bytes = sequencer.nextBatch(now: now) {
            position += 1
            written.append(JournalEntry(position: position, timeMilliseconds: now, payload: bytes))
        }
    }

    /// Applies what was written, each entry a turn of its own.
    ///
    /// - Returns: how many commands were carried out.
    @discardableResult
    func apply() -> Int {
        done = 0
        refused = 0
        longestNanoseconds = 0
        mostChanges = 0
        for entry in written { applyOne(entry) }
        written.removeAll(keepingCapacity: true)
        return done
    }

    private func applyOne(_ entry: JournalEntry) {
        let start = Stopwatch.threadNanoseconds
        var publication = Publication(loops: 1)
        guard (try? sequencer.apply(entry, now: entry.timeMilliseconds, into: &publication)) != nil else {
            fatalError("an entry of our own can't be read")
        }
        longestNanoseconds = max(longestNanoseconds, Stopwatch.threadNanoseconds - start)
        entries += 1
        let delta = publication.delta
        mostChanges = max(mostChanges, delta.lines.count, delta.tokens.count, delta.seats.count)
        for answer in publication.answers[0] {
            guard case .outcome(.done(let reply)) = answer.content else {
                refused += 1
                continue
            }
            done += 1
            if case .held(let reservation) = reply { pending.append(reservation.id) }
        }
        lastDeltas.append(delta)
    }

    private var pending: [UInt64] = []
    private var lastDeltas: [Delta] = []

    /// Notes what the entries applied since the last call made of tokens and holds. Not part of what is measured.
    func look() {
        for delta in lastDeltas {
            for status in delta.tokens.values {
                active[status.id] = status.state == .active ? status.user : nil
            }
        }
        lastDeltas.removeAll(keepingCapacity: true)
        for id in pending {
            if let (_, user, token) = sequencer.office.reservation(id) { holds.append((user, token, id)) }
        }
        pending.removeAll(keepingCapacity: true)
    }

    /// Submits nothing more, and does all there is to do.
    func finish() {
        write()
        apply()
        look()
    }

    func takeHolds() -> [(user: Uuid, token: UInt64, reservation: UInt64)] {
        defer { holds = [] }
        return holds
    }

    func forgetDeltas() { lastDeltas.removeAll(keepingCapacity: true) }

    // MARK: Time

    func advance(milliseconds: UInt64) { now += milliseconds }

    /// Lets time pass with a sign of life every 4 s, so that the silence is no outage.
    func beat(milliseconds: UInt64) {
        let end = now + milliseconds
        while now + 4_000 < end {
            now += 4_000
            submit(.touched(Touched()))
            write()
            for entry in written { applyOne(entry) }
            written.removeAll(keepingCapacity: true)
        }
        forgetDeltas()
        now = end
    }

    /// Applies empty entries, as the sequencer appends them when a deadline is due, until nothing is.
    ///
    /// - Returns: how many it took.
    func settle() -> Int {
        longestNanoseconds = 0
        mostChanges = 0
        var count = 0
        repeat {
            now += 50
            write()
            if written.isEmpty, let next = sequencer.office.nextDeadline, next <= now { return -1 }
            count += written.count
            for entry in written { applyOne(entry) }
            written.removeAll(keepingCapacity: true)
            forgetDeltas()
        } while (sequencer.office.nextDeadline ?? .max) <= now && count < 100_000
        return count
    }
}

/// What is looked at of a line.
struct SaleFacts {
    let stats: LineStats
}
