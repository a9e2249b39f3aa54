import Foundation

/// The README's tour, as a reader would copy it: each command with the output the page shows for it.
struct Tour {
    struct Step {
        var command: [String]
        var output: String
    }

    let steps: [Step]

    /// Reads every `$ usher …` of the README with what stands below it.
    init(readme: String) {
        var steps: [Step] = []
        // Fenced blocks are every other piece between the fences.
        for (index, block) in readme.split(separator: "```", omittingEmptySubsequences: false).enumerated() where index % 2 == 1
        {
            for piece in block.split(separator: "$ usher ").dropFirst(block.hasPrefix("\n$ usher ") ? 0 : 1) where piece != "\n"
            {
                let lines = piece.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
                steps.append(Step(command: lines[0].split(separator: " ").map(String.init), output: String(lines.last ?? "")))
            }
        }
        self.steps = steps
    }

    /// The step whose command begins so.
    func step(_ start: String) -> Step? {
        steps.first { $0.command.joined(separator: " ").hasPrefix(start) }
    }

    /// A text without what differs from run to run: times, dates, durations, and how many spaces stand between columns.
    static func timeless(_ text: String) -> [String] {
        text.replacing(/\d{4}-\d{2}-\d{2}/, with: "DATE").replacing(/\d{1,2}:\d{2}(:\d{2})?/, with: "TIME")
            .replacing(/\d+ min( \d+ s)?|\d+ s\b/, with: "DURATION").replacing(/\ +/, with: " ")
            .split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
