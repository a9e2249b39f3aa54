import BoxOffice
import Simulation
import Testing
import UsherAPI

/// Random commands against the simulation's plain sale; a failure names its seed.
struct ModelTests {
    private static let users = (0..<12).map { "user \($0)" }

    /// One world: the sale, the model, and the dice.
    private struct World {
        let sale: Sale
        var model = PlainSale()
        private var entriesSeen = 0
        var dice: SplitMix

        init(seed: UInt64) {
            dice = SplitMix(seed: seed)
            let policies: [AdmissionPolicy] = [
                .teller(1), .teller(3), .turnstile(2, each: 3_000), .turnstile(2, each: 2_500, cap: 3),
            ]
            let policy = policies[dice.below(policies.count)]
            sale = Sale(policy, seats: 12) {
                $0.maxSeats = 3
                $0.activeTtlMs = 40_000
                $0.idleTtlMs = 15_000
                $0.holdTtlMs = 12_000
                $0.graceMs = 20_000
            }
            sale.checksInvariants = false
            _ = follow()
        }

        /// Lets the model apply what the sale has journalled since; what both say the last entry came to, if they differ.
        private mutating func follow() -> String? {
            var said: [Ruling]? = []
            for step in sale.journal.suffix(from: entriesSeen) { said = model.apply(step.entry, at: step.time) }
            entriesSeen = sale.journal.count
            let rulings = sale.effects.outcomes.map { Ruling($0) }
            return rulings == said ? nil : "\(rulings) but \(said.map { "\($0)" } ?? "ignored")"
        }

        /// Takes one random step; where the two differ about what it came to.
        mutating func step() -> String? {
            sale.now += dice.chance(2) ? UInt64(dice.below(9_000)) : dice.chance(60) ? 0 : UInt64(dice.below(2_000))
            let user = ModelTests.users[dice.below(ModelTests.users.count)]
            let token = dice.chance(90) ? newest(user) : model.tokens.indices.randomElement(using: &dice)
            let id = token.map { UInt64($0 + 1) } ?? 0
            let source = UInt32(dice.below(3))
            let booking = dice.below(model.bookings.count + 2)
            let mine = model.bookings.indices.filter { model.bookings[$0].user == Uuid(user: user) }.last ?? booking
            let reservation = UInt64((dice.chance(80) ? mine : booking) + 1)
            switch dice.below(100) {
            case 0..<22: sale.join(user, source: source)
            case 22..<26: sale.leave(user)
            case 26..<48:
                let seats = (0..<(1 + dice.below(3))).map { _ in
                    UInt32(dice.below(dice.chance(97) ? 12 : 15) + (dice.chance(98) ? 1 : 0))
                }
                sale.hold(user, dice.chance(80) ? seats : [], best: dice.chance(20) ? UInt32(dice.below(4)) : 0, token: id)
            case 48..<53: sale.run(user, .release(Release(reservation: reservation)), token: id)
            case 53..<63: sale.pay(user, reservation, token: id)
            case 63..<66: sale.run(user, .cancel(CancelReservation(reservation: reservation)), token: id)
            case 66..<76: sale.run(user, .charge(Charge(amount: UInt64(dice.below(60)))), token: id)
            case 76..<83: sale.apply([Command(source: source, body: .presence(Presence(arrived: [id])))])
            case 83..<89: sale.apply([Command(source: source, body: .presence(Presence(departed: [id])))])
            case 89..<93: sale.apply([Command(body: .touched(Touched(tokens: [id])))])
            case 93..<95: changeLine()
            case 95:
                let policy: AdmissionPolicy = dice.chance(50) ? .teller(2) : .turnstile(1, each: 2_000)
                sale.operate(.setPolicy(SetPolicyRequest(concert: "gig", policy: policy)))
            default: sale.apply([])
            }
            return follow()
        }

        private func newest(_ user: String) -> Int? { model.tokens.indices.last { model.tokens[$0].user == Uuid(user: user) } }

        private mutating func changeLine() {
            switch model.state {
            case .open: sale.line(dice.chance(70) ? .pauseLine : .drainLine)
            case .paused: sale.line(.resumeLine)
            default: sale.line(.openLine)
            }
        }

        /// What differs between the two.
        func differences() -> [String] {
            var found: [String] = []
            for (index, token) in model.tokens.enumerated() {
                guard let status = sale.office.token(UInt64(index + 1)) else { return ["token \(index + 1) is missing"] }
                if status.state != token.state || status.endReason != token.end || status.place != UInt64(token.place)
                    || (token.state != .ended && status.present != token.isPresent)
                    || (token.state == .active
                        && (status.activeUntil != token.activeUntil || status.idleUntil != token.idleUntil))
                {
                    found.append("token \(index + 1): \(status) but \(token)")
                }
                if token.state == .waiting,
                    sale.office.queuePosition(token: UInt64(index + 1)) != UInt64(model.position(of: index))
                {
                    found.append("position of \(index + 1)")
                }
            }
            if sale.office.joined(concert: 0) != UInt64(model.tokens.count) { found.append("number of joins") }
            for (index, booking) in model.bookings.enumerated() {
                let reservation = sale.office.reservation(UInt64(index + 1))?.reservation
                if reservation?.state != booking.state || reservation?.seats != booking.seats
                    || reservation?.deadlineMs != booking.deadline || reservation?.price != booking.price
                {
                    found.append("reservation \(index + 1): \(String(describing: reservation)) but \(booking)")
                }
            }
            for seat in 1...12 where (sale.state(of: seat) == .available) != (model.booking(of: UInt32(seat)) == nil) {
                found.append("seat \(seat)")
            }
            for user in ModelTests.users.map(Uuid.init(user:)) where sale.office.balance(of: user) != model.balance(of: user) {
                found.append("balance of \(user)")
            }
            return found
        }
    }

    @Test(arguments: 1...16)
    func `random sales go as the plain model says`(seed: Int) {
        var world = World(seed: UInt64(seed))
        for step in 0..<250 {
            let difference = world.step()
            let problems = [difference].compactMap { $0 } + world.differences() + world.sale.office.checkInvariants()
            #expect(problems.isEmpty, "seed \(seed), step \(step)")
            if !problems.isEmpty { return }
        }
    }

    @Test(arguments: 1...6)
    func `an instance that starts from any snapshot ends with the same bytes and outcomes`(seed: Int) throws {
        var world = World(seed: UInt64(seed) &+ 1_000)
        var snapshots: [(at: Int, bytes: [UInt8])] = []
        for step in 0..<300 {
            _ = world.step()
            if step % 23 == 0 { snapshots.append((world.sale.journal.count, world.sale.office.snapshot())) }
        }
        let last = world.sale.office.snapshot()
        for (at, bytes) in snapshots {
            var restored = try BoxOffice(snapshot: bytes)
            let again = restored.snapshot()
            #expect(again == bytes, "seed \(seed), after entry \(at)")
            let problems = restored.checkInvariants()
            #expect(problems.isEmpty, "seed \(seed), after entry \(at)")
            _ = Sale.replay(world.sale.journal[at...], into: &restored)
            let end = restored.snapshot()
            #expect(end == last, "seed \(seed), from entry \(at)")
            let deadlines = (restored.nextDeadline, world.sale.office.nextDeadline)
            #expect(deadlines.0 == deadlines.1, "seed \(seed), from entry \(at)")
        }
        var fresh = BoxOffice()
        _ = Sale.replay(world.sale.journal[...], into: &fresh)
        let whole = fresh.snapshot()
        #expect(whole == last)
        #expect(fresh.digest == world.sale.office.digest)
    }
}
