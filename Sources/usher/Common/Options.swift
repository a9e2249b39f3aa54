import ArgumentParser
import Client
import Foundation
import UsherAPI

/// Where the server is, and how to print. Every command that talks to one has these.
struct ServerOptions: ParsableArguments {
    @Option(
        name: [.customLong("connect"), .customLong("server")],
        help: ArgumentHelp(
            "The server's address; several, comma-separated, for several instances, of which any will do. Default: USHER_SERVER, or the server of the data folder, or wss://localhost:8443/v1.",
            valueName: "wss://host:port,…"))
    var server: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The data folder of a server on this machine, for its address, certificate and operator key. Default: USHER_DATA or usher-data.",
            valueName: "folder"))
    var data: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Trust the certificate authorities in this PEM file instead of the system's.", valueName: "file"))
    var ca: String?

    @Option(name: .long, help: ArgumentHelp("How long the answer may take, such as 10s.", valueName: "duration"))
    var timeout: DurationArgument = DurationArgument(milliseconds: 30_000)

    @Flag(name: .long, help: "Print JSON, one object a line.")
    var json = false

    private static var environment: [String: String] { ProcessInfo.processInfo.environment }

    private var folders: ServerFolders { ServerFolders(said: data) }
    var dataFolder: String { folders.data }
    var developmentFolder: String { folders.development }

    /// The addresses to try.
    func urls() throws(Failure) -> [ServerURL] {
        guard let text = server ?? Self.environment["USHER_SERVER"] else {
            return [LocalServer(dataFolder: dataFolder)?.url ?? ServerURL(host: "localhost", port: 8443)]
        }
        var urls: [ServerURL] = []
        for part in text.split(separator: ",") {
            do {
                urls.append(try ServerURL(part.trimmingCharacters(in: .whitespaces)))
            } catch {
                throw Failure(.usage, "The server's address: \(error).")
            }
        }
        guard !urls.isEmpty else { throw Failure(.usage, "The server's address is empty. Write wss://host:port.") }
        return urls
    }

    /// `--ca`; for this machine the data folder's certificate; otherwise the system's authorities.
    func trust(_ urls: [ServerURL]) -> ClientTrust {
        if let ca { return .caFile(ca) }
        let isLocal = urls.allSatisfy { ["localhost", "::1"].contains($0.host) || $0.host.hasPrefix("127.") }
        if isLocal, let file = LocalServer.certificateFile(inDataFolder: developmentFolder) { return .pinnedFile(file) }
        return .system
    }
}

/// Where a server on this machine keeps what its clients need.
struct ServerFolders {
    /// Where it notes its address.
    let data: String
    /// Where its development certificate and operator key are.
    let development: String

    /// - Parameter said: `--data`; otherwise as the server itself is told by its environment.
    init(said: String?, _ environment: [String: String] = ProcessInfo.processInfo.environment) {
        data = said ?? environment["USHER_DATA"] ?? "usher-data"
        development = said ?? environment["USHER_DEVELOPMENT_FOLDER"] ?? data
    }
}

/// Who acts.
struct UserOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Who you are, on a development server: a UUID, or a short name that stands for one. Default: USHER_USER, or a UUID of this machine.",
            valueName: "name"))
    var user: UserName?

    @Option(
        name: .long,
        help: ArgumentHelp("A file with a JWT of the site's identity provider, which says who you are.", valueName: "file"))
    var jwtFile: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The queue token to use, instead of the one that usher join has kept.", valueName: "token"))
    var token: String?

    /// Who to say one is, and what to call that.
    func identity() throws(Failure) -> (identity: ClientIdentity, label: String) {
        if let jwtFile { return (.jwt(try Self.readToken(jwtFile)), "you") }
        if let user { return (.user(user.id), user.label) }
        if let text = ProcessInfo.processInfo.environment["USHER_USER"], !text.isEmpty {
            guard let user = UserName(argument: text) else {
                throw Failure(.usage, "USHER_USER must be a UUID or a short name of a-z, 0-9, '-', '_' and '.', not '\(text)'.")
            }
            return (.user(user.id), user.label)
        }
        let own = try UserName.own()
        return (.user(own.id), own.label)
    }

    static func readToken(_ file: String) throws(Failure) -> String {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw Failure(.local, "\(file) cannot be read. It should hold a JWT.")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// For commands that change something.
struct RepeatOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Names this command, so that a script can repeat it safely: the same id never acts twice. What it acts on must be said too.",
            valueName: "uuid"))
    var requestID: String?

    /// The settings of the command that `words` say.
    func settings(_ session: Session, _ words: String) throws(Failure) -> CallSettings {
        var settings = CallSettings(queueToken: session.token, requestID: .random())
        if let requestID {
            guard let id = Uuid(requestID), !id.isNone else {
                throw Failure(.usage, "--request-id takes a UUID, such as \(Uuid.random()).")
            }
            settings.requestID = id
            settings.attempts = 1  // may be a repeat: the journal decides
        }
        session.command.text = "usher \(words) --request-id \(settings.requestID ?? .none)"
        return settings
    }

    /// The reservation that was said, or the only one in that state. A repeat must mean the same one, which by then may be in
    /// another state.
    func reservation(
        _ said: UInt64?, onlyOne state: ReservationState, verb: String, _ session: Session
    ) async throws -> UInt64 {
        if let said { return said }
        guard requestID == nil else {
            throw Failure(
                .usage, "With --request-id say which reservation, so that a repeat means the same: usher \(verb) NUMBER")
        }
        return try await session.onlyReservation(state, verb: verb)
    }
}
