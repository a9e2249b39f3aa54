import Calls
import Client
import Foundation
import Histogram
import Reactor
import Synchronization
import UsherAPI

/// Runs a stampede from the main thread: sets the sale up, gives the crowds their orders, watches, and gathers what they
/// have seen.
///
///     put on sale ─▶ connect all ─▶ all join ─▶ until everybody is home ─▶ ask what the server says ─▶ report
final class Conductor {
    let settings: StampedeSettings
    private let loop: EventLoop
    private let progress: Progress
    private let tally = Tally()
    private var operatorSide: SideConnection?
    private var operatorTarget = 0
    private var process: ServerProcess?

    // The operator's looks at the line.
    private var isLooking = false
    private var lastLook: UInt64 = 0
    private var mostActive: UInt64 = 0
    private var looks = 0

    private struct LoopThread {
        let thread: Reactor.Thread
        let orders: Mailbox<CrowdOrder>
        let result: ResultBox
    }

    /// Where a loop puts what its fans have seen.
    private final class ResultBox: Sendable {
        let record = Mutex<CrowdRecord?>(nil)
    }

    init(_ settings: StampedeSettings) throws {
        self.settings = settings
        loop = try EventLoop()
        progress = Progress(
            fans: settings.fans, seats: settings.performances * StampedeSettings.seatsPerPerformance, isQuiet: settings.isQuiet)
        process = settings.processID.flatMap { ServerProcess($0) }
    }

    func run() throws -> Report {
        var report = Report(settings)
        operatorSide = try settings.operatorIdentity.map {
            try SideConnection(settings.targets[0], $0, loop: loop)
        }
        if settings.isOwnConcert { try putOnSale() }

        let before = process?.sample()
        let threads = try startLoops()
        progress.say(
            "\(settings.fans) fans from \(settings.loops) loop\(settings.loops == 1 ? "" : "s") to \(settings.servers), seed \(settings.seed)"
        )
        let connectStart = Clocks.monotonic()
        order(.connect, threads)
        watchConnecting()
        report.connectSeconds = Double(Clocks.monotonic() - connectStart) / 1e6
        watch("connecting", upTo: 700) { false }
        let connected = process?.sample()

        progress.say("all join")
        let joinStart = Clocks.monotonic()
        order(.join, threads)
        watch("joining", upTo: 60_000 + settings.joinOverMilliseconds) {
            self.tally.joined.now + self.tally.failed.now >= self.settings.fans
        }
        let joined = process?.sample()
        let left = settings.timeLimitMilliseconds
        watch(settings.pollMilliseconds == nil ? "selling" : "selling to pollers", upTo: left) {
            self.tally.gone.now >= self.settings.fans
        }
        report.saleSeconds = Double(Clocks.monotonic() - joinStart) / 1e6
        let over = process?.sample()

        progress.say("everybody is home; asking the server what it remembers")
        order(.audit, threads)
        watch("auditing", upTo: 120_000) { self.tally.audited.now >= self.settings.fans }
        var evidence = Evidence(fans: [])
        evidence.stats = stats()
        evidence.sold = finalMap()
        order(.stop, threads)
        let records = threads.compactMap { thread in
            thread.thread.join()
            return thread.result.record.withLock { $0 }
        }
        operatorSide?.close()
        progress.finish()
        report.checks = tally.checks.now
        report.cpu(before, connected, joined, over)
        report.take(records, &evidence, activity: looks > 0 ? (mostActive, looks) : nil)
        return report
    }

    // MARK: The sale

    private func putOnSale() throws {
        guard let operatorSide else { return }
        let days: UInt64 = 30 * 86_400_000
        let starts = Clock.wallMilliseconds() + days
        let concert = ConcertSettings(
            id: settings.concert, title: "Stampede", venue: "Loopback Arena", policy: settings.policy,
            maxSeats: UInt32(StampedeSettings.maxSeats),
            holdTtlMs: StampedeSettings.holdMilliseconds, activeTtlMs: settings.activeMilliseconds,
            idleTtlMs: StampedeSettings.idleMilliseconds)
        _ = try operatorSide.ask(.putConcert, PutConcertRequest(settings: concert), returning: OperatorResponse.self)
        let prices = [
            PriceBand(firstSeat: 1, lastSeat: 10, price: 15_000), PriceBand(firstSeat: 11, lastSeat: 30, price: 11_000),
            PriceBand(firstSeat: 31, lastSeat: 50, price: 8_000),
        ]
        for number in 1...settings.performances {
            let performance = PerformanceSettings(
                id: "\(settings.concert)-\(number)", concert: settings.concert, startsMs: starts + UInt64(number) * 86_400_000,
                seatCount: UInt32(StampedeSettings.seatsPerPerformance), prices: prices)
            // An operator's connection has a visitor's rate: 20 calls a second, after 64 at once.
            if number > 50 { operatorSide.wait(upTo: 60) { false } }
            _ = try operatorSide.ask(
                .putPerformance, PutPerformanceRequest(settings: performance), returning: OperatorResponse.self)
        }
        _ = try operatorSide.ask(.openLine, LineRequest(concert: settings.concert), returning: OperatorResponse.self)
        progress.say(
            "concert \(settings.concert): \(settings.performances) dates of \(StampedeSettings.seatsPerPerformance) seats, admitting \(settings.policySentence)"
        )
    }

    /// The instance has gone, or goes: to the next one, or to the same one once it is back.
    private func reconnect() {
        isLooking = false
        lastLook = Clock.monotonicMilliseconds()
        guard let identity = settings.operatorIdentity else { return }
        operatorTarget += 1
        operatorSide?.close()
        let target = settings.targets[operatorTarget % settings.targets.count]
        operatorSide = (try? SideConnection(target, identity, loop: loop)) ?? operatorSide
    }

    private func stats() -> LineStats? {
        if operatorSide?.isOver == true { reconnect() }
        return try? operatorSide?.ask(.stats, StatsRequest(concert: settings.concert), returning: StatsResponse.self).lines
            .first
    }

    /// The seats as somebody new is shown them.
    private func finalMap() -> [String: Set<UInt32>]? {
        for target in settings.targets {
            guard let side = try? SideConnection(target, .user(.random()), loop: loop) else { continue }
            defer { side.close() }
            if let sold = side.soldSeats(of: settings.concert) { return sold }
        }
        return nil
    }

    // MARK: The crowds

    private func startLoops() throws -> [LoopThread] {
        try (0..<settings.loops).map { number in
            let orders = Mailbox<CrowdOrder>(capacity: 16)
            let result = ResultBox()
            let plan = settings.plan
            let indices = Array(stride(from: number, to: settings.fans, by: settings.loops))
            let tally = tally
            let thread = try Reactor.Thread.start(name: "fans \(number)") {
                guard let loop = try? EventLoop() else { fatalError("the process is out of descriptors") }
                let crowd = Crowd(plan, loop: loop, indices: indices, tally: tally)
                loop.attach(orders) { for order in $0 { crowd.take(order) } }
                loop.run()
                let record = crowd.finished()
                result.record.withLock { $0 = record }
            }
            return LoopThread(thread: thread, orders: orders, result: result)
        }
    }

    private func order(_ order: CrowdOrder, _ threads: [LoopThread]) {
        for thread in threads { _ = thread.orders.send(order) }
    }

    /// Until all have connected, or none has for half a minute: how long it takes is the machine's business.
    private func watchConnecting() {
        var before = -1
        var now = 0
        while now < settings.fans, now > before {
            before = now
            watch("connecting", upTo: 30_000) {
                now = self.tally.connected.now + self.tally.failed.now
                return now >= self.settings.fans
            }
        }
    }

    /// Turns the operator's loop, looks at the line and shows what goes on, until something is so or time is up.
    private func watch(_ phase: String, upTo milliseconds: UInt64, until done: () -> Bool) {
        let deadline = Clock.monotonicMilliseconds() + milliseconds
        while !done() {
            let now = Clock.monotonicMilliseconds()
            guard now < deadline else { return }
            loop.turn(upTo: 20)
            progress.show(tally, phase)
            look(now)
        }
    }

    /// Asks for the line's numbers, five times a second.
    private func look(_ now: UInt64) {
        if operatorSide?.isOver == true, now >= lastLook + 2_000 { reconnect() }
        guard let operatorSide, !operatorSide.isOver, !isLooking, now >= lastLook + 200 else { return }
        isLooking = true
        lastLook = now
        operatorSide.begin(.stats, StatsRequest(concert: settings.concert)) { [self] (answer: Result<StatsResponse, Status>) in
            isLooking = false
            guard case .success(let response) = answer, let line = response.lines.first else { return }
            looks += 1
            mostActive = max(mostActive, line.active)
        }
    }
}
