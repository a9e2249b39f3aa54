// One life of an instance: recovery from a snapshot and the journal, then rounds of the real sequencer between its doors and the
// log, as Server's SequencerThread does them; snapshots by replay, as its SnapshotKeeper makes them.

internal import BoxOffice
internal import Journal
internal import Sequencer
internal import UsherAPI
internal import Wire

/// What the journal has said and the run has not taken in. `Sendable` only because the interface asks for it.
private final class Inbox: @unchecked Sendable {
    var events: [JournalEvent] = []
}

/// An instance from its start to its death.
final class InstanceRun {
    private unowned let world: World
    private unowned let instance: Instance
    private let network: Network
    let journal: SimulatedJournal
    private let inbox = Inbox()
    private var sequencer: Sequencer
    private(set) var doors: [Door] = []
    private var letterboxes: [(delta: Delta, answers: [Answer], isComing: Bool)]
    /// How the doors were told that it stands.
    private var told: [(standing: Standing, rejoins: Int)] = []
    private var said: [ToSequencer] = []
    /// Commands of its own start that are not answered yet; nil before they are sent.
    private var startsLeft: Int?
    private(set) var isServing = false
    private(set) var isDead = false
    /// A bit has flipped in its state.
    private(set) var isFlipped = false
    /// In how many milliseconds it comes back, once it has said goodbye.
    private var backAfter: UInt64?
    private var rejoins = 0
    private var isPumpComing = false
    private var wakesAt = UInt64.max
    /// Its monotonic clock is ahead of the world's by this: other in each life, and more after the machine was suspended.
    var clockAhead: UInt64
    private let number: Int

    private static let startTicket = UInt64.max - 1_000

    init(of instance: Instance, world: World) {
        self.world = world
        self.instance = instance
        network = world.network
        number = world.nextRun()
        clockAhead = world.dice.number(0...5_000)
        journal = SimulatedJournal(log: world.log, network: world.network, run: number, name: instance.name)
        letterboxes = Array(repeating: (Delta(), [], false), count: world.shape.loopsPerInstance)
        sequencer = Sequencer(office: BoxOffice(), instance: instance.id, incarnation: 0)
    }

    private var now: UInt64 { network.now + clockAhead }
    var position: UInt64 { sequencer.office.position }
    var isWritable: Bool { sequencer.isWritable }

    // MARK: Start and end

    func boot() {
        var limits = SequencerLimits()
        if world.shape.instances > 1 {
            limits = .shared
            limits.checkpointEvery = world.shape.checkpointEvery
            limits.behindMax = world.shape.behindMax
        }
        limits.batchesInFlightMax = world.shape.batchesInFlight
        do {
            let snapshot = try journal.latestSnapshot().snapshot
            let restored = try SnapshotReplay(from: snapshot)
            let position = restored.position
            sequencer = Sequencer(
                office: restored.finish(), instance: instance.id, incarnation: network.now + instance.wallAhead, limits: limits)
            journal.heard = { [weak self] in self?.pumpSoon() }
            try journal.start(from: position + 1) { [inbox] event in inbox.events.append(event) }
            network.sightings.add(.starts)
            if position > 0 { network.sightings.add(.startsFromSnapshots) }
            network.trace.say(instance.name, "starts from \(position == 0 ? "nothing" : "the snapshot at #\(position)")")
        } catch {
            world.checkers.found(.replay, "\(instance.name) can't start from its snapshot: \(error)")
        }
    }

    func die() {
        isDead = true
        isServing = false
        journal.close()
        for door in doors { door.die() }
    }

    /// What it says in the journal before it serves: that it is there, and the sale if there is none.
    private func begin() {
        let started = Command.Body.instanceStarted(
            InstanceStarted(sources: UInt32(world.shape.loopsPerInstance), rules: BoxOffice.highestRules, name: instance.name))
        sequencer.beginRun(rejoiningWith: world.shape.instances > 1 ? [Command(body: started)] : [])
        var bodies = [started]
        if sequencer.office.concertCount == 0, instance.id == 1 {
            bodies.append(
                .configure(
                    Configure(
                        accountNeedsNoToken: world.shape.accountNeedsNoToken, maxCharge: world.shape.maxCharge,
                        maxBalance: world.shape.maxBalance)))
            bodies.append(.putConcert(PutConcert(settings: world.shape.settings)))
            bodies.append(.putPerformance(world.shape.performance))
        }
        startsLeft = bodies.count
        for (index, body) in bodies.enumerated() {
            let id = world.dice.uuid()
            let command = Command(
                user: Shopper.operatorID, requestId: Uuid(high: id.high, low: id.low), operator: "start", body: body)
            let origin = Origin(loop: 0, ticket: Self.startTicket + UInt64(index))
            said.append(.submission(Submission(command, origin: origin)))
        }
        pumpSoon()
    }

    /// Stops in good order: nobody is served any more, and its stop is journalled, if that takes no longer than two seconds.
    func leave(backAfter milliseconds: UInt64) {
        guard isServing else { return }
        isServing = false
        backAfter = milliseconds
        for door in doors { door.die() }
        sequencer.leave()
        network.sightings.add(.departures)
        network.after(2_000) { [weak self] in
            guard let self, !isDead else { return }
            instance.kill(backAfter: milliseconds)
        }
        pumpSoon()
    }

    private func serve() {
        isServing = true
        network.trace.say(instance.name, "serves from #\(position)")
        let image = sequencer.image()
        doors = letterboxes.indices.map { index in
            Door(
                network: network, index: index, name: instance.name, image: image, memory: world.checkers.memory,
                clockAhead: { [unowned self] in clockAhead },
                broke: { [unowned self] in world.checkers.found(.calls, "\(instance.name): \($0)") },
                submit: { [unowned self] in
                    said.append($0)
                    pumpSoon()
                })
        }
        letterboxes = letterboxes.map { _ in (Delta(), [], false) }
        told = letterboxes.map { _ in (.serving, sequencer.rejoins) }
    }

    // MARK: Rounds

    func pumpSoon() {
        guard !isPumpComing, !isDead else { return }
        isPumpComing = true
        network.after(1) { [weak self] in
            self?.isPumpComing = false
            self?.pump()
        }
    }

    /// One round: entries that were committed, then commands and questions, then the next batch.
    private func pump() {
        guard !isDead else { return }
        var publication = Publication(loops: letterboxes.count)
        let events = inbox.events
        inbox.events = []
        for event in events { take(event, &publication) }
        let messages = said
        said = []
        for message in messages {
            switch message {
            case .submission(let submission): sequencer.submit(submission, into: &publication)
            case .question(let question, let origin):
                sequencer.answer(question, origin: origin, pageItems: 100, into: &publication)
            }
        }
        sequencer.losePatience(now: now, into: &publication)
        sequencer.note(journalEnd: journal.lastPosition)
        // Before its run begins it has nothing to say: an entry of then would be of another incarnation.
        while startsLeft != nil, let batch = sequencer.nextBatch(now: now) { journal.append(batch) }
        world.checkers.image.check(sequencer.office, sequencer.catalogue, by: instance.name)
        publish(publication)
        if case .stopped(let cause) = sequencer.standing {
            stopped(cause)
            return
        }
        if backAfter != nil, sequencer.hasLeft { return instance.kill(backAfter: backAfter ?? 0) }
        wakeInTime()
    }

    /// It can't go on: restarts, as an operator or a supervisor would see to.
    private func stopped(_ cause: StopCause) {
        network.trace.say(instance.name, "can't go on (\(cause)): restarts")
        switch cause {
        case .journalFailed: break
        case .diverged:
            network.sightings.add(.divergences)
            if world.faults?.hasFlipped != true { world.checkers.found(.agreement, "\(instance.name) stops: \(cause)") }
        // Its wall clock has gone back, and an entry of the run before came late.
        case .replaced where instance.wallAhead < 1_800_000_000_000: break
        case .undecodable, .gone, .replaced, .noRoom, .rules: world.checkers.found(.rest, "\(instance.name) stops: \(cause)")
        }
        instance.kill(backAfter: world.dice.number(200...1_500))
    }

    private func take(_ event: JournalEvent, _ publication: inout Publication) {
        switch event {
        case .committed(let entries):
            for heard in entries {
                if case .stopped = sequencer.standing { return }
                let entry = perhapsFlipped(heard)
                do throws(SequencerError) {
                    try sequencer.apply(entry, now: now, into: &publication)
                    noteRejoin()
                    // Where the entry was ignored, nothing has changed.
                    isFlipped = isFlipped && world.checkers.agreement.differs(entry.position, sequencer.office.digest)
                    guard !isFlipped else { continue }
                    world.checkers.agreement.applied(entry.position, sequencer.office.digest, by: instance.name)
                    if takesSnapshot(at: entry.position) {
                        snapshotLater(at: entry.position, digest: sequencer.office.digest)
                    }
                } catch {
                    world.checkers.found(.replay, "\(instance.name) can't read #\(entry.position): \(error)")
                }
            }
        case .caughtUp: begin()
        case .stalled(let reason):
            network.sightings.add(.stalls)
            network.trace.say(instance.name, "stalls: \(reason)")
            // Its start is waited for, however long it takes.
            if isServing { sequencer.journalStalled(reason, now: now, into: &publication) }
        case .flowing: sequencer.journalFlows()
        case .failed(let error):
            network.trace.say(instance.name, "journal failed: \(error)")
            sequencer.journalFailed(into: &publication)
        }
    }

    private func noteRejoin() {
        guard sequencer.rejoins > rejoins else { return }
        rejoins = sequencer.rejoins
        network.sightings.add(.rejoins)
        network.trace.say(instance.name, "has joined again")
    }

    /// What an instance says of itself has contents that go into the digest and nowhere else: where a bit of that flips, only
    /// the digest is another.
    private func perhapsFlipped(_ stored: JournalEntry) -> JournalEntry {
        guard world.shape.flipsOne, isServing, var entry = try? Entry(decoding: stored.payload),
            let own = entry.commands.firstIndex(where: { $0.requestId == nil }), world.faults?.flips() ?? false
        else { return stored }
        network.trace.say("FAULT", "a bit flips in the state of \(instance.name) at #\(stored.position)")
        isFlipped = true
        entry.commands[own].contents ^= 1
        return JournalEntry(position: stored.position, timeMilliseconds: stored.timeMilliseconds, payload: entry.encoded())
    }

    private func publish(_ publication: Publication) {
        for index in letterboxes.indices {
            var answers = publication.answers[index]
            if let left = startsLeft, left > 0, index == 0 {
                let starts = answers.filter { $0.ticket >= Self.startTicket }
                answers.removeAll { $0.ticket >= Self.startTicket }
                if starts.contains(where: { if case .journalFailed = $0.content { true } else { false } }) {
                    // Declared gone before it served anybody.
                    if case .stopped = sequencer.standing { continue }
                    instance.kill(backAfter: world.dice.number(200...1_500))
                    return
                }
                startsLeft = left - starts.count
            }
            if startsLeft == 0, doors.isEmpty, sequencer.standing == .serving {
                serve()
                // The image has what this round brought.
                return
            }
            guard isServing else { continue }
            let isNews = sequencer.standing != told[index].standing || sequencer.rejoins != told[index].rejoins
            guard !publication.delta.isEmpty || !answers.isEmpty || isNews else { continue }
            told[index] = (sequencer.standing, sequencer.rejoins)
            if !publication.delta.isEmpty { letterboxes[index].delta.merge(publication.delta) }
            letterboxes[index].answers += answers
            deliver(to: index)
        }
    }

    /// The loop takes its letterbox in its own time: until then everything merges.
    private func deliver(to index: Int) {
        guard !letterboxes[index].isComing else { return }
        letterboxes[index].isComing = true
        network.after(world.dice.number(0...3)) { [weak self] in
            guard let self, !isDead, isServing else { return }
            let (delta, answers, _) = letterboxes[index]
            letterboxes[index] = (Delta(), [], false)
            doors[index].take(delta, answers, standing: sequencer.standing, rejoins: sequencer.rejoins)
            world.checkers.image.check(doors[index].line, at: doors[index].position, by: instance.name)
        }
    }

    private func wakeInTime() {
        guard startsLeft != nil, let idle = sequencer.idleTime(now: now) else { return }
        let time = network.now + max(idle, 1)
        guard time < wakesAt || wakesAt <= network.now else { return }
        wakesAt = time
        network.after(time - network.now) { [weak self] in
            guard let self, wakesAt == network.now else { return }
            wakesAt = .max
            pump()
        }
    }

    // MARK: Snapshots

    /// The instances take turns.
    private func takesSnapshot(at position: UInt64) -> Bool {
        let (turn, rest) = position.quotientAndRemainder(dividingBy: world.shape.snapshotEvery)
        return rest == 0 && turn % UInt64(world.shape.instances) == UInt64(instance.id - 1)
    }

    private func snapshotLater(at position: UInt64, digest: UInt64) {
        network.after(world.dice.number(1...100)) { [weak self] in
            guard let self, !isDead, isServing, !isFlipped else { return }
            makeSnapshot(at: position, digest: digest)
        }
    }

    private func makeSnapshot(at position: UInt64, digest: UInt64) {
        do {
            var replay = try SnapshotReplay(from: try journal.latestSnapshot(below: position).snapshot)
            while replay.position < position {
                let entries = try journal.entries(from: replay.position + 1)
                try replay.apply(entries.filter { $0.position <= position })
            }
            let snapshot = try replay.snapshot(expecting: digest)
            world.checkers.replay.check(snapshot)
            try journal.save(snapshot)
            network.trace.say(instance.name, "snapshot at #\(position), \(snapshot.bytes.count) bytes")
        } catch JournalError.closed {
            // It has failed, and the next round hears so.
        } catch {
            world.checkers.found(.replay, "\(instance.name) can't make a snapshot at #\(position): \(error)")
        }
    }

    // MARK: For checkers

    /// The state as bytes.
    func snapshot() -> [UInt8] { sequencer.office.snapshot() }

    var catalogue: Catalogue { sequencer.catalogue }
}
