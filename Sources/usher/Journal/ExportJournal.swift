import ArgumentParser
import BoxOffice
import Foundation
import Journal
import UsherAPI

struct ExportJournal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write all reservations and payments of a journal as JSON or CSV.",
        discussion: """
            What they came to after the last entry. Without --csv or --json-lines: JSON, one object a line, to standard output.

            EXAMPLES
              usher journal export > sale.jsonl
              usher journal export --only payments --csv payments.csv
            """)

    enum Part: String, ExpressibleByArgument, CaseIterable {
        case reservations, payments
    }

    @Option(name: .long, help: "Only one of the two: reservations, payments.") var only: Part?
    @Option(
        name: .long,
        help: ArgumentHelp("Write CSV (RFC 4180) to this file; needs --only. '-' is standard output.", valueName: "file"))
    var csv: String?
    @Option(
        name: .long,
        help: ArgumentHelp("Write JSON, one object a line, to this file. '-' is standard output.", valueName: "file"))
    var jsonLines: String?
    @OptionGroup var journal: JournalOptions

    func validate() throws {
        guard csv == nil || only != nil else {
            throw ValidationError("--csv holds one table: say --only reservations or --only payments.")
        }
    }

    func run() async throws {
        let reader = try journal.open()
        defer { reader.close() }
        var replay = try Replay(of: reader)
        while let read = try ReadEntry.next(of: reader) { replay.apply(read) }
        let sale = SaleExport(replay.office)
        if let csv { try write(only == .payments ? sale.paymentsCSV : sale.reservationsCSV, to: csv) }
        if csv == nil || jsonLines != nil {
            var lines: [String] = []
            if only != .payments {
                lines += sale.reservations.map { SaleExport.json("reservation", Json($0.reservation), $0.user).description }
            }
            if only != .reservations {
                lines += sale.payments.map { SaleExport.json("payment", Json($0.payment), $0.user).description }
            }
            try write(lines.map { $0 + "\n" }.joined(), to: jsonLines ?? "-")
        }
    }

    private func write(_ text: String, to path: String) throws {
        if path == "-" {
            Terminal.write(text)
            return
        }
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw Failure(.local, "\(path) cannot be written (\(error.localizedDescription)). Check folder and permissions.")
        }
    }
}

/// All reservations and payments of a sale.
struct SaleExport {
    var reservations: [(reservation: Reservation, user: Uuid)] = []
    var payments: [(payment: Payment, user: Uuid)] = []

    init(_ office: borrowing BoxOffice) {
        var id: UInt64 = 1
        var users: Set<Uuid> = []
        while let (reservation, user, _) = office.reservation(id) {
            reservations.append((reservation, user))
            if reservation.payment > 0 { users.insert(user) }
            id += 1
        }
        for user in users {
            var before: UInt64 = 0
            while true {
                let page = office.payments(of: user, before: before, limit: 1000)
                payments += page.items.map { ($0, user) }
                guard page.more, let last = page.items.last else { break }
                before = last.id
            }
        }
        payments.sort { $0.payment.id < $1.payment.id }
    }

    static func json(_ kind: String, _ object: Json, _ user: Uuid) -> Json {
        guard case .object(let pairs) = object else { return object }
        return .object([("kind", .string(kind)), ("user", .string("\(user)"))] + pairs)
    }

    var reservationsCSV: String {
        Self.csv(
            [
                "id", "user", "concert", "performance", "seats", "state", "price", "created_ms", "deadline_ms", "ended_ms",
                "payment",
            ],
            reservations.map { reservation, user in
                [
                    "\(reservation.id)", "\(user)", reservation.concert, reservation.performance, Self.seats(reservation.seats),
                    reservation.state.word, "\(reservation.price)", "\(reservation.createdMs)", "\(reservation.deadlineMs)",
                    "\(reservation.endedMs)", reservation.payment > 0 ? "\(reservation.payment)" : "",
                ]
            })
    }

    var paymentsCSV: String {
        Self.csv(
            ["id", "user", "reservation", "concert", "performance", "seats", "amount", "paid_ms", "refunded_ms"],
            payments.map { payment, user in
                [
                    "\(payment.id)", "\(user)", "\(payment.reservation)", payment.concert, payment.performance,
                    Self.seats(payment.seats),
                    "\(payment.amount)", "\(payment.paidMs)", payment.refundedMs > 0 ? "\(payment.refundedMs)" : "",
                ]
            })
    }

    private static func seats(_ seats: [UInt32]) -> String { seats.map(String.init).joined(separator: " ") }

    /// RFC 4180: CRLF, quotes where a field needs them.
    static func csv(_ heading: [String], _ rows: [[String]]) -> String {
        ([heading] + rows).map { row in
            row.map { field in
                field.contains { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
                    ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
            }.joined(separator: ",") + "\r\n"
        }.joined()
    }
}
