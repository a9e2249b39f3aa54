import ArgumentParser
import Client
import UsherAPI

struct Concerts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List what is on sale.",
        discussion: """
            Needs no place in line.

            EXAMPLES
              usher concerts
              usher concerts --json | jq -r 'select(.line_state == "OPEN").id'
            """)

    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await Session.run(server, user) { session in
            let concerts = try await session.client.catalogue.concerts()
            if session.json {
                for concert in concerts { print(Json(concert)) }
                return
            }
            guard !concerts.isEmpty else {
                print("Nothing is on sale. An operator adds concerts with: usher admin concert")
                return
            }
            let rows = concerts.map { concert in
                [
                    concert.id, LineScene.clean(concert.title), LineScene.clean(concert.venue),
                    Self.state(concert, now: session.now),
                    Format.money(concert.waiting), Format.money(concert.active),
                ]
            }
            print(
                Format.table([["CONCERT", "TITLE", "VENUE", "LINE", "WAITING", "ACTIVE"]] + rows, numeric: [4, 5]).joined(
                    separator: "\n"))
        }
    }

    static func state(_ concert: Concert, now: UInt64) -> String {
        switch concert.lineState {
        case .scheduled:
            let next = concert.lobbyOpensMs > 0 ? concert.lobbyOpensMs : concert.opensMs
            return next > now ? "opens in \(Format.duration(next - now))" : "not open yet"
        case .lobby: return concert.opensMs > now ? "lobby, opens in \(Format.duration(concert.opensMs - now))" : "lobby"
        case .open: return "open"
        case .paused: return "paused"
        case .draining: return "no more joins"
        case .closed: return "closed"
        case .unspecified, .unrecognized: return "?"
        }
    }
}

struct Dates: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List a concert's dates, with the seats that are left.",
        discussion: """
            Needs your turn in the concert's line (usher join), unless the sale shows its dates to all.

            EXAMPLES
              usher dates aurora --user ada
              usher dates aurora --from 2026-12-24        from that day on
              usher dates aurora --all                    sold-out dates as well
            """)

    @Argument(help: "The concert's id.") var concert: String
    @Option(name: .long, help: ArgumentHelp("Only from then on: 2026-12-24, 2026-12-24T20:00, +7d.", valueName: "time"))
    var from: TimeArgument?
    @Flag(name: .long, help: "Sold-out dates as well.") var all = false
    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await Session.run(server, user) { session in
            let (performances, availability) = try await session.client.catalogue.performances(
                of: concert, from: from?.milliseconds ?? 0, includingSoldOut: all, CallSettings(queueToken: session.token))
            if session.json {
                for performance in performances { print(Json(performance)) }
                if performances.isEmpty { print(Json.object([("availability", .word(availability))])) }
                return
            }
            if !performances.isEmpty {
                let rows = performances.map { performance in
                    [
                        performance.id, Format.time(performance.startsMs),
                        "\(performance.seatsLeft) of \(performance.seatCount)",
                        performance.priceMin == performance.priceMax
                            ? Format.money(performance.priceMin)
                            : "\(Format.money(performance.priceMin)) to \(Format.money(performance.priceMax))",
                    ]
                }
                print(
                    Format.table([["PERFORMANCE", "STARTS", "SEATS LEFT", "PRICE"]] + rows, numeric: [2]).joined(
                        separator: "\n"))
            }
            switch availability {
            case .soldOut: print("Sold out.\(all ? "" : " See the dates with --all; holds that run out may free seats.")")
            case .noneListed: print(from == nil ? "No dates are listed." : "No dates from then on.")
            case .onSale, .unspecified, .unrecognized: break
            }
        }
    }
}
