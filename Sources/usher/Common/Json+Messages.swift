import Client
import UsherAPI
import Wire

// What commands print with --json: the fields of the protocol's messages under the protocol's names.

extension WireEnum {
    /// The value's word as in the .proto file, without prefix: `ON_SALE`; a number where this version has no word.
    var word: String {
        let name = "\(self)"
        guard !name.hasPrefix("unrecognized") else { return "\(rawValue)" }
        return name.reduce(into: "") { word, letter in
            if letter.isUppercase { word += "_" }
            word += letter.uppercased()
        }
    }
}

extension Json {
    static func word(_ value: some WireEnum) -> Json { .string(value.word) }

    /// An object of the pairs whose value says something.
    static func facts(_ pairs: [(String, Json)]) -> Json {
        .object(pairs.filter { $0.1 != .null && $0.1 != .string("") && $0.1 != .array([]) })
    }

    /// A number, or nothing where 0 means that.
    static func unlessZero(_ number: UInt64) -> Json { number == 0 ? .null : .number(number) }

    init(_ concert: Concert) {
        self = .facts([
            ("id", .string(concert.id)), ("title", .string(concert.title)), ("venue", .string(concert.venue)),
            ("line_state", .word(concert.lineState)), ("lobby_opens_ms", .unlessZero(concert.lobbyOpensMs)),
            ("opens_ms", .unlessZero(concert.opensMs)), ("closes_ms", .unlessZero(concert.closesMs)),
            ("lobby_order", .word(concert.lobbyOrder)), ("waiting", .number(concert.waiting)),
            ("active", .number(concert.active)), ("performances", .number(UInt64(concert.performances))),
            ("max_seats", .number(UInt64(concert.maxSeats))),
            ("policy", concert.policy.map { Json($0) } ?? .null),
        ])
    }

    init(_ policy: AdmissionPolicy) {
        self = .facts([
            ("max_active", .unlessZero(UInt64(policy.maxActive))), ("batch", .unlessZero(UInt64(policy.batch))),
            ("interval_ms", .unlessZero(UInt64(policy.intervalMs))),
        ])
    }

    init(_ performance: Performance) {
        self = .facts([
            ("id", .string(performance.id)), ("concert", .string(performance.concert)),
            ("starts_ms", .number(performance.startsMs)), ("seat_count", .number(UInt64(performance.seatCount))),
            ("seats_left", .number(UInt64(performance.seatsLeft))), ("price_min", .number(performance.priceMin)),
            ("price_max", .number(performance.priceMax)),
        ])
    }

    init(_ board: SeatBoard) {
        self = .facts([
            ("performance", .string(board.performance)), ("seats_left", .number(UInt64(board.seatsLeft))),
            ("availability", .word(board.availability)), ("seats", .array(board.seats.map { Json($0) })),
        ])
    }

    init(_ seat: Seat) {
        self = .object([
            ("number", .number(UInt64(seat.number))), ("price", .number(seat.price)), ("state", .word(seat.state)),
        ])
    }

    init(_ reservation: Reservation) {
        self = .facts([
            ("id", .number(reservation.id)), ("concert", .string(reservation.concert)),
            ("performance", .string(reservation.performance)),
            ("seats", .array(reservation.seats.map { .number(UInt64($0)) })), ("state", .word(reservation.state)),
            ("price", .number(reservation.price)), ("created_ms", .number(reservation.createdMs)),
            ("deadline_ms", .unlessZero(reservation.deadlineMs)), ("ended_ms", .unlessZero(reservation.endedMs)),
            ("payment", .unlessZero(reservation.payment)),
        ])
    }

    init(_ payment: Payment) {
        self = .facts([
            ("id", .number(payment.id)), ("reservation", .number(payment.reservation)),
            ("concert", .string(payment.concert)), ("performance", .string(payment.performance)),
            ("seats", .array(payment.seats.map { .number(UInt64($0)) })), ("amount", .number(payment.amount)),
            ("paid_ms", .number(payment.paidMs)), ("refunded_ms", .unlessZero(payment.refundedMs)),
        ])
    }

    init(_ transaction: Transaction) {
        self = .facts([
            ("id", .number(transaction.id)), ("kind", .word(transaction.kind)), ("amount", .number(transaction.amount)),
            ("balance_after", .number(transaction.balanceAfter)), ("time_ms", .number(transaction.timeMs)),
            ("reservation", .unlessZero(transaction.reservation)),
        ])
    }

    init(_ update: LineUpdate) {
        self = .facts([
            ("state", .word(update.state)), ("position", .unlessZero(update.position)),
            ("behind", update.state == .waiting ? .number(update.behind) : .null),
            (
                "estimate",
                update.estimate.map { .object([("low_ms", .number($0.lowMs)), ("high_ms", .number($0.highMs))]) } ?? .null
            ),
            ("line_state", .word(update.lineState)), ("place", .unlessZero(update.place)),
            ("join_number", .unlessZero(update.joinNumber)), ("active_until_ms", .unlessZero(update.activeUntilMs)),
            ("idle_until_ms", .unlessZero(update.idleUntilMs)),
            ("end_reason", update.endReason == .unspecified ? .null : .word(update.endReason)),
            ("reservations", .array(update.reservations.map { Json($0) })),
            ("warnings", .array(update.warnings.map { .word($0) })),
            (
                "notices",
                .array(update.notices.map { .object([("number", .number($0.number)), ("text", .string($0.text))]) })
            ),
            ("queue_token", .string(update.queueToken)), ("pass", .string(update.pass)),
            ("pass_expires_ms", .unlessZero(update.passExpiresMs)), ("opens_ms", .unlessZero(update.opensMs)),
            ("stalled", update.stalled ? .bool(true) : .null),
        ])
    }

    init(_ stats: LineStats) {
        self = .object([
            ("concert", .string(stats.concert)), ("line_state", .word(stats.lineState)), ("joined", .number(stats.joined)),
            ("waiting", .number(stats.waiting)), ("present", .number(stats.present)), ("active", .number(stats.active)),
            ("admitted", .number(stats.admitted)), ("admitted_last_minute", .number(UInt64(stats.admittedLastMinute))),
            ("paid", .number(stats.paid)), ("revenue", .number(stats.revenue)),
            ("seats_available", .number(stats.seatsAvailable)), ("seats_held", .number(stats.seatsHeld)),
            ("seats_sold", .number(stats.seatsSold)),
        ])
    }

    init(_ stats: StatsResponse) {
        self = .object([
            ("lines", .array(stats.lines.map { Json($0) })), ("connections", .number(stats.connections)),
            ("position", .number(stats.position)), ("time_ms", .number(stats.timeMs)),
        ])
    }
}
