import ArgumentParser
import Dispatch
import Foundation
import Logging
import Reactor
import Server
import Synchronization

/// `usher serve`: one instance, until it is told to stop.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start an instance: the line, the seats and the box office.", discussion: discussion)

    @Argument(parsing: .captureForPassthrough, help: ArgumentHelp("Settings, as listed below.", valueName: "settings"))
    var arguments: [String] = []

    /// Help made from the table of settings, so that the two can't drift apart.
    private static var discussion: String {
        let rows = Setting.all.map { setting in
            let flag = "--\(setting.name)" + (setting.value.map { " \($0)" } ?? "")
            let standard = setting.standard.isEmpty ? "" : " (\(setting.standard))"
            return "  \(flag)\n        \(setting.help)\(standard)"
        }
        return """
            Nothing needs to be set. Every setting is a flag, an environment variable (--admin-listen is USHER_ADMIN_LISTEN) and a \
            key of the configuration file (admin-listen:), in this order of precedence.

            SETTINGS (and what holds if nothing is set)
              --config FILE
                    settings from a YAML file
            \(rows.joined(separator: "\n"))

            EXAMPLES
              usher serve --demo                                    try it: three concerts on sale on this machine
              usher serve --listen 0.0.0.0:8443 --concerts sale.yaml --certificate c.pem --private-key k.pem --identity-keys jwks.json
              USHER_LOG_LEVEL=debug usher serve --config usher.yaml
            """
    }

    func run() throws {
        if arguments.contains(where: { $0 == "--help" || $0 == "-h" }) { throw CleanExit.helpRequest(Serve.self) }
        let settings: ServerSettings
        do {
            settings = try ServerSettings.resolve(flags: try flags(), environment: ProcessInfo.processInfo.environment)
        } catch let error as SettingsError {
            throw ValidationError("\(error)")
        }
        let stopAsked = StopSignals()
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "usher")
        logger.logLevel = settings.logLevel

        let server: UsherServer
        do {
            server = try UsherServer.start(settings, logger: logger)
        } catch {
            logger.critical("the server can't start: \(error)")
            throw ExitCode.failure
        }
        stopAsked.serving()
        greet(server, settings)
        let isOvertaken = Atomic(false)
        server.whenOvertaken {
            isOvertaken.store(true, ordering: .releasing)  // for the load below, after the wait
            stopAsked.ask()
        }
        stopAsked.wait()
        print("stopping: clients are sent away within \(settings.drainMilliseconds / 1000) s; once more ends it at once")
        fflush(nil)
        server.stop()
        if isOvertaken.load(ordering: .acquiring) {
            logger.critical("away for longer than the journal keeps: ends to be started again, from the newest snapshot")
            throw ExitCode(75)  // EX_TEMPFAIL of sysexits.h
        }
    }

    /// `--name value`, `--name=value`, and `--switch` alone.
    private func flags() throws -> [(name: String, value: String)] {
        var flags: [(name: String, value: String)] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                throw ValidationError(
                    "'\(argument)' is no setting; settings are written --name value, see `usher serve --help`")
            }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            if parts.count == 2 {
                flags.append((parts[0], parts[1]))
            } else if let setting = Setting.named(parts[0]), setting.value == nil {
                flags.append((parts[0], "true"))
            } else if Setting.named(parts[0]) == nil, parts[0] != "config" {
                // What it is not is said later, with what is near; what follows it is its value, or nothing is.
                let hasValue = rest.first.map { !$0.hasPrefix("--") } ?? false
                flags.append((parts[0], hasValue ? rest.removeFirst() : "true"))
            } else if let value = rest.popFirst() {
                flags.append((parts[0], value))
            } else {
                throw ValidationError("--\(parts[0]) needs a value")
            }
        }
        return flags
    }

    private func greet(_ server: UsherServer, _ settings: ServerSettings) {
        for note in server.notes { print(note) }
        print(
            "serving wss://localhost:\(server.address.port)/v1"
                + (server.adminAddress.map { "   health and metrics http://\($0)" } ?? ""))
        if settings.isDevelopment {
            print("development: a client is whoever it says it is. Set identity-keys before real people come.")
        }
        if settings.demo {
            print(
                """

                Try, in another terminal:
                  usher concerts                              what is on sale
                  usher join aurora --user ada                take a place in line and watch it
                  usher seats aurora-1 --user ada             the seats, once it is your turn
                  usher hold aurora-1 --best 2 --user ada     set two together aside
                  usher stampede                              two thousand people at once
                Stop with Ctrl-C; what was acknowledged is in \(settings.dataFolder), also after kill -9.
                """)
        }
        // All open streams: whoever reads a pipe wants to know the port now.
        fflush(nil)
    }
}

/// SIGTERM and Ctrl-C, caught from its making on. Until it serves the first one ends the process; then the first one asks to
/// stop, and a second one ends the process at once. A dispatch source, since signals reach any thread and not all are ours.
private final class StopSignals: @unchecked Sendable {
    // Safe: the sources are made once, by `init`; the rest may be used by any thread.
    private let asked = DispatchSemaphore(value: 0)
    private let queue = DispatchQueue(label: "signals")
    private var sources: [any DispatchSourceSignal] = []
    private let state = Mutex((isServing: false, count: 0))

    init() {
        for number in [SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [self] in
                let (isServing, times) = state.withLock { state in
                    // Signals that came together are told once, with their number.
                    state.count += Int(source.data)
                    return state
                }
                guard isServing else {
                    // Nobody was served; what the start has written is what a kill -9 would leave, and complete.
                    FileHandle.standardError.write(Data("stopped during the start, before any client was served\n".utf8))
                    _exit(0)
                }
                guard times > 1 else {
                    asked.signal()
                    return
                }
                // As a kill -9, from which everything acknowledged comes back; with the status that shells give a signal.
                FileHandle.standardError.write(Data("stopped at once, with clients connected\n".utf8))
                _exit(128 + number)
            }
            source.resume()
            sources.append(source)
        }
    }

    /// There are clients to send away from now on.
    func serving() { state.withLock { $0.isServing = true } }

    func wait() { asked.wait() }

    /// Asks to stop without a signal.
    func ask() { asked.signal() }
}
