/// What happens to the server in one cycle of a campaign. Rows of docs/reliability.md.
enum Fault: String, CaseIterable, Sendable {
    case kill = "kill -9 at a random moment"
    case commitWrite = "killed while a batch is written"
    case commitSync = "killed while a batch is synced"
    case snapshot = "killed in the middle of a snapshot"
    case checkpoint = "killed in the middle of a checkpoint"
    case opening = "killed while it recovers"
    case failedSync = "a sync fails"
    case failedWrite = "a write fails"
    case fullDisk = "the disk is full"
    case stop = "stopped by SIGTERM"

    /// Whether the server lives on, acknowledging nothing, until it is killed.
    var isFailStop: Bool {
        switch self {
        case .failedSync, .failedWrite, .fullDisk: true
        case .kill, .commitWrite, .commitSync, .snapshot, .checkpoint, .opening, .stop: false
        }
    }

    /// How often in a hundred cycles, about.
    private var weight: Int {
        switch self {
        case .kill: 25
        case .commitWrite, .commitSync: 15
        case .snapshot: 12
        case .checkpoint, .opening: 8
        case .failedSync, .failedWrite, .fullDisk: 5
        case .stop: 2
        }
    }

    /// One of each before any comes again, then by weight: the first cycles of a campaign already see them all.
    static func deck(_ count: Int, using random: inout some RandomNumberGenerator) -> [Fault] {
        let bag = allCases.flatMap { [Fault](repeating: $0, count: $0.weight) }
        let first = allCases.shuffled(using: &random)
        return Array((first + (0..<max(0, count)).map { _ in bag.randomElement(using: &random)! }).prefix(count))
    }
}

/// One cycle: what happens, where exactly, what the power cut takes, and how time runs.
struct Cycle: Sendable {
    var fault: Fault
    /// For powercut.c, unless the campaign itself kills.
    var trigger: String?
    var loss: PowerLoss
    /// Milliseconds after the server serves until it is killed, if nothing has happened by then.
    var patience: Int
    /// Milliseconds that the journal's time runs ahead: past the quiet after a restart, or not at all.
    var clockAhead: Int

    /// A disk that says it has synced and has not: the campaign's own test.
    static let lie = Cycle(fault: .kill, trigger: "commit sync 8 lie", loss: .all, patience: 1_500, clockAhead: 12_500)

    private init(fault: Fault, trigger: String?, loss: PowerLoss, patience: Int, clockAhead: Int) {
        self.fault = fault
        self.trigger = trigger
        self.loss = loss
        self.patience = patience
        self.clockAhead = clockAhead
    }

    init(_ fault: Fault, using random: inout some RandomNumberGenerator) {
        self.fault = fault
        func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
        let death = ["before", "half", "after"].randomElement(using: &random)!
        patience = 3_000
        switch fault {
        case .kill: patience = number(100...1_500)
        case .stop: patience = number(100...1_000)
        case .commitWrite: trigger = "commit write \(number(1...120)) \(death)"
        case .commitSync: trigger = "commit sync \(number(1...25)) \(death == "half" ? "before" : death)"
        case .snapshot:
            trigger =
                Bool.random(using: &random)
                ? "snapshot write \(number(1...20)) \(death)"
                : "snapshot sync \(number(1...3)) \(death == "half" ? "before" : death)"
        case .checkpoint:
            trigger =
                Bool.random(using: &random)
                ? "checkpoint write \(number(1...20)) \(death)"
                : "checkpoint sync \(number(1...2)) \(death == "half" ? "before" : death)"
        case .opening:
            trigger =
                Bool.random(using: &random)
                ? "open write \(number(1...4)) \(death)" : "open sync \(number(1...2)) \(death == "half" ? "before" : death)"
        case .failedSync: trigger = "any sync \(number(5...30)) eio"
        case .failedWrite: trigger = "any write \(number(5...150)) eio"
        case .fullDisk: trigger = "any write \(number(5...150)) enospc"
        }
        // After a failed sync the kernel may have thrown away what it could not write; a clean stop syncs everything.
        loss =
            switch fault {
            case .failedSync: PowerLoss.allCases.filter { $0 != .none }.randomElement(using: &random)!
            case .stop: .all
            default: Bool.random(using: &random) ? .none : PowerLoss.allCases.randomElement(using: &random)!
            }
        clockAhead = [0, 12_500, 12_500, 12_500, 20_000, 20_000].randomElement(using: &random)!
    }
}
