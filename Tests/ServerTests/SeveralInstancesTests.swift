import BoxOffice
import Calls
import Client
import Foundation
import Sequencer
import Testing
import UsherAPI
import Wire

@testable import Journal
@testable import Server

/// Several whole servers in this process, on one log.
@Suite(.timeLimit(.minutes(3)))
struct SeveralInstancesTests {
    private struct Instance {
        let sale: TestSale
        let journal: SharedJournal

        init(_ log: MemoryLog, logTo lines: LogLines? = nil, _ change: (inout ServerSettings) -> Void = { _ in }) throws {
            let journal = SharedJournal(log)
            self.journal = journal
            sale = try TestSale(logTo: lines) {
                $0.givenJournal = journal
                $0.drainNoticeMilliseconds = 0
                $0.handoverMilliseconds = 0
                change(&$0)
            }
        }

        func ready() async throws -> HTTPAnswer { try await sale.admin("GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n") }

        /// Waits until `/readyz` says so.
        func waits(for status: Int, _ word: String = "") async throws {
            while true {
                let answer = try await ready()
                if answer.status == status, word.isEmpty || answer.text.contains(word) { return }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test func `two instances are one sale, and of two claims on a seat exactly one wins`() async throws {
        let log = MemoryLog()
        let instances = try [Instance(log), Instance(log)]
        defer { for instance in instances { instance.sale.stop() } }
        try await instances[0].sale.putOn("aurora", seats: 20)
        let buyers = [try await instances[0].sale.client(), try await instances[1].sale.client()]
        let turns = buyers.map { $0.line.join("aurora") }
        var joinNumbers: [UInt64] = []
        for turn in turns { joinNumbers.append(try await turn.first { $0.state == .active }.joinNumber) }
        #expect(joinNumbers.sorted() == [1, 2])
        for seat in 1...4 as ClosedRange<UInt32> {
            let outcomes = await withTaskGroup(of: Reason?.self) { group in
                for buyer in buyers {
                    group.addTask {
                        await refusal { _ = try await buyer.reservations.hold(performance: "aurora-1", seats: [seat]) }
                    }
                }
                return await group.reduce(into: [Reason?]()) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == nil } == 1, "seat \(seat): \(outcomes)")
        }
    }

    /// What waits, on a thread that may.
    private func apart<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Foundation.Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    @Test func `one that starts says how far it is behind, and is ready once it has caught up`() async throws {
        let log = MemoryLog()
        let running = try Instance(log)
        try await running.sale.putOn("aurora")
        try await apart { running.sale.stop() }
        let entries = log.lastPosition

        let journal = SharedJournal(log)
        journal.cutOff()
        let lines = LogLines()
        async let starting = apart { try TestSale(logTo: lines) { $0.givenJournal = journal } }
        let said = "health and metrics http://127.0.0.1:"
        var port: UInt16?
        while port == nil {
            let line = lines.all.first { $0.hasPrefix(said) }
            port = line.flatMap { UInt16($0.dropFirst(said.count).prefix { $0.isNumber }) }
            try await Task.sleep(for: .milliseconds(5))
        }
        func ready() async throws -> HTTPAnswer {
            let client = try await RawClient.connect(to: port!, tls: nil)
            client.send("GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n")
            return try await client.answer()
        }
        let behind = "catching up with the journal: \(entries) entries behind"
        var answer = try await ready()
        while !answer.text.hasPrefix(behind) {
            #expect(answer.status == 503)
            try await Task.sleep(for: .milliseconds(20))
            answer = try await ready()
        }
        #expect(answer.status == 503)
        journal.reconnect()
        let sale = try await starting
        try await finally(sale.stop) {
            // What its loops wait for is the journal's own thread: the status follows in a moment.
            while try await ready().status != 200 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func `one that is declared gone joins again by itself, and its connections never notice`() async throws {
        let log = MemoryLog()
        let lone = try Instance(log)
        let others = try Instance(log)
        defer { for instance in [lone, others] { instance.sale.stop() } }
        try await others.sale.putOn("aurora") { $0.policy = AdmissionPolicy(maxActive: 1) }
        let first = try await others.sale.client()
        _ = try await first.line.join("aurora").first { $0.state == .active }
        let client = try await lone.sale.client()
        let places = client.line.join("aurora")
        _ = try await places.first { $0.state == .waiting }
        let operators = try await others.sale.operatorClient()

        lone.journal.cutOff()
        while try await operators.operators.stats("aurora").lines.first?.present != 0 {
            try await Task.sleep(for: .milliseconds(50))
        }
        // Its user is absent for the journal; what frees the place admits nobody.
        try await first.line.leave("aurora")
        lone.journal.reconnect()
        // The same stream, on the same connection.
        let turn = try await places.first { $0.state == .active }
        #expect(turn.joinNumber == 2)
        try await lone.waits(for: 200)
        _ = try await client.accounts.charge(500)
        let metrics = try await lone.sale.admin("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n").text
        #expect(metrics.contains("usher_instance_rejoins_total 1\n"))
        let accepted = metrics.split(separator: "\n").filter { $0.hasPrefix("usher_connections_accepted_total{") }
        #expect(accepted.count { $0.hasSuffix(" 1") } == 1, "one connection, and the same all the time: \(accepted)")
    }

    @Test func `while the journal stands still reads and pushes go on and say so, and commands are refused`() async throws {
        let log = MemoryLog()
        let instance = try Instance(log)
        defer { instance.sale.stop() }
        try await instance.sale.putOn("aurora")
        let client = try await instance.sale.client()
        let places = client.line.join("aurora")
        let turn = try await places.first { $0.state == .active }
        #expect(!turn.stalled)
        _ = try await client.accounts.charge(500)

        instance.journal.standStill("no quorum")
        _ = try await places.first { $0.stalled }
        try await instance.waits(for: 503, "no quorum")
        let balance = try await client.accounts.balance()
        #expect(balance == 500)
        var impatient = ClientOptions()
        impatient.repeatsMax = 0
        let other = try await instance.sale.client(.test(), impatient)
        let reason = await refusal { _ = try await other.accounts.charge(1) }
        #expect(reason == .journalUnavailable)

        instance.journal.goOn()
        _ = try await places.first { !$0.stalled }
        try await instance.waits(for: 200)
        _ = try await client.accounts.charge(500)
    }

    @Test func `after an outage a turn and a hold are told anew, with the time that they have got`() async throws {
        let log = MemoryLog()
        let instance = try Instance(log)
        defer { instance.sale.stop() }
        try await instance.sale.putOn("aurora") { concert in
            concert.holdTtlMs = 20_000
            concert.activeTtlMs = 40_000
        }
        let client = try await instance.sale.client()
        let places = client.line.join("aurora")
        _ = try await places.first { $0.state == .active }
        let held = try await client.reservations.hold(performance: "aurora-1", seats: [1])

        // By the journal's clock nothing was committed for ten seconds; this entry itself is nobody's, and ignored.
        let time = log.lastTimeMilliseconds + 10_000
        log.append([Entry(instance: 77, incarnation: 1, number: 1).encoded()], timeMilliseconds: time)
        let told = try await places.first { $0.reservations.contains { $0.deadlineMs > held.deadlineMs } }
        let respite = time + 60_000
        #expect(told.reservations.map(\.deadlineMs) == [told.activeUntilMs])
        #expect(told.activeUntilMs >= respite && told.idleUntilMs >= respite, "\(told), outage until \(time)")
    }

    @Test func `a second server with the number of a first takes over, and the first one says what to do`() async throws {
        let log = MemoryLog()
        let first = try Instance(log)
        defer { first.sale.stop() }
        let folder = first.sale.folder + "-copy"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: first.sale.folder + "/instance", toPath: folder + "/instance")
        let second = try Instance(log) { $0.dataFolder = folder }
        defer { second.sale.stop() }
        try await first.waits(for: 503, "delete the file `instance`")
        try await second.waits(for: 200)
    }

    @Test func `under rules that it does not know a server refuses to start, and says which it needs`() throws {
        let log = MemoryLog()
        let newer = MemoryJournal(log: log)
        try newer.start(from: 1) { _ in }
        let start = Command(body: .instanceStarted(InstanceStarted(sources: 1, rules: BoxOffice.highestRules + 1)))
        newer.append(Entry(instance: 9, incarnation: 1, number: 1, commands: [start]).encoded())
        do {
            _ = try Instance(log)
            Issue.record("it has started")
        } catch {
            #expect("\(error)".contains("version \(BoxOffice.highestRules + 1) of the rules is in force"))
        }
    }

    @Test func `a stop is journalled, so that the others need not wait for silence`() async throws {
        let log = MemoryLog()
        let instances = try [Instance(log), Instance(log)]
        defer { instances[1].sale.stop() }
        instances[0].sale.stop()
        let last = try #require(try log.entries.map { try Entry(decoding: $0.payload) }.last { !$0.commands.isEmpty })
        #expect(last.commands.last?.body == .instanceStopped(InstanceStopped()))
        try await instances[1].waits(for: 200)
    }
}
