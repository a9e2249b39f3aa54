import Calls
import Client
import Foundation
import Logging
import Reactor
import Testing
import UsherAPI

@testable import Server

/// A server of its own for one test: real TLS sockets on a free port, a data folder that is gone afterwards, and clients
/// of the real library.
final class TestSale: Sendable {
    let folder: String
    private let settings: ServerSettings
    private let server: UsherServer

    convenience init(logTo log: LogLines? = nil, _ change: (inout ServerSettings) -> Void = { _ in }) throws {
        var settings = ServerSettings()
        settings.listen = .loopback(port: 0)
        settings.adminListen = .loopback(port: 0)
        settings.dataFolder = NSTemporaryDirectory() + "usher-test-\(UUID().uuidString)"
        settings.journal = .memory
        settings.loops = 2
        settings.drainMilliseconds = 200
        // Of several on one journal: what they wait for when they stop is for the tests of just that.
        settings.drainNoticeMilliseconds = 0
        settings.handoverMilliseconds = 0
        // Other tests may keep the machine busy for longer than a client has in earnest.
        settings.limits = .patient()
        change(&settings)
        try self.init(settings, log)
    }

    private init(_ settings: ServerSettings, _ log: LogLines? = nil) throws {
        folder = settings.dataFolder
        self.settings = settings
        server = try Self.start(settings, log)
    }

    private static func start(_ settings: ServerSettings, _ log: LogLines?) throws -> UsherServer {
        if let log { return try UsherServer.start(settings, logger: log.logger) }
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        return try UsherServer.start(settings, logger: logger)
    }

    var port: UInt16 { server.address.port }
    var adminPort: UInt16 { server.adminAddress?.port ?? 0 }
    var trust: ClientTrust { .pinnedFile(folder + "/certificate.pem") }
    var url: ServerURL { get throws { try ServerURL("wss://127.0.0.1:\(port)/v1") } }

    /// Stops, and starts another run on the same folder.
    func restarted(onSamePort: Bool) throws -> TestSale {
        var settings = settings
        if onSamePort { settings.listen = server.address }
        server.stop()
        return try TestSale(settings)
    }

    func stop() {
        server.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// A client of a user's own; a new user unless one is given.
    func client(_ user: Uuid = .test(), _ options: ClientOptions = ClientOptions()) async throws -> UsherClient {
        try await UsherClient.connect(to: [try url], identity: .user(user), trust: trust, options: options)
    }

    /// The identity of the data folder's operator.
    var operatorIdentity: String {
        get throws {
            let key = try String(contentsOfFile: folder + "/operator-key", encoding: .utf8)
            return "operator:" + key.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    func operatorClient() async throws -> UsherClient {
        try await UsherClient.connect(to: [try url], identity: .jwt(operatorIdentity), trust: trust)
    }

    /// Puts a concert with one performance on sale, its line open; `change` alters the settings before.
    func putOn(
        _ id: String, seats: UInt32 = 10, price: UInt64 = 1_000, isOpen: Bool = true,
        _ change: (inout ConcertSettings) -> Void = { _ in }
    ) async throws {
        let office = try await operatorClient()
        defer { office.close() }
        var settings = ConcertSettings()
        settings.id = id
        settings.title = "A test of \(id)"
        settings.policy = AdmissionPolicy(maxActive: 100)
        settings.maxSeats = 4
        change(&settings)
        _ = try await office.operators.putConcert(settings)
        var performance = PerformanceSettings()
        performance.id = "\(id)-1"
        performance.concert = id
        performance.startsMs = Clock.wallMilliseconds() + 86_400_000
        performance.seatCount = seats
        performance.prices = [PriceBand(firstSeat: 1, lastSeat: seats, price: price)]
        _ = try await office.operators.putPerformance(performance)
        if isOpen { _ = try await office.operators.change(.open, of: id) }
    }
}

extension CallLimits {
    /// Those of version 1, but for the time that it may take to get as far as HELLO.
    static func patient(
        upgradeMilliseconds: UInt64 = 60_000, pingMilliseconds: UInt64 = 25_000, opens: RateLimit = CallLimits.visitor.opens
    ) -> CallLimits {
        CallLimits(
            helloMilliseconds: 60_000, pingMilliseconds: pingMilliseconds, handshakeMilliseconds: 60_000,
            upgradeMilliseconds: upgradeMilliseconds, opens: opens)
    }
}

extension Uuid {
    /// A random user or request.
    static func test() -> Uuid { Uuid(high: .random(in: 1 ... .max), low: .random(in: 1 ... .max)) }
}

/// Runs a test against a server of its own, and ends the server whatever happens.
func withSale(_ change: (inout ServerSettings) -> Void = { _ in }, _ body: (TestSale) async throws -> Void) async throws {
    let sale = try TestSale(change)
    try await finally(sale.stop) { try await body(sale) }
}

/// Does `end` after `body`, whatever happens, on a thread of its own: a stop waits, and the pool on which all tests run has few
/// threads.
func finally(_ end: @escaping @Sendable () -> Void, _ body: () async throws -> Void) async throws {
    var failure: (any Error)?
    do { try await body() } catch { failure = error }
    await withCheckedContinuation { ended in
        Foundation.Thread.detachNewThread {
            end()
            ended.resume()
        }
    }
    if let failure { throw failure }
}

extension Pushes where Element == LineUpdate {
    /// The first update for which `condition` holds; earlier ones are passed over.
    func first(_ what: String = "", where condition: (LineUpdate) -> Bool) async throws -> LineUpdate {
        for try await update in self where condition(update) { return update }
        throw MissingUpdate(what: what)
    }
}

struct MissingUpdate: Error {
    var what: String
}

/// The reason word of the refusal that `body` must end in.
func refusal(of body: () async throws -> Void) async -> Reason? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? UsherError)?.reason
    }
}
