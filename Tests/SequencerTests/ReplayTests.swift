import BoxOffice
import Journal
import Sequencer
import Testing
import UsherAPI
import Wire

@Suite struct `snapshots by replay` {
    /// A journal of a lively sale, and the live digest and snapshot after each of its entries.
    private struct History {
        var entries: [JournalEntry] = []
        var digests: [UInt64] = []
        var snapshots: [[UInt8]] = []

        init(seed: UInt64) throws {
            let world = try World()
            try world.open(maxActive: 3, holdMilliseconds: 1_500)
            var random = Seeded(seed)
            for _ in 0..<60 {
                for _ in 0..<Int.random(in: 0...3, using: &random) { world.submit(Self.command(world, &random)) }
                world.advance(.random(in: 1...900, using: &random))
                try world.append()
                let before = world.applied.count
                try world.commit()
                for _ in before..<world.applied.count {
                    digests.append(world.sequencer.office.digest)
                    snapshots.append(world.sequencer.office.snapshot())
                }
            }
            // Those of the opening are not kept one by one.
            entries = world.applied
            try #require(entries.count > 20)
            first = entries.count - digests.count
        }

        /// Index of the first entry whose digest is known.
        var first = 0

        private static func command(_ world: World, _ random: inout Seeded) -> Command {
            let user = UInt64.random(in: 1...6, using: &random)
            let token = world.sequencer.office.liveToken(user: World.user(user), concert: 0)?.id ?? 0
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1: return world.command(.join(Join(concert: "c")), user: user)
            case 2: return world.command(.leave(Leave(concert: "c")), user: user, token: token)
            case 3:
                return world.command(.charge(Charge(amount: .random(in: 0...300, using: &random))), user: user, token: token)
            case 4: return world.command(.pay(Pay(reservation: .random(in: 1...8, using: &random))), user: user, token: token)
            case 5: return world.command(.presence(Presence(departed: [token])))
            default:
                return world.command(
                    .hold(Hold(performance: "p", bestAvailable: .random(in: 1...3, using: &random))), user: user, token: token)
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `a replay gives the live digest and bytes at every position`(seed: UInt64)
        throws
    {
        let history = try History(seed: seed)
        for (index, digest) in history.digests.enumerated() {
            var replay = try SnapshotReplay(from: nil)
            try replay.apply(Array(history.entries[...(history.first + index)]))
            let snapshot = try replay.snapshot(expecting: digest)
            #expect(snapshot.position == UInt64(history.first + index + 1), "seed \(seed)")
            #expect(snapshot.bytes == history.snapshots[index], "seed \(seed), position \(snapshot.position)")
            #expect(snapshot.digest.reduce(0) { $0 << 8 | UInt64($1) } == digest)
        }
    }

    @Test(arguments: [4, 5] as [UInt64]) func `it does not matter from which snapshot the replay starts`(seed: UInt64) throws {
        let history = try History(seed: seed)
        let last = history.digests.count - 1
        for index in history.digests.indices {
            let position = UInt64(history.first + index + 1)
            var replay = try SnapshotReplay(
                from: JournalSnapshot(position: position, digest: [], bytes: history.snapshots[index]))
            let start = replay.position
            #expect(start == position)
            try replay.apply(Array(history.entries[(history.first + index + 1)...]))
            let bytes = try replay.snapshot(expecting: history.digests[last]).bytes
            #expect(bytes == history.snapshots[last], "seed \(seed), from \(position)")
        }
    }

    @Test func `a digest that differs is a divergence`() throws {
        let history = try History(seed: 6)
        var replay = try SnapshotReplay(from: nil)
        try replay.apply(history.entries)
        let wrong = history.digests[history.digests.count - 1] ^ 1
        do {
            _ = try replay.snapshot(expecting: wrong)
            Issue.record("taken")
        } catch SequencerError.diverged(let position) {
            #expect(position == UInt64(history.entries.count))
        }
    }

    @Test func `an entry that can't be decoded stops the replay where it is`() throws {
        let history = try History(seed: 7)
        var replay = try SnapshotReplay(from: nil)
        try replay.apply(Array(history.entries.prefix(3)))
        do {
            try replay.apply([JournalEntry(position: 4, timeMilliseconds: World.start, payload: [0x07])])
            Issue.record("applied")
        } catch SequencerError.undecodable(let position, _) {
            #expect(position == 4)
        }
        let position = replay.position
        #expect(position == 3)
    }

    @Test func `a damaged snapshot is refused`() throws {
        let history = try History(seed: 8)
        let whole = history.snapshots[0]
        #expect(throws: SnapshotError.self) {
            _ = try SnapshotReplay(from: JournalSnapshot(position: 1, digest: [], bytes: Array(whole.dropLast()))).position
        }
    }
}
