import Foundation
import UsherAPI

@testable import Campaign
@testable import Client
@testable import NatsCluster

/// One campaign against a cluster.
///
///     all serve ─▶ calm ─▶ blow ─▶ whole again ─▶ all acknowledge ─▶ calm … ─▶ everybody goes home ─▶ digests ─▶ audits
///
/// What was killed is started again, as systemd would do it; nothing else is done to any server.
struct ChaosRun {
    static let shoppers = 18
    static let lanes = 6
    /// Acknowledgements in all lanes between two blows, at least.
    private static let calmBeats = 3
    private static let recoverySeconds: UInt64 = 90

    let stage: Stage
    let seed: UInt64
    private let world: World
    private let record = PulseRecord()
    private(set) var evidence = Evidence()
    private(set) var figures = ChaosFigures()

    init(_ stage: Stage, seed: UInt64) {
        self.stage = stage
        self.seed = seed
        world = World(certificate: stage.certificate, keys: stage.instances[0].home.data)
    }

    mutating func play(_ plan: [Blow], told: (Blow, ChaosFigures) -> Void) async throws {
        guard try await open() else { return }
        let crowd = Crowd(world, seed: seed)
        let watcher = try await Watcher(world)
        watcher.begin()
        await crowd.begin(Self.shoppers)
        let pulses = (0..<Self.lanes).map { lane in
            Task { [world, record] in await Pulse.beat(world, lane, record) }
        }
        for blow in plan where evidence.serverFaults.isEmpty {
            try await suffer(blow)
            told(blow, figures)
        }
        world.isFinishing = true
        let (logs, left) = try await crowd.end(within: evidence.serverFaults.isEmpty ? 120 : 0)
        if left > 0 { evidence.serverFaults.append("\(left) users had no answers for 120 s and never got home") }
        evidence.shoppers = logs
        for pulse in pulses {
            if !evidence.serverFaults.isEmpty { pulse.cancel() }
            evidence.shoppers += await pulse.value
        }
        guard evidence.serverFaults.isEmpty else {
            evidence.shoppers = []  // nobody has been asked what became of theirs
            return
        }
        let seats = try await watcher.finish(within: 60)
        (evidence.seats, evidence.watched) = (seats.shown, seats.watched)
        evidence.shoppers.append(seats.log)
        let digests = try await digests()
        for (index, instance) in stage.instances.enumerated() {
            let audits = try await world.audits(
                of: evidence.shoppers.map(\.user), at: [instance.home.url], seen: watcher.seen)
            evidence.testimonies.append(
                Testimony(
                    name: instance.name, audits: audits, seats: try await watcher.seats(world, at: instance.home.url),
                    digests: digests[index]))
        }
        evidence.audits = evidence.testimonies[0].audits
        try await close()
        figures.count(evidence)
    }

    // MARK: The beginning and the end

    /// The first instance puts the concert on sale, then the others come.
    private mutating func open() async throws -> Bool {
        for instance in stage.instances {
            try instance.start()
            let deadline = Moment.now + Self.recoverySeconds * 1_000_000_000
            while let complaint = await instance.complaint() {
                guard Moment.now < deadline, instance.isRunning else {
                    evidence.serverFaults.append("\(instance.name) does not start: \(complaint)")
                    return false
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        world.urls = stage.urls
        return true
    }

    /// All stop, and what they leave is sound.
    private mutating func close() async throws {
        for instance in stage.instances {
            if try await instance.stop() { continue }
            evidence.serverFaults.append("\(instance.name), asked to stop, ended badly: \(instance.lastWords)")
        }
        let verify = try await Child.run(
            [
                stage.binary.path, "journal", "verify", "--check-every", "500", stage.nats.journal,
            ],
            in: stage.folder)
        if verify.status != 0 { evidence.serverFaults.append("usher journal verify: \(verify.output)") }
    }

    // MARK: Blows

    private mutating func suffer(_ blow: Blow) async throws {
        try await calm()
        var count = ChaosFigures.Case(begun: Moment.now)
        let victims = Set(latestServers().filter { $0.value == blow.hurtInstance }.keys)
        let isEverybody = blow.fault == .restartAll
        world.run += 1
        let undo = try await strike(blow)
        try await Task.sleep(for: .milliseconds(blow.milliseconds))
        try await undo()
        count.healed = Moment.now
        try await recover(blow, since: count.healed)
        count.recovered = Moment.now
        world.run += 1
        evidence.hurts.append(
            Hurt(server: blow.hurtInstance, isEverybody: isEverybody, from: count.begun, until: count.recovered))
        figures.count(
            blow, count, acknowledged: world.acknowledgements.list.map(\.at), beats: record.beats,
            complaints: record.complaints, victims: victims)
    }

    /// Where each lane was served last.
    private func latestServers() -> [Int: Int] {
        Dictionary(record.beats.map { ($0.lane, $0.server) }) { $1 }
    }

    /// Waits until each lane is served some more.
    private func calm() async throws {
        let since = Moment.now
        let deadline = since + Self.recoverySeconds * 1_000_000_000
        while Moment.now < deadline {
            let lanes = Dictionary(grouping: record.beats.filter { $0.at > since }, by: \.lane)
            if (0..<Self.lanes).allSatisfy({ lanes[$0, default: []].count >= Self.calmBeats }) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Does it.
    ///
    /// - Returns: what ends it.
    private mutating func strike(_ blow: Blow) async throws -> () async throws -> Void {
        let (stage, instance, network) = (stage, stage.instances[blow.instance], stage.network)
        let servers = stage.nats.servers
        let leader = try await Stage.aside { try stage.nats.waitForLeader(of: Stage.stream, seconds: 60) }
        let followers = (0..<3).filter { $0 != leader }
        let follower = followers[blow.follower]
        func cut(_ cuts: [Cut]) throws -> () async throws -> Void {
            try network.cut(cuts)
            return { try network.heal(cuts) }
        }
        func kill(_ numbers: [Int]) async throws -> () async throws -> Void {
            try await Stage.aside { for number in numbers { servers[number].kill() } }
            return { try await Stage.aside { for number in numbers { try servers[number].start() } } }
        }
        func pause(_ number: Int) -> () async throws -> Void {
            servers[number].pause()
            return { servers[number].resume() }
        }
        switch blow.fault {
        case .killInstance:
            try await instance.kill()
            return { try instance.start() }
        case .stopInstance:
            if try await !instance.stop() {
                evidence.serverFaults.append("\(instance.name), asked to stop, ended badly: \(instance.lastWords)")
            }
            return { try instance.start() }
        case .pauseInstance:
            instance.pause()
            return { instance.resume() }
        case .killLeader: return try await kill([leader])
        case .killFollower: return try await kill([follower])
        case .killTwo: return try await kill([leader, follower])
        case .pauseLeader: return pause(leader)
        case .pauseFollower: return pause(follower)
        case .cutLeader: return try cut(Cut.between([.nats(leader)], followers.map(Node.nats)))
        case .cutFollower:
            return try cut(
                Cut.between(
                    [.nats(follower)], (0..<3).filter { $0 != follower }.map(Node.nats) + (0..<3).map(Node.usher)))
        case .cutInstance: return try cut(Cut.between([.usher(blow.instance)], (0..<3).map(Node.nats)))
        case .cutClients: return try cut([Cut(.usher(blow.instance), .clients)])
        case .split:
            return try cut(
                Cut.between(
                    [.nats(follower), .usher(blow.instance)],
                    (0..<3).filter { $0 != follower }.map(Node.nats) + (0..<3).filter { $0 != blow.instance }.map(Node.usher)))
        case .restartAll:
            for instance in stage.instances { try await instance.kill() }
            let start = try await kill([0, 1, 2])
            return {
                try await start()
                for instance in stage.instances { try instance.start() }
            }
        }
    }

    /// Waits until all instances take commands and each lane is served again. An instance that has ended since it was away for
    /// longer than the journal keeps is started again, once, as systemd does it. None may end for another reason.
    private mutating func recover(_ blow: Blow, since healed: UInt64) async throws {
        let deadline = healed + Self.recoverySeconds * 1_000_000_000
        var restarted: Set<String> = []
        defer { figures.countRestarts(restarted.count) }
        while true {
            var complaints: [String] = []
            for instance in stage.instances {
                if let complaint = await instance.complaint() { complaints.append("\(instance.name): \(complaint)") }
                if !instance.isRunning {
                    let lastWords = instance.lastWords
                    guard instance.child?.hasFailed ?? false, lastWords.contains("the journal begins at"),
                        !restarted.contains(instance.name)
                    else {
                        evidence.serverFaults.append(
                            "\(blow.fault.rawValue): \(instance.name) has ended: \(lastWords)")
                        return
                    }
                    restarted.insert(instance.name)
                    try instance.start()
                }
            }
            let served = Set(record.beats.filter { $0.at > healed }.map(\.lane))
            if complaints.isEmpty, served.count == Self.lanes { return }
            guard Moment.now < deadline else {
                complaints += (0..<Self.lanes).filter { !served.contains($0) }.map { "nothing was acknowledged to lane \($0)" }
                evidence.serverFaults.append(
                    "\(blow.fault.rawValue): no recovery in \(Self.recoverySeconds) s: \(complaints.joined(separator: "; "))")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    // MARK: Digests

    /// What each instance has said of its state, up to a position after everything, of which all three have spoken. Digests
    /// are compared at fixed positions only, so the journal is moved on by notices until there is one.
    private mutating func digests() async throws -> [[UInt64: [UInt8]]] {
        let identity = ClientIdentity.jwt("operator:chaos")
        let drivers = stage.urls.map { url in
            Task { [world] in
                let client = try await world.connect(identity, at: [url])
                defer { client.close() }
                while !Task.isCancelled {
                    _ = try await client.operators.sendNotice("Thank you all.", to: Offer.concert)
                }
            }
        }
        defer { for driver in drivers { driver.cancel() } }
        let numbers = try stage.instances.map { instance in
            let text = try String(contentsOf: instance.home.data.appending(path: "instance"), encoding: .utf8)
            return UInt32(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
        }
        var checkpoints = try await Checkpoints.open(stage.nats.journal)
        defer { checkpoints.close() }
        try await checkpoints.readOn()
        let end = checkpoints.position
        let deadline = Moment.now + 60_000_000_000
        while !checkpoints.areComplete(of: numbers, after: end), Moment.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
            try await checkpoints.readOn()
        }
        return numbers.map { checkpoints.digests(of: $0) }
    }
}
