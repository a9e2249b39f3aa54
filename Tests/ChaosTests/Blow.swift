@testable import Campaign

/// What is done to a cluster. Rows of docs/reliability.md.
enum ChaosFault: String, CaseIterable, Sendable {
    case killInstance = "kill -9 of an instance"
    case stopInstance = "an instance stopped by SIGTERM"
    case pauseInstance = "an instance paused"
    case killLeader = "kill -9 of the stream's leader"
    case killFollower = "kill -9 of another NATS server"
    case killTwo = "kill -9 of two NATS servers"
    case pauseLeader = "the stream's leader paused"
    case pauseFollower = "another NATS server paused"
    case cutLeader = "the stream's leader cut off from the other servers"
    case cutFollower = "another NATS server cut off from everybody"
    case cutInstance = "an instance cut off from NATS"
    case cutClients = "an instance cut off from its clients"
    case split = "a NATS server and an instance cut off together"
    case restartAll = "kill -9 of everything"

    /// How long it lasts, in milliseconds: so short that nobody minds up to so long that somebody is declared gone.
    private var lasting: ClosedRange<Int> {
        switch self {
        case .killInstance, .stopInstance, .killFollower: 100...4_000
        case .pauseInstance, .pauseFollower, .cutInstance, .cutClients: 500...9_000
        case .killLeader, .pauseLeader, .cutLeader, .cutFollower, .split: 2_000...10_000
        case .killTwo: 500...5_000
        case .restartAll: 0...2_000
        }
    }

    fileprivate func duration(using random: inout some RandomNumberGenerator, isShort: Bool) -> Int {
        .random(in: isShort ? lasting.lowerBound...(lasting.lowerBound + 1_500) : lasting, using: &random)
    }
}

/// One fault: to whom, and for how long.
struct Blow: Sendable, Equatable {
    var fault: ChaosFault
    /// Of the instances.
    var instance: Int
    /// Which of the servers that do not lead.
    var follower: Int
    var milliseconds: Int

    /// The instance that may be declared gone; nil: none, or all.
    var hurtInstance: Int? {
        switch fault {
        case .killInstance, .stopInstance, .pauseInstance, .cutInstance, .cutClients, .split: instance
        case .killLeader, .killFollower, .killTwo, .pauseLeader, .pauseFollower, .cutLeader, .cutFollower, .restartAll: nil
        }
    }

    /// The plan of a campaign. One of each before any comes again; a short one begins with what happens most in life.
    static func plan(_ count: Int, using random: inout some RandomNumberGenerator) -> [Blow] {
        let all = ChaosFault.allCases
        let isShort = count < all.count
        let first: [ChaosFault] = isShort ? [.killInstance, .killLeader] : []
        var faults = first
        while faults.count < count {
            let next = faults.count < all.count ? all.filter { !first.contains($0) } : all
            faults += next.shuffled(using: &random)
        }
        return faults.prefix(count).map { fault in
            Blow(
                fault: fault, instance: .random(in: 0..<3, using: &random), follower: .random(in: 0..<2, using: &random),
                milliseconds: fault.duration(using: &random, isShort: isShort))
        }
    }
}
