import Foundation

/// How text may look: with colours only where they are wanted.
struct Style: Equatable {
    var hasColour: Bool

    static let plain = Style(hasColour: false)

    /// What standard output takes: no colour unless it is a terminal, nor where NO_COLOR is set (no-color.org).
    static var ofOutput: Style {
        let environment = ProcessInfo.processInfo.environment
        let refused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return Style(hasColour: Terminal.isInteractive && !refused && environment["TERM"] != "dumb")
    }

    func bold(_ text: String) -> String { wrap(text, "1") }
    func dim(_ text: String) -> String { wrap(text, "2") }
    func red(_ text: String) -> String { wrap(text, "31") }
    func green(_ text: String) -> String { wrap(text, "32") }
    func yellow(_ text: String) -> String { wrap(text, "33") }
    func cyan(_ text: String) -> String { wrap(text, "36") }

    private func wrap(_ text: String, _ code: String) -> String { hasColour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}

/// Standard output, if it is a terminal.
enum Terminal {
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != nil }

    /// Columns and rows; 80 by 24 where unknown.
    static var size: (columns: Int, rows: Int) {
        var size = winsize()
        // The kernel fills in the struct that this request takes (ioctl_tty(2)).
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Writes at once.
    static func write(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}

/// A block of lines at the end of the terminal that is drawn anew in place.
struct LiveBlock {
    private var lineCount = 0
    private var last: [String] = []

    /// Draws these lines instead of those drawn before. Lines must not be wider than the terminal.
    mutating func draw(_ lines: [String]) {
        guard lines != last else { return }
        last = lines
        var text = lineCount == 0 ? "\u{1B}[?25l" : "\u{1B}[\(lineCount)A\r\u{1B}[J"  // hide the cursor; go up and clear
        text += lines.joined(separator: "\n") + "\n"
        lineCount = lines.count
        Terminal.write(text)
    }

    /// Lets what is drawn stand, and shows the cursor again.
    mutating func end() {
        if lineCount > 0 { Terminal.write("\u{1B}[?25h") }
        lineCount = 0
        last = []
    }
}
