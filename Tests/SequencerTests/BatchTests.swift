import BoxOffice
import Journal
import SeatMap
import Sequencer
import Testing
import UsherAPI
import Wire

@Suite struct `batches` {
    @Test func `everything submitted while one batch is in flight becomes one batch`() throws {
        let world = try World()
        try world.open()
        world.submit(world.command(.charge(Charge(amount: 1))), ticket: 1)
        #expect(try world.append().map(\.count) == [1])
        for ticket in 2...21 { world.submit(world.command(.charge(Charge(amount: 1))), ticket: UInt64(ticket)) }
        #expect(try world.append().isEmpty)
        try world.commit()
        #expect(try world.append().map(\.count) == [20])
        #expect(world.journal.queuedCount == 1)
    }

    @Test func `a batch keeps the order of submission`() throws {
        let world = try World()
        try world.open()
        let commands = (1...5).map { world.command(.charge(Charge(amount: $0))) }
        for command in commands { world.submit(command) }
        #expect(try world.append() == [commands])
    }

    @Test(arguments: [(commands: 3, expected: [3, 3, 1]), (commands: 7, expected: [7]), (commands: 6, expected: [6, 1])])
    func `a batch has at most so many commands`(commands: Int, expected: [Int]) throws {
        var limits = SequencerLimits()
        limits.batchCommandsMax = commands
        limits.batchesInFlightMax = 10
        let world = try World(limits: limits)
        for _ in 0..<7 { world.submit(world.command(.charge(Charge(amount: 1)))) }
        #expect(try world.append().map(\.count) == expected)
    }

    @Test func `a batch ends with the command that reaches its bytes`() throws {
        let world = try World()
        let one = world.command(.charge(Charge(amount: 1)))
        var limits = SequencerLimits()
        limits.batchesInFlightMax = 10
        limits.batchBytesMax = one.encodedSize * 2
        let exact = try World(limits: limits)
        for _ in 0..<5 { exact.submit(one) }
        #expect(try exact.append().map(\.count) == [2, 2, 1])
        limits.batchBytesMax += 1
        let onePast = try World(limits: limits)
        for _ in 0..<5 { onePast.submit(one) }
        #expect(try onePast.append().map(\.count) == [3, 2])
    }

    @Test(arguments: 1...4) func `no more than so many batches are in flight`(most: Int) throws {
        var limits = SequencerLimits()
        limits.batchCommandsMax = 1
        limits.batchesInFlightMax = most
        let world = try World(limits: limits)
        for _ in 0..<10 { world.submit(world.command(.charge(Charge(amount: 1)))) }
        #expect(try world.append().count == most)
        try world.commit()
        #expect(try world.append().count == most)
    }

    @Test func `entries are numbered from 1 without gaps`() throws {
        var limits = SequencerLimits()
        limits.batchCommandsMax = 1
        let world = try World(limits: limits)
        for _ in 0..<5 { world.submit(world.command(.charge(Charge(amount: 1)))) }
        for _ in 0..<5 {
            try world.append()
            try world.commit()
        }
        let entries = try world.applied.map { try Entry(decoding: $0.payload) }
        #expect(entries.map(\.number) == [1, 2, 3, 4, 5])
        #expect(entries.allSatisfy { $0.instance == World.instance && $0.incarnation == World.incarnation })
    }

    @Test func `an outcome reaches the loop and ticket it belongs to, only once its entry is committed`() throws {
        let world = try World()
        try world.open()
        world.submit(world.command(.charge(Charge(amount: 5)), user: 1), loop: 0, ticket: 11)
        world.submit(world.command(.charge(Charge(amount: 6)), user: 2), loop: 1, ticket: 22)
        world.submit(world.command(.charge(Charge(amount: 7)), user: 3))
        try world.append()
        #expect(world.publication.answers.allSatisfy { $0.isEmpty })
        try world.commit()
        let first = world.takeAnswers(loop: 0)
        let second = world.takeAnswers(loop: 1)
        #expect(first.map(\.ticket) == [11] && second.map(\.ticket) == [22])
        #expect(first[0].position == world.log.lastPosition)
        #expect(first[0].outcome?.reason == .tokenMissing)
        #expect(second[0].outcome != nil)
    }

    @Test func `an entry of another instance is applied and answers nobody here`() throws {
        let world = try World()
        try world.open()
        world.submit(world.command(.join(Join(concert: "c")), user: 1), ticket: 1)
        try world.append()
        // Same number as the one in flight, but of another instance; the log takes it first.
        try world.foreign([world.command(.join(Join(concert: "c")), user: 2)], number: 1)
        try world.commit()
        let answers = world.takeAnswers()
        #expect(answers.map(\.ticket) == [1])
        guard case .done(.joined(let status)) = answers[0].outcome else {
            Issue.record("\(answers)")
            return
        }
        #expect(status.user == World.user(1) && status.joinNumber == 2)
        #expect(world.joined == 2)
    }

    @Test func `an entry that comes back twice is answered once`() throws {
        let world = try World(fate: { _ in .commitTwice })
        try world.open()
        world.submit(world.command(.join(Join(concert: "c"))), ticket: 1)
        try world.append()
        try world.commit()
        #expect(world.takeAnswers().count == 1)
        #expect(world.joined == 1)
        #expect(world.log.lastPosition == 4)
    }

    @Test func `entries of an earlier run of this instance answer nobody`() throws {
        let log = MemoryLog()
        let former = MemoryJournal(log: log)
        try former.start(from: 1) { _ in }
        former.append(Entry(instance: World.instance, incarnation: World.incarnation - 1, number: 1).encoded())
        let world = try World(log: log)
        #expect(world.applied.count == 1)
        world.submit(world.command(.charge(Charge(amount: 1))), ticket: 3)
        try world.append()
        try world.commit()
        #expect(world.takeAnswers().map(\.ticket) == [3])
    }

    @Test func `an entry that can't be decoded stops, and changes nothing`() throws {
        let world = try World()
        try world.open()
        let before = (world.sequencer.office.position, world.sequencer.office.digest)
        let odd = JournalEntry(position: 99, timeMilliseconds: World.start, payload: [0xFF])
        do {
            try world.sequencer.apply(odd, now: 0, into: &world.publication)
            Issue.record("applied")
        } catch SequencerError.undecodable(let position, _) {
            #expect(position == 99)
        }
        let after = (world.sequencer.office.position, world.sequencer.office.digest)
        #expect(after == before)
        #expect(world.takeDelta().isEmpty)
    }
}

@Suite struct `a journal that fails` {
    @Test func `what was in flight may have happened, what was gathered has not`() throws {
        let world = try World { payloads in
            let isMarked = payloads.contains { (try? Entry(decoding: $0))?.commands.first?.user == World.user(50) }
            return isMarked ? .fail(.closed) : .commit
        }
        try world.open()
        let token = try world.join(user: 1)
        guard case .claimed(let claim) = world.shard.claim(2, by: ClaimIDs.one) else {
            Issue.record("seat 2 is free")
            return
        }
        world.submit(world.command(.charge(Charge(amount: 1)), user: 50), loop: 0, ticket: 1)
        world.submit(
            world.command(.hold(Hold(performance: "p", seats: [3])), token: token), loop: 1, ticket: 2,
            claim: SeatClaim(shard: world.shard, claim: claim))
        try world.append()
        world.submit(world.command(.charge(Charge(amount: 1))), ticket: 3)
        try world.commit()
        #expect(world.failure == .closed)
        #expect(world.takeAnswers(loop: 0).map { [$0.ticket: $0.mayHaveHappened] } == [[1: true], [3: false]])
        #expect(world.takeAnswers(loop: 1).map { [$0.ticket: $0.mayHaveHappened] } == [[2: true]])
        #expect(!world.isWritable)
        #expect(world.shard.state(of: 2).claimant == nil, "the claim is undone")

        world.submit(world.command(.charge(Charge(amount: 1))), ticket: 4)
        #expect(world.takeAnswers().map(\.mayHaveHappened) == [false])
        #expect(try world.append().isEmpty)
        #expect(world.idleTime == nil)
    }

    @Test func `an instance that others declared gone takes nothing more and answers those who wait`() throws {
        let world = try World()
        try world.open()
        world.submit(world.command(.join(Join(concert: "c"))), ticket: 1)
        try world.append()
        world.submit(world.command(.join(Join(concert: "c")), user: 2), ticket: 2)
        // Another instance goes on alone: nine beats without a sign of this one.
        for number in 1...10 as ClosedRange<UInt64> {
            world.advance(500)
            try world.foreign([], number: number)
        }
        try world.commit()
        #expect(!world.isWritable)
        let answers = world.takeAnswers()
        #expect(answers.map(\.ticket) == [1, 2])
        #expect(answers.allSatisfy { $0.mayHaveHappened != nil })
        #expect(world.joined == 0)
    }
}
