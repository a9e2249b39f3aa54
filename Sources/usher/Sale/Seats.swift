import ArgumentParser
import Client
import Foundation
import UsherAPI

struct Seats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw the seats of a performance.",
        discussion: """
            Needs your turn in the concert's line (usher join).

            [12] is available, (12) is held by somebody, -- is sold, <12> is yours. With --watch the map changes as it \
            happens, until Ctrl-C.

            EXAMPLES
              usher seats aurora-1 --user ada
              usher seats aurora-1 --watch
              usher seats aurora-1 --json | jq '.seats[] | select(.state == "AVAILABLE").number'
            """)

    @Argument(help: "The performance's id; see usher dates.") var performance: String
    @Flag(name: .shortAndLong, help: "Draw anew whenever something changes.") var watch = false
    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await Session.run(server, user) { session in
            await session.choosePlace(performance: performance)
            if watch {
                try await SeatWatch(session: session, performance: performance).run()
                return
            }
            let board = try await session.client.catalogue.seats(of: performance, CallSettings(queueToken: session.token))
            if session.json {
                print(Json(board))
            } else {
                let own = await session.ownSeats(of: performance)
                print(SeatDrawing(board: board, own: own, style: session.style).lines().joined(separator: "\n"))
            }
        }
    }
}

extension Session {
    /// What the user holds or owns of a performance; nothing if that cannot be found out.
    func ownSeats(of performance: String) async -> Set<UInt32> {
        let all = (try? await client.reservations.list(limit: 200, CallSettings(queueToken: token))) ?? []
        return Set(
            all.filter { $0.performance == performance && ($0.state == .held || $0.state == .paid) }.flatMap(\.seats))
    }
}

/// The live map.
struct SeatWatch: Sendable {
    let session: Session
    let performance: String

    func run() async throws {
        var board = SeatBoard(performance: performance)
        var block = LiveBlock()
        let isLive = Terminal.isInteractive && !session.json
        var own = await session.ownSeats(of: performance)
        defer { block.end() }
        try await watching {
            for try await change in session.client.catalogue.watchSeats(
                of: performance, after: 0, CallSettings(queueToken: session.token))
            {
                board.apply(change)
                if session.json {
                    print(Self.json(change))
                    fflush(nil)
                    continue
                }
                guard board.isComplete else { continue }
                if isLive {
                    if change.list.seats.contains(where: { $0.state != .available }) || !own.isEmpty {
                        own = await session.ownSeats(of: performance)
                    }
                    let rows = max(1, Terminal.size.rows - 8)
                    block.draw(SeatDrawing(board: board, own: own, style: session.style).lines(rowsMax: rows))
                } else {
                    for line in Self.changes(change) { print(line) }
                    fflush(nil)
                }
            }
        }
    }

    static func json(_ change: SeatChange) -> Json {
        .facts([
            ("sequence", .number(change.sequence)), ("reset", change.reset ? .bool(true) : .null),
            ("seats_left", .number(UInt64(change.list.seatsLeft))), ("next_seat", .unlessZero(UInt64(change.list.nextSeat))),
            ("seats", .array(change.list.seats.map { Json($0) })),
        ])
    }

    /// Without a terminal: a line for each seat that changed, and one for a snapshot.
    static func changes(_ change: SeatChange) -> [String] {
        if !change.list.performance.isEmpty {
            return ["\(change.list.performance): \(change.list.seatsLeft) seats left"]
        }
        return change.list.seats.map { "seat \($0.number): \($0.state.word.lowercased()), \(change.list.seatsLeft) left" }
    }
}
