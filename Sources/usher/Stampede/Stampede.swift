import ArgumentParser
import Client
import Foundation
import Reactor
import UsherAPI

/// `usher stampede`: a crowd at the door, and whether every promise was kept.
struct Stampede: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send a crowd to a server and check that every promise is kept.", discussion: discussion)

    @Option(help: "Fans, 1 to 19000 (a process has 20,000 descriptors).")
    var fans = 2_000
    @Option(
        name: [.customLong("connect"), .customLong("server")],
        help:
            "The server, such as wss://127.0.0.1:8443, or several instances, comma-separated, over which the fans are spread evenly; otherwise USHER_SERVER, or the one that runs in the data folder."
    )
    var server: String?
    @Option(
        help:
            "The data folder of a server on this machine: finds it, trusts it, and operates it; otherwise USHER_DATA, or usher-data."
    )
    var data: String?
    @Option(help: "Certificate authorities to trust, PEM; otherwise the data folder's certificate, or the system's.")
    var ca: String?
    @Option(help: "The server's process, for its CPU and memory; otherwise as the data folder says.")
    var pid: Int32?
    @Option(
        help:
            "An existing concert to join; otherwise one is put on sale for the run, which takes the data folder's operator key."
    )
    var concert: String?
    @Option(help: "With --concert: the active_ttl it has, from which the time of an admission is known.")
    var activeTtl = Span(milliseconds: 600_000)
    @Option(help: "Dates of 50 seats each; otherwise enough for six of ten fans.")
    var performances: Int?
    @Option(help: "Fans active at once; otherwise a tenth of them, at least 10. 0: no cap, with --batch.")
    var maxActive: UInt32?
    @Option(help: "Turnstile: fans let in at each --interval.")
    var batch: UInt32 = 0
    @Option(help: "Turnstile: time between two turns.")
    var interval = Span(milliseconds: 1_000)
    @Option(help: "What the fans are like; the same seed, the same people. Otherwise random.")
    var seed: UInt64?
    @Option(help: "Shares that change, such as dither=0.3,drop=0 (see below).")
    var behaviour = ""
    @Option(help: "How slowly people think: 1 is half a second a step, 0 not at all.")
    var pace = 1.0
    @Option(help: "Event loops, at most one a core; otherwise one a core but one.")
    var loops: Int?
    @Option(help: "New connections a second while connecting.")
    var ramp = 1_000.0
    @Option(help: "Spread the joins over so long; 0: all at once.")
    var joinOver = Span(milliseconds: 0)
    @Option(help: "The same crowd as pollers: each calls Line/Check so often instead of being pushed.")
    var poll: Span?
    @Option(help: "How long the sale may take.")
    var timeLimit = Span(milliseconds: 300_000)
    @Flag(help: "The server will be killed and started again meanwhile: lost connections are no fault then, all else is.")
    var restarts = false
    @Flag(help: "Print the report as JSON.")
    var json = false
    @Flag(help: "No progress.")
    var quiet = false

    func run() throws {
        let settings: StampedeSettings
        do throws(StampedeError) {
            settings = try StampedeSettings(self)
        } catch {
            throw ValidationError(error.description)
        }
        let report: Report
        do {
            report = try Conductor(settings).run()
        } catch {
            FileHandle.standardError.write(Data("the stampede could not run: \(error)\n".utf8))
            throw ExitCode(ExitStatus.unreachable.rawValue)
        }
        print(json ? report.json : report.text)
        if report.hasFailed { throw ExitCode(ExitStatus.refused.rawValue) }
    }

    private static let discussion = """
        Opens a TLS connection for each fan, from 127.0.0.2 to 127.0.0.9 if the server is on this machine, each with a random user. \
        Then all join in the same second, and each behaves like a person: waits; looks at dates and seats when its turn comes; \
        holds seats near its favourite or the best available, and tries again when others were faster; charges its account and \
        pays. At the end every fan asks the server for its payments and transactions.

        BEHAVIOUR (--behaviour NAME=SHARE,…: how many of the fans)
          best=0.4     take the best available instead of naming seats
          pair=0.3     come for two seats
          dither=0.15  hold, then think better of it: release, or let the time run out
          leave=0.05   give up while waiting
          drop=0.1     lose the connection, while waiting, thinking or in the middle of a hold, charge or payment; come back with
                       the queue token after a moment, or after long enough to be noted absent
          broke=0.1    try to pay before there is enough money
          look=0       leave when their turn comes: for what waiting alone costs

        FIGURES
          joins/s      joins, from the first Join sent to the last one's first update
          admission    from the journal's stamp of the admission (active_until − active_ttl), taken before the entry is written,
                       to the client having the push: the durable write is in it. By the wall clock, so on the server's machine
                       only; stamps are whole milliseconds, so 0 to 2 ms of it are
                       rounding. Of pollers: to the Check that told
          seat held    from the journal's stamp of a hold to each watcher of the performance hearing of it; with several instances
                       also those apart who watch at the holder's own instance and those at another; then the same after the
                       holder had its own answer (0: the watcher was first)
          hold, pay, …  from the call to its answer, first tries only
          screens      the position each waiting fan was last told against the true one, looked at every 97 ms: the truth counts who
                       is still ahead by the journal's stamps of admissions. Places off, and seconds since it was right
          claims lost  holds answered SEAT_TAKEN, of all holds asked for: on the published picture at once, or, where another
                       instance was ahead in the journal, by it
          by instance  (with several) fans who began there, times that it welcomed somebody, connections that it sent on with a
                       GOAWAY and that moved, connections lost without one
          on the wire  bytes of TLS records in the client's sockets, by what the fan was doing as they came
          CPU, memory  of the server's process, from /proc: VmRSS after connecting, less before. A server that has served before
                       keeps memory, which then counts for nobody: start it afresh for this figure

        VERDICTS (each from what clients were told; a failed one shows its evidence)
          each seat sold at most once · the seat map agrees (as watched, and as read at the end) · admitted in order of places,
          among the present · the cap was never passed · the turnstile kept its pace · the money adds up · every acknowledged
          payment is in its payer's history · everyone was told the truth (same place on return, positions never grow) ·
          everybody was served to the end, without an odd answer

        EXIT STATUS
          0 all verdicts hold · 1 one does not · 2 the command line is wrong · 3 the run could not be made

        EXAMPLES
          usher stampede                                     two thousand at the server of ./usher-data
          usher stampede --fans 10000 --max-active 500 --seed 7
          usher stampede --poll 3s                           the same, polling
          usher stampede --batch 100 --interval 1s --max-active 0
          usher stampede --concert aurora --fans 300         join a concert that is on sale already
          usher stampede --restarts                          and kill -9 the server meanwhile, then start it again
          usher stampede --connect a:8443,b:8443,c:8443      three instances, a third of the fans at each; fans who lose theirs go
                                                             to another, and move where a GOAWAY sends them
          usher stampede --json --quiet > report.json
        """
}

/// A time as people write it: 3s, 500ms, 2m.
struct Span: ExpressibleByArgument, CustomStringConvertible {
    var milliseconds: UInt64

    init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        let units: [(suffix: String, factor: Double)] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("", 1_000)]
        for unit in units where argument.hasSuffix(unit.suffix) {
            guard let number = Double(argument.dropLast(unit.suffix.count)), number >= 0, number < 1e9 else { return nil }
            milliseconds = UInt64(number * unit.factor)
            return
        }
        return nil
    }

    var description: String { milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms" }

    var defaultValueDescription: String { description }
}
