import Client
import Foundation
import Synchronization
import UsherAPI

/// A command's connection: connected, with the places that earlier commands took.
struct Session {
    let client: UsherClient
    let places: PlaceStore
    /// What to call the user.
    let label: String
    /// `--token`.
    let token: String?
    let json: Bool
    let style: Style
    /// What to add to this machine's clock, in milliseconds, to get the server's.
    let clockOffset: Int64
    /// The command under way, as it would be repeated.
    let command: CommandNote

    /// The server's time.
    var now: UInt64 { UInt64(max(0, Int64(Date().timeIntervalSince1970 * 1000) + clockOffset)) }

    /// Prints one object with `--json`, otherwise the lines.
    func show(_ json: @autoclosure () -> Json, _ lines: @autoclosure () -> [String]) {
        print(self.json ? json().description : lines().joined(separator: "\n"))
    }

    /// Connects as a user and runs `body`; failures become this program's.
    static func run(
        _ server: ServerOptions, _ user: UserOptions, _ body: @escaping @Sendable (Session) async throws -> Void
    ) async throws {
        try await asJSON(server.json) {
            let (identity, label) = try user.identity()
            try await run(server, identity, label: label, token: user.token, body)
        }
    }

    /// Connects as the operator and runs `body`.
    static func runAsOperator(
        _ server: ServerOptions, jwtFile: String?, _ body: @escaping @Sendable (Session) async throws -> Void
    ) async throws {
        try await asJSON(server.json) {
            let identity: ClientIdentity
            if let jwtFile {
                identity = .jwt(try UserOptions.readToken(jwtFile))
            } else if let own = LocalServer.operatorIdentity(inDataFolder: server.developmentFolder) {
                identity = own
            } else {
                throw Failure(
                    .local,
                    "There is no operator key in '\(server.developmentFolder)'. Name the server's data folder with --data, or give an operator's JWT with --jwt-file."
                )
            }
            try await run(server, identity, label: "operator", token: nil, body)
        }
    }

    private static func asJSON(_ json: Bool, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch var failure as Failure {
            failure.asJSON = json
            throw failure
        }
    }

    private static func run(
        _ server: ServerOptions, _ identity: ClientIdentity, label: String, token: String?,
        _ body: @escaping @Sendable (Session) async throws -> Void
    ) async throws {
        let command = CommandNote()
        do {
            let urls = try server.urls()
            var options = ClientOptions()
            options.callTimeout = .milliseconds(Int64(clamping: server.timeout.milliseconds))
            options.catchingUpMax = min(options.catchingUpMax, options.callTimeout / 2)
            options.limits.connectMilliseconds = min(options.limits.connectMilliseconds, server.timeout.milliseconds)
            options.clientName = "usher"
            let stateFolder = Folders.state(ProcessInfo.processInfo.environment)
            if case .user(let id) = identity {
                options.seen = PlaceStore(server: urls[0], user: id, stateFolder: stateFolder).seen
            }
            let trust = server.trust(urls)
            let attempt = { @Sendable [options] in
                let before = Date().timeIntervalSince1970
                let client = try await UsherClient.connect(to: urls, identity: identity, trust: trust, options: options)
                let local = (before + Date().timeIntervalSince1970) * 500
                let welcome = client.welcome
                let session = Session(
                    client: client,
                    places: PlaceStore(server: urls[0], user: welcome.user ?? .none, stateFolder: stateFolder), label: label,
                    token: token, json: server.json, style: .ofOutput,
                    clockOffset: welcome.serverTimeMs > 0 ? Int64(welcome.serverTimeMs) - Int64(local) : 0, command: command)
                let tokens = session.bringPlaces()
                defer {
                    session.keepSeen(since: options.seen, tokens)
                    client.close()
                }
                do {
                    try await body(session)
                    return true
                } catch let error as UsherError where error.reason == .tokenInvalid && token == nil && !tokens.isEmpty {
                    // Of another sale, or too old: without them the user's places are found by who they are.
                    session.places.forget(tokens)
                    return false
                }
            }
            try await untilInterrupted {
                if try await !attempt() { _ = try await attempt() }
            }
        } catch let error as UsherError {
            throw Failure(error, again: command.text)
        } catch is CancellationError {
            throw Failure(.interrupted, "Interrupted.")
        }
    }

    // MARK: Which place

    /// Gives the client the places that earlier commands took; those of another journal are forgotten.
    private func bringPlaces() -> [String: String] {
        if let before = places.seen, let seen = client.seen, before.epoch != seen.epoch {
            places.forget(places.tokens)
            places.seen = seen
        }
        let tokens = places.tokens
        for (concert, token) in tokens { client.useQueueToken(token, of: concert) }
        return tokens
    }

    /// Notes what was seen, unless another command has seen more meanwhile. Where it is less than what this one began with,
    /// the journal was restored from an older copy, and the places brought along may be somebody else's.
    private func keepSeen(since beginning: (epoch: Uuid, position: UInt64)?, _ tokens: [String: String]) {
        let seen = client.seen
        if let beginning, seen.map({ $0.epoch == beginning.epoch && $0.position < beginning.position }) ?? true {
            places.forget(tokens)
        } else if let known = places.seen, known.epoch == seen?.epoch, known.position > seen?.position ?? 0 {
            return
        }
        places.seen = seen
    }

    /// Sees to it that calls find the place they use, when the user has several: finds out which concert a performance
    /// belongs to, or which place is active.
    func choosePlace(performance: String? = nil) async {
        let tokens = places.tokens
        guard token == nil, tokens.count > 1 else { return }
        for concert in tokens.keys.sorted() {
            if let performance {
                let found = try? await client.catalogue.performances(of: concert, includingSoldOut: true)
                if found?.performances.contains(where: { $0.id == performance }) == true { return }
            } else if let update = try? await client.line.check(concert), update.state == .active {
                return
            }
        }
    }

    /// The one reservation in that state, if there is just one; otherwise a failure that names them.
    func onlyReservation(_ state: ReservationState, verb: String) async throws -> UInt64 {
        let all = try await client.reservations.list(limit: 200, CallSettings(queueToken: token)).filter { $0.state == state }
        guard let first = all.first else {
            throw Failure(.refused, "There is no reservation to \(verb). See yours with: usher history")
        }
        guard all.count == 1 else {
            let names = all.map { "\($0.id) (\($0.performance), \(Format.seatPhrase($0.seats)))" }.joined(separator: ", ")
            throw Failure(.usage, "Say which reservation to \(verb): \(names).")
        }
        return first.id
    }
}

/// What the user would type to repeat the command under way under the same request id.
final class CommandNote: Sendable {
    private let note = Mutex<String?>(nil)

    var text: String? {
        get { note.withLock { $0 } }
        set { note.withLock { $0 = newValue } }
    }
}
