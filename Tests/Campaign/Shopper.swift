import Calls
import UsherAPI

@testable import Client

/// One user with an appetite: joins, waits, charges, holds, pays, changes its mind, joins again; writes everything down.
///
///     join ─▶ wait ─┬─▶ charge ─▶ hold ─┬─▶ pay ───────▶ (cancel) ─▶ join again …
///                   └─▶ leave           ├─▶ release ─▶ hold
///                                       └─▶ let it run out ─▶ hold, leave
struct Shopper {
    /// Request ids that a user is remembered for are bounded; these are fewer.
    private static let commandsMax = 180

    private let world: World
    private let client: UsherClient
    private var random: SeededRandom
    private(set) var log: ShopperLog
    private var balance: UInt64 = 0
    private var paid: [UInt64] = []
    private var watch: LineWatch?

    /// Lives until it has had enough, or the campaign finishes, or its task is cancelled in the middle of something.
    static func live(_ world: World, seed: UInt64) async -> ShopperLog {
        let user = Uuid.random()
        guard let client = try? await world.connect(.user(user)) else { return ShopperLog(user: user) }
        var shopper = Shopper(world, client, user, seed)
        do {
            while shopper.log.commands.count < commandsMax, !world.isFinishing, shopper.log.oddities.isEmpty {
                try await shopper.visit()
            }
        } catch {
            if let watch = shopper.watch {
                watch.stop()
                shopper.log.visits.append(watch.visit)
            }
        }
        client.close()
        return shopper.log
    }

    private init(_ world: World, _ client: UsherClient, _ user: Uuid, _ seed: UInt64) {
        self.world = world
        self.client = client
        random = SeededRandom(seed)
        log = ShopperLog(user: user)
    }

    // MARK: One place in line

    private mutating func visit() async throws {
        let watch = LineWatch(client, .random(), world)
        self.watch = watch
        guard try await join(watch) else { return }
        if chance(8) {
            try await think()
        } else {
            let world = world
            try await watch.wait { ($0?.state ?? .waiting) != .waiting || world.isFinishing }
            if watch.last?.state == .active { try await turn(watch) }
        }
        if watch.last?.state != .ended { try await leave(watch) }
        // The stream ends with the token.
        try await watch.wait { _ in false }
        try Task.checkCancellation()
        if let refusal = watch.refusal { odd("the line's stream ended with \(refusal)") }
        log.visits.append(watch.visit)
        self.watch = nil
        while !paid.isEmpty, chance(paid.count > 2 ? 100 : 60) { try await cancel() }
    }

    /// Waits for the place.
    private mutating func join(_ watch: LineWatch) async throws -> Bool {
        log.commands.append(CommandRecord(requestID: watch.requestID, asked: .join, sent: watch.sent))
        try await watch.wait { $0 != nil }
        let index = log.commands.count - 1
        guard let first = watch.visit.sightings.first else {
            log.commands[index].end = .refused(watch.refusal ?? "")
            odd("Join was refused: \(watch.refusal ?? "")")
            return false
        }
        log.commands[index].ended = first.heard
        log.commands[index].end = .done(.joined(number: first.joinNumber))
        world.acknowledgements.note(log.user)
        return true
    }

    private mutating func turn(_ watch: LineWatch) async throws {
        var held: [Reservation] = []
        for _ in 0..<number(1...4) {
            guard !world.isFinishing, watch.last?.state == .active else { return }
            try await think()
            if chance(60) { await charge(UInt64(number(1...2_000))) }
            if chance(25) { await askBalance() }
            guard let reservation = await hold() else { continue }
            held.append(reservation)
            try await think()
            switch number(0...9) {
            case 0...1: await release(held.removeLast())
            case 2...3: break
            default:
                if await pay(reservation, watch) { held.removeLast() }
                // The token has ended, unless another hold keeps it.
                if watch.visit.hasPaid, held.isEmpty {
                    try await watch.wait { $0?.state == .ended }
                    return
                }
            }
            if chance(20) { await sayAgain() }
        }
    }

    // MARK: Commands

    /// Once it has paid for one hold, the end of its last other one ends the token, whenever that is.
    private var endOfTurn: Set<Reason> {
        watch?.visit.hasPaid == true ? [.tokenEnded, .tokenMissing, .unknownToken] : []
    }

    private mutating func command(
        _ asked: CommandRecord.Asked, allowing: Set<Reason> = [],
        _ body: (UsherClient, CallSettings) async throws(UsherError) -> CommandRecord.Answer
    ) async -> CommandRecord.End {
        var record = CommandRecord(requestID: .random(), asked: asked, sent: Moment.now)
        do throws(UsherError) {
            record.end = .done(try await body(client, CallSettings(requestID: record.requestID)))
            world.acknowledgements.note(log.user)
        } catch {
            switch error {
            case .refused(let status) where status.details?.mayHaveHappened != true:
                record.end = .refused(status.reason)
                if !allowing.union(endOfTurn).contains(where: { $0.rawValue == status.reason }) {
                    odd("\(asked) was refused: \(status.reason) \(status.message)")
                }
            case .cancelled: break
            case .refused, .closed, .connection:
                odd("\(asked) had no answer: \(error)")
            }
        }
        record.ended = Moment.now
        log.commands.append(record)
        return record.end
    }

    private mutating func charge(_ amount: UInt64) async {
        let end = await command(.charge(amount)) { client, settings throws(UsherError) in
            let response = try await client.accounts.charge(amount, settings)
            return .charged(response.transaction ?? Transaction())
        }
        guard case .done(.charged(let transaction)) = end else { return }
        balance += amount
        if transaction.balanceAfter != balance {
            odd("after a charge the balance is \(transaction.balanceAfter), not \(balance)")
        }
    }

    /// Nobody else spends it: what was acknowledged is what there is, on any run of the server.
    private mutating func askBalance() async {
        do throws(UsherError) {
            let told = try await client.accounts.balance()
            if told != balance { odd("the balance is \(told), not \(balance)") }
        } catch {
            if error != .cancelled, !endOfTurn.contains(where: { $0 == error.reason }) {
                odd("the balance was refused: \(error)")
            }
        }
    }

    private mutating func hold() async -> Reservation? {
        let performance = Offer.performances.randomElement(using: &random)!
        let count = UInt32(number(1...2))
        // Half of them want the front row.
        let first = UInt32(number(1...(chance(50) ? 6 : Int(Offer.seatCount) - 1)))
        let seats = chance(50) ? [] : (first..<(first + count)).map { $0 }
        let best = seats.isEmpty ? count : 0
        let end = await command(
            .hold(performance: performance, seats: seats, best: best),
            allowing: [.seatTaken, .seatContended, .notEnoughSeats, .soldOut, .tooManySeats]
        ) { client, settings throws(UsherError) in
            .held(
                best > 0
                    ? try await client.reservations.hold(performance: performance, bestAvailable: best, settings)
                    : try await client.reservations.hold(performance: performance, seats: seats, settings))
        }
        guard case .done(.held(let reservation)) = end else { return nil }
        if reservation.state != .held || reservation.performance != performance || reservation.seats.count != Int(count)
            || !seats.isEmpty && reservation.seats != seats
        {
            odd("asked for \(count) of \(performance) \(seats) and holds \(reservation)")
        }
        return reservation
    }

    private mutating func release(_ reservation: Reservation) async {
        _ = await command(.release(reservation.id), allowing: [.holdExpired]) { client, settings throws(UsherError) in
            .released(try await client.reservations.release(reservation.id, settings))
        }
    }

    /// - Returns: whether the hold is over.
    private mutating func pay(_ reservation: Reservation, _ watch: LineWatch) async -> Bool {
        let missing = reservation.price - min(reservation.price, balance)
        // Sometimes it has not counted its money.
        if missing > 0, chance(85) { await charge(missing) }
        watch.note { $0.hasPaid = true }
        let end = await command(.pay(reservation.id), allowing: [.holdExpired, .insufficientBalance]) {
            client, settings throws(UsherError) in
            let response = try await client.payments.pay(reservation.id, settings)
            return .paid(response.payment ?? Payment(), balance: response.balance)
        }
        guard case .done(.paid(let payment, let told)) = end else {
            watch.note { $0.hasPaid = log.isPaid(since: $0) }
            return end == .refused(Reason.holdExpired.rawValue)
        }
        balance -= payment.amount
        paid.append(payment.reservation)
        if told != balance { odd("after paying the balance is \(told), not \(balance)") }
        if payment.seats != reservation.seats || payment.amount != reservation.price {
            odd("paid for \(reservation), but the payment says \(payment)")
        }
        return true
    }

    private mutating func cancel() async throws {
        let reservation = paid.removeFirst()
        let end = await command(.cancel(reservation)) { client, settings throws(UsherError) in
            let response = try await client.reservations.cancel(reservation, settings)
            return .cancelled(response.reservation ?? Reservation(), refunded: response.refunded, balance: response.balance)
        }
        guard case .done(.cancelled(_, let refunded, let told)) = end else { return }
        balance += refunded
        if told != balance { odd("after cancelling the balance is \(told), not \(balance)") }
    }

    private mutating func leave(_ watch: LineWatch) async throws {
        watch.note { $0.hasLeft = true }
        _ = await command(.leave) { client, settings throws(UsherError) in
            try await client.line.leave(Offer.concert, settings)
            return .left
        }
    }

    /// Sends an earlier command once more, under its request id: nothing may happen, and the answer is the same.
    private mutating func sayAgain() async {
        guard let old = log.commands.filter({ $0.answer != nil }).randomElement(using: &random) else { return }
        let settings = CallSettings(requestID: old.requestID, attempts: 1)
        do throws(UsherError) {
            switch old.end {
            case .done(.charged(let told)):
                let again = try await client.accounts.charge(told.amount, settings)
                if again.transaction != told { odd("charge \(told) repeated gave \(again)") }
            case .done(.paid(let told, _)):
                let again = try await client.payments.pay(told.reservation, settings)
                if again.payment?.id != told.id { odd("payment \(told) repeated gave \(again)") }
            case .done(.cancelled(let told, let refunded, _)):
                let again = try await client.reservations.cancel(told.id, settings)
                if again.refunded != refunded { odd("cancelling \(told) repeated gave \(again)") }
            default: return
            }
            log.repeats += 1
        } catch {
            if error != .cancelled { odd("\(old.asked) repeated was refused: \(error)") }
        }
    }

    // MARK: Moods

    private mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
    private mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }

    /// People pause; without it a connection's rate limit would set the pace.
    private mutating func think() async throws { try await Task.sleep(for: .milliseconds(number(0...60))) }

    private mutating func odd(_ what: String) {
        if log.oddities.count < 8 { log.oddities.append(what) }
    }
}

extension ShopperLog {
    /// Whether this place has paid for anything: the token may end by it.
    fileprivate func isPaid(since visit: Visit) -> Bool {
        for command in commands.reversed() {
            switch command.end {
            case .done(.joined): return false
            case .done(.paid): return true
            default: continue
            }
        }
        return false
    }
}
