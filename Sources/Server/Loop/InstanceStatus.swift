import BoxOffice
import Sequencer

/// How the instance stands, as far as its loops have to know.
struct LoopStanding: Equatable, Sendable {
    var standing = Standing.serving
    /// How often it has joined the others anew: then all who are present have to be reported again.
    var rejoins = 0
    /// Of one that has stopped for good: the addresses of those that go on, as far as they have one of their own.
    var neighbours: [String] = []
}

/// What the instance says of itself to operators.
struct InstanceStatus: Sendable {
    /// Journal position applied.
    var position: UInt64 = 0
    /// The last one that the journal is known to have.
    var journalEnd: UInt64 = 0
    /// Nil: its own start is not applied yet.
    var standing: Standing?
    /// What keeps it from starting, where it is not that there is much to read.
    var obstacle: String?
    var rejoins = 0

    /// Entries that the journal has and that are not applied here.
    var behind: UInt64 { journalEnd - min(position, journalEnd) }

    /// Why it takes no clients just now, and what to do about it; nil: it is ready.
    var notReady: String? {
        switch standing {
        case nil:
            obstacle.map { "starting, and waiting for the journal: \($0)" }
                ?? "catching up with the journal: \(behind) entries behind; clients are taken once that is done"
        case .serving: nil
        case .stalled(let reason):
            "the journal stands still (\(reason)); reads and pushes go on, commands are refused, and all goes on by itself "
                + "once the journal does: look at its servers"
        case .behind: "\(behind) entries behind the journal; commands are refused until it has caught up, by itself"
        case .rejoining: "the other instances had declared this one gone; it is joining them again, by itself"
        case .leaving: "stopping"
        case .stopped(let cause): cause.advice
        }
    }
}

extension StopCause {
    /// What has happened and what to do, for the log and `/readyz`.
    var advice: String {
        switch self {
        case .journalFailed: "the journal can't be written; see the log. Free the cause and restart the server"
        case .undecodable(let position):
            "journal entry \(position) can't be read; nothing more is acknowledged. Check the journal with `usher journal verify`"
        case .gone: "other instances have declared this one gone; nothing more is acknowledged. Restart the server"
        case .replaced:
            "another server runs under this one's instance number, and has taken over. Restarted in place: end this one. Started "
                + "from a copy of this one's data folder: stop it, delete the file `instance` in one of the two folders, start it again"
        case .noRoom:
            "the journal takes no more instances: \(SaleLimits.instances) are known and none of them is gone. Stop one and restart"
        case .rules(let version):
            "version \(version) of the rules is in force, and this server knows them up to \(BoxOffice.highestRules). Install the "
                + "version that the other instances run"
        case .diverged(let agreed, let position):
            "this instance's state is not the others': the same at journal position \(agreed), another at \(position). Nothing more "
                + "is acknowledged. Its state is kept in the data folder as `diverged-\(position).snapshot`, for those who look into "
                + "it; a restart builds it anew from the journal. If that happens again, check the machine's memory and disk"
        }
    }
}
