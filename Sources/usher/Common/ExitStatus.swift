/// How a command ended, for scripts.
enum ExitStatus: Int32, CaseIterable {
    case done = 0
    case refused = 1
    case usage = 2
    case unreachable = 3
    case notYourTurn = 4
    case interrupted = 5
    case local = 6

    var meaning: String {
        switch self {
        case .done: "done"
        case .refused: "the server refused; the reason is printed"
        case .usage: "the command line is wrong"
        case .unreachable: "no server could be reached, or it is not trusted"
        case .notYourTurn: "not your turn, not yet or no longer, or no place in line: usher join"
        case .interrupted: "interrupted by Ctrl-C or the end of the terminal"
        case .local: "a file on this machine is missing, unreadable or damaged"
        }
    }

    /// For `--help`.
    static var table: String {
        "EXIT STATUS\n" + allCases.map { "  \($0.rawValue)  \($0.meaning)" }.joined(separator: "\n")
    }
}
