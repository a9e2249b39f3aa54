import ArgumentParser
import Client
import Foundation
import UsherAPI

struct Stats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show live numbers.",
        discussion: """
            EXAMPLES
              usher admin stats
              usher admin stats aurora --watch
              usher admin stats --json | jq '.lines[].revenue'
            """)

    @Argument(help: "A concert's id. Default: all.") var concert: String = ""
    @Flag(name: .shortAndLong, help: "Draw anew as they change, until Ctrl-C.") var watch = false
    @OptionGroup var options: OperatorOptions

    func run() async throws {
        try await options.run { session in
            guard watch else {
                let stats = try await session.client.operators.stats(concert)
                session.show(Json(stats), Self.lines(stats))
                return
            }
            var block = LiveBlock()
            let isLive = Terminal.isInteractive && !session.json
            defer { block.end() }
            try await watching {
                for try await stats in session.client.operators.watchStats(concert) {
                    if isLive {
                        block.draw(Self.lines(stats).map { LineScene.cut($0, Terminal.size.columns - 1) })
                    } else {
                        session.show(Json(stats), Self.lines(stats))
                        fflush(nil)
                    }
                }
            }
        }
    }

    static func lines(_ stats: StatsResponse) -> [String] {
        let rows = stats.lines.map { line in
            [
                line.concert, line.lineState.word.lowercased(), Format.money(line.joined), Format.money(line.waiting),
                Format.money(line.present), Format.money(line.active), Format.money(line.admitted),
                "\(line.admittedLastMinute)",
                Format.money(line.seatsAvailable), Format.money(line.seatsHeld), Format.money(line.seatsSold),
                Format.money(line.paid),
                Format.money(line.revenue),
            ]
        }
        let heading = [
            "CONCERT", "LINE", "JOINED", "WAITING", "PRESENT", "ACTIVE", "ADMITTED", "PER MIN", "FREE", "HELD", "SOLD",
            "PAYMENTS", "REVENUE",
        ]
        return Format.table([heading] + rows, numeric: Set(2...12)) + [
            "",
            "\(Format.money(stats.connections)) connections here · journal position \(Format.money(stats.position)) · \(Format.timeOfDay(stats.timeMs))",
        ]
    }
}
