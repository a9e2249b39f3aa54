import BoxOffice
import Journal
import Sequencer
import Testing
import UsherAPI
import Wire

/// What an instance among several does to be counted on.
@Suite struct `heartbeats` {
    private func world(_ interval: UInt64?) throws -> World {
        var limits = SequencerLimits()
        limits.heartbeatMilliseconds = interval
        let world = try World(limits: limits)
        try world.open()
        return world
    }

    @Test func `alone, nothing is written while nothing happens`() throws {
        let world = try world(nil)
        world.advance(1_000_000)
        #expect(try world.append().isEmpty)
        #expect(world.idleTime == nil)
    }

    @Test func `among others an empty entry follows the last batch by the interval, not before`() throws {
        let world = try world(500)
        #expect(world.idleTime == 500)
        world.advance(499)
        #expect(try world.append().isEmpty)
        #expect(world.idleTime == 1)
        world.advance(1)
        #expect(world.idleTime == 0)
        #expect(try world.append() == [[]])
        // One at a time, however long the journal takes.
        world.advance(5_000)
        #expect(try world.append().isEmpty)
        try world.commit()
        #expect(try world.append() == [[]])
    }

    @Test func `a batch is a sign of life, too`() throws {
        let world = try world(500)
        world.advance(400)
        try world.run(world.command(.join(Join(concert: "c"))))
        world.advance(400)
        #expect(try world.append().isEmpty)
        world.advance(100)
        #expect(try world.append() == [[]])
    }

    @Test func `a run that has not begun is silent`() throws {
        var limits = SequencerLimits()
        limits.heartbeatMilliseconds = 500
        let world = try World(limits: limits)
        world.advance(10_000)
        #expect(try world.append().isEmpty)
        #expect(world.idleTime == nil)
    }

    @Test func `an idle instance that beats is not declared gone by a busier one`() throws {
        for interval: UInt64? in [400, nil] {
            let world = try world(interval)
            for number in 1...20 as ClosedRange<UInt64> {
                world.advance(400)
                try world.foreign(number == 1 ? [Command(body: .instanceStarted(InstanceStarted()))] : [], number: number)
                try world.commit()
                _ = try world.append()
                try world.commit()
            }
            let isWritable = world.isWritable
            #expect(isWritable == (interval != nil), "interval \(String(describing: interval))")
        }
    }
}
