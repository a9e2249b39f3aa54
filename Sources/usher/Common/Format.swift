import Foundation

/// Numbers, times and durations as people read them.
enum Format {
    /// Whole units with thousands separated: `18,000`.
    static func money(_ amount: UInt64) -> String {
        var digits = String(amount)
        var index = digits.count - 3
        while index > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
            index -= 3
        }
        return digits
    }

    /// `4 min 58 s`, `12 s`, `2 h 05 min`, `3 d 4 h`. Rounded down.
    static func duration(_ milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1000
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min \(padded(seconds % 60)) s"
        case ..<86_400: return "\(seconds / 3600) h \(padded(seconds / 60 % 60)) min"
        default: return "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
        }
    }

    /// `4:58`, for countdowns; with hours `1:04:58`.
    static func clock(_ milliseconds: UInt64) -> String {
        let seconds = (milliseconds + 999) / 1000
        let minutes = seconds / 60 % 60
        return seconds < 3600
            ? "\(minutes):\(padded(seconds % 60))" : "\(seconds / 3600):\(padded(minutes)):\(padded(seconds % 60))"
    }

    /// How long a wait may be: `about 3 min`, `3 to 5 min`, `less than a minute`.
    static func wait(low: UInt64, high: UInt64) -> String {
        if high < 60_000 { return high < 15_000 ? "a few seconds" : "less than a minute" }
        let (first, last) = (max(1, (low + 30_000) / 60_000), max(1, (high + 30_000) / 60_000))
        if last >= 120 {
            let (first, last) = (max(1, (first + 30) / 60), max(1, (last + 30) / 60))
            return first == last ? "about \(last) h" : "\(first) to \(last) h"
        }
        return first == last ? "about \(last) min" : "\(first) to \(last) min"
    }

    private static func padded(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// `2026-12-01 20:00`, in this machine's time zone.
    static func time(_ milliseconds: UInt64) -> String { text(milliseconds, "yyyy-MM-dd HH:mm") }

    /// `15:04:05`.
    static func timeOfDay(_ milliseconds: UInt64) -> String { text(milliseconds, "HH:mm:ss") }

    private static func text(_ milliseconds: UInt64, _ format: String) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = format
        return formatter.string(from: Date(timeIntervalSince1970: Double(milliseconds) / 1000))
    }

    /// `12, 13, 14`; `1–10` where three or more follow each other.
    static func seats(_ numbers: [UInt32]) -> String {
        var parts: [String] = []
        var index = 0
        while index < numbers.count {
            var end = index
            while end + 1 < numbers.count, numbers[end + 1] == numbers[end] + 1 { end += 1 }
            if end - index >= 2 {
                parts.append("\(numbers[index])–\(numbers[end])")
            } else {
                parts += numbers[index...end].map(String.init)
            }
            index = end + 1
        }
        return parts.joined(separator: ", ")
    }

    /// `seat 12`, `seats 12, 13`.
    static func seatPhrase(_ numbers: [UInt32]) -> String {
        (numbers.count == 1 ? "seat " : "seats ") + seats(numbers)
    }

    /// Columns as wide as their widest cell, two spaces apart; the first row is the heading.
    static func table(_ rows: [[String]], numeric: Set<Int> = []) -> [String] {
        guard let columns = rows.map(\.count).max() else { return [] }
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return numeric.contains(column) ? space + cell : cell + space
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
