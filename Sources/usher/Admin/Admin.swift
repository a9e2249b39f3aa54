import ArgumentParser
import Client
import UsherAPI

struct Admin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a sale: concerts, lines, notices, live numbers.",
        discussion: """
            On a development server the operator is whoever can read the operator key in its data folder (--data). \
            Elsewhere give a JWT that has the operator claim (--jwt-file). Everything is journalled with who did it.

            EXAMPLES
              usher admin concert aurora --title "Aurora Lights" --venue "Harbour Hall" --max-active 50
              usher admin performance aurora-1 --concert aurora --starts +30d --seats 50 --price 4500
              usher admin open aurora
              usher admin stats --watch
            """,
        subcommands: [
            PutConcert.self, PutPerformance.self, SetPolicy.self, OpenLobby.self, OpenLine.self, PauseLine.self,
            ResumeLine.self,
            DrainLine.self, CloseLine.self, SendNotice.self, Stats.self,
        ])
}

/// How an operator shows to be one.
struct OperatorOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("A file with an operator's JWT. Default: the operator key of the data folder.", valueName: "file"))
    var jwtFile: String?
    @OptionGroup var server: ServerOptions

    func run(_ body: @escaping @Sendable (Session) async throws -> Void) async throws {
        try await Session.runAsOperator(server, jwtFile: jwtFile, body)
    }
}

/// The admission policy as options.
struct PolicyOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("At most so many users active at once (teller).", valueName: "n"))
    var maxActive: UInt32?
    @Option(name: .long, help: ArgumentHelp("Admit so many users each interval (turnstile).", valueName: "n"))
    var batch: UInt32?
    @Option(name: .long, help: ArgumentHelp("The turnstile's interval, such as 5s.", valueName: "duration"))
    var interval: DurationArgument?

    /// What was said, over `current`; nil if nothing was.
    func policy(over current: AdmissionPolicy? = nil) throws -> AdmissionPolicy? {
        guard maxActive != nil || batch != nil || interval != nil else { return current }
        var policy = current ?? AdmissionPolicy()
        if let maxActive { policy.maxActive = maxActive }
        if let batch { policy.batch = batch }
        if let interval { policy.intervalMs = UInt32(clamping: interval.milliseconds) }
        if policy.batch == 0 { policy.intervalMs = 0 }
        guard policy.batch == 0 || policy.intervalMs > 0 else {
            throw Failure(.usage, "--batch needs an --interval, such as 5s.")
        }
        return policy
    }

    static func text(_ policy: AdmissionPolicy?) -> String {
        guard let policy else { return "no policy" }
        let teller = policy.maxActive > 0 ? "at most \(policy.maxActive) at once" : nil
        let turnstile = policy.batch > 0 ? "\(policy.batch) each \(Format.duration(UInt64(policy.intervalMs)))" : nil
        return [turnstile, teller].compactMap { $0 }.joined(separator: ", ")
    }
}

extension Session {
    /// What an operator's command came to.
    func show(_ concert: Concert, _ done: String) {
        let state = Concerts.state(concert, now: now)
        show(
            Json(concert),
            [
                "\(done) \(concert.id): line \(state), \(PolicyOptions.text(concert.policy)), \(concert.waiting) waiting, \(concert.active) active."
            ])
    }
}
