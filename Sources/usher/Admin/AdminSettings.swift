import ArgumentParser
import Client
import UsherAPI

struct PutConcert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concert", abstract: "Create a concert, or change one.",
        discussion: """
            What is not said stays as it is in title, venue, times, order, policy and seats per user. Durations \
            (hold, active, idle, grace, cancel-until) go back to their defaults unless said again.

            Times are 2026-12-01T20:00, +2h from now, or 0 for none: then an operator opens or closes the line.

            EXAMPLES
              usher admin concert aurora --title "Aurora Lights" --venue "Harbour Hall" --max-active 50
              usher admin concert comet --title "Comet Choir" --lobby-opens +0s --opens +10m --lobby-order draw --batch 10 --interval 1s
            """)

    enum Order: String, ExpressibleByArgument, CaseIterable {
        case arrival, draw
    }

    @Argument(help: "The concert's id: 1 to 64 of a-z, 0-9 and '-'.") var concert: String
    @Option(name: .long, help: "Its title.") var title: String?
    @Option(name: .long, help: "Where it is.") var venue: String?
    @Option(name: .long, help: ArgumentHelp("When its lobby opens.", valueName: "time")) var lobbyOpens: MomentArgument?
    @Option(name: .long, help: ArgumentHelp("When its line opens.", valueName: "time")) var opens: MomentArgument?
    @Option(name: .long, help: ArgumentHelp("When its line closes.", valueName: "time")) var closes: MomentArgument?
    @Option(name: .long, help: "How the lobby is ordered when the line opens.") var lobbyOrder: Order?
    @OptionGroup(title: "Admission") var policy: PolicyOptions
    @Option(name: .long, help: ArgumentHelp("Seats per user and performance.", valueName: "n")) var maxSeats: UInt32?
    @Option(name: .long, help: ArgumentHelp("How long a hold lasts (5m).", valueName: "duration"))
    var holdTTL: DurationArgument?
    @Option(name: .long, help: ArgumentHelp("How long a turn lasts (10m).", valueName: "duration"))
    var activeTTL: DurationArgument?
    @Option(name: .long, help: ArgumentHelp("How long a turn lasts without a call (3m).", valueName: "duration"))
    var idleTTL: DurationArgument?
    @Option(name: .long, help: ArgumentHelp("How long an absent waiter keeps the place (30m).", valueName: "duration"))
    var grace: DurationArgument?
    @Option(
        name: .long,
        help: ArgumentHelp("Until how long before the start a payment can be cancelled (0s).", valueName: "duration"))
    var cancelUntil: DurationArgument?
    @OptionGroup var options: OperatorOptions

    func run() async throws {
        try await options.run { session in
            let current = try await session.client.catalogue.concerts().first { $0.id == concert }
            let changed = try await session.client.operators.putConcert(try settings(over: current))
            session.show(changed, current == nil ? "Created" : "Changed")
        }
    }

    func settings(over current: Concert?) throws -> ConcertSettings {
        var settings = ConcertSettings()
        settings.id = concert
        settings.title = title ?? current?.title ?? concert
        settings.venue = venue ?? current?.venue ?? ""
        settings.lobbyOpensMs = lobbyOpens?.milliseconds ?? current?.lobbyOpensMs ?? 0
        settings.opensMs = opens?.milliseconds ?? current?.opensMs ?? 0
        settings.closesMs = closes?.milliseconds ?? current?.closesMs ?? 0
        settings.lobbyOrder =
            switch lobbyOrder {
            case .arrival: .arrival
            case .draw: .draw
            case nil: current?.lobbyOrder ?? .unspecified
            }
        settings.policy = try policy.policy(over: current?.policy) ?? AdmissionPolicy(maxActive: 100)
        settings.maxSeats = maxSeats ?? current?.maxSeats ?? 0
        settings.holdTtlMs = holdTTL?.milliseconds ?? 0
        settings.activeTtlMs = activeTTL?.milliseconds ?? 0
        settings.idleTtlMs = idleTTL?.milliseconds ?? 0
        settings.graceMs = grace?.milliseconds ?? 0
        settings.cancelUntilMs = cancelUntil?.milliseconds ?? 0
        return settings
    }
}

/// A time, or 0 for none.
struct MomentArgument: ExpressibleByArgument, Equatable {
    var milliseconds: UInt64

    init?(argument: String) {
        if argument == "0" {
            milliseconds = 0
        } else if let time = TimeArgument(argument: argument) {
            milliseconds = time.milliseconds
        } else {
            return nil
        }
    }
}

struct PutPerformance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "performance", abstract: "Create a performance, or change its date and prices.",
        discussion: """
            Every seat needs a price: --price is for all of them, --prices for some, the later one counts. The number of \
            seats stays what it was when the performance was created.

            EXAMPLES
              usher admin performance aurora-1 --concert aurora --starts 2026-12-01T20:00 --price 4500
              usher admin performance aurora-2 --concert aurora --starts +31d --seats 200 --price 4500 --prices 1-20:9000
            """)

    @Argument(help: "The performance's id: 1 to 64 of a-z, 0-9 and '-', unique over all concerts.") var performance: String
    @Option(name: .long, help: "The concert's id.") var concert: String
    @Option(name: .long, help: ArgumentHelp("When it begins.", valueName: "time")) var starts: TimeArgument
    @Option(name: .long, help: ArgumentHelp("How many seats, 1 to 65535; 50 for a new one.", valueName: "n")) var seats: UInt32?
    @Option(name: .long, help: ArgumentHelp("The price of a seat.", valueName: "amount")) var price: UInt64?
    @Option(
        name: .long,
        help: ArgumentHelp("The price of some seats, such as 1-10:9000; may be repeated.", valueName: "seats:amount"))
    var prices: [PriceArgument] = []
    @OptionGroup var options: OperatorOptions

    func validate() throws {
        guard price != nil || !prices.isEmpty else {
            throw ValidationError("Say what the seats cost, with --price or --prices.")
        }
    }

    func run() async throws {
        try await options.run { session in
            let known = try? await session.client.catalogue.performances(of: self.concert, includingSoldOut: true).performances
            let current = known?.first { $0.id == performance }
            let concert = try await session.client.operators.putPerformance(
                settings(seatCount: seats ?? current?.seatCount ?? 50))
            session.show(concert, "Set performance \(performance) of")
        }
    }

    func settings(seatCount: UInt32) -> PerformanceSettings {
        var bands = prices.map { PriceBand(firstSeat: $0.first, lastSeat: $0.last, price: $0.price) }
        if let price { bands.insert(PriceBand(firstSeat: 1, lastSeat: seatCount, price: price), at: 0) }
        return PerformanceSettings(
            id: performance, concert: concert, startsMs: starts.milliseconds, seatCount: seatCount, prices: bands)
    }
}

struct SetPolicy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Change who is admitted and when, also while the line runs.",
        discussion: """
            What is said here is the whole policy: a cap (teller), a turnstile, or both.

            EXAMPLES
              usher admin policy aurora --max-active 200
              usher admin policy aurora --batch 20 --interval 5s --max-active 500
            """)

    @Argument(help: "The concert's id.") var concert: String
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var options: OperatorOptions

    func run() async throws {
        guard let policy = try policy.policy() else {
            throw Failure(.usage, "Say the policy: --max-active, or --batch with --interval, or all three.")
        }
        try await options.run { session in
            session.show(try await session.client.operators.setPolicy(policy, of: concert), "Changed")
        }
    }
}
