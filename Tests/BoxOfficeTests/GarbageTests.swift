import BoxOffice
import Testing
import UsherAPI

/// Nothing that an entry may contain stops the state machine or breaks its promises.
struct GarbageTests {
    private static let numbers: [UInt64] = [0, 1, 2, 3, 50, 51, 65_535, 65_536, 1 << 31, 1 << 32, 1 << 63, .max - 1, .max]

    private struct Dice {
        var dice: SplitMix
        var number: UInt64 { mutating get { GarbageTests.numbers[dice.below(GarbageTests.numbers.count)] } }
        var small: UInt32 { mutating get { UInt32(truncatingIfNeeded: number) } }
        var name: String {
            mutating get {
                let names = ["gig", "night", "", "other", "\u{0}", String(repeating: "ü", count: 300), "a-b"]
                return names[dice.below(names.count)]
            }
        }
        var uuid: Uuid? {
            mutating get { dice.chance(10) ? nil : Uuid(high: UInt64(dice.below(3)), low: UInt64(dice.below(40))) }
        }
        var policy: AdmissionPolicy? {
            mutating get { dice.chance(10) ? nil : AdmissionPolicy(maxActive: small, batch: small, intervalMs: small) }
        }

        mutating func list<Element>(_ make: (inout Dice) -> Element) -> [Element] {
            (0..<dice.below(5)).map { _ in make(&self) }
        }

        mutating func body() -> Command.Body? {
            switch dice.below(20) {
            case 0, 1: return .join(Join(concert: name))
            case 2: return .leave(Leave(concert: name))
            case 3, 4: return .hold(Hold(performance: name, seats: list { $0.small }, bestAvailable: small))
            case 5: return .release(Release(reservation: number))
            case 6, 7: return .pay(Pay(reservation: number))
            case 8: return .cancel(CancelReservation(reservation: number))
            case 9: return .charge(Charge(amount: number))
            case 10: return .presence(Presence(arrived: list { $0.number }, departed: list { $0.number }))
            case 11: return .touched(Touched(tokens: list { $0.number }))
            case 12:
                var settings = ConcertSettings(id: name, title: "t", policy: policy)
                settings.lobbyOpensMs = number
                settings.opensMs = number
                settings.closesMs = dice.chance(90) ? 0 : number
                settings.lobbyOrder = LobbyOrder(rawValue: Int32(dice.below(4)))
                settings.maxSeats = small
                if dice.chance(30) { settings.holdTtlMs = number }
                if dice.chance(30) { settings.graceMs = number }
                settings.cancelUntilMs = number
                return .putConcert(
                    PutConcert(
                        settings: dice.chance(5) ? nil : settings,
                        drawSeed: [UInt8](repeating: 1, count: dice.chance(50) ? 32 : 3)))
            case 13:
                let bands = list { PriceBand(firstSeat: $0.small, lastSeat: $0.small, price: $0.number) }
                return .putPerformance(
                    PerformanceSettings(id: name, concert: name, startsMs: number, seatCount: small % 100, prices: bands))
            case 14: return .setPolicy(SetPolicyRequest(concert: name, policy: policy))
            case 15: return .changeLine(ChangeLine(concert: name, action: LineAction(rawValue: Int32(dice.below(8)))))
            case 16: return .notice(SendNoticeRequest(concert: name, text: name))
            case 17: return .configure(Configure(accountNeedsNoToken: dice.chance(50), maxCharge: number, maxBalance: number))
            case 18:
                return dice.chance(50)
                    ? .instanceStarted(InstanceStarted(sources: small, rules: small, name: name))
                    : .instanceStopped(InstanceStopped())
            default:
                return dice.chance(50) ? nil : .publishKey(PublishKey(ed25519: [UInt8](repeating: 2, count: dice.below(40))))
            }
        }

        mutating func command() -> Command {
            Command(
                user: uuid, requestId: dice.chance(70) ? Uuid(high: 5, low: dice.next()) : uuid, contents: number,
                token: number,
                source: small, operator: dice.chance(70) ? "op" : "", body: body())
        }
    }

    @Test(arguments: 1...12)
    func `no entry traps or breaks a promise`(seed: Int) throws {
        var dice = Dice(dice: SplitMix(seed: UInt64(seed)))
        let sale = Sale(.teller(2))
        for _ in 0..<250 {
            switch dice.dice.below(40) {
            case 0: sale.now = dice.number
            case 1:
                sale.append(
                    Entry(
                        instance: dice.small, incarnation: dice.number, number: dice.number,
                        commands: dice.list { $0.command() }))
            case 2: sale.start(UInt32(dice.dice.below(200)), incarnation: sale.now &+ UInt64(dice.dice.below(3)))
            default:
                if sale.now < 1 << 62 { sale.now &+= UInt64(dice.dice.below(4_000)) }
                let alive = sale.office.livingInstances.first ?? 1
                let count = sale.office.livingInstances.isEmpty
                if count { sale.start(1, incarnation: sale.position + 2_000_000) }
                sale.apply(dice.list { $0.command() }, instance: alive)
            }
        }
        let bytes = sale.office.snapshot()
        let restored = try BoxOffice(snapshot: bytes)
        let again = restored.snapshot()
        #expect(again == bytes, "seed \(seed)")
        let deadlines = (restored.nextDeadline, sale.office.nextDeadline)
        #expect(deadlines.0 == deadlines.1, "seed \(seed)")
    }

    @Test func `the end of time is no end of the machine`() {
        let sale = Sale(.turnstile(1, each: 100))
        sale.now = .max - 50
        sale.join("ada")
        sale.now = .max
        sale.apply([])
        sale.join("bob")
        sale.now = 5
        sale.join("cy")
        #expect(sale.office.clock == .max)
    }
}
