import Calls
import Synchronization
import UsherAPI

@testable import Client

/// A place in line and what its stream says, noted in the moment it arrives.
final class LineWatch: Sendable {
    private struct State {
        var visit = Visit()
        var end: String?
        var isOver = false
    }

    private let state = Mutex(State())
    private let reader: Mutex<Task<Void, Never>?> = Mutex(nil)
    let requestID: Uuid
    let sent = Moment.now

    /// Joins the line with the client, under that request id.
    init(_ client: UsherClient, _ requestID: Uuid, _ world: World) {
        self.requestID = requestID
        let shared = client.shared
        let run = world.run
        let kind = UsherClient.StreamKind<LineUpdate, Void>(shape: { .state }) { [weak self] message in
            shared.learn(message.payload, concert: Offer.concert)
            self?.hear(
                message.payload, at: message.position, from: world.number(of: shared.server), isSameRun: run == world.run)
        }
        let pushes = client.stream(
            .join, JoinRequest(concert: Offer.concert), CallSettings(requestID: requestID),
            about: .concert(Offer.concert),
            kind)
        let task = Task { [weak self] in
            do {
                for try await _ in pushes {}
                self?.over(nil)
            } catch {
                self?.over((error as? UsherError)?.status?.reason ?? "\(error)")
            }
        }
        reader.withLock { $0 = task }
    }

    private func hear(_ update: LineUpdate, at position: UInt64, from server: Int, isSameRun: Bool) {
        state.withLock { state in
            let isFirst = !update.concert.isEmpty
            state.visit.sightings.append(
                Sighting(
                    position: position, state: update.state, joinNumber: update.joinNumber, place: update.place,
                    ahead: update.position, isFirst: isFirst, isOwnJoin: state.visit.sightings.isEmpty && isSameRun,
                    heard: Moment.now, server: server))
        }
    }

    private func over(_ refusal: String?) {
        state.withLock {
            $0.end = refusal
            $0.isOver = true
        }
    }

    func note(_ change: (inout Visit) -> Void) { state.withLock { change(&$0.visit) } }

    var visit: Visit { state.withLock { $0.visit } }
    var last: Sighting? { state.withLock { $0.visit.sightings.last } }
    var isOver: Bool { state.withLock { $0.isOver } }
    var refusal: String? { state.withLock { $0.end } }

    /// Waits until something is so, or the stream is over.
    func wait(until condition: (Sighting?) -> Bool) async throws {
        while !condition(last), !isOver { try await Task.sleep(for: .milliseconds(5)) }
    }

    func stop() { reader.withLock { $0?.cancel() } }
}
