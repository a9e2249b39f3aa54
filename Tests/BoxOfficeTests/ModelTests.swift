import BoxOffice
import Testing
import UsherAPI

/// Random commands against the plain model; a failure names its seed.
struct ModelTests {
    private static let users = (0..<12).map { "user \($0)" }

    /// One world: the sale, the model, and the dice.
    private struct World {
        let sale: Sale
        var model: Model
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
            model = Model(
                settings: sale.office.settings(ofConcert: 0) ?? ConcertSettings(), seatCount: 12, price: 20, policy: policy,
                now: sale.now, grid: sale.now)
        }

        /// Takes one random step; what both say of it.
        mutating func step() -> (Outcome?, Reason?) {
            let silence = dice.chance(2) ? UInt64(dice.below(9_000)) : dice.chance(60) ? 0 : UInt64(dice.below(2_000))
            sale.now += silence
            model.begin(at: sale.now)
            let user = ModelTests.users[dice.below(ModelTests.users.count)]
            let token = dice.chance(90) ? newest(user) : model.tokens.indices.randomElement(using: &dice)
            let id = token.map { UInt64($0 + 1) } ?? 0
            let source = UInt32(dice.below(3))
            let booking = dice.below(model.bookings.count + 2)
            let mine = model.bookings.indices.filter { model.bookings[$0].user == user }.last ?? booking
            let chosen = dice.chance(80) ? mine : booking
            let reservation = UInt64(chosen + 1)
            switch dice.below(100) {
            case 0..<22: return (sale.join(user, source: source), model.join(user, source))
            case 22..<26:
                let live = model.live(user)
                if let live {
                    touchOwn(live, user)
                    model.end(live, .left)
                }
                return (sale.leave(user), live == nil ? .unknownToken : nil)
            case 26..<48:
                let seats = (0..<(1 + dice.below(3))).map { _ in
                    UInt32(dice.below(dice.chance(97) ? 12 : 15) + (dice.chance(98) ? 1 : 0))
                }
                return (sale.hold(user, seats, token: id), model.hold(user, token, seats))
            case 48..<53:
                return (
                    sale.run(user, .release(Release(reservation: reservation)), token: id), model.release(user, token, chosen)
                )
            case 53..<63: return (sale.pay(user, reservation, token: id), model.pay(user, token, chosen))
            case 63..<66:
                return (
                    sale.run(user, .cancel(CancelReservation(reservation: reservation)), token: id),
                    model.cancel(user, token, chosen)
                )
            case 66..<76:
                let amount = UInt64(dice.below(60))
                return (sale.run(user, .charge(Charge(amount: amount)), token: id), model.charge(user, token, amount))
            case 76..<83:
                guard let token else { break }
                sale.apply([Command(source: source, body: .presence(Presence(arrived: [id])))])
                model.arrive(token, source)
                return (nil, nil)
            case 83..<89:
                guard let token else { break }
                sale.apply([Command(source: source, body: .presence(Presence(departed: [id])))])
                model.depart(token, source)
                return (nil, nil)
            case 89..<93:
                guard let token else { break }
                sale.apply([Command(body: .touched(Touched(tokens: [id])))])
                model.touch(token)
                return (nil, nil)
            case 93..<95:
                changeLine()
                return (nil, nil)
            case 95:
                let policy: AdmissionPolicy = dice.chance(50) ? .teller(2) : .turnstile(1, each: 2_000)
                sale.operate(.setPolicy(SetPolicyRequest(concert: "gig", policy: policy)))
                model.setPolicy(policy)
                return (nil, nil)
            default: break
            }
            sale.apply([])
            return (nil, nil)
        }

        private mutating func touchOwn(_ token: Int, _ user: String) {
            if model.tokens[token].user == user { model.touch(token) }
        }

        private func newest(_ user: String) -> Int? { model.tokens.indices.last { model.tokens[$0].user == user } }

        private mutating func changeLine() {
            switch model.state {
            case .open:
                let pauses = dice.chance(70)
                sale.line(pauses ? .pauseLine : .drainLine)
                model.state = pauses ? .paused : .draining
            case .paused:
                sale.line(.resumeLine)
                model.state = .open
            default:
                sale.line(.openLine)
                model.state = .open
            }
            model.admit()
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
            for user in ModelTests.users where sale.office.balance(of: Uuid(user: user)) != model.balances[user, default: 0] {
                found.append("balance of \(user)")
            }
            return found
        }
    }

    @Test(arguments: 1...16)
    func `random sales go as the plain model says`(seed: Int) {
        var world = World(seed: UInt64(seed))
        for step in 0..<250 {
            let (outcome, reason) = world.step()
            var problems = world.differences() + world.sale.office.checkInvariants()
            if let outcome, outcome.reason != reason {
                problems.append("\(outcome) but \(String(describing: reason))")
            }
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
