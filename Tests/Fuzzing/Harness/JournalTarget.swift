import BoxOffice
import UsherAPI
import Wire

// Entries of the journal, right and wrong, applied to a sale with one concert of six seats.
//
//   steps: what (one byte), and what it needs; commands gather until the next entry
//
// Held: no entry traps, and every promise holds after each; an entry has as many outcomes as commands, or is ignored; a
// second instance that reads the entries as bytes has the same digest, also if it starts from a snapshot half-way; the
// state goes through its snapshot unchanged.

extension FuzzTarget {
    static let journal = FuzzTarget("journal", bytesMax: 2048, dictionary: ["gig", "night"]) { bytes throws(Finding) in
        var script = Script(bytes)
        var sale = try FuzzedSale()
        while !script.isAtEnd { try sale.step(&script) }
        try sale.finish()
    }
}

struct FuzzedSale: ~Copyable {
    private var office: BoxOffice
    /// The second instance.
    private var replica: BoxOffice
    private var effects = Effects()
    private var now: UInt64 = 1_000_000
    private var position: UInt64 = 100
    private var numbers: [UInt32: UInt64] = [1: 1]
    private var gathered: [Command] = []
    private var requests: UInt64 = 0

    init() throws(Finding) {
        let first = try Self.start()
        let second = try Self.start()
        office = first
        replica = second
    }

    private static func start() throws(Finding) -> BoxOffice {
        try demanded("the first snapshot") { () throws(SnapshotError) in try BoxOffice(snapshot: opened) }
    }

    /// A teller with room for two, whose line is open, and six seats.
    static let opened: [UInt8] = {
        var office = BoxOffice()
        var effects = Effects()
        var settings = ConcertSettings(id: "gig", title: "A concert", policy: AdmissionPolicy(maxActive: 2))
        settings.maxSeats = 3
        settings.holdTtlMs = 5_000
        settings.graceMs = 8_000
        let bodies: [Command.Body] = [
            .instanceStarted(InstanceStarted(sources: 2, rules: 1, name: "a")),
            .putConcert(PutConcert(settings: settings, drawSeed: [UInt8](repeating: 7, count: 32))),
            .putPerformance(
                PerformanceSettings(
                    id: "night", concert: "gig", seatCount: 6, prices: [PriceBand(firstSeat: 1, lastSeat: 6, price: 20)])),
            .changeLine(ChangeLine(concert: "gig", action: .openLine)),
        ]
        let commands = bodies.enumerated().map { index, body in
            Command(requestId: Uuid(high: 9, low: UInt64(index + 1)), operator: "op", body: body)
        }
        let entry = Entry(instance: 1, incarnation: 1, number: 1, commands: commands)
        office.apply(entry, position: 100, timeMilliseconds: 1_000_000, effects: &effects)
        return office.snapshot()
    }()

    /// What a snapshot holds after these steps, between magic word and digest.
    static func contents(after steps: [UInt8]) throws(Finding) -> [UInt8] {
        var script = Script(steps)
        var sale = try FuzzedSale()
        while !script.isAtEnd { try sale.step(&script) }
        return Array(sale.office.snapshot().dropFirst(8).dropLast(32))
    }

    mutating func step(_ script: inout Script) throws(Finding) {
        let what = script.byte()
        switch what % 16 {
        case 0:
            if let command = try? Command(decoding: script.piece()) { gathered.append(command) }
        case 1:
            if let entry = try? Entry(decoding: script.piece()) { try apply(entry) }
        case 2, 3, 4: try commit(by: UInt32(1 + (what >> 4) % 3), after: UInt64(script.byte()) << (4 * UInt64(what % 16 - 2)))
        case 5:
            replica = try demanded("a snapshot") { [office = office.snapshot()] () throws(SnapshotError) in
                try BoxOffice(snapshot: office)
            }
        default: gathered.append(command(what, &script))
        }
    }

    /// A command in a few bytes, nearly right.
    private mutating func command(_ what: UInt8, _ script: inout Script) -> Command {
        let argument = script.byte()
        let number = UInt64(argument & 0xF)
        let user = UInt64(what >> 4 & 3)
        requests += 1
        var command = Command(
            user: Uuid(high: 1, low: user), requestId: Uuid(high: 2, low: argument & 0x80 == 0 ? 1000 + requests : number),
            contents: number, token: user + 1, source: UInt32(what >> 6))
        switch what % 16 {
        case 6: command.body = .join(Join(concert: "gig"))
        case 7: command.body = .leave(Leave(concert: "gig"))
        case 8:
            let seats = (1...6).filter { argument >> ($0 - 1) & 1 != 0 }.map { UInt32($0) }
            command.body = .hold(Hold(performance: "night", seats: seats, bestAvailable: UInt32(argument >> 6)))
        case 9: command.body = .release(Release(reservation: number))
        case 10: command.body = .pay(Pay(reservation: number))
        case 11: command.body = .cancel(CancelReservation(reservation: number))
        case 12: command.body = .charge(Charge(amount: UInt64(argument)))
        case 13: command.body = .presence(Presence(arrived: [number]))
        case 14: command.body = .presence(Presence(departed: [number]))
        default:
            command.operator = "op"
            command.body = operatorBody(argument, &script)
        }
        return command
    }

    private func operatorBody(_ argument: UInt8, _ script: inout Script) -> Command.Body {
        switch argument & 7 {
        case 0, 1: .changeLine(ChangeLine(concert: "gig", action: LineAction(rawValue: Int32(argument >> 3 & 7))))
        case 2:
            .setPolicy(
                SetPolicyRequest(
                    concert: "gig",
                    policy: AdmissionPolicy(
                        maxActive: UInt32(script.byte()), batch: UInt32(script.byte()), intervalMs: UInt32(script.word()))))
        case 3: .touched(Touched(tokens: [UInt64(argument >> 3)]))
        case 4: .notice(SendNoticeRequest(concert: "gig", text: "n"))
        case 5: .configure(Configure(maxCharge: UInt64(script.byte()), maxBalance: UInt64(script.byte())))
        case 6: .instanceStarted(InstanceStarted(sources: 2, rules: 1, name: "b"))
        default: .instanceStopped(InstanceStopped())
        }
    }

    private mutating func commit(by instance: UInt32, after milliseconds: UInt64) throws(Finding) {
        now += milliseconds
        let commands = gathered
        gathered = []
        numbers[instance, default: 0] += 1
        try apply(Entry(instance: instance, incarnation: 1, number: numbers[instance]!, commands: commands))
    }

    private mutating func apply(_ entry: Entry) throws(Finding) {
        position += 1
        effects.removeAll()
        office.apply(entry, position: position, timeMilliseconds: now, effects: &effects)
        try demand([0, entry.commands.count].contains(effects.outcomes.count), "\(effects.outcomes.count) outcomes")
        let bytes = entry.encoded()
        let read = try demanded("our own entry") { () throws(WireError) in try Entry(decoding: bytes) }
        var unheard = Effects()
        replica.apply(read, position: position, timeMilliseconds: now, effects: &unheard)
        let (digest, other) = (office.digest, replica.digest)
        try demandEqual(digest, other, "digests after entry \(position)")
        try demandEqual(unheard.outcomes, effects.outcomes, "outcomes of entry \(position)")
        let problems = office.checkInvariants()
        try demandEqual(problems, [], "promises after entry \(position)")
    }

    consuming func finish() throws(Finding) {
        try commit(by: 1, after: 0)
        let bytes = office.snapshot()
        let other = replica.snapshot()
        try demand(bytes == other, "two instances have different snapshots")
        let restored = try demanded("a snapshot") { () throws(SnapshotError) in try BoxOffice(snapshot: bytes) }
        let again = restored.snapshot()
        try demand(again == bytes, "a restored state has another snapshot")
        let deadlines = (restored.nextDeadline, office.nextDeadline)
        try demandEqual(deadlines.0, deadlines.1, "next deadlines")
        let problems = restored.checkInvariants()
        try demandEqual(problems, [], "promises of a restored state")
    }
}
