import BoxOffice
import Crypto
import Journal
import SeatMap
import Sequencer
import UsherAPI
import WebSocket
import Wire

@testable import Calls
@testable import Reactor
@testable import Server

/// A server as it runs, but for its threads and TLS: the real loop, connections, sessions, gateway and sequencer, one after
/// the other on this thread. Time passes when it is told to, and the journal is one that commits when it is told to.
final class FuzzedServer {
    private final class Time {
        var now: UInt64 = 5_000_000
    }

    private let time = Time()
    let loop: EventLoop
    let gateway: Gateway
    private let inbox = LoopInbox()
    private let commands = Mailbox<ToSequencer>(capacity: 8)
    private let metrics = Metrics()
    private var sequencer: Sequencer
    private var written: [[UInt8]] = []
    private var position: UInt64
    private var sessions: [WeakSession] = []

    private struct WeakSession {
        weak var session: Session?
    }

    static let epoch = Uuid(high: 7, low: 7)
    static let operatorKey = "0123456789abcdef"
    private static let key = try! Ed25519PrivateKey(seed: [UInt8](repeating: 3, count: 32))
    /// 2027, when tokens are signed.
    private static let wallOffset: UInt64 = 1_800_000_000_000
    static let limits = CallLimits(
        frameBytes: 4096, runningCalls: 4, metadataBytes: 2048, outputBytes: 8192, resumeChanges: 4, seatsPerHold: 4,
        pageItems: 3, requestIDs: 6, pingMilliseconds: 2_000, opens: RateLimit(perSecond: 10, burst: 32),
        refusals: RateLimit(perSecond: 10, burst: 16), cancels: RateLimit(perSecond: 10, burst: 16),
        pings: RateLimit(perSecond: 1, burst: 4), bytes: RateLimit(perSecond: 65_536, burst: 65_536))

    init() throws {
        let time = time
        loop = try EventLoop(
            limits: LoopLimits(), clock: LoopClock(monotonic: { time.now }, wall: { time.now + Self.wallOffset }))
        let office = try BoxOffice(snapshot: FuzzedSale.opened)
        var position = office.position
        var sequencer = Sequencer(office: office, instance: 1, incarnation: 2)
        sequencer.beginRun()
        var publication = Publication(loops: 1)
        sequencer.submit(
            Submission(
                Command(body: .instanceStarted(InstanceStarted(sources: 1, rules: BoxOffice.highestRules, name: "fuzzed")))),
            into: &publication)
        while let batch = sequencer.nextBatch(now: time.now) {
            position += 1
            try sequencer.apply(
                JournalEntry(position: position, timeMilliseconds: time.now, payload: batch), now: time.now, into: &publication)
        }
        var settings = ServerSettings()
        settings.limits = Self.limits
        settings.origins = ["https://a.example"]
        gateway = Gateway(
            loop: loop, index: 0, settings: settings, instance: InstanceFacts(name: "fuzzed", epoch: Self.epoch),
            identities: IdentityChecker(operatorKey: Self.operatorKey),
            queueTokens: QueueTokens(key: Self.key, epoch: Self.epoch), metrics: metrics, commands: commands,
            image: sequencer.image())
        self.sequencer = sequencer
        self.position = position
        inbox.attach(to: loop) { [gateway] delta, answers, standing in
            gateway.take(standing)
            gateway.take(delta, answers)
        }
    }

    /// A new connection, as the listener makes one; the descriptor is the server's end.
    func accept(_ descriptor: Int32) throws -> Connection {
        let connection = Connection(loop: loop, descriptor: descriptor, phase: .open, listener: nil)
        loop.counters.connections.add()
        connection.interest = Poller.readable
        connection.registration = try loop.poller.add(descriptor, Poller.readable, .connection(connection))
        let session = Session(gateway, connection)
        sessions.append(WeakSession(session: session))
        connection.handler = session
        connection.becomeConnected()
        return connection
    }

    // MARK: What happens

    /// The loop takes what has come and does what is due.
    func turn() { loop.turn(upTo: 0) }

    func pass(milliseconds: UInt64) {
        // In steps, as a loop's turns are.
        let end = time.now + milliseconds
        while time.now < end {
            time.now = min(end, time.now + 500)
            turn()
        }
    }

    /// The sequencer takes what the loop has sent, and writes it.
    func sequence() {
        var said: [ToSequencer] = []
        var publication = Publication(loops: 1)
        if commands.drain(into: &said) {
            for message in said {
                switch message {
                case .submission(let submission): sequencer.submit(submission, into: &publication)
                case .question(let question, let origin):
                    sequencer.answer(question, origin: origin, pageItems: Self.limits.pageItems, into: &publication)
                }
            }
        }
        write()
        publish(publication)
    }

    private func write() {
        while let batch = sequencer.nextBatch(now: time.now) { written.append(batch) }
    }

    /// The journal has committed everything written.
    func commit() throws(Finding) {
        var publication = Publication(loops: 1)
        while !written.isEmpty {
            for batch in written {
                position += 1
                let entry = JournalEntry(position: position, timeMilliseconds: time.now, payload: batch)
                try demanded("our own entry") { [now = time.now] () throws(SequencerError) in
                    try sequencer.apply(entry, now: now, into: &publication)
                }
                let problems = sequencer.office.checkInvariants()
                try demandEqual(problems, [], "promises")
            }
            written = []
            write()
        }
        publish(publication)
    }

    /// The journal can't be written any more.
    func failJournal() {
        var publication = Publication(loops: 1)
        sequencer.journalFailed(into: &publication)
        written = []
        publish(publication)
    }

    private func publish(_ publication: Publication) {
        inbox.put(publication.delta, answers: publication.answers[0], standing: LoopStanding(standing: sequencer.standing))
        turn()
    }

    func drain() { gateway.drain(Farewell(milliseconds: 1_000)) {} }

    // MARK: What must hold

    /// After all clients have gone and all that was asked is answered: nothing is left of them.
    func checkEmpty() throws(Finding) {
        let left: [(String, Int)] = [
            ("sessions", gateway.sessions.count), ("line streams", gateway.lineStreams.values.count { !$0.isEmpty }),
            ("waiting streams", gateway.waiters.reduce(0) { $0 + $1.streams.count }),
            ("seat watches", gateway.seatWatches.values.count { !$0.isEmpty }),
            ("watches of feeds", gateway.feeds.reduce(0) { $0 + $1.watches.count }),
            ("watches of numbers", gateway.statsWatches.count), ("backlogged sessions", gateway.backlogged.count),
            ("bytes of frames", gateway.frames.count), ("arrived calls", gateway.arrived.count),
            ("sessions in memory", sessions.count { $0.session != nil }),
        ]
        for (what, count) in left { try demandEqual(count, 0, "\(what) left") }
    }

    /// What everybody is shown is what the state machine has, and no claim is left.
    func checkPicture() throws(Finding) {
        for (index, performance) in sequencer.catalogue.performances.enumerated() {
            for seat in 1...performance.prices.count {
                let word = performance.shard.state(of: seat - 1)
                let truth = sequencer.office.seatState(performance: index, seat: seat)?.state
                try demand(word.claimant == nil, "seat \(seat) is still claimed")
                try demandEqual("\(word.state)", truth.map { "\($0)" }, "seat \(seat) as published")
                let shown = gateway.feeds[index].states[seat - 1]
                try demandEqual(shown, truth, "seat \(seat) in the loop's picture")
            }
        }
    }

    /// Ends the loop, which otherwise keeps itself and the gateway by its timers.
    func end() {
        loop.control.stop()
        loop.run()
    }
}
