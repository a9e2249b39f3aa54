import Client
import UsherAPI

// Seats as a map in the terminal: rows of ten with an aisle in the middle. The brackets say everything, colours only
// repeat it.
//
//                        STAGE
//        1  [ 1] [ 2] ( 3)  --  [ 5]   [ 6] [ 7]  --   --  [10]
//       11  …
//      [12] available   (12) held   --  sold   <12> yours

struct SeatDrawing {
    var board: SeatBoard
    /// Seats that the user holds or owns.
    var own: Set<UInt32> = []
    var style: Style

    private static let seatsPerRow = 10

    /// The whole map with legend, at most `rowsMax` rows of seats.
    func lines(rowsMax: Int = .max) -> [String] {
        let digits = String(board.seats.last?.number ?? 1).count
        let labelWidth = digits + 2
        let cellWidth = max(2, digits) + 2
        let rows = stride(from: 0, to: board.seats.count, by: Self.seatsPerRow).map {
            board.seats[$0..<min($0 + Self.seatsPerRow, board.seats.count)]
        }
        let mapWidth = labelWidth + 2 + Self.seatsPerRow * (cellWidth + 1) + 2
        var lines = [String(repeating: " ", count: max(0, (mapWidth + labelWidth - 5) / 2)) + style.dim("STAGE")]
        for row in rows.prefix(rowsMax) {
            let label = String(row.first?.number ?? 0)
            var line = String(repeating: " ", count: labelWidth - label.count) + style.dim(label) + "  "
            for (index, seat) in row.enumerated() {
                if index > 0 { line += index == Self.seatsPerRow / 2 ? "   " : " " }
                line += cell(seat, width: cellWidth - 2)
            }
            lines.append(line)
        }
        if rows.count > rowsMax { lines.append(style.dim("  … and \(rows.count - rowsMax) more rows")) }
        lines.append(contentsOf: legend(width: cellWidth - 2))
        return lines
    }

    private func cell(_ seat: Seat, width: Int) -> String {
        let number = String(seat.number)
        let padded = String(repeating: " ", count: max(0, width - number.count)) + number
        if own.contains(seat.number) { return style.cyan("<\(padded)>") }
        return switch seat.state {
        case .available: style.green("[\(padded)]")
        case .held: style.yellow("(\(padded))")
        case .sold: style.dim(" " + String(repeating: "-", count: width) + " ")
        case .unspecified, .unrecognized: " " + String(repeating: "?", count: width) + " "
        }
    }

    private func legend(width: Int) -> [String] {
        var counts = (available: 0, held: 0, sold: 0)
        for seat in board.seats {
            switch seat.state {
            case .available: counts.available += 1
            case .held: counts.held += 1
            case .sold: counts.sold += 1
            case .unspecified, .unrecognized: break
            }
        }
        let sign = String(repeating: "n", count: width)
        var legend =
            style.green("[\(sign)]") + " \(counts.available) available   " + style.yellow("(\(sign))")
            + " \(counts.held) held   "
            + style.dim(" " + String(repeating: "-", count: width) + " ") + " \(counts.sold) sold"
        if !own.isEmpty { legend += "   " + style.cyan("<\(sign)>") + " yours" }
        var lines = ["", legend]
        if !board.seats.isEmpty { lines.append("prices   " + prices.joined(separator: "   ")) }
        if board.availability == .soldOut {
            lines.append("Sold out. Holds that run out may free some: add --watch to see them.")
        }
        return lines
    }

    /// `1–10: 9,000`, for each run of seats of one price.
    var prices: [String] {
        var bands: [String] = []
        var index = 0
        while index < board.seats.count {
            var end = index
            while end + 1 < board.seats.count, board.seats[end + 1].price == board.seats[index].price { end += 1 }
            let (first, last) = (board.seats[index].number, board.seats[end].number)
            bands.append((first == last ? "\(first)" : "\(first)–\(last)") + ": \(Format.money(board.seats[index].price))")
            index = end + 1
        }
        return bands.count <= 8 ? bands : Array(bands.prefix(8)) + ["…"]
    }
}
