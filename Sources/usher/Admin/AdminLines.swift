import ArgumentParser
import Client
import UsherAPI

/// The commands that move a line from one state to another differ in a word only.
protocol LineChangeCommand: AsyncParsableCommand {
    static var change: OperatorService.LineChange { get }
    static var done: String { get }
    var concert: String { get }
    var options: OperatorOptions { get }
}

extension LineChangeCommand {
    func run() async throws {
        let concert = concert
        try await options.run { session in
            session.show(try await session.client.operators.change(Self.change, of: concert), Self.done)
        }
    }

    static func describe(_ abstract: String, _ discussion: String) -> CommandConfiguration {
        CommandConfiguration(
            commandName: change.rawValue, abstract: abstract,
            discussion: "\(discussion)\n\nEXAMPLES\n  usher admin \(change.rawValue) aurora")
    }
}

struct OpenLobby: LineChangeCommand {
    static let change = OperatorService.LineChange.lobby
    static let done = "Opened the lobby of"
    static let configuration = describe("Open a line's lobby.", "Joins are taken, nobody is admitted yet.")
    @Argument(help: "The concert's id.") var concert: String
    @OptionGroup var options: OperatorOptions
}

struct OpenLine: LineChangeCommand {
    static let change = OperatorService.LineChange.open
    static let done = "Opened"
    static let configuration = describe("Open a line.", "Joins and admissions. A lobby that is drawn is drawn now.")
    @Argument(help: "The concert's id.") var concert: String
    @OptionGroup var options: OperatorOptions
}

struct PauseLine: LineChangeCommand {
    static let change = OperatorService.LineChange.pause
    static let done = "Paused"
    static let configuration = describe("Pause a line.", "Joins are taken, nobody is admitted; who is active stays so.")
    @Argument(help: "The concert's id.") var concert: String
    @OptionGroup var options: OperatorOptions
}

struct ResumeLine: LineChangeCommand {
    static let change = OperatorService.LineChange.resume
    static let done = "Resumed"
    static let configuration = describe("Resume a paused line.", "Admissions go on where they stopped.")
    @Argument(help: "The concert's id.") var concert: String
    @OptionGroup var options: OperatorOptions
}

struct DrainLine: LineChangeCommand {
    static let change = OperatorService.LineChange.drain
    static let done = "Draining"
    static let configuration = describe("Take no more joins.", "Everybody who is in the line is still admitted.")
    @Argument(help: "The concert's id.") var concert: String
    @OptionGroup var options: OperatorOptions
}

struct CloseLine: LineChangeCommand {
    static let change = OperatorService.LineChange.close
    static let done = "Closed"
    static let configuration = describe(
        "Close a line.", "Whoever waits is told that it is over. Who is active stays so, to the end of the turn, and may pay.")
    @Argument(help: "The concert's id.") var concert: String
    @OptionGroup var options: OperatorOptions
}

struct SendNotice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notice", abstract: "Tell everybody who is in a line.",
        discussion: """
            EXAMPLES
              usher admin notice aurora "Seats 41 to 50 have no view of the screen."
            """)

    @Argument(help: "The concert's id.") var concert: String
    @Argument(help: "What to say, at most 1,000 bytes.") var text: String
    @OptionGroup var options: OperatorOptions

    func run() async throws {
        try await options.run { session in
            session.show(try await session.client.operators.sendNotice(text, to: concert), "Told everybody in line of")
        }
    }
}
