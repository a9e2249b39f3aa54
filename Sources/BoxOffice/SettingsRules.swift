// What operators may set. Each check says what is allowed; what passes has its defaults filled in.

internal import UsherAPI

enum SettingsRules {
    static let defaultHoldMilliseconds: UInt64 = 300_000
    static let defaultActiveMilliseconds: UInt64 = 600_000
    static let defaultIdleMilliseconds: UInt64 = 180_000
    static let defaultGraceMilliseconds: UInt64 = 1_800_000
    static let defaultSeatCount: UInt32 = 50
    /// Times to live: from what a clock of milliseconds and a push can keep, to a week.
    static let durations: ClosedRange<UInt64> = 100...604_800_000
    static let intervals: ClosedRange<UInt32> = 100...3_600_000

    /// The settings with their defaults.
    static func checked(_ given: ConcertSettings) throws(Refusal) -> ConcertSettings {
        var settings = given
        try checkId(settings.id)
        guard (1...200).contains(settings.title.utf8.count) else {
            throw .settingsInvalid("The title must be 1 to 200 bytes long.")
        }
        guard settings.venue.utf8.count <= 200 else {
            throw .settingsInvalid("The venue must be at most 200 bytes long.")
        }
        switch settings.lobbyOrder {
        case .unspecified: settings.lobbyOrder = .arrival
        case .arrival, .draw: break
        case .unrecognized: throw .settingsInvalid("The lobby's order must be ARRIVAL or DRAW.")
        }
        guard settings.lobbyOpensMs == 0 || settings.opensMs == 0 || settings.lobbyOpensMs <= settings.opensMs else {
            throw .settingsInvalid("lobby_opens_ms must not be after opens_ms.")
        }
        guard settings.closesMs == 0 || settings.closesMs > max(settings.opensMs, settings.lobbyOpensMs) else {
            throw .settingsInvalid("closes_ms must be after opens_ms and lobby_opens_ms.")
        }
        settings.policy = try checked(settings.policy)
        if settings.maxSeats == 0 { settings.maxSeats = 1 }
        guard settings.maxSeats <= 65_535 else { throw .settingsInvalid("max_seats must be at most 65535.") }
        settings.holdTtlMs = try duration(settings.holdTtlMs, "hold_ttl_ms", defaultHoldMilliseconds)
        settings.activeTtlMs = try duration(settings.activeTtlMs, "active_ttl_ms", defaultActiveMilliseconds)
        settings.idleTtlMs = try duration(settings.idleTtlMs, "idle_ttl_ms", defaultIdleMilliseconds)
        settings.graceMs = try duration(settings.graceMs, "grace_ms", defaultGraceMilliseconds)
        return settings
    }

    static func checked(_ given: AdmissionPolicy?) throws(Refusal) -> AdmissionPolicy {
        guard var policy = given, policy.maxActive > 0 || policy.batch > 0 else {
            throw .settingsInvalid("The policy must set max_active, or batch and interval_ms, or all three.")
        }
        if policy.batch == 0 { policy.intervalMs = 0 }
        guard policy.batch <= SaleLimits.batch else {
            throw .settingsInvalid("batch must be at most \(SaleLimits.batch).")
        }
        guard policy.batch == 0 || intervals.contains(policy.intervalMs) else {
            throw .settingsInvalid("interval_ms must be \(intervals.lowerBound) to \(intervals.upperBound).")
        }
        return policy
    }

    /// The settings with their defaults, and the price of each seat.
    static func checked(_ given: PerformanceSettings) throws(Refusal) -> (PerformanceSettings, [UInt64]) {
        var settings = given
        try checkId(settings.id)
        if settings.seatCount == 0 { settings.seatCount = defaultSeatCount }
        guard settings.seatCount <= 65_535 else { throw .settingsInvalid("seat_count must be 1 to 65535.") }
        guard settings.prices.count <= 65_535 else { throw .settingsInvalid("There may be 65535 price bands at most.") }
        return (settings, try prices(settings))
    }

    /// One price for each seat; where bands overlap the later one counts. Goes backwards and gives each seat its price
    /// once, so that many overlapping bands cost no more than they say.
    private static func prices(_ settings: PerformanceSettings) throws(Refusal) -> [UInt64] {
        let seatCount = Int(settings.seatCount)
        var prices = [UInt64](repeating: .max, count: seatCount)
        // next[i]: the first seat from i on that has no price yet, found by following and shortening.
        var next = Array(0...seatCount)
        func unpriced(from start: Int) -> Int {
            var root = start
            while next[root] != root { root = next[root] }
            var step = start
            while next[step] != root { (step, next[step]) = (next[step], root) }
            return root
        }
        for band in settings.prices.reversed() {
            guard band.firstSeat >= 1, band.firstSeat <= band.lastSeat, band.lastSeat <= settings.seatCount else {
                throw .settingsInvalid("A price band must lie within seats 1 to \(seatCount).")
            }
            guard band.price <= SaleLimits.price else { throw .settingsInvalid("A price must be at most \(SaleLimits.price).") }
            var seat = unpriced(from: Int(band.firstSeat) - 1)
            while seat < Int(band.lastSeat) {
                prices[seat] = band.price
                next[seat] = seat + 1
                seat = unpriced(from: seat)
            }
        }
        let free = unpriced(from: 0)
        guard free == seatCount else { throw .settingsInvalid("Every seat needs a price; seat \(free + 1) has none.") }
        return prices
    }

    private static func duration(_ given: UInt64, _ name: String, _ standard: UInt64) throws(Refusal) -> UInt64 {
        guard given != 0 else { return standard }
        guard durations.contains(given) else {
            throw .settingsInvalid("\(name) must be \(durations.lowerBound) to \(durations.upperBound).")
        }
        return given
    }

    private static func checkId(_ id: String) throws(Refusal) {
        let isGood = id.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        }
        guard isGood, (1...64).contains(id.utf8.count) else {
            throw .settingsInvalid("An id must be 1 to 64 of a-z, 0-9 and '-'.")
        }
    }
}
