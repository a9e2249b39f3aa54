import ArgumentParser
import Client
import UsherAPI

struct Charge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add to your balance.",
        discussion: """
            Needs your turn in a line, unless the sale's settings say otherwise.

            EXAMPLES
              usher charge 20000 --user ada
              usher charge 20000 --request-id "$(uuidgen)"    can be repeated without charging twice
            """)

    @Argument(help: "How much, in whole units of the currency.") var amount: UInt64
    @OptionGroup var repeating: RepeatOptions
    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await Session.run(server, user) { session in
            await session.choosePlace()
            let response = try await session.client.accounts.charge(amount, repeating.settings(session, "charge \(amount)"))
            session.show(
                .facts([
                    ("balance", .number(response.balance)), ("transaction", response.transaction.map { Json($0) } ?? .null),
                ]),
                ["Charged \(Format.money(amount)). Your balance is \(Format.money(response.balance))."])
        }
    }
}

struct Balance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show your balance.",
        discussion: """
            Needs your turn in a line, unless the sale's settings say otherwise.

            EXAMPLES
              usher balance --user ada
              usher balance --json | jq .balance
            """)

    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await Session.run(server, user) { session in
            await session.choosePlace()
            let balance = try await session.client.accounts.balance(CallSettings(queueToken: session.token))
            session.show(.object([("balance", .number(balance))]), ["Your balance is \(Format.money(balance))."])
        }
    }
}

struct Pay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Pay for held seats from your balance.",
        discussion: """
            In one step: the money goes, the seats are yours, and with nothing else held your place in line ends.

            EXAMPLES
              usher pay --user ada                        the one reservation you hold
              usher pay 7
            """)

    @Argument(help: "The reservation's number; not needed if you hold just one.") var reservation: UInt64?
    @OptionGroup var repeating: RepeatOptions
    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await Session.run(server, user) { session in
            let id = try await repeating.reservation(reservation, onlyOne: .held, verb: "pay", session)
            try await session.learnReservation(id)
            let response = try await session.client.payments.pay(id, repeating.settings(session, "pay \(id)"))
            let payment = response.payment ?? Payment()
            session.show(
                .object([("payment", Json(payment)), ("balance", .number(response.balance))]),
                [
                    "Paid \(Format.money(payment.amount)): \(Format.seatPhrase(payment.seats)) of \(payment.performance) \(payment.seats.count == 1 ? "is" : "are") yours. Your balance is \(Format.money(response.balance))."
                ])
        }
    }
}

struct CancelPaid: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel a paid reservation: money back, seats free.",
        discussion: """
            Needs no place in line. Until when it is possible is a setting of the concert.

            EXAMPLES
              usher cancel --user ada                     the one reservation you have paid
              usher cancel 7
            """)

    @Argument(help: "The reservation's number; not needed if you have paid just one.") var reservation: UInt64?
    @OptionGroup var repeating: RepeatOptions
    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await Session.run(server, user) { session in
            let id = try await repeating.reservation(reservation, onlyOne: .paid, verb: "cancel", session)
            let response = try await session.client.reservations.cancel(id, repeating.settings(session, "cancel \(id)"))
            let cancelled = response.reservation ?? Reservation()
            session.show(
                .object([
                    ("reservation", Json(cancelled)), ("refunded", .number(response.refunded)),
                    ("balance", .number(response.balance)),
                ]),
                [
                    "Cancelled \(Format.seatPhrase(cancelled.seats)) of \(cancelled.performance). \(Format.money(response.refunded)) came back; your balance is \(Format.money(response.balance))."
                ])
        }
    }
}
