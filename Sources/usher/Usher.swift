import ArgumentParser
import Foundation

@main
struct Usher: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usher", abstract: "The front door and box office of a concert on-sale.",
        discussion: """
            START HERE
              usher serve --demo                       a server with three concerts
            and in another terminal:
              usher concerts                           what is on sale
              usher join aurora --user ada             take a place and watch it
            and in a third one, once it is your turn:
              usher seats aurora-1 --user ada          the seats
              usher hold aurora-1 --best 2 --user ada  set two together aside
              usher charge 20000 --user ada            fill the account
              usher pay --user ada                     buy what is held

            \(ExitStatus.table)
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Running a sale",
                subcommands: [Serve.self, Health.self, Admin.self, JournalCommand.self, Stampede.self, Simulate.self]),
            CommandGroup(name: "The line", subcommands: [JoinLine.self, LeaveLine.self]),
            CommandGroup(name: "What is on sale", subcommands: [Concerts.self, Dates.self, Seats.self]),
            CommandGroup(
                name: "Buying",
                subcommands: [Hold.self, Release.self, Charge.self, Balance.self, Pay.self, CancelPaid.self, History.self]),
        ])

    /// As ArgumentParser does, but with this program's exit statuses.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var waiting = command as? any AsyncParsableCommand {
                try await waiting.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            failure.tell()
            Foundation.exit(failure.status.rawValue)
        } catch {
            let code = exitCode(for: error)
            guard code == .validationFailure else { exit(withError: error) }
            printToError(fullMessage(for: error))
            Foundation.exit(ExitStatus.usage.rawValue)
        }
    }
}
