// The sale as a deterministic state machine: lines, seats, accounts, payments.
//
//   entry ──▶ is it this incarnation's next? ──▶ clock ──▶ outage? ──▶ due deadlines ──▶ commands, in order ──▶ effects
//
// The same entries at the same positions with the same times give the same state, byte for byte, on every instance.
// So nothing here reads a clock, a random number or the order of a hash table, and nothing an entry contains may stop
// it: whatever is odd has an outcome, or is ignored.
//
// Everything happens at the entry's time: a deadline found due later than it was counts from now. Admission follows each
// single change at once, so between two commands nobody who could be admitted is left waiting.
//
// While an entry is applied everybody waits. So what one entry sets off by itself is bounded (`SaleLimits.workPerEntry`):
// a million graces that run out together, a cap raised by a million or a draw of a million go on with the entries that
// follow, 50 ms apart at the latest. `nextDeadline` says that there is something to go on with.
//
// The rules are in the extensions, one concern a file: +Commands, +Line, +Admission, +Presence, +Instances, +Deadlines,
// +Outages, +Holds, +Payments, +Accounts, +Operators.

public import UsherAPI

/// The state of the whole sale and its rules. Confined to the thread that owns it.
public struct BoxOffice: ~Copyable {
    /// The highest version of the rules that this code knows.
    public static let highestRules: UInt32 = 1

    /// Journal position of the last entry given to `apply`.
    public internal(set) var position: UInt64 = 0
    /// The state machine's clock: the largest journal time seen, in milliseconds.
    public internal(set) var clock: UInt64 = 0
    /// A running hash over all entries applied and their outcomes. Equal states have equal digests; different ones
    /// betray a divergence. It guards against faults, not against malice.
    public internal(set) var digest: UInt64 = 0
    /// Version of the rules in force. Above `highestRules` this code must not go on: it can't know what they say.
    public internal(set) var rules: UInt32 = 1
    /// Settings of the whole sale.
    public internal(set) var settings = SaleSettings()
    /// Published keys, oldest first.
    public internal(set) var keys: [PublishedKey] = []

    var concerts: [ConcertRecord] = []
    var concertIndexes: [String: Int] = [:]
    var performances: [PerformanceRecord] = []
    var performanceIndexes: [String: Int] = [:]
    var seatTotal = 0

    var users = Paged<UserRecord>()
    var userIndex = UserIndex()
    var tokens = Paged<TokenRecord>()
    var reservations = Paged<ReservationRecord>()
    var heldSeats = Paged<UInt16>()
    var payments = Paged<PaymentRecord>()
    var transactions = Paged<TransactionRecord>()
    var remembered = RememberedOutcomes()

    /// By id.
    var instances: [InstanceRecord] = []
    /// Who departed since the last outage was noticed, or was at an instance that is no more; counts as one more source.
    var kept = TokenSet()
    /// End of the quiet time after an outage; 0: none.
    var quietUntil: UInt64 = 0
    /// Until then nothing lapses; past: no respite.
    public internal(set) var respiteUntil: UInt64 = 0

    /// Counts the entries applied.
    var serial: UInt64 = 0
    /// What the present entry may still set off by itself.
    var budget = 0
    /// Lines with an admission or a draw to go on with, ascending. Follows from the rest between entries.
    var unfinished: [Int] = []
    var liveTokens = 0
    var deadlines = Deadlines()

    /// The empty sale.
    public init() {}

    /// Applies the entry at `position` of the journal, stamped `timeMilliseconds`, and appends what changed to `effects`.
    ///
    /// Total: no entry traps. An entry that is not its incarnation's next, or of an instance that was declared gone or
    /// has stopped, is ignored and leaves no outcomes.
    public mutating func apply(
        _ entry: Entry, position: UInt64, timeMilliseconds: UInt64, effects: inout Effects
    ) {
        self.position = position
        guard let acceptance = accept(entry) else { return }
        serial &+= 1
        budget = SaleLimits.workPerEntry
        let before = clock
        clock = max(clock, timeMilliseconds)
        let instance = acceptance.instance
        let starts = acceptance.isNew || entry.commands.contains(where: \.startsInstance)
        noticeOutage(silence: clock - before, starting: starts ? instance : nil)
        goOn(&effects)
        fireDeadlines(&effects)
        if starts { begin(instance, &effects) }
        noteSign(of: instance, &effects)

        let firstOutcome = effects.outcomes.count
        for index in entry.commands.indices {
            effects.outcomes.append(execute(entry.commands[index], instance: instance, &effects))
        }
        pruneDeadlines()
        unfinished = unfinished.filter { isUnfinished($0) }
        remembered.forget(now: clock)
        updateDigest(entry, outcomes: effects.outcomes[firstOutcome...])
    }

    /// Journal time at which an entry, if only an empty one, should be appended: the next deadline or, while somebody is
    /// in a line, the time by which the journal must not have been silent; a time that is past while there is something
    /// to go on with. Nil: nothing will happen by itself.
    public var nextDeadline: UInt64? {
        guard unfinished.isEmpty, kept.isEmpty || quietUntil != 0 else { return clock }
        let next = deadlines.first(respite: respiteUntil)?.time
        guard liveTokens > 0 else { return next }
        let heartbeat = clock.saturatingAdd(RuleTimes.heartbeat)
        return min(next ?? heartbeat, heartbeat)
    }

    /// Puts the token into the effects, once for each entry.
    mutating func report(_ token: Int, _ effects: inout Effects) {
        // Odd, so that it is never that of a token not reported yet.
        let mark = UInt32(truncatingIfNeeded: serial &* 2 | 1)
        guard tokens[token].reported != mark else { return }
        tokens[token].reported = mark
        effects.tokens.append(UInt64(token + 1))
    }
}

extension Command {
    /// Whether it is an instance's start.
    fileprivate var startsInstance: Bool {
        if case .instanceStarted = body { true } else { false }
    }
}
