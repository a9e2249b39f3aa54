import Foundation
import UsherAPI
import Yams

/// What is put on sale at the first start, from a YAML file:
///
///     concerts:
///       - id: aurora
///         title: Aurora Lights
///         venue: Harbour Hall
///         opens: 2027-03-01T10:00:00Z       # or "+30s" after the start; left out: an operator opens the line
///         lobby-opens: 2027-03-01T09:30:00Z
///         closes: 2027-05-31T00:00:00Z
///         lobby-order: draw                 # or arrival
///         max-active: 5                     # teller
///         batch: 20                         # turnstile
///         interval: 10s
///         max-seats: 4
///         hold-ttl: 5m
///         performances:
///           - id: aurora-fri
///             starts: 2027-06-04T20:00:00Z
///             seats: 50
///             prices: [{first: 1, last: 10, price: 9000}, {first: 11, last: 50, price: 4500}]
struct ConcertFile: Sendable {
    var concerts: [ConcertSettings]
    var performances: [PerformanceSettings]

    /// Reads a file's text.
    ///
    /// - Parameter now: wall time in milliseconds, from which relative times count.
    /// - Throws: `SettingsError` that names the entry and the key; a key that means nothing is refused too, since a typing
    ///   error would else go unnoticed.
    init(yaml text: String, name: String, now: UInt64) throws(SettingsError) {
        let root: Root
        do {
            root = try YAMLDecoder().decode(Strict<Root>.self, from: text).value
        } catch {
            throw SettingsError("\(name): \(Self.sentence(error))")
        }
        concerts = []
        performances = []
        for entry in root.concerts.map(\.value) {
            let place = "\(name): concert '\(entry.id)'"
            concerts.append(try entry.settings(place: place, now: now))
            for performance in entry.performances ?? [] {
                performances.append(try performance.value.settings(concert: entry.id, place: place, now: now))
            }
        }
    }

    /// What was wrong, and where: "concerts, entry 2: title: it is missing".
    private static func sentence(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let (path, what): ([any CodingKey], String) =
            switch error {
            case .keyNotFound(let key, let context): (context.codingPath + [key], "it is missing")
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context.codingPath, context.underlyingError.map { "\($0)" } ?? context.debugDescription)
            @unknown default: ([], "\(error)")
            }
        let place = path.map { key in key.intValue.map { "entry \($0 + 1)" } ?? key.stringValue }
        return (place.isEmpty ? "" : place.joined(separator: ", ") + ": ") + what
    }

    private struct Root: Decodable, KnowsItsKeys {
        var concerts: [Strict<Entry>]

        enum CodingKeys: String, CodingKey, CaseIterable { case concerts }
    }

    private struct Entry: Decodable, KnowsItsKeys {
        var id: String
        var title: String
        var venue: String?
        var lobbyOpens, opens, closes: String?
        var lobbyOrder: String?
        var maxActive, batch, maxSeats: UInt32?
        var interval, holdTTL, activeTTL, idleTTL, grace, cancelUntil: String?
        var performances: [Strict<PerformanceEntry>]?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case id, title, venue, opens, closes, batch, interval, grace, performances
            case lobbyOpens = "lobby-opens"
            case lobbyOrder = "lobby-order"
            case maxActive = "max-active"
            case maxSeats = "max-seats"
            case holdTTL = "hold-ttl"
            case activeTTL = "active-ttl"
            case idleTTL = "idle-ttl"
            case cancelUntil = "cancel-until"
        }

        func settings(place: String, now: UInt64) throws(SettingsError) -> ConcertSettings {
            var settings = ConcertSettings()
            settings.id = id
            settings.title = title
            settings.venue = venue ?? ""
            settings.lobbyOpensMs = try TimeText.instant(lobbyOpens, now: now, key: "\(place): lobby-opens")
            settings.opensMs = try TimeText.instant(opens, now: now, key: "\(place): opens")
            settings.closesMs = try TimeText.instant(closes, now: now, key: "\(place): closes")
            switch lobbyOrder {
            case nil, "arrival": settings.lobbyOrder = .arrival
            case "draw": settings.lobbyOrder = .draw
            case .some(let other): throw SettingsError("\(place): lobby-order is 'arrival' or 'draw', not '\(other)'")
            }
            settings.policy = AdmissionPolicy(
                maxActive: maxActive ?? 0, batch: batch ?? 0,
                intervalMs: UInt32(clamping: try TimeText.duration(interval, key: "\(place): interval")))
            settings.maxSeats = maxSeats ?? 0
            settings.holdTtlMs = try TimeText.duration(holdTTL, key: "\(place): hold-ttl")
            settings.activeTtlMs = try TimeText.duration(activeTTL, key: "\(place): active-ttl")
            settings.idleTtlMs = try TimeText.duration(idleTTL, key: "\(place): idle-ttl")
            settings.graceMs = try TimeText.duration(grace, key: "\(place): grace")
            settings.cancelUntilMs = try TimeText.duration(cancelUntil, key: "\(place): cancel-until")
            return settings
        }
    }

    private struct PerformanceEntry: Decodable, KnowsItsKeys {
        var id: String
        var starts: String
        var seats: UInt32?
        var prices: [Strict<Band>]

        enum CodingKeys: String, CodingKey, CaseIterable { case id, starts, seats, prices }

        struct Band: Decodable, KnowsItsKeys {
            var first, last: UInt32
            var price: UInt64

            enum CodingKeys: String, CodingKey, CaseIterable { case first, last, price }
        }

        func settings(concert: String, place: String, now: UInt64) throws(SettingsError) -> PerformanceSettings {
            var settings = PerformanceSettings()
            settings.id = id
            settings.concert = concert
            settings.startsMs = try TimeText.instant(starts, now: now, key: "\(place): performance '\(id)': starts")
            settings.seatCount = seats ?? 0
            settings.prices = prices.map(\.value).map { PriceBand(firstSeat: $0.first, lastSeat: $0.last, price: $0.price) }
            return settings
        }
    }
}

/// A mapping whose keys are all told.
private protocol KnowsItsKeys {
    associatedtype CodingKeys: CodingKey, CaseIterable
}

/// A value from a mapping that has no other keys than the value knows.
private struct Strict<Value: Decodable & KnowsItsKeys>: Decodable {
    let value: Value

    init(from decoder: any Decoder) throws {
        let known = Set(Value.CodingKeys.allCases.map(\.stringValue))
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            let path = decoder.codingPath + [key]
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: path,
                    debugDescription: "there is no such key; there are \(known.sorted().joined(separator: ", "))"))
        }
        value = try Value(from: decoder)
    }

    private struct AnyKey: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init?(stringValue: String) { self.stringValue = stringValue }

        init?(intValue: Int) { nil }
    }
}

/// Times as people write them.
public enum TimeText {
    /// "2027-03-01T10:00:00Z", or "+30s" from `now`; nothing is 0.
    static func instant(_ text: String?, now: UInt64, key: String) throws(SettingsError) -> UInt64 {
        guard let text else { return 0 }
        if text.hasPrefix("+") {
            return now + (try duration(String(text.dropFirst()), key: key))
        }
        // Foundation takes 30 February for 2 March; the day alone, read and written again, must come out as it was.
        let day = String(text.prefix(10))
        guard let date = try? Date(text, strategy: .iso8601), date.timeIntervalSince1970 >= 0,
            (try? Date(day + "T00:00:00Z", strategy: .iso8601))?.formatted(.iso8601).hasPrefix(day) == true
        else {
            throw SettingsError("\(key): a time like 2027-03-01T10:00:00Z or +30s is expected, not '\(text)'")
        }
        return UInt64(date.timeIntervalSince1970 * 1000)
    }

    /// "250ms", "30s", "5m", "2h", "7d" in milliseconds; nothing is 0.
    static func duration(_ text: String?, key: String) throws(SettingsError) -> UInt64 {
        guard let text else { return 0 }
        guard let value = milliseconds(text) else {
            throw SettingsError("\(key): a duration like 250ms, 30s, 5m, 2h or 7d is expected, not '\(text)'")
        }
        return value
    }

    /// A duration in milliseconds, or nil if it is none or above 10 years.
    public static func milliseconds(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [Substring: UInt64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let number = UInt64(digits), let unit = units[text[digits.endIndex...]] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow || product > 10 * 366 * 86_400_000 ? nil : product
    }
}
