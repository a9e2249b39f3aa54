import Testing

@testable import Campaign

struct PowerCutTests {
    private static let file = (0..<2_048).map { UInt8($0 % 251) }

    private static func write(at offset: Int, _ count: Int, oldSize: Int) -> UnsyncedWrite {
        let kept = max(0, min(offset + count, oldSize) - offset)
        return UnsyncedWrite(
            kind: .write, offset: offset, byteCount: count, oldSize: oldSize, oldBytes: [UInt8](repeating: 0xEE, count: kept))
    }

    @Test func `a kill without a power cut takes nothing`() {
        var random = SeededRandom(1)
        let unsynced = [Self.write(at: 0, 2_048, oldSize: 0)]
        #expect(PowerCut.remains(of: Self.file, unsynced: unsynced, .none, using: &random) == Self.file)
    }

    @Test func `a power cut that takes all leaves the file as the last sync did`() {
        var random = SeededRandom(1)
        let unsynced = [Self.write(at: 100, 10, oldSize: 1_500), Self.write(at: 1_400, 648, oldSize: 1_500)]
        let remains = PowerCut.remains(of: Self.file, unsynced: unsynced, .all, using: &random)
        #expect(remains.count == 1_500)
        #expect(remains[..<100] == Self.file[..<100] && remains[110..<1_400] == Self.file[110..<1_400])
        #expect(remains[100..<110].allSatisfy { $0 == 0xEE } && remains[1_400...].allSatisfy { $0 == 0xEE })
    }

    @Test func `a file cut short has its end back`() {
        var random = SeededRandom(1)
        let cut = UnsyncedWrite(kind: .truncation, offset: 2_048, byteCount: 0, oldSize: 2_050, oldBytes: [7, 8])
        #expect(PowerCut.remains(of: Self.file, unsynced: [cut], .all, using: &random) == Self.file + [7, 8])
    }

    @Test(arguments: PowerLoss.allCases)
    func `what was synced is never touched`(loss: PowerLoss) {
        for seed in 0..<200 {
            var random = SeededRandom(UInt64(seed))
            let unsynced = [Self.write(at: 600, 300, oldSize: 2_048), Self.write(at: 800, 200, oldSize: 2_048)]
            let remains = PowerCut.remains(of: Self.file, unsynced: unsynced, loss, using: &random)
            #expect(remains.count == 2_048, "seed \(seed)")
            // Of a sector in which a write lies, only what was written.
            #expect(remains[..<512] == Self.file[..<512] && remains[1_024...] == Self.file[1_024...], "seed \(seed)")
            if loss == .torn || loss == .garbled {
                #expect(remains[512..<600] == Self.file[512..<600] && remains[1_000..<1_024] == Self.file[1_000..<1_024])
            }
        }
    }

    @Test func `torn writes are seen torn, garbled and scattered`() {
        for loss in [PowerLoss.torn, .garbled, .scattered] {
            let outcomes = Set(
                (0..<50).map { seed in
                    var random = SeededRandom(UInt64(seed))
                    return PowerCut.remains(
                        of: Self.file, unsynced: [Self.write(at: 0, 2_048, oldSize: 2_048)], loss, using: &random)
                })
            #expect(outcomes.count > 5, "\(loss)")
        }
    }

    @Test func `a record cut short by a kill is none`() {
        func word(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let record = word(1) + word(5) + word(3) + word(100) + word(3) + [1, 2, 3]
        let write = UnsyncedWrite(kind: .write, offset: 5, byteCount: 3, oldSize: 100, oldBytes: [1, 2, 3])
        for cut in 0..<record.count {
            #expect(UnsyncedWrite.list(record + record[..<cut]) == [write], "\(cut)")
        }
        #expect(UnsyncedWrite.list(record + record) == [write, write])
    }

    @Test func `the first cycles of a campaign see every kind of fault`() {
        var random = SeededRandom(3)
        #expect(Set(Fault.deck(20, using: &random)) == Set(Fault.allCases))
        #expect(Fault.deck(1_000, using: &random).count == 1_000)
    }
}
