import ArgumentParser
import Client
import UsherAPI

struct Hold: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set seats aside, to pay them within the time told.",
        discussion: """
            All or none. Needs your turn in the concert's line (usher join), which the place kept there proves.

            EXAMPLES
              usher hold aurora-1 12 13 --user ada        these seats
              usher hold aurora-1 12-15                   a range
              usher hold aurora-1 --best 2                two together, wherever they are best; single ones if need be
            """)

    @Argument(help: "The performance's id; see usher dates.") var performance: String
    @Argument(help: "Seat numbers, such as 12 13 or 12-15.") var seats: [SeatsArgument] = []
    @Option(name: .long, help: ArgumentHelp("That many of the best seats, together if there are such.", valueName: "n"))
    var best: UInt32?
    @OptionGroup var repeating: RepeatOptions
    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func validate() throws {
        guard seats.isEmpty != (best == nil) else {
            throw ValidationError(
                "Name the seats (usher hold \(performance) 12 13) or say how many (--best 2), one of the two.")
        }
        guard best != 0 else { throw ValidationError("--best takes a number from 1.") }
    }

    func run() async throws {
        try await Session.run(server, user) { session in
            await session.choosePlace(performance: performance)
            let what = best.map { "--best \($0)" } ?? Format.seats(seats.flatMap(\.numbers)).filter { $0 != " " }
            let settings = try repeating.settings(session, "hold \(performance) \(what)")
            let reservation =
                if let best {
                    try await session.client.reservations.hold(performance: performance, bestAvailable: best, settings)
                } else {
                    try await session.client.reservations.hold(
                        performance: performance, seats: seats.flatMap(\.numbers), settings)
                }
            session.show(Json(reservation), Self.lines(reservation, chosen: best == nil, now: session.now))
        }
    }

    /// - Parameter chosen: the seats were named.
    static func lines(_ reservation: Reservation, chosen: Bool, now: UInt64) -> [String] {
        let left = reservation.deadlineMs > now ? " (\(Format.duration(reservation.deadlineMs - now)))" : ""
        let isTogether = chosen || zip(reservation.seats, reservation.seats.dropFirst()).allSatisfy { $1 == $0 + 1 }
        return [
            "Held \(Format.seatPhrase(reservation.seats)) of \(reservation.performance) for \(Format.money(reservation.price)), until \(Format.timeOfDay(reservation.deadlineMs))\(left).\(isTogether ? "" : " They are not all next to each other.")",
            "This is reservation \(reservation.id). Buy it with: usher pay \(reservation.id)   Give it back with: usher release \(reservation.id)",
        ]
    }
}

struct Release: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give held seats back.",
        discussion: """
            EXAMPLES
              usher release --user ada                    the one reservation you hold
              usher release 7
            """)

    @Argument(help: "The reservation's number; not needed if you hold just one.") var reservation: UInt64?
    @OptionGroup var repeating: RepeatOptions
    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await Session.run(server, user) { session in
            let id = try await repeating.reservation(reservation, onlyOne: .held, verb: "release", session)
            try await session.learnReservation(id)
            let released = try await session.client.reservations.release(id, repeating.settings(session, "release \(id)"))
            session.show(Json(released), ["Released \(Format.seatPhrase(released.seats)) of \(released.performance)."])
        }
    }
}

extension Session {
    /// Finds out which concert a reservation belongs to, where the user has places in several lines.
    func learnReservation(_ id: UInt64) async throws {
        guard token == nil, places.tokens.count > 1 else { return }
        _ = try? await client.reservations.list(limit: 200)
    }
}
