import BoxOffice
import Testing
import UsherAPI

struct RequestTests {
    private func sale() -> Sale {
        let sale = Sale(.teller(5)) { $0.maxSeats = 10 }
        for user in ["ada", "bob"] { sale.join(user) }
        sale.charge("ada", 1_000)
        return sale
    }

    @Test func `a repeat returns the committed outcome and has no effects`() {
        let sale = sale()
        let ids = (0..<6).map { _ in sale.newRequest() }
        let steps: [() -> Outcome] = [
            { sale.hold("ada", [1, 2], token: 1, request: ids[0]) },
            { sale.hold("ada", [3], token: 1, request: ids[1]) },
            { sale.release("ada", 2, request: ids[2]) },
            { sale.charge("ada", 11, request: ids[3]) },
            { sale.pay("ada", 1, token: 1, request: ids[4]) },
            { sale.cancel("ada", 1, request: ids[5]) },
        ]
        let first = steps.map { $0() }
        #expect(first.map(\.isDone) == Array(repeating: true, count: 6))
        sale.advance(seconds: 1_000)
        let balance = sale.office.balance(of: Uuid(user: "ada"))
        for (step, outcome) in zip(steps, first) {
            #expect(step() == outcome)
            #expect(sale.effects.seats.isEmpty && sale.effects.tokens.isEmpty && sale.effects.lines.isEmpty)
        }
        #expect(sale.office.balance(of: Uuid(user: "ada")) == balance)
    }

    @Test func `a refusal that stays true for its id is remembered in the same words`() {
        let sale = sale()
        sale.hold("bob", [1])
        let id = sale.newRequest()
        let refused = sale.hold("ada", [1, 2], request: id)
        #expect(refused.reason == .seatTaken)
        sale.release("bob", 1)
        #expect(sale.hold("ada", [1, 2], request: id) == refused)
        #expect(sale.hold("ada", [1, 2]).isDone)
    }

    @Test func `a refusal that waits for a change leaves the id good`() {
        let sale = Sale(opens: false)
        let id = sale.newRequest()
        #expect(sale.join("ada", request: id).reason == .lineScheduled)
        sale.line(.openLine)
        #expect(sale.join("ada", request: id).isDone)
    }

    @Test func `the same id with other contents is refused and changes nothing`() {
        let sale = sale()
        let id = sale.newRequest()
        sale.run("ada", .charge(Charge(amount: 5)), request: id, contents: 1)
        let outcome = sale.run("ada", .charge(Charge(amount: 6)), request: id, contents: 2)
        #expect(outcome.refusal?.code == .invalidArgument)
        #expect(outcome.reason == .requestIDReused)
        #expect(sale.office.balance(of: Uuid(user: "ada")) == 1_005)
    }

    @Test func `ids belong to their users`() {
        let sale = sale()
        let id = sale.newRequest()
        #expect(sale.charge("ada", 5, request: id).isDone)
        #expect(sale.charge("bob", 5, request: id).isDone)
        #expect(sale.office.balance(of: Uuid(user: "bob")) == 5)
    }

    @Test func `an id is forgotten after 24 hours, to the millisecond`() {
        let sale = sale()
        sale.operate(.configure(Configure(accountNeedsNoToken: true)))
        let id = sale.newRequest()
        sale.charge("ada", 5, request: id)
        sale.now += 86_399_999
        sale.charge("ada", 5, request: id)
        #expect(sale.office.balance(of: Uuid(user: "ada")) == 1_005)
        sale.now += 1
        sale.charge("ada", 5, request: id)
        #expect(sale.office.balance(of: Uuid(user: "ada")) == 1_010)
    }

    @Test func `past 256 ids commands are refused, but for paying, releasing and leaving`() {
        let sale = sale()
        sale.checksInvariants = false
        sale.hold("ada", [1])
        sale.hold("ada", [2])
        // A join, a charge and two holds are remembered already.
        for _ in 0..<252 { #expect(sale.charge("ada", 1).isDone) }
        let refusal = sale.charge("ada", 1).refusal
        #expect(refusal?.code == .resourceExhausted)
        #expect(refusal?.details.retryAfterMs == 86_400_000)
        #expect(sale.hold("ada", [3]).reason == .tooManyRequestIDs)
        #expect(sale.join("ada").token?.id == 1)
        #expect(sale.release("ada", 2).isDone)
        let id = sale.newRequest()
        let paid = sale.pay("ada", 1, request: id)
        #expect(paid.isDone)
        #expect(sale.pay("ada", 1, request: id) == paid)
        #expect(sale.join("ada").reason == .tooManyRequestIDs)
        #expect(sale.charge("bob", 1).isDone)
        sale.now += 86_400_000
        #expect(sale.join("ada").isDone)
    }

    @Test func `a phone that rejoins all day leaves ids to buy with`() {
        let sale = sale()
        sale.checksInvariants = false
        for _ in 0..<1_000 { #expect(sale.join("ada").isDone) }
        #expect(sale.hold("ada", [1]).isDone)
    }

    @Test func `thousands of outcomes are told apart, and forgotten together with their pages`() {
        let sale = Sale()
        sale.checksInvariants = false
        sale.operate(.configure(Configure(accountNeedsNoToken: true)))
        func chargeAll(_ round: UInt64) -> [Outcome] {
            var outcomes: [Outcome] = []
            for start in stride(from: UInt64(0), to: 10_000, by: 500) {
                outcomes += sale.apply(
                    (start..<start + 500).map { number in
                        Command(
                            user: Uuid(high: 2, low: number % 200), requestId: Uuid(high: 3, low: number), contents: number,
                            body: .charge(Charge(amount: number + round)))
                    })
            }
            return outcomes
        }
        let first = chargeAll(1)
        #expect(first.map(\.isDone).contains(false) == false)
        #expect(chargeAll(1) == first)
        sale.now += 86_400_000
        let second = chargeAll(2)
        #expect(zip(first, second).contains { $0 == $1 } == false)
        #expect(chargeAll(2) == second)
        let problems = sale.office.checkInvariants()
        #expect(problems.isEmpty)
    }

    static let incomplete: [(Command, Reason)] = [
        (Command(requestId: Uuid(high: 1, low: 1), body: .join(Join(concert: "gig"))), .identityMissing),
        (Command(user: Uuid.none, requestId: Uuid(high: 1, low: 1), body: .join(Join(concert: "gig"))), .identityMissing),
        (Command(user: Uuid(user: "x"), body: .join(Join(concert: "gig"))), .requestIDMissing),
        (Command(user: Uuid(user: "x"), requestId: Uuid.none, body: .join(Join(concert: "gig"))), .requestIDMissing),
        (Command(user: Uuid(user: "x"), requestId: Uuid(high: 1, low: 1)), .malformedRequest),
        (Command(requestId: Uuid(high: 1, low: 1), body: .changeLine(ChangeLine(concert: "gig"))), .operatorsOnly),
        (Command(operator: "olga", body: .changeLine(ChangeLine(concert: "gig"))), .requestIDMissing),
    ]

    @Test(arguments: incomplete.indices)
    func `a command that lacks who or which is refused`(index: Int) {
        let sale = sale()
        let (command, reason) = Self.incomplete[index]
        #expect(sale.apply([command]).first?.reason == reason)
        #expect(sale.office.joined(concert: 0) == 2)
    }

    @Test func `each command of an entry has its outcome, in order`() {
        let sale = sale()
        let outcomes = sale.apply([
            sale.command("ada", .charge(Charge(amount: 1))), Command(body: .touched(Touched(tokens: [1, 99, 0]))),
            sale.command("ada", .charge(Charge(amount: 0))), sale.command("ada", .charge(Charge(amount: 2))),
        ])
        #expect(outcomes.map(\.isDone) == [true, true, false, true])
    }

    @Test func `every refusal says something`() {
        let sale = sale()
        for outcome in [
            sale.hold("ada", []), sale.pay("ada", 99), sale.join("zoe", "nothing"), sale.line(.openLobby),
            sale.operate(.putConcert(PutConcert())), sale.charge("ada", 0),
        ] {
            let refusal = outcome.refusal
            #expect(refusal != nil)
            #expect(refusal?.message.hasSuffix(".") == true)
            #expect(refusal.map { $0.code == $0.reason.code } == true)
        }
    }
}
