import Foundation
import UsherAPI

@testable import Campaign
@testable import Client

/// One sale and its crashes: the same folder, users and line from the first start to the audit.
///
///     start ─▶ serve ─▶ fault ─▶ dead ─▶ (power cut) ─▶ start … ─▶ everybody goes home ─▶ audit ─▶ clean stop ─▶ verify
struct Sale {
    static let shoppers = 24

    let home: SaleHome
    let seed: UInt64
    private let world: World
    private var random: SeededRandom
    private var port = 0
    private var runs = 0
    private(set) var evidence = Evidence()
    private(set) var figures = Figures()

    init(_ home: SaleHome, seed: UInt64) {
        self.home = home
        self.seed = seed
        world = World(certificate: home.data.appending(path: "certificate.pem"), keys: home.data)
        random = SeededRandom(seed)
    }

    /// Plays the whole sale.
    ///
    /// - Parameter told: called after each cycle.
    mutating func play(_ cycles: Int, told: (Figures) -> Void) async throws {
        // Drawn beforehand, so that they are the same again from the same seed.
        let plan = Fault.deck(cycles, using: &random).map { Cycle($0, using: &random) }
        try await play(plan, told: told)
    }

    mutating func play(_ plan: [Cycle], goingHomeSeconds: UInt64 = 120, told: (Figures) -> Void = { _ in }) async throws {
        let crowd = Crowd(world, seed: seed)
        // The watcher is the first in line.
        let beginning = Task { [world] in
            let watcher = try await Watcher(world)
            watcher.begin()
            await crowd.begin(Self.shoppers)
            return watcher
        }
        for next in plan where evidence.serverFaults.isEmpty {
            try await cycle(next)
            told(figures)
        }
        guard evidence.serverFaults.isEmpty, let last = try await start(nil) else {
            beginning.cancel()
            _ = try await crowd.end(within: 0)
            return
        }
        let watcher = try await beginning.value
        world.isFinishing = true
        let (logs, left) = try await crowd.end(within: goingHomeSeconds)
        evidence.shoppers = logs
        if left > 0 {
            evidence.serverFaults.append("\(left) users had no answers for \(goingHomeSeconds) s and never got home")
        }
        let seats = try await watcher.finish(within: goingHomeSeconds)
        (evidence.seats, evidence.watched) = (seats.shown, seats.watched)
        evidence.shoppers.append(seats.log)
        evidence.audits = try await world.audits(of: evidence.shoppers.map(\.user))
        try await stopCleanly(last.run)
        figures.count(evidence)
        let verify = try await Child.run(
            [home.binary.path, "journal", "verify", "--check-every", "100", home.data.path], in: home.folder)
        if verify.status != 0 { evidence.serverFaults.append("usher journal verify: \(verify.output)") }
    }

    // MARK: Cycles

    private mutating func cycle(_ cycle: Cycle) async throws {
        guard let server = try await start(cycle) else {
            // It may end before it serves where that was asked for.
            try await settle(cycle)
            return
        }
        let deadline = Moment.now + UInt64(cycle.patience) * 1_000_000
        let armed = cycle.trigger != nil
        while Moment.now < deadline, server.run.child.isRunning {
            if armed, cycle.fault.isFailStop, FileManager.default.fileExists(atPath: home.fired.path) { break }
            try await Task.sleep(for: .milliseconds(2))
        }
        if cycle.fault.isFailStop, server.run.child.isRunning, FileManager.default.fileExists(atPath: home.fired.path) {
            try await expectFailStop(server.adminPort)
        }
        world.run += 1
        if cycle.fault == .stop, server.run.child.isRunning {
            try await stopCleanly(server.run)
        } else if server.run.child.isRunning {
            server.run.child.signal(SIGKILL)
            try await server.run.child.end()
        } else if !armed || !FileManager.default.fileExists(atPath: home.fired.path) {
            evidence.serverFaults.append("the server ended by itself: \(server.run.child.output.suffix(2_000))")
        }
        try await settle(cycle)
    }

    /// After a death: what the disk still holds.
    private mutating func settle(_ cycle: Cycle) async throws {
        let fired = home.takeFired()
        let atStake = try PowerCut.strike(data: home.data, undo: home.undo, cycle.loss, using: &random)
        figures.count(cycle, fired: fired, atStake: atStake)
    }

    /// Starts a server.
    ///
    /// - Returns: nil if it ended before it served; that it may only if a fault was armed and has happened.
    private mutating func start(_ cycle: Cycle?) async throws -> (run: ServerRun, adminPort: Int)? {
        while true {
            runs += 1
            let run = try ServerRun(home, port: port, number: runs, cycle: cycle)
            if let ports = try await run.serving() {
                port = ports.port
                world.urls = [ServerURL(host: "127.0.0.1", port: UInt16(ports.port))]
                figures.noteRecovery(Moment.now - run.child.started)
                return (run, ports.adminPort)
            }
            // Somebody else may have been given the port while nobody listened.
            if run.child.output.contains("Address already in use") {
                try await Task.sleep(for: .milliseconds(100))
                continue
            }
            if cycle?.trigger == nil || !FileManager.default.fileExists(atPath: home.fired.path) {
                evidence.serverFaults.append("the server did not start: \(run.child.output.suffix(2_000))")
            }
            return nil
        }
    }

    private mutating func stopCleanly(_ run: ServerRun) async throws {
        run.child.signal(SIGTERM)
        try await run.child.end()
        if !run.child.hasEndedWell {
            evidence.serverFaults.append("asked to stop, it ended badly: \(run.child.output.suffix(2_000))")
        }
    }

    /// The disk has failed: readiness goes off, and somebody new is refused.
    private mutating func expectFailStop(_ adminPort: Int) async throws {
        let deadline = Moment.now + 20_000_000_000
        while await AdminPage.isReady(port: adminPort) != false {
            guard Moment.now < deadline else {
                evidence.serverFaults.append("the disk failed and readiness stayed on")
                return
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        let noticed = Moment.now
        var options = World.options
        options.repeatsMax = 0
        options.callTimeout = .seconds(30)
        let client = try await world.connect(.user(.random()), options: options)
        defer { client.close() }
        do throws(UsherError) {
            for try await update in client.line.join(Offer.concert, CallSettings(timeout: .seconds(30))) {
                evidence.serverFaults.append("the disk had failed and a Join was answered with \(update)")
                break
            }
        } catch {
            if error.reason != .journalUnavailable {
                evidence.serverFaults.append("the disk had failed and a Join was refused with \(error)")
            }
        }
        evidence.outages.append(Outage(noticed: noticed, killed: Moment.now))
    }
}
