import ArgumentParser
import BoxOffice
import Foundation
import Journal
import UsherAPI
import Wire

struct JournalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Look into a journal, or move it.",
        discussion: """
            The journal is journal.sqlite in a server's data folder; stop the server first, or take a copy of that file \
            and its -wal. A shared journal is named by its servers, nats://HOST:PORT,…, and can be read while it is used. \
            Only `move` changes anything.

            EXAMPLES
              usher journal verify --data usher-data
              usher journal show --last 20
              usher journal export --csv payments.csv
              usher journal verify nats://nats-1,nats-2,nats-3
              usher journal move usher-data nats://nats-1,nats-2,nats-3
            """,
        subcommands: [VerifyJournal.self, ShowJournal.self, ExportJournal.self, MoveJournal.self])
}

/// How a shared journal is reached.
struct SharedJournalOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Name of a shared journal's stream.", valueName: "name"))
    var journalStream: String?
    @Option(name: .long, help: ArgumentHelp("NATS servers that keep each entry of a shared journal.", valueName: "n"))
    var journalReplicas: Int?
    @Option(name: .long, help: ArgumentHelp("NATS credentials (.creds) for a shared journal.", valueName: "file"))
    var journalCredentials: String?
    @Option(name: .long, help: ArgumentHelp("Authority of the NATS servers' certificates, PEM.", valueName: "file"))
    var journalCa: String?

    func validate() throws {
        guard journalStream.map(JetStreamOptions.isStreamName) ?? true else {
            throw ValidationError("--journal-stream takes letters, digits, - and _.")
        }
        guard journalReplicas.map((1...5).contains) ?? true else {
            throw ValidationError("--journal-replicas takes 1 to 5.")
        }
    }

    /// Options, then the environment as the server reads it, then what holds if nothing is set.
    func read(_ url: String) throws(Failure) -> JetStreamOptions {
        let environment = ProcessInfo.processInfo.environment
        do throws(JournalError) {
            var options = try JetStreamOptions(url: url)
            options.stream = journalStream ?? environment["USHER_JOURNAL_STREAM"] ?? options.stream
            options.replicas =
                journalReplicas ?? environment["USHER_JOURNAL_REPLICAS"].flatMap(Int.init) ?? options.replicas
            options.credentialsFile = journalCredentials ?? environment["USHER_JOURNAL_CREDENTIALS"]
            options.authorityFile = journalCa ?? environment["USHER_JOURNAL_CA"]
            return options
        } catch {
            throw Failure(.local, error.description)
        }
    }
}

/// Where a journal is.
enum JournalPlace {
    case file(String)
    case shared(JetStreamOptions)

    init(_ text: String, _ shared: SharedJournalOptions) throws(Failure) {
        if JetStreamOptions.isURL(text) {
            self = .shared(try shared.read(text))
            return
        }
        var isFolder: ObjCBool = false
        // The out-parameter outlives the call.
        let isThere = unsafe FileManager.default.fileExists(atPath: text, isDirectory: &isFolder)
        self = .file(isThere && isFolder.boolValue ? text + "/journal.sqlite" : text)
    }

    /// For people.
    var name: String {
        switch self {
        case .file(let path): path
        case .shared(let options): options.description
        }
    }

    func open() throws(JournalError) -> any JournalSource {
        switch self {
        case .file(let path): try JournalReader(path: path)
        case .shared(let options): try JetStreamReader(options)
        }
    }
}

/// Which journal.
struct JournalOptions: ParsableArguments {
    @Argument(help: "The journal's file, a data folder, or nats://HOST:PORT,…. Default: USHER_DATA or usher-data.")
    var path: String?
    @Option(name: .long, help: ArgumentHelp("The data folder.", valueName: "folder")) var data: String?
    @OptionGroup var shared: SharedJournalOptions

    func open() throws(Failure) -> any JournalSource {
        let text = path ?? data ?? ProcessInfo.processInfo.environment["USHER_DATA"] ?? "usher-data"
        let place = try JournalPlace(text, shared)
        do throws(JournalError) {
            return try place.open()
        } catch {
            throw Failure(.local, error.description)
        }
    }
}

/// An entry as it stands in the journal, decoded.
struct ReadEntry {
    var position: UInt64
    var timeMilliseconds: UInt64
    var entry: Entry

    /// The next one of a journal; nil at its end.
    static func next(of reader: any JournalSource) throws(Failure) -> ReadEntry? {
        let raw: JournalEntry?
        do throws(JournalError) {
            raw = try reader.next()
        } catch {
            throw Failure(.local, error.description)
        }
        guard let raw else { return nil }
        do throws(WireError) {
            return ReadEntry(
                position: raw.position, timeMilliseconds: raw.timeMilliseconds, entry: try Entry(decoding: raw.payload))
        } catch {
            throw Failure(.local, "The entry at position \(raw.position) is whole, but not an entry of this version: \(error).")
        }
    }
}

/// The state after a whole journal, from its first entry on or, where that is gone, from its oldest whole snapshot.
struct Replay: ~Copyable {
    var office: BoxOffice
    private var effects = Effects()
    private(set) var entryCount: UInt64 = 0
    private(set) var commandCount: UInt64 = 0
    private(set) var refusalCount: UInt64 = 0

    /// Goes to the entry after the state that it begins with.
    init(of reader: any JournalSource) throws(Failure) {
        office = try Self.beginning(of: reader)
    }

    private static func beginning(of reader: any JournalSource) throws(Failure) -> BoxOffice {
        do throws(JournalError) {
            guard reader.firstPosition > 1 else {
                if reader.lastPosition > 0 { try reader.seek(to: 1) }
                return BoxOffice()
            }
            for summary in try reader.snapshots().reversed() where summary.position + 1 >= reader.firstPosition {
                let found = try reader.latestSnapshot(below: summary.position + 1).snapshot
                guard let found, found.position == summary.position else { continue }
                try reader.seek(to: found.position + 1)
                return try restored(found, reader.name)
            }
            throw JournalError.trimmed(position: 1, firstPosition: reader.firstPosition)
        } catch {
            throw Failure(.local, error.description)
        }
    }

    private static func restored(_ snapshot: JournalSnapshot, _ name: String) throws(JournalError) -> BoxOffice {
        do throws(SnapshotError) {
            return try BoxOffice(snapshot: snapshot.bytes)
        } catch {
            throw .corruptFile(path: name, detail: "the snapshot of position \(snapshot.position) can't be read: \(error)")
        }
    }

    mutating func apply(_ read: ReadEntry) {
        office.apply(read.entry, position: read.position, timeMilliseconds: read.timeMilliseconds, effects: &effects)
        entryCount += 1
        commandCount += UInt64(read.entry.commands.count)
        for case .refused in effects.outcomes { refusalCount += 1 }
        effects.removeAll()
    }
}
