import ArgumentParser
import BoxOffice
import Foundation
import Journal
import UsherAPI
import Wire

struct JournalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Look into a journal that no server has open.",
        discussion: """
            The journal is journal.sqlite in a server's data folder; stop the server first, or take a copy of that file \
            and its -wal. Nothing is changed.

            EXAMPLES
              usher journal verify --data usher-data
              usher journal show --last 20
              usher journal export --csv payments.csv
            """,
        subcommands: [VerifyJournal.self, ShowJournal.self, ExportJournal.self])
}

/// Which journal.
struct JournalOptions: ParsableArguments {
    @Argument(help: "The journal's file, or a data folder. Default: USHER_DATA or usher-data.") var path: String?
    @Option(name: .long, help: ArgumentHelp("The data folder.", valueName: "folder")) var data: String?

    var file: String {
        let path = path ?? data ?? ProcessInfo.processInfo.environment["USHER_DATA"] ?? "usher-data"
        var isFolder: ObjCBool = false
        // The out-parameter outlives the call.
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
            ? path + "/journal.sqlite" : path
    }

    func open() throws(Failure) -> JournalReader {
        do throws(JournalError) {
            return try JournalReader(path: file)
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
    static func next(of reader: JournalReader) throws(Failure) -> ReadEntry? {
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

/// The state after a whole journal.
struct Replay: ~Copyable {
    var office = BoxOffice()
    private var effects = Effects()
    private(set) var entryCount: UInt64 = 0
    private(set) var commandCount: UInt64 = 0
    private(set) var refusalCount: UInt64 = 0

    mutating func apply(_ read: ReadEntry) {
        office.apply(read.entry, position: read.position, timeMilliseconds: read.timeMilliseconds, effects: &effects)
        entryCount += 1
        commandCount += UInt64(read.entry.commands.count)
        for case .refused in effects.outcomes { refusalCount += 1 }
        effects.removeAll()
    }
}
