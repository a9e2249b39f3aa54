import ArgumentParser
import Foundation
import Journal
import UsherAPI

struct ShowJournal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print a journal's entries.",
        discussion: """
            One line for each command, with the position and time of its entry.

            EXAMPLES
              usher journal show --last 20
              usher journal show --from 100 --to 120
              usher journal show --all                    presence, touches and empty entries too
            """)

    @Option(name: .long, help: ArgumentHelp("From this position on.", valueName: "position")) var from: UInt64?
    @Option(name: .long, help: ArgumentHelp("Up to this position.", valueName: "position")) var to: UInt64?
    @Option(name: .long, help: ArgumentHelp("Only the last n entries.", valueName: "n")) var last: UInt64?
    @Flag(name: .long, help: "What changes nothing that people see as well.") var all = false
    @Flag(name: .long, help: "Print JSON, one object a command.") var json = false
    @OptionGroup var journal: JournalOptions

    func validate() throws {
        guard from == nil || last == nil else { throw ValidationError("Say --from or --last, not both.") }
        guard from != 0 else { throw ValidationError("Positions count from 1.") }
    }

    func run() async throws {
        let reader = try journal.open()
        defer { reader.close() }
        let end = min(to ?? .max, reader.lastPosition)
        let first =
            from ?? last.map { max(reader.firstPosition, reader.lastPosition - min($0, reader.lastPosition) + 1) }
            ?? reader.firstPosition
        guard first <= end else { return }
        do throws(JournalError) {
            try reader.seek(to: first)
        } catch {
            throw Failure(.local, error.description)
        }
        while let read = try ReadEntry.next(of: reader), read.position <= end {
            if read.entry.commands.isEmpty, all { show(read, nil) }
            for command in read.entry.commands where all || !command.isHousekeeping { show(read, command) }
        }
    }

    private func show(_ read: ReadEntry, _ command: Command?) {
        let description = command.map { CommandText($0) } ?? CommandText(word: "time", facts: [])
        if json {
            print(
                Json.facts(
                    [
                        ("position", .number(read.position)), ("time_ms", .number(read.timeMilliseconds)),
                        ("instance", .number(UInt64(read.entry.instance))), ("command", .string(description.word)),
                        ("user", command?.user.map { .string("\($0)") } ?? .null),
                        ("operator", .string(command?.operator ?? "")),
                        ("request_id", command?.requestId.map { .string("\($0)") } ?? .null),
                    ] + description.facts))
            return
        }
        let who = command.map { $0.operator.isEmpty ? $0.user.map { "\($0)" } ?? "" : $0.operator } ?? ""
        let facts = description.facts.map { "\($0.0) \(Self.plain($0.1))" }.joined(separator: ", ")
        print(
            "\(read.position)  \(Format.time(read.timeMilliseconds))  \([description.word, facts, who].filter { !$0.isEmpty }.joined(separator: "  "))"
        )
    }

    private static func plain(_ value: Json) -> String {
        if case .string(let text) = value { LineScene.clean(text) } else { value.description }
    }
}

extension Command {
    /// Changes nothing that people see.
    var isHousekeeping: Bool {
        switch body {
        case .presence, .touched: true
        default: false
        }
    }
}

/// A command in words.
struct CommandText {
    var word: String
    var facts: [(String, Json)]

    init(word: String, facts: [(String, Json)]) {
        self.word = word
        self.facts = facts
    }

    init(_ command: Command) {
        let token: [(String, Json)] = command.token > 0 ? [("token", .number(command.token))] : []
        switch command.body {
        case .join(let join): self.init(word: "join", facts: [("concert", .string(join.concert))])
        case .leave(let leave): self.init(word: "leave", facts: [("concert", .string(leave.concert))] + token)
        case .hold(let hold):
            var facts: [(String, Json)] = [
                ("performance", .string(hold.performance)), ("seats", .array(hold.seats.map { .number(UInt64($0)) })),
            ]
            if hold.bestAvailable > 0 { facts.append(("best_available", .number(UInt64(hold.bestAvailable)))) }
            self.init(word: "hold", facts: facts + token)
        case .release(let release): self.init(word: "release", facts: [("reservation", .number(release.reservation))] + token)
        case .pay(let pay): self.init(word: "pay", facts: [("reservation", .number(pay.reservation))] + token)
        case .cancel(let cancel): self.init(word: "cancel", facts: [("reservation", .number(cancel.reservation))])
        case .charge(let charge): self.init(word: "charge", facts: [("amount", .number(charge.amount))] + token)
        case .presence(let presence):
            self.init(
                word: "presence",
                facts: [
                    ("arrived", .array(presence.arrived.map { .number($0) })),
                    ("departed", .array(presence.departed.map { .number($0) })),
                ])
        case .touched(let touched): self.init(word: "touched", facts: [("tokens", .array(touched.tokens.map { .number($0) }))])
        case .putConcert(let put):
            self.init(
                word: "put concert",
                facts: [("concert", .string(put.settings?.id ?? "")), ("title", .string(put.settings?.title ?? ""))])
        case .putPerformance(let settings):
            self.init(
                word: "put performance",
                facts: [
                    ("performance", .string(settings.id)), ("concert", .string(settings.concert)),
                    ("starts_ms", .number(settings.startsMs)), ("seats", .number(UInt64(settings.seatCount))),
                ])
        case .setPolicy(let set):
            self.init(
                word: "set policy",
                facts: [("concert", .string(set.concert)), ("policy", .string(PolicyOptions.text(set.policy)))])
        case .changeLine(let change):
            self.init(
                word: change.action.word.lowercased().replacing("_", with: " "), facts: [("concert", .string(change.concert))])
        case .notice(let notice):
            self.init(word: "notice", facts: [("concert", .string(notice.concert)), ("text", .string(notice.text))])
        case .configure(let configure):
            self.init(
                word: "configure",
                facts: [
                    ("account_needs_no_token", .bool(configure.accountNeedsNoToken)),
                    ("max_charge", .number(configure.maxCharge)),
                    ("max_balance", .number(configure.maxBalance)),
                ])
        case .instanceStarted(let start):
            self.init(
                word: "instance started",
                facts: [
                    ("name", .string(start.name)), ("sources", .number(UInt64(start.sources))),
                    ("rules", .number(UInt64(start.rules))),
                ])
        case .instanceStopped: self.init(word: "instance stopped", facts: [])
        case .publishKey(let key): self.init(word: "publish key", facts: [("bytes", .number(UInt64(key.ed25519.count)))])
        case .checkpoint(let checkpoint):
            self.init(
                word: "checkpoint",
                facts: [
                    ("position", .number(checkpoint.position)), ("digest", .string(String(checkpoint.digest, radix: 16))),
                ])
        case nil: self.init(word: "unknown", facts: [])
        }
    }
}
