// Applying: what the sequencer's thread does with a committed entry, from its bytes to the answers and the delta for the
// loops. The tables of remembered outcomes are full: five for each of those who wait.

internal import UsherAPI

extension Benchmark {
    /// Each kind of command by itself, with n waiting. All four go on with one sale, which is made once for each size.
    public static var applying: [Benchmark] {
        let sales = Sales()
        func benchmark(
            _ name: String, allocationsMax: Double?, aimPerSecond: Double? = 300_000, before: @escaping (Sale) -> Void,
            submit: @escaping (Sale) -> Void
        ) -> Benchmark {
            Benchmark(
                name, sizes: [1_000, 10_000, 100_000, 1_000_000], of: "waiting", testSize: 300,
                allocationsMax: allocationsMax, aimPerSecond: aimPerSecond
            ) { size in
                let sale = sales.sale(size)
                return Prepared(operations: sale.turn, expecting: sale.turn) {
                    before(sale)
                    submit(sale)
                    sale.run.write()
                } run: {
                    sale.run.apply()
                }
            }
        }
        return [
            benchmark("apply joins", allocationsMax: 1) {
                $0.run.finish()
            } submit: {
                $0.run.submitJoins($0.turn)
            },
            benchmark("apply charges", allocationsMax: 0.5) {
                $0.run.finish()
            } submit: {
                $0.submitCharges($0.turn)
            },
            benchmark("apply holds, each user's first", allocationsMax: 8) {
                $0.replaceActive()
            } submit: {
                $0.submitHolds()
            },
            benchmark("apply holds of users who have held often", allocationsMax: nil, aimPerSecond: nil) {
                $0.releaseAll()
            } submit: {
                $0.submitHolds()
            },
            benchmark("apply payments, each admits the next", allocationsMax: 4) {
                $0.holdAll()
            } submit: {
                $0.submitPayments()
            },
        ]
    }
}

/// Keeps the sale of the size last asked for: the largest takes a while to make, and there is no room for all.
private final class Sales {
    private var last: (size: Int, sale: Sale)?

    func sale(_ size: Int) -> Sale {
        if let last, last.size == size { return last.sale }
        last = nil
        let sale = Sale(waiting: size)
        last = (size, sale)
        return sale
    }
}

/// A line of n with some active, who hold seats and pay.
private final class Sale {
    let run: SaleRun
    /// Commands of one turn, and people active at once.
    let turn: Int
    private var charged = 0
    private let waiting: Int
    private var seat: UInt32 = 0
    private var performances = 0
    private static let seatCount: UInt32 = 50_000

    init(waiting: Int) {
        self.waiting = waiting
        turn = min(1_024, waiting)
        run = SaleRun(maxActive: UInt32(turn))
        for start in stride(from: 0, to: waiting + turn, by: 8_192) {
            run.submitJoins(min(8_192, waiting + turn - start))
            run.finish()
        }
        for start in stride(from: 0, to: 4 * waiting, by: 8_192) {
            submitCharges(min(8_192, 4 * waiting - start))
            run.finish()
        }
    }

    func submitCharges(_ count: Int) {
        for _ in 0..<count {
            run.submit(.charge(Charge(amount: 100)), user: SaleRun.user(charged % waiting + 1))
            charged += 1
        }
    }

    func submitHolds() {
        for (token, user) in run.active.sorted(by: { $0.key < $1.key }) {
            if performances == 0 || seat == Self.seatCount {
                performances += 1
                seat = 0
                run.put(performance: "night-\(performances)", seats: Self.seatCount)
            }
            seat += 1
            run.submit(.hold(Hold(performance: "night-\(performances)", seats: [seat])), user: user, token: token)
        }
    }

    func releaseAll() {
        run.finish()
        for hold in run.takeHolds() {
            run.submit(.release(Release(reservation: hold.reservation)), user: hold.user, token: hold.token)
        }
        run.finish()
    }

    /// Lets others in instead of those who are.
    func replaceActive() {
        releaseAll()
        run.submitJoins(turn)
        for (token, user) in run.active { run.submit(.leave(Leave(concert: "gig")), user: user, token: token) }
        run.finish()
    }

    /// Makes every active user hold a seat and have the money for it; those who will be admitted join first.
    func holdAll() {
        releaseAll()
        run.submitJoins(turn)
        for (_, user) in run.active { run.submit(.charge(Charge(amount: 100)), user: user) }
        run.finish()
        submitHolds()
        run.finish()
    }

    func submitPayments() {
        for hold in run.takeHolds() {
            run.submit(.pay(Pay(reservation: hold.reservation)), user: hold.user, token: hold.token)
        }
    }
}
