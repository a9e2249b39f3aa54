import Client
import Foundation
import Reactor
import UsherAPI

/// A run, with everything decided.
struct StampedeSettings {
    static let seatsPerPerformance = 50
    static let maxSeats = 2
    static let holdMilliseconds: UInt64 = 5_000
    static let idleMilliseconds: UInt64 = 30_000
    private static let ownActiveMilliseconds: UInt64 = 120_000

    var fans: Int
    /// The instances, each with a share of the fans.
    var targets: [Target]
    var operatorIdentity: Hello.Identity?
    var processID: Int32?
    var isOwnConcert: Bool
    var concert: String
    var performances: Int
    var policy: AdmissionPolicy
    var activeMilliseconds: UInt64
    var seed: UInt64
    var behaviour = Behaviour()
    var pace: Double
    var loops: Int
    var ramp: Double
    var joinOverMilliseconds: UInt64
    var pollMilliseconds: UInt64?
    var timeLimitMilliseconds: UInt64
    var isQuiet: Bool
    /// The server will be killed and started again meanwhile.
    var expectsRestarts: Bool

    init(_ command: Stampede) throws(StampedeError) {
        fans = command.fans
        guard (1...19_000).contains(fans) else {
            throw StampedeError("--fans takes 1 to 19000; run several processes for more")
        }
        guard command.pace >= 0, command.pace <= 100 else { throw StampedeError("--pace takes 0 to 100") }
        guard command.ramp >= 1 else { throw StampedeError("--ramp takes 1 or more") }
        if let wrong = behaviour.change(command.behaviour) { throw StampedeError("--behaviour: \(wrong)") }
        pace = command.pace
        ramp = command.ramp

        let folders = ServerFolders(said: command.data)
        let local = LocalServer(dataFolder: folders.data)
        let named = command.server ?? ProcessInfo.processInfo.environment["USHER_SERVER"]
        let urls = try Self.urls(named, local, folders)
        let tls = try Self.trust(command, folders)
        targets = try urls.map { url throws(StampedeError) in try Target(url, tls: tls) }
        if case .jwt(let text)? = LocalServer.operatorIdentity(inDataFolder: folders.development) {
            operatorIdentity = .jwt(text)
        }
        let isLocal = named == nil || urls.count == 1 && local?.url.port == urls[0].port
        processID = command.pid ?? (isLocal ? local?.processID : nil)

        isOwnConcert = command.concert == nil
        guard !isOwnConcert || operatorIdentity != nil else {
            throw StampedeError(
                "\(folders.development) has no operator key to put a concert on sale with; name one that is on sale with --concert"
            )
        }
        concert = command.concert ?? "stampede-\(Clock.wallMilliseconds() / 100 % 100_000_000)"
        let seats = Double(fans) * 1.3 * 0.6
        performances = command.performances ?? max(1, Int((seats / Double(Self.seatsPerPerformance)).rounded(.up)))
        guard (1...2_000).contains(performances) else { throw StampedeError("--performances takes 1 to 2000") }
        guard command.batch == 0 || (100...3_600_000).contains(command.interval.milliseconds) else {
            throw StampedeError("--interval takes 100ms to 3600s")
        }
        let cap = command.maxActive ?? (command.batch > 0 ? 0 : UInt32(max(10, fans / 10)))
        guard cap > 0 || command.batch > 0 else { throw StampedeError("--max-active 0 needs a --batch") }
        policy = AdmissionPolicy(
            maxActive: cap, batch: command.batch, intervalMs: command.batch > 0 ? UInt32(command.interval.milliseconds) : 0)
        activeMilliseconds = isOwnConcert ? Self.ownActiveMilliseconds : command.activeTtl.milliseconds
        seed = command.seed ?? .random(in: 1...999_999)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        loops = command.loops ?? max(1, cores - 1)
        guard (1...cores).contains(loops) else { throw StampedeError("--loops takes 1 to \(cores), the number of cores") }
        loops = min(loops, fans)
        joinOverMilliseconds = command.joinOver.milliseconds
        pollMilliseconds = command.poll?.milliseconds
        guard pollMilliseconds.map({ $0 >= 100 }) ?? true else { throw StampedeError("--poll takes 100ms or more") }
        timeLimitMilliseconds = command.timeLimit.milliseconds
        isQuiet = command.quiet
        expectsRestarts = command.restarts
    }

    var policySentence: String {
        guard isOwnConcert else { return "as its operator has set" }
        let cap = policy.maxActive > 0 ? "\(policy.maxActive) at once" : ""
        let turnstile = policy.batch > 0 ? "\(policy.batch) each \(Span(milliseconds: UInt64(policy.intervalMs)))" : ""
        return [turnstile, cap].filter { !$0.isEmpty }.joined(separator: ", at most ")
    }

    private static func urls(_ named: String?, _ local: LocalServer?, _ folders: ServerFolders)
        throws(StampedeError) -> [ServerURL]
    {
        guard let text = named else {
            guard let local else {
                throw StampedeError(
                    "no server runs in \(folders.data); start one with `usher serve --demo`, or name it with --connect")
            }
            return [local.url]
        }
        var urls: [ServerURL] = []
        for part in text.split(separator: ",") {
            do throws(ServerURLError) {
                urls.append(try ServerURL(part.trimmingCharacters(in: .whitespaces)))
            } catch {
                throw StampedeError(error.description)
            }
        }
        guard !urls.isEmpty else { throw StampedeError("--connect names no server; write wss://host:port") }
        return urls
    }

    private static func trust(_ command: Stampede, _ folders: ServerFolders) throws(StampedeError) -> TLSContext {
        do throws(TLSError) {
            if let ca = command.ca { return try .client(trust: .authorities(file: ca), resumes: false) }
            if let file = LocalServer.certificateFile(inDataFolder: folders.development),
                let pem = try? String(contentsOfFile: file, encoding: .utf8)
            {
                return try .client(trust: .pinned(pem: pem), verifiesName: false, resumes: false)
            }
            return try .client(trust: .system, resumes: false)
        } catch {
            throw StampedeError("the certificates to trust can't be read: \(error)")
        }
    }

    /// What the instances are called.
    var servers: String { targets.map { "\($0.url)" }.joined(separator: ", ") }

    private var isOnLoopback: Bool {
        targets.allSatisfy { if case .ipv4(let address) = $0.address.host { address >> 24 == 127 } else { false } }
    }

    var plan: CrowdPlan {
        CrowdPlan(
            targets: targets, sources: isOnLoopback ? Array(2...9) : [], concert: concert, seed: seed,
            behaviour: behaviour,
            pace: pace, activeMilliseconds: activeMilliseconds, mayLetPass: isOwnConcert,
            maxSeats: isOwnConcert ? Self.maxSeats : 1,
            pollMilliseconds: pollMilliseconds, ramp: ramp / Double(loops), joinOverMilliseconds: joinOverMilliseconds,
            expectsRestarts: expectsRestarts)
    }
}

/// One instance, as fans reach it.
struct Target: Sendable {
    var url: ServerURL
    var address: SocketAddress
    var endpoint: ClientEndpoint

    init(_ url: ServerURL, tls: TLSContext) throws(StampedeError) {
        self.url = url
        // A development server listens on IPv4 loopback; localhost may mean ::1 first.
        let host = url.host == "localhost" ? "127.0.0.1" : url.host
        guard let address = try? SocketAddress.resolve(host: host, port: url.port).first else {
            throw StampedeError("\(url.host) has no address")
        }
        self.address = address
        endpoint = ClientEndpoint(url, tls: tls)
    }
}
