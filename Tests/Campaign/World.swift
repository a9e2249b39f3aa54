import Foundation
import Synchronization
import UsherAPI

@testable import Client

// What shoppers share with the campaign.
final class World: Sendable {
    private struct State {
        var isFinishing = false
        var urls: [ServerURL] = []
        var run = 0
    }

    /// PEM, there once a server serves.
    private let certificate: URL
    /// A data folder with an operator's key.
    private let keys: URL
    private let state = Mutex(State())
    let acknowledgements = Acknowledgements()

    init(certificate: URL, keys: URL) {
        self.certificate = certificate
        self.keys = keys
    }

    /// Everybody ends what is under way, gives up the place and goes home.
    var isFinishing: Bool {
        get { state.withLock { $0.isFinishing } }
        set { state.withLock { $0.isFinishing = newValue } }
    }
    /// Where servers are; empty until one has served.
    var urls: [ServerURL] {
        get { state.withLock { $0.urls } }
        set { state.withLock { $0.urls = newValue } }
    }
    /// Which of the servers that is, from 0.
    func number(of url: ServerURL?) -> Int { urls.firstIndex { $0 == url } ?? 0 }

    /// Counts what was done to servers, each before it happens.
    var run: Int {
        get { state.withLock { $0.run } }
        set { state.withLock { $0.run = newValue } }
    }

    /// A client that comes back at once and repeats until it has an answer, for as long as a campaign may need.
    static var options: ClientOptions {
        var options = ClientOptions()
        options.callTimeout = .seconds(3_600)
        options.repeatsMax = .max
        options.reconnecting = Backoff(firstMilliseconds: 10, longestMilliseconds: 80)
        options.repeating = Backoff(firstMilliseconds: 20, longestMilliseconds: 200)
        options.clientName = "usher-campaign"
        // Whoever is cut off answers nothing at all.
        options.limits.connectMilliseconds = 3_000
        options.limits.upgradeMilliseconds = 3_000
        options.limits.welcomeMilliseconds = 3_000
        return options
    }

    /// Connects, however long it takes for a server to be there.
    ///
    /// - Parameter urls: where else than anywhere.
    func connect(
        _ identity: ClientIdentity, at urls: [ServerURL]? = nil, options: ClientOptions = World.options
    ) async throws -> UsherClient {
        while true {
            let urls = urls ?? self.urls
            if !urls.isEmpty {
                let trust = ClientTrust.pinnedFile(certificate.path)
                if let client = try? await UsherClient.connect(to: urls, identity: identity, trust: trust, options: options) {
                    return client
                }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// An operator who says something every now and then, so that the journal moves on, and with it its time, when
    /// everybody waits.
    func runMetronome() async throws {
        let beat = Duration.milliseconds(100)
        while urls.isEmpty { try await Task.sleep(for: beat) }
        guard let identity = LocalServer.operatorIdentity(inDataFolder: keys.path) else { return }
        let client = try await connect(identity)
        defer { client.close() }
        while !isFinishing, !Task.isCancelled {
            _ = try? await client.operators.sendNotice("Please wait.", to: Offer.concert)
            try await Task.sleep(for: beat)
        }
    }
}

/// When commands were acknowledged, and to whom.
final class Acknowledgements: Sendable {
    struct One: Sendable {
        var user: Uuid
        var at: UInt64
    }

    private let all = Mutex<[One]>([])

    func note(_ user: Uuid) { all.withLock { $0.append(One(user: user, at: Moment.now)) } }

    var list: [One] { all.withLock { $0 } }
}
