import ArgumentParser
import Client
import UsherAPI

struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List your reservations, payments and transactions, newest first.",
        discussion: """
            Needs no place in line, only who you are.

            EXAMPLES
              usher history --user ada
              usher history payments --limit 5
              usher history --json | jq 'select(.kind == "payment")'
            """)

    enum Part: String, ExpressibleByArgument, CaseIterable {
        case reservations, payments, transactions
    }

    @Argument(help: "What to list: reservations, payments, transactions. Default: all three.") var parts: [Part] = []
    @Option(name: .long, help: ArgumentHelp("At most so many of each.", valueName: "n")) var limit = 20
    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit takes a number from 1.") }
    }

    func run() async throws {
        try await Session.run(server, user) { session in
            let settings = CallSettings(queueToken: session.token)
            let wanted = parts.isEmpty ? Part.allCases : parts
            if wanted.contains(.reservations) {
                let all = try await session.client.reservations.list(limit: limit, settings)
                Self.show(
                    session, "reservation", all.map { Json($0) }, title: "RESERVATIONS",
                    ["NUMBER", "PERFORMANCE", "SEATS", "PRICE", "STATE", "SINCE"], numeric: [0, 3],
                    all.map {
                        [
                            "\($0.id)", $0.performance, Format.seats($0.seats), Format.money($0.price),
                            $0.state.word.lowercased(),
                            Format.time(max($0.createdMs, $0.endedMs)),
                        ]
                    })
            }
            if wanted.contains(.payments) {
                let all = try await session.client.payments.list(limit: limit, settings)
                Self.show(
                    session, "payment", all.map { Json($0) }, title: "PAYMENTS",
                    ["NUMBER", "RESERVATION", "PERFORMANCE", "SEATS", "AMOUNT", "PAID", ""], numeric: [0, 1, 4],
                    all.map {
                        [
                            "\($0.id)", "\($0.reservation)", $0.performance, Format.seats($0.seats), Format.money($0.amount),
                            Format.time($0.paidMs), $0.refundedMs > 0 ? "refunded \(Format.time($0.refundedMs))" : "",
                        ]
                    })
            }
            if wanted.contains(.transactions) {
                try await transactions(session, settings)
            }
        }
    }

    private func transactions(_ session: Session, _ settings: CallSettings) async throws {
        let all = try await session.client.accounts.transactions(limit: limit, settings)
        Self.show(
            session, "transaction", all.map { Json($0) }, title: "TRANSACTIONS",
            ["NUMBER", "TIME", "KIND", "AMOUNT", "BALANCE", "RESERVATION"], numeric: [0, 3, 4, 5],
            all.map {
                [
                    "\($0.id)", Format.time($0.timeMs), $0.kind.word.lowercased(),
                    ($0.kind == .payment ? "-" : "+") + Format.money($0.amount), Format.money($0.balanceAfter),
                    $0.reservation > 0 ? "\($0.reservation)" : "",
                ]
            })
    }

    private static func show(
        _ session: Session, _ kind: String, _ objects: [Json], title: String, _ heading: [String], numeric: Set<Int>,
        _ rows: [[String]]
    ) {
        if session.json {
            for case .object(let pairs) in objects {
                print(Json.object([("kind", .string(kind))] + pairs.map { $0.0 == "kind" ? ("transaction_kind", $0.1) : $0 }))
            }
            return
        }
        print("\n" + session.style.bold(title))
        print((rows.isEmpty ? ["none"] : Format.table([heading] + rows, numeric: numeric)).joined(separator: "\n"))
    }
}
