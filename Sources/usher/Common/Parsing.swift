import ArgumentParser
import Foundation

// Durations and times as people type them.

/// `90s`, `5m`, `1h30m`, `250ms`, `2d`.
struct DurationArgument: ExpressibleByArgument, Equatable {
    var milliseconds: UInt64

    init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    /// As `--help` shows it.
    var defaultValueDescription: String { Format.duration(milliseconds) }

    init?(argument: String) {
        var rest = Substring(argument.lowercased())
        guard !rest.isEmpty else { return nil }
        var total: UInt64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = UInt64(digits), let factor = Self.units[String(unit)] else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: factor)
            let (sum, carry) = total.addingReportingOverflow(product)
            guard !overflow, !carry else { return nil }
            total = sum
        }
        milliseconds = total
    }

    private static let units: [String: UInt64] = [
        "ms": 1, "s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]
}

/// `+30d` from now, `2026-12-01`, `2026-12-01T20:00`, `2026-12-01T20:00:00Z`, or milliseconds since 1970.
struct TimeArgument: ExpressibleByArgument, Equatable {
    /// Since 1970.
    var milliseconds: UInt64

    init?(argument: String) { self.init(argument, now: UInt64(Date().timeIntervalSince1970 * 1000)) }

    init?(_ text: String, now: UInt64, zone: TimeZone = .current) {
        if text.hasPrefix("+") {
            guard let duration = DurationArgument(argument: String(text.dropFirst())) else { return nil }
            milliseconds = now + duration.milliseconds
            return
        }
        if text.utf8.count > 8, let number = UInt64(text) {
            milliseconds = number
            return
        }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = zone
        formatter.isLenient = false
        for format in [
            "yyyy-MM-dd'T'HH:mm:ssXXXXX", "yyyy-MM-dd'T'HH:mmXXXXX", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm",
            "yyyy-MM-dd",
        ] {
            formatter.dateFormat = format
            if let date = formatter.date(from: text), date.timeIntervalSince1970 >= 0 {
                milliseconds = UInt64(date.timeIntervalSince1970 * 1000)
                return
            }
        }
        return nil
    }
}

/// Seat numbers: `12`, `12,13`, `12-15`.
struct SeatsArgument: ExpressibleByArgument, Equatable {
    var numbers: [UInt32]

    init?(argument: String) {
        numbers = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0) }
            switch ends.count {
            case 1:
                guard let number = ends[0], number > 0 else { return nil }
                numbers.append(number)
            case 2:
                guard let first = ends[0], let last = ends[1], first > 0, first <= last, last <= 65_535 else { return nil }
                numbers += first...last
            default: return nil
            }
        }
    }
}

/// A price for a range of seats: `1-10:9000`, `11:4500`.
struct PriceArgument: ExpressibleByArgument, Equatable {
    var first: UInt32
    var last: UInt32
    var price: UInt64

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let price = UInt64(parts[1]) else { return nil }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first > 0, first <= last else {
            return nil
        }
        self.first = first
        self.last = last
        self.price = price
    }
}
