import Calls
import Client
import Histogram
import Reactor
import UsherAPI
import Wire

/// What all loops of a run share.
struct CrowdPlan: Sendable {
    /// The instances: fan n begins at the n-th, counted round.
    var targets: [Target]
    /// Addresses of this end, used in turn; empty: the kernel's choice.
    var sources: [UInt8]
    var concert: String
    var seed: UInt64
    var behaviour: Behaviour
    var pace: Double
    var activeMilliseconds: UInt64
    /// Holds run out so soon that letting them is worth the wait.
    var mayLetPass: Bool
    var maxSeats: Int
    /// Between two calls of Check; nil: pushed.
    var pollMilliseconds: UInt64?
    /// New connections a second, this loop's part.
    var ramp: Double
    /// Joins are spread over so long.
    var joinOverMilliseconds: UInt64
    /// Lost connections are no fault.
    var expectsRestarts: Bool
}

/// What the conductor tells the crowds.
enum CrowdOrder: Sendable {
    case connect, join, audit, stop
}

/// The fans of one loop. Confined to its thread.
final class Crowd: TimerTarget {
    let plan: CrowdPlan
    let loop: EventLoop
    let hub: ClientHub
    let tally: Tally
    private(set) var fans: [Fan] = []
    var record = CrowdRecord()

    private var nextToConnect = 0
    private var connectBudget = 0.0
    private(set) var connectsUnderWay = 0
    private var nextToJoin = 0
    private var nextToAudit = 0
    private var auditsUnderWay = 0
    private static let connectsMax = 128
    private static let auditsMax = 64
    private static let stepMilliseconds: UInt64 = 10
    private static let joinsPerTurn = 256

    private enum Task: Int {
        case connect, join
    }

    // Bytes of the loop's counters that are accounted for already.
    private var bytesReceived: UInt64 = 0
    private var bytesSent: UInt64 = 0
    private var lastTraffic = Traffic.connecting

    init(_ plan: CrowdPlan, loop: EventLoop, indices: [Int], tally: Tally) {
        self.plan = plan
        self.loop = loop
        self.tally = tally
        var limits = ClientLimits()
        limits.connectMilliseconds = 20_000
        hub = ClientHub(loop: loop, limits: limits)
        record.instances = plan.targets.map { InstanceRecord(server: "\($0.url)") }
        for measure in Measure.allCases { record.latencies[measure] = .ofMicroseconds() }
        fans = indices.map { Fan(self, index: $0) }
    }

    // MARK: Orders

    func take(_ order: CrowdOrder) {
        switch order {
        case .connect: timerFired(Task.connect.rawValue)
        case .join: beginJoins()
        case .audit: fillAudits()
        case .stop: loop.control.stop()
        }
    }

    func timerFired(_ tag: Int) {
        switch Task(rawValue: tag) {
        case .connect?: connectSome()
        case .join?: joinSome()
        case nil: break
        }
    }

    /// New connections at the ramp's pace, as long as not too many are still shaking hands.
    private func connectSome() {
        connectBudget = min(connectBudget + plan.ramp * Double(Self.stepMilliseconds) / 1000, max(1, plan.ramp / 10))
        while connectBudget >= 1, nextToConnect < fans.count, connectsUnderWay < Self.connectsMax {
            connectBudget -= 1
            connectsUnderWay += 1
            fans[nextToConnect].connect()
            nextToConnect += 1
        }
        if nextToConnect < fans.count { loop.schedule(after: Self.stepMilliseconds, self, tag: Task.connect.rawValue) }
    }

    func connectEnded() { connectsUnderWay -= 1 }

    /// Whether the moment to join has come.
    private(set) var isJoining = false

    private func beginJoins() {
        isJoining = true
        if plan.joinOverMilliseconds > 0 {
            for fan in fans { fan.joinWithin(plan.joinOverMilliseconds) }
        } else {
            joinSome()
        }
    }

    /// All at once, but for looking at what has come between one lot and the next.
    private func joinSome() {
        let end = min(nextToJoin + Self.joinsPerTurn, fans.count)
        for fan in fans[nextToJoin..<end] { fan.join() }
        nextToJoin = end
        if end < fans.count { loop.schedule(after: 0, self, tag: Task.join.rawValue) }
    }

    private func fillAudits() {
        while auditsUnderWay < Self.auditsMax, nextToAudit < fans.count {
            auditsUnderWay += 1
            nextToAudit += 1
            fans[nextToAudit - 1].beginAudit()
        }
    }

    func auditEnded() {
        tally.audited.add()
        auditsUnderWay -= 1
        fillAudits()
    }

    // MARK: Counting

    /// Books the bytes since the last call: those received are this traffic's, since every read is followed by the
    /// callbacks of its connection; those sent were caused by the callback before.
    func book(_ traffic: Traffic) {
        let received = loop.counters.bytesReceived.value
        let sent = loop.counters.bytesSent.value
        record.received[traffic.rawValue] += received - bytesReceived
        record.sent[lastTraffic.rawValue] += sent - bytesSent
        bytesReceived = received
        bytesSent = sent
        lastTraffic = traffic
    }

    func note(_ measure: Measure, since start: UInt64) { record.latencies[measure]!.note(Clocks.monotonic() - start) }

    func note(_ measure: Measure, microseconds: UInt64) { record.latencies[measure]!.note(microseconds) }

    func noteRefusal(_ reason: String) { record.refusals[reason, default: 0] += 1 }

    /// Something that should not happen to a well-behaved client.
    func noteOddity(_ what: String, _ example: @autoclosure () -> String) {
        if record.oddities[what] == nil {
            record.oddities[what] = (1, example())
        } else {
            record.oddities[what]!.count += 1
        }
    }

    /// The journal's stamp lies between these two moments of this machine's clock.
    func noteStamp(_ journalMs: UInt64, sentUs: UInt64, answeredUs: UInt64) {
        record.clockLow = max(record.clockLow, Int64(sentUs) - Int64(journalMs + 1) * 1000)
        record.clockHigh = min(record.clockHigh, Int64(answeredUs) - Int64(journalMs) * 1000)
    }

    /// All that was seen, once the loop has ended.
    func finished() -> CrowdRecord {
        record.fans = fans.map { $0.finished() }
        record.handshakesFull = loop.counters.handshakesFull.value
        return record
    }
}
