import BoxOffice
import Journal
import SeatMap
import Sequencer
import Testing
import UsherAPI

@Suite struct `entries for the clock` {
    /// A world in which a hold of one second has just begun, at monotonic time 0.
    private func worldWithHold(_ limits: SequencerLimits = SequencerLimits()) throws -> World {
        let world = try World(limits: limits)
        try world.open(holdMilliseconds: 1_000)
        let token = try world.join(user: 1)
        try world.run(world.command(.hold(Hold(performance: "p", seats: [1])), token: token))
        return world
    }

    @Test func `a deadline that is due makes one empty entry, not before`() throws {
        let world = try worldWithHold()
        world.advance(999)
        #expect(try world.append().isEmpty)
        world.advance(1)
        #expect(try world.append() == [[]])
        // One in flight: no second one.
        world.advance(200)
        #expect(try world.append().isEmpty)
    }

    @Test func `with somebody in the line the next comes after two seconds, its heartbeat`() throws {
        let world = try worldWithHold()
        world.advance(1_000)
        try world.append()
        try world.commit()
        world.advance(1_999)
        #expect(try world.append().isEmpty)
        world.advance(1)
        #expect(try world.append() == [[]])
    }

    @Test func `empty entries keep their distance`() throws {
        var limits = SequencerLimits()
        limits.clockEntryIntervalMilliseconds = 5_000
        let world = try worldWithHold(limits)
        world.advance(1_000)
        #expect(try world.append() == [[]])
        try world.commit()
        world.advance(4_999)
        #expect(try world.append().isEmpty, "though the heartbeat has been due for 3 s")
        #expect(world.idleTime == 1)
        world.advance(1)
        #expect(world.idleTime == 0)
        #expect(try world.append() == [[]])
    }

    @Test func `commands never wait for the distance of empty entries`() throws {
        let world = try worldWithHold()
        world.advance(1_000)
        try world.append()
        try world.commit()
        world.submit(world.command(.charge(Charge(amount: 1))))
        #expect(try world.append().map(\.count) == [1])
    }

    @Test func `commands carry the clock, so that a due deadline needs no entry of its own`() throws {
        let world = try worldWithHold()
        world.advance(1_000)
        world.submit(world.command(.charge(Charge(amount: 1))))
        #expect(try world.append().map(\.count) == [1])
        try world.commit()
        #expect(world.shard.state(of: 0).state == .available)
    }

    @Test func `idle time counts down to the next deadline, and is none while an append is under way`() throws {
        let world = try worldWithHold()
        #expect(world.idleTime == 1_000)
        world.advance(400)
        #expect(world.idleTime == 600)
        world.advance(700)
        #expect(world.idleTime == 0)
        try world.append()
        #expect(world.idleTime == nil)
    }

    @Test func `an empty sale has nothing to wait for`() throws {
        let world = try World()
        #expect(world.idleTime == nil)
        #expect(world.journalTime(0) == nil)
        try world.open()
        #expect(world.idleTime == nil, "nobody is in the line")
    }

    @Test func `journal time is the last stamp and what has passed since, also if the clock is asked for the past`() throws {
        let world = try World()
        world.advance(250)
        try world.open()
        #expect(world.journalTime(250) == World.start + 250)
        #expect(world.journalTime(300) == World.start + 300)
        #expect(world.journalTime(100) == World.start + 250)
    }
}
