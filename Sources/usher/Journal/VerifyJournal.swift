import ArgumentParser
import BoxOffice
import Foundation
import Journal
import UsherAPI

struct VerifyJournal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check a journal: its file, its chain of checksums, and what it says.",
        discussion: """
            First the file and every entry and snapshot; then the entries are applied from the first to the last, as a \
            server would, and the state is checked against what must always hold: no seat has two owners, every balance \
            is the sum of its transactions, places have no gaps. Snapshots must be what replaying gives, and so must every \
            digest that an instance has said in a shared journal.

            EXAMPLES
              usher journal verify
              usher journal verify --check-every 1        after every entry: slow, but names the entry
            """)

    @Option(name: .long, help: ArgumentHelp("Check what must hold after every n-th entry.", valueName: "n"))
    var checkEvery: UInt64 = 1000
    @Flag(name: .long, help: "Print JSON.") var json = false
    @OptionGroup var journal: JournalOptions

    func validate() throws {
        guard checkEvery > 0 else { throw ValidationError("--check-every takes a number from 1.") }
    }

    func run() async throws {
        do {
            let reader = try journal.open()
            defer { reader.close() }
            let report = try verify(reader)
            print(json ? report.json.description : report.lines.joined(separator: "\n"))
        } catch var failure as Failure {
            failure.asJSON = json
            throw failure
        }
    }

    private func verify(_ reader: any JournalSource) throws -> Report {
        let summaries: [JournalReader.SnapshotSummary]
        do throws(JournalError) {
            _ = try reader.verify()
            summaries = try reader.snapshots()
        } catch {
            throw Failure(.local, error.description)
        }
        var replay = try Replay(of: reader)
        var snapshotsCompared = 0
        var digests = SaidDigests()
        digests.replayed(replay.office.position, replay.office.digest)
        while let read = try ReadEntry.next(of: reader) {
            replay.apply(read)
            digests.replayed(read.position, replay.office.digest)
            try digests.compare(read.entry)
            if read.position % checkEvery == 0 { try Self.check(replay.office, read.position) }
            if summaries.contains(where: { $0.position == read.position }) {
                try Self.compare(reader, at: read.position, replay.office.snapshot())
                snapshotsCompared += 1
            }
        }
        try Self.check(replay.office, reader.lastPosition)
        var report = Report()
        report.file = reader.name
        report.entries = replay.entryCount
        report.commands = replay.commandCount
        report.refusals = replay.refusalCount
        report.snapshots = snapshotsCompared
        report.digest = String(replay.office.digest, radix: 16)
        report.said = digests
        report.concerts = replay.office.concertCount
        report.clock = replay.office.clock
        return report
    }

    private static func check(_ office: borrowing BoxOffice, _ position: UInt64) throws {
        let problems = office.checkInvariants()
        guard problems.isEmpty else {
            let more = problems.count > 10 ? "\n  and \(problems.count - 10) more" : ""
            throw Failure(
                .local,
                "At position \(position) the journal is whole, but what it says is inconsistent:\n"
                    + problems.prefix(10).map { "  \($0)" }.joined(separator: "\n") + more)
        }
    }

    private static func compare(_ reader: any JournalSource, at position: UInt64, _ replayed: [UInt8]) throws {
        let stored: JournalSnapshot?
        do throws(JournalError) {
            stored = try reader.latestSnapshot(below: position + 1).snapshot
        } catch {
            throw Failure(.local, error.description)
        }
        guard let stored, stored.position == position, stored.bytes == replayed else {
            throw Failure(
                .local,
                "The snapshot at position \(position) is not what replaying the entries gives. Servers would rather start from it; keep a copy of the file."
            )
        }
    }

    struct Report {
        var file = ""
        var entries: UInt64 = 0
        var commands: UInt64 = 0
        var refusals: UInt64 = 0
        var snapshots = 0
        var digest = ""
        var said = SaidDigests()
        var concerts = 0
        var clock: UInt64 = 0

        var lines: [String] {
            [
                "\(file) is sound.",
                "\(Format.money(entries)) entries with \(Format.money(commands)) commands, \(Format.money(refusals)) of them refused; \(snapshots) \(snapshots == 1 ? "snapshot" : "snapshots") equal to the replay.",
                said.sentence,
                "\(concerts) concerts; the last entry is of \(clock > 0 ? Format.time(clock) : "no time"); digest \(digest).",
            ].compactMap { $0 }
        }

        var json: Json {
            .object([
                ("file", .string(file)), ("entries", .number(entries)), ("commands", .number(commands)),
                ("refusals", .number(refusals)), ("snapshots", .number(UInt64(snapshots))), ("digest", .string(digest)),
                ("digests_compared", .number(UInt64(said.count))), ("digests", .array(said.json)),
                ("concerts", .number(UInt64(concerts))), ("clock_ms", .number(clock)),
            ])
        }
    }
}
