import Foundation
import Synchronization
import UsherAPI

@testable import Client

/// One who stays: has a turn that never ends, and watches all seats from the first crash to the last. What it has put
/// together from changes alone must in the end be what a newcomer is shown.
final class Watcher: Sendable {
    let user = Uuid.random()
    private let client: UsherClient
    private let watch: LineWatch
    private let boards = Mutex<[String: SeatBoard]>([:])
    private let tasks = Mutex<[Task<Void, Never>]>([])
    private let refusals = Mutex<[String]>([])

    init(_ world: World) async throws {
        client = try await world.connect(.user(user))
        watch = LineWatch(client, .random(), world)
    }

    /// Begins to watch once its turn has come, however many servers die until then.
    func begin() {
        let beginning = Task { [self] in
            guard (try? await watch.wait { $0?.state == .active }) != nil else { return }
            for performance in Offer.performances { follow(performance) }
        }
        tasks.withLock { $0.append(beginning) }
    }

    private func follow(_ performance: String) {
        let changes = client.catalogue.watchSeats(of: performance)
        let task = Task { [self] in
            do {
                for try await change in changes {
                    boards.withLock { $0[performance, default: SeatBoard(performance: performance)].apply(change) }
                }
                refusals.withLock { $0.append("the watch of \(performance) ended") }
            } catch {
                if case .cancelled? = error as? UsherError { return }
                refusals.withLock { $0.append("the watch of \(performance) ended: \(error)") }
            }
        }
        tasks.withLock { $0.append(task) }
    }

    /// The seats as a newcomer with a turn is shown them, and as the watches have them; waits for the watches to catch up, for a while.
    func finish(within seconds: UInt64) async throws -> (
        shown: [String: [UInt32: SeatState]], watched: [String: [UInt32: SeatState]], log: ShopperLog
    ) {
        let deadline = Moment.now + seconds * 1_000_000_000
        try await watch.wait { $0?.state == .active || Moment.now > deadline }
        var shown: [String: [UInt32: SeatState]] = [:]
        for performance in Offer.performances {
            do throws(UsherError) {
                shown[performance] = Self.states(
                    try await client.catalogue.seats(of: performance, CallSettings(timeout: .seconds(Int64(seconds)))))
            } catch {
                refusals.withLock { $0.append("the seats of \(performance) were refused: \(error)") }
            }
        }
        while watched != shown, Moment.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
        var log = ShopperLog(user: user)
        if let first = watch.visit.sightings.first {
            log.commands = [
                CommandRecord(
                    requestID: watch.requestID, asked: .join, sent: watch.sent, ended: first.heard,
                    end: .done(.joined(number: first.joinNumber)))
            ]
        }
        log.visits = [watch.visit]
        log.oddities = refusals.withLock { $0 } + (watch.refusal.map { ["the watcher's stream ended with \($0)"] } ?? [])
        let result = (shown, watched, log)
        for task in tasks.withLock({ $0 }) { task.cancel() }
        watch.stop()
        client.close()
        return result
    }

    /// The seats as one of several servers shows them, which has to know all that this client has seen.
    func seats(_ world: World, at url: ServerURL) async throws -> [String: [UInt32: SeatState]] {
        var options = World.options
        options.seen = client.seen
        let other = try await world.connect(.user(user), at: [url], options: options)
        defer { other.close() }
        if let token = client.queueToken(of: Offer.concert) { other.useQueueToken(token, of: Offer.concert) }
        var shown: [String: [UInt32: SeatState]] = [:]
        for performance in Offer.performances {
            shown[performance] = Self.states(
                try await other.catalogue.seats(of: performance, CallSettings(timeout: .seconds(30))))
        }
        return shown
    }

    /// The journal and the position up to which this client has heard.
    var seen: (epoch: Uuid, position: UInt64)? { client.seen }

    private var watched: [String: [UInt32: SeatState]] { boards.withLock { $0.mapValues(Self.states) } }

    private static func states(_ board: SeatBoard) -> [UInt32: SeatState] {
        Dictionary(uniqueKeysWithValues: board.seats.map { ($0.number, $0.state) })
    }
}
