import Foundation
import Synchronization
import UsherAPI

@testable import Client

// What shoppers share with the campaign.
final class World: Sendable {
    private struct State {
        var isFinishing = false
        var port = 0
        var run = 0
        var acknowledged = 0
    }

    let home: SaleHome
    private let state = Mutex(State())

    init(_ home: SaleHome) { self.home = home }

    /// Everybody ends what is under way, gives up the place and goes home.
    var isFinishing: Bool {
        get { state.withLock { $0.isFinishing } }
        set { state.withLock { $0.isFinishing = newValue } }
    }
    var port: Int {
        get { state.withLock { $0.port } }
        set { state.withLock { $0.port = newValue } }
    }
    /// Counts the deaths of servers, each before it happens.
    var run: Int {
        get { state.withLock { $0.run } }
        set { state.withLock { $0.run = newValue } }
    }
    var acknowledged: Int { state.withLock { $0.acknowledged } }

    func countAcknowledged() { state.withLock { $0.acknowledged += 1 } }

    /// A client that comes back at once and repeats until it has an answer, for as long as a campaign may need.
    static var options: ClientOptions {
        var options = ClientOptions()
        options.callTimeout = .seconds(3_600)
        options.repeatsMax = .max
        options.reconnecting = Backoff(firstMilliseconds: 10, longestMilliseconds: 80)
        options.repeating = Backoff(firstMilliseconds: 20, longestMilliseconds: 200)
        options.clientName = "usher-crash"
        return options
    }

    /// Connects, however long it takes for a server to be there.
    func connect(_ identity: ClientIdentity, options: ClientOptions = World.options) async throws -> UsherClient {
        while true {
            if port != 0 {
                let url = try ServerURL("wss://127.0.0.1:\(port)/v1")
                let trust = ClientTrust.pinnedFile(home.data.appending(path: "certificate.pem").path)
                if let client = try? await UsherClient.connect(to: [url], identity: identity, trust: trust, options: options) {
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
        while port == 0 { try await Task.sleep(for: beat) }
        guard let identity = LocalServer.operatorIdentity(inDataFolder: home.data.path) else { return }
        let client = try await connect(identity)
        defer { client.close() }
        while !isFinishing, !Task.isCancelled {
            _ = try? await client.operators.sendNotice("Please wait.", to: SaleHome.concert)
            try await Task.sleep(for: beat)
        }
    }
}
