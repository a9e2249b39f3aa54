import BoxOffice
import Journal
import SeatMap
import Sequencer
import Testing
import UsherAPI
import Wire

/// How an instance stands to a journal that stands still, runs ahead, or goes on without it.
@Suite struct `an instance and its journal` {
    private func shared() -> SequencerLimits {
        var limits = SequencerLimits.shared
        limits.checkpointEvery = nil
        return limits
    }

    /// Another instance goes on alone until this one is gone.
    private func evict(_ world: World) throws {
        for number in 1...10 as ClosedRange<UInt64> {
            world.advance(500)
            try world.foreign(number == 1 ? [Command(body: .instanceStarted(InstanceStarted()))] : [], number: number)
        }
        try world.commit()
    }

    // MARK: Stalls

    @Test func `a stall refuses what was not begun, and leaves what is under way to the journal`() throws {
        let world = try World(limits: shared())
        try world.open()
        let token = try world.join(user: 1)
        guard case .claimed(let claim) = world.shard.claim(2, by: ClaimIDs.one) else {
            Issue.record("seat 2 is free")
            return
        }
        world.submit(
            world.command(.hold(Hold(performance: "p", seats: [3])), token: token), ticket: 1,
            claim: SeatClaim(shard: world.shard, claim: claim))
        try world.append()
        world.submit(world.command(.charge(Charge(amount: 1))), ticket: 2)
        world.submit(world.command(.presence(Presence(departed: [token]))))
        world.sequencer.journalStalled("no leader", now: world.clock.elapsed, into: &world.publication)
        #expect(world.standing == .stalled("no leader"))
        #expect(world.takeAnswers().map { [$0.ticket: $0.mayHaveHappened] } == [[2: false]])
        world.submit(world.command(.charge(Charge(amount: 1))), ticket: 3)
        #expect(world.takeAnswers().map { [$0.ticket: $0.mayHaveHappened] } == [[3: false]])
        #expect(try world.append().isEmpty, "nothing begins in a stall")

        // Two seconds later, not before, who waits hears that nobody knows.
        #expect(world.idleTime == 2_000)
        world.advance(1_999)
        world.sequencer.losePatience(now: world.clock.elapsed, into: &world.publication)
        #expect(world.takeAnswers().isEmpty)
        world.advance(1)
        world.sequencer.losePatience(now: world.clock.elapsed, into: &world.publication)
        #expect(world.takeAnswers().map { [$0.ticket: $0.mayHaveHappened] } == [[1: true]])
        #expect(world.shard.state(of: 2).claimant != nil, "the claim stays until its entry is heard")
        #expect(world.idleTime == nil)

        world.sequencer.journalFlows()
        #expect(world.standing == .serving)
        #expect(try world.append().map(\.count) == [1], "what the loop itself had to say was kept")
        try world.commit()
        #expect(world.shard.state(of: 2).state == .held)
        #expect(world.takeAnswers().isEmpty, "nobody is answered twice")
    }

    // MARK: Behind

    @Test func `far behind the journal it takes nothing until it is nearly there`() throws {
        var limits = shared()
        limits.behindMax = 100
        let world = try World(limits: limits)
        try world.open()
        let position = world.position
        for (end, standing) in [(100, .serving), (101, .behind), (26, .behind), (25, .serving), (26, .serving)]
            as [(UInt64, Standing)]
        {
            world.sequencer.note(journalEnd: position + end)
            #expect(world.standing == standing, "\(end) behind")
        }
        world.sequencer.note(journalEnd: position + 101)
        world.submit(world.command(.charge(Charge(amount: 1))), ticket: 1)
        #expect(world.takeAnswers().map(\.mayHaveHappened) == [false])
    }

    // MARK: Beginning

    @Test func `an earlier run whose clock was ahead does not keep this one from beginning`() throws {
        let world = try World(limits: shared())
        let start = world.command(.instanceStarted(InstanceStarted(sources: 1, rules: 1, name: "test")))
        let ahead = World.start + 3_600_000
        try world.foreign([start], instance: World.instance, number: 1, incarnation: ahead)
        try world.commit()
        world.sequencer.beginRun()
        world.submit(start, ticket: 1)
        try world.append()
        try world.commit()
        #expect(world.takeAnswers().map(\.ticket) == [1])
        #expect(world.knownIncarnation == ahead + 1)
    }

    // MARK: Gone and back

    @Test func `declared gone, it answers that nothing happened, and joins again under a larger incarnation`() throws {
        let world = try World(limits: shared())
        let start = world.command(.instanceStarted(InstanceStarted(sources: 1, rules: 1, name: "test")))
        world.sequencer.beginRun(rejoiningWith: [start])
        try world.open()
        let token = try world.join(user: 1)
        world.submit(world.command(.join(Join(concert: "c")), user: 2), ticket: 1)
        try world.append()
        world.submit(world.command(.join(Join(concert: "c")), user: 3), ticket: 2)
        let before = world.knownIncarnation
        // The log has the others' entries first; this one's batch comes after its eviction.
        try evict(world)
        #expect(world.standing == .rejoining)
        #expect(world.takeAnswers().map { [$0.ticket: $0.mayHaveHappened] } == [[1: false], [2: false]])
        #expect(!world.isPresent(token))
        world.submit(world.command(.join(Join(concert: "c")), user: 4), ticket: 3)
        #expect(world.takeAnswers().map(\.mayHaveHappened) == [false])

        #expect(try world.append() == [[start]])
        #expect(try world.append().isEmpty, "its start first")
        let clock = world.sequencer.office.clock
        try world.commit()
        #expect(world.standing == .serving)
        #expect(world.rejoins == 1)
        let after = world.knownIncarnation
        #expect(after > before && after > clock)
        #expect(world.joined == 1, "what was under way was ignored")
        world.submit(world.command(.presence(Presence(arrived: [token]))))
        try world.append()
        try world.commit()
        #expect(world.isPresent(token))
    }

    @Test func `a newer run of its number ends it`() throws {
        let world = try World(limits: shared())
        try world.open()
        world.submit(world.command(.join(Join(concert: "c"))), ticket: 1)
        try world.append()
        try world.foreign(
            [Command(body: .instanceStarted(InstanceStarted()))], instance: World.instance, number: 1, incarnation: 1 << 50)
        try world.commit()
        #expect(world.standing == .stopped(.replaced))
        #expect(world.takeAnswers().map(\.mayHaveHappened) == [true])
        #expect(try world.append().isEmpty)
        let position = world.position
        try world.commit()
        #expect(world.position == position, "nothing is applied any more")
    }

    @Test func `rules that it does not know end it`() throws {
        let world = try World(limits: shared())
        try world.foreign([Command(body: .instanceStarted(InstanceStarted(rules: 2)))], number: 1)
        try world.commit()
        #expect(world.standing == .stopped(.rules(2)))
    }

    // MARK: Digests

    @Test func `each says what it has at a checkpoint, and one that differs from the others stops`() throws {
        var limits = SequencerLimits.shared
        limits.checkpointEvery = 4
        let world = try World(limits: limits)
        try world.open()
        for instance in [8, 9] as [UInt32] {
            try world.foreign([Command(body: .instanceStarted(InstanceStarted()))], instance: instance, number: 1)
        }
        try world.commit()
        while !world.position.isMultiple(of: 4) { try world.run(world.command(.charge(Charge(amount: 1)))) }
        let (position, digest) = (world.position, world.digest)
        #expect(try world.append().last?.last?.body == .checkpoint(Checkpoint(position: position, digest: digest)))
        try world.commit()
        #expect(world.standing == .serving)
        // Two others have come to something else.
        let claim = Command(body: .checkpoint(Checkpoint(position: position, digest: digest ^ 1)))
        try world.foreign([claim], instance: 8, number: 2)
        try world.commit()
        #expect(world.standing == .serving, "one of three differs, and one has not spoken")
        try world.foreign([claim], instance: 9, number: 2)
        try world.commit()
        #expect(world.standing == .stopped(.diverged(after: 0, at: position)))
    }

    /// As after an entry that was lost here: all that its writer says then is out of turn, and ignored.
    @Test func `those whose entries it ignores it hears about digests`() throws {
        var limits = SequencerLimits.shared
        limits.checkpointEvery = 8
        let world = try World(limits: limits)
        try world.open()
        for instance in [8, 9] as [UInt32] {
            try world.foreign([Command(body: .instanceStarted(InstanceStarted()))], instance: instance, number: 2)
        }
        try world.commit()
        #expect(world.living == [World.instance])
        while !world.position.isMultiple(of: 8) { try world.run(world.command(.charge(Charge(amount: 1)))) }
        let claim = Command(body: .checkpoint(Checkpoint(position: world.position, digest: world.digest ^ 1)))
        for instance in [8, 9] as [UInt32] { try world.foreign([claim], instance: instance, number: 3) }
        let position = world.position
        try world.commit()
        #expect(world.standing == .stopped(.diverged(after: 0, at: position)))
    }

    // MARK: Clock entries

    @Test func `for a deadline the first by number goes first, the others when it does not`() throws {
        let clock = HandClock()
        let log = MemoryLog()
        var limits = shared()
        limits.heartbeatMilliseconds = 1_000_000
        let worlds = try [1, 2, 3].map { try World(limits: limits, log: log, clock: clock, instance: $0) }
        try worlds[0].open()
        for world in worlds.dropFirst() {
            try world.commit()
            try world.run(world.command(.instanceStarted(InstanceStarted(sources: 1, rules: 1))))
        }
        for world in worlds { try world.commit() }
        _ = try worlds[0].join(user: 1)
        for world in worlds { try world.commit() }
        // Somebody is in the line: an entry is due 2 s after the last one.
        #expect(worlds.map(\.idleTime) == [2_000, 2_060, 2_120])
        clock.advance(2_000)
        #expect(try worlds.map { try $0.append() } == [[[]], [], []])
        for world in worlds { try world.commit() }
        #expect(worlds.map(\.idleTime) == [2_000, 2_060, 2_120])
    }

    // MARK: Leaving

    @Test func `its stop is the last thing it says`() throws {
        let world = try World(limits: shared())
        try world.open()
        world.submit(world.command(.charge(Charge(amount: 1))), ticket: 1)
        world.sequencer.leave()
        #expect(world.idleTime == 0, "it is said at once, though nothing more comes")
        world.submit(world.command(.charge(Charge(amount: 1))), ticket: 2)
        #expect(world.takeAnswers().map(\.ticket) == [2])
        let batches = try world.append()
        #expect(batches.map(\.count) == [2])
        #expect(batches.first?.last?.body == .instanceStopped(InstanceStopped()))
        let early = world.sequencer.hasLeft
        #expect(!early)
        try world.commit()
        #expect(world.takeAnswers().map(\.ticket) == [1])
        let late = world.sequencer.hasLeft
        #expect(late)
        world.advance(10_000)
        #expect(try world.append().isEmpty)
        #expect(world.living.isEmpty)
    }

    // MARK: Optimistic claims

    @Test func `two instances claim a seat at once, the journal decides, and the loser's claim is undone`() throws {
        let clock = HandClock()
        let log = MemoryLog()
        let worlds = try [1, 2].map { try World(limits: shared(), log: log, clock: clock, instance: $0) }
        try worlds[0].open()
        let tokens = try [1, 2].map { try worlds[0].join(user: $0) }
        try worlds[1].commit()
        _ = worlds[1].takeDelta()
        for (index, world) in worlds.enumerated() {
            guard case .claimed(let claim) = world.shard.claim(4, by: ClaimIDs.one) else {
                Issue.record("the seat is free on both")
                return
            }
            world.submit(
                world.command(.hold(Hold(performance: "p", seats: [5])), user: UInt64(index + 1), token: tokens[index]),
                ticket: 1, claim: SeatClaim(shard: world.shard, claim: claim))
            try world.append()
        }
        // The second one's entry is stored first.
        try worlds[1].commit()
        try worlds[0].commit()
        try worlds[1].commit()
        let outcomes = worlds.map { $0.takeAnswers().first?.outcome }
        #expect(outcomes[0]?.reason == .seatTaken)
        #expect(outcomes[1]?.reservation?.seats == [5])
        #expect(worlds.map { $0.publication.claimsLost } == [1, 0])
        for world in worlds {
            #expect(world.shard.state(of: 4).state == .held)
            #expect(world.shard.state(of: 4).claimant == nil)
        }
    }
}
