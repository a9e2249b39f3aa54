// What could make the sequencer's thread stand still: everything that touches many people at once. Each scenario brings
// a line of n about, with five remembered outcomes for each, and says how long the longest entry took. While an entry is
// applied nobody is answered, so it must be short whatever it sets off.

internal import UsherAPI

/// One event with a line of n behind it.
public enum StallScenario: String, CaseIterable, Sendable {
    case openAfterDraw = "a lobby of n is drawn and opens"
    case close = "the line closes with n waiting"
    case raiseCap = "the cap rises from 1 to n"
    case absence = "n graces run out in the same moment"
    case holdsExpire = "n / 20 holds run out in the same moment"
    case outage = "the journal was silent for 6 s"
    case quietEnds = "after an outage nobody has come back"
    case forget = "five remembered outcomes each are a day old"
    case everyday = "a join, charge or leave by somebody, n / 10 times"

    /// What came of it.
    public struct Result: Sendable {
        /// Processor time of the longest entry.
        public var longestMilliseconds: Double
        /// Entries until nothing was due any more.
        public var entries: Int
        /// The most changes that one entry told the loops.
        public var mostChanges: Int
    }

    /// Plays it with a line of `size`, each of whom has charged an account so many times.
    ///
    /// - Throws: `WrongResult` if it did not happen.
    public func play(size: Int, charges: Int = 4) throws -> Result {
        let run = makeSale(size, charges)
        let longest: UInt64
        let entries: Int
        let (before, mostChanges): (LineStats, Int)
        before = run.office.stats
        if self == .everyday {
            doEveryday(run, size)
            run.write()
            run.apply()
            (longest, entries, mostChanges) = (run.longestNanoseconds, size / 10 / SaleRun.batchCommands, run.mostChanges)
        } else {
            begin(run, size)
            entries = run.settle()
            (longest, mostChanges) = (run.longestNanoseconds, run.mostChanges)
        }
        try check(before, run.office.stats, size)
        return Result(longestMilliseconds: Double(longest) / 1e6, entries: entries, mostChanges: mostChanges)
    }

    private func makeSale(_ size: Int, _ charges: Int) -> SaleRun {
        let day: UInt64 = 86_400_000
        let run = SaleRun(
            maxActive: self == .holdsExpire ? UInt32(size / 20) : 1, order: self == .openAfterDraw ? .draw : .arrival,
            holdMilliseconds: self == .holdsExpire ? 60_000 : 0, activeMilliseconds: day, opens: self != .openAfterDraw)
        let chunk = 16_384
        for start in stride(from: 0, to: size, by: chunk) {
            run.submitJoins(min(chunk, size - start))
            run.finish()
        }
        for start in stride(from: 0, to: charges * size, by: chunk) {
            for index in start..<min(start + chunk, charges * size) {
                run.submit(.charge(Charge(amount: 1)), user: SaleRun.user(index % size + 1))
            }
            run.finish()
        }
        prepare(run, size)
        return run
    }

    /// What has to be so before the moment that is measured.
    private func prepare(_ run: SaleRun, _ size: Int) {
        switch self {
        case .absence:
            for start in stride(from: 1, through: size, by: 1_000) {
                let ids = (start..<min(start + 1_000, size + 1)).map { UInt64($0) }
                run.submit(.presence(Presence(departed: ids)))
                run.finish()
            }
        case .holdsExpire:
            run.put(performance: "night", seats: UInt32(size / 20))
            for (index, token) in run.active.keys.sorted().enumerated() {
                let user = run.active[token]
                run.submit(.hold(Hold(performance: "night", seats: [UInt32(index + 1)])), user: user, token: token)
            }
            run.finish()
        case .quietEnds:
            run.submit(.instanceStarted(InstanceStarted(sources: 1, rules: 1, name: "one")))
            run.finish()
        case .openAfterDraw, .close, .raiseCap, .outage, .forget, .everyday: break
        }
    }

    /// The moment itself.
    private func begin(_ run: SaleRun, _ size: Int) {
        switch self {
        case .openAfterDraw: run.operate(.changeLine(ChangeLine(concert: "gig", action: .openLine)))
        case .close: run.operate(.changeLine(ChangeLine(concert: "gig", action: .closeLine)))
        case .raiseCap:
            let policy = AdmissionPolicy(maxActive: UInt32(size))
            run.operate(.setPolicy(SetPolicyRequest(concert: "gig", policy: policy)))
        case .absence: run.beat(milliseconds: 1_800_000)
        case .holdsExpire: run.beat(milliseconds: 60_000)
        case .outage: run.advance(milliseconds: 6_000)
        case .quietEnds: run.beat(milliseconds: 10_000)
        case .forget: run.beat(milliseconds: 86_400_000 - 60_000)
        case .everyday: break
        }
    }

    private func doEveryday(_ run: SaleRun, _ size: Int) {
        for index in 0..<size / 10 {
            switch index % 3 {
            case 0: run.submitJoins(1)
            case 1: run.submit(.charge(Charge(amount: 1)), user: SaleRun.user(index + 1))
            default: run.submit(.leave(Leave(concert: "gig")), user: SaleRun.user(size - index))
            }
        }
    }

    private func check(_ before: LineStats, _ after: LineStats, _ size: Int) throws {
        func expect(_ found: UInt64, _ expected: Int) throws {
            guard found == UInt64(expected) else { throw WrongResult(found: Int(found), expected: expected) }
        }
        switch self {
        case .openAfterDraw:
            try expect(after.active, 1)
            try expect(after.waiting, size - 1)
        case .close: try expect(after.waiting, 0)
        case .raiseCap: try expect(after.active, size)
        case .absence: try expect(after.waiting, 0)
        case .holdsExpire:
            try expect(before.seatsHeld, size / 20)
            try expect(after.seatsHeld, 0)
        case .outage: try expect(after.waiting, size - 1)
        case .quietEnds: try expect(after.present, 0)
        case .forget: try expect(after.waiting, size - 1)
        case .everyday: try expect(after.joined, Int(before.joined) + (size / 10 + 2) / 3)
        }
    }
}
