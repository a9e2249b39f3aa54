import ArgumentParser
import BoxOffice
import Foundation
import Journal
import UsherAPI
import Wire

struct MoveJournal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move", abstract: "Move a journal between a file and a stream of NATS servers.",
        discussion: """
            Stop all servers that use it first. The target gets the state after the last entry, as a snapshot, and goes on from \
            there: places, tokens, holds, balances and remembered request ids hold, and clients don't notice. The entries \
            before stay with the source, which is closed: a file is renamed to .moved, a stream says where it went.

            The keys of the data folder are not part of the journal: start the servers on the same data folder, or take \
            token-key.pem along.

            EXAMPLES
              usher journal move usher-data nats://nats-1,nats-2,nats-3
              usher journal move nats://nats-1,nats-2,nats-3 usher-data
            """)

    @Argument(help: "The journal's file, a data folder, or nats://HOST:PORT,….") var from: String
    @Argument(help: "Where nothing is yet: a file, a data folder, or nats://HOST:PORT,….") var to: String
    @OptionGroup var shared: SharedJournalOptions

    func validate() throws {
        guard JetStreamOptions.isURL(from) != JetStreamOptions.isURL(to) else {
            throw ValidationError("One of the two is a file or data folder, the other nats://HOST:PORT,….")
        }
    }

    func run() async throws {
        let source = try JournalPlace(from, shared)
        let target = try JournalPlace(to, shared)
        do throws(JournalError) {
            let load = try Self.take(from: source)
            say("storing \(Format.money(UInt64(load.snapshot.bytes.count))) bytes of state in \(target.name)")
            switch target {
            case .file(let path): try JournalMove.write(load, toFile: path)
            case .shared(let options): try JournalMove.write(load, to: options)
            }
            try Self.check(target, load)
            say("checked: the state there has the same digest")
            let left: String
            switch source {
            case .file(let path): left = "the old file is now \(try JournalMove.retire(file: path))"
            case .shared(let options):
                try JournalMove.retire(options, movedTo: target.name)
                left = "its streams are closed, and can be removed"
            }
            print("\(source.name) was moved to \(target.name) at position \(load.snapshot.position); \(left).")
            print("Start the server with --journal \(JetStreamOptions.isURL(to) ? to : "sqlite").")
        } catch {
            throw Failure(.local, error.description)
        }
    }

    private func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    /// The state after the last entry, replayed and compared with itself through its snapshot.
    static func take(from source: JournalPlace) throws(JournalError) -> JournalLoad {
        let reader = try source.open()
        defer { reader.close() }
        if let stream = reader as? JetStreamReader, try !stream.isQuiet() { throw .inUse(path: source.name) }
        guard reader.lastPosition > 0 else {
            throw .notFound(path: "\(source.name) has no entries; there is nothing to move")
        }
        let lookup = try reader.latestSnapshot(below: .max)
        var office = try restored(lookup.snapshot, source.name)
        var effects = Effects()
        try reader.seek(to: office.position + 1)
        while let stored = try reader.next() {
            do {
                let entry = try Entry(decoding: stored.payload)
                effects.removeAll()
                office.apply(entry, position: stored.position, timeMilliseconds: stored.timeMilliseconds, effects: &effects)
            } catch {
                throw .corruptEntry(
                    path: source.name, position: stored.position, detail: "it is no entry of this version: \(error)")
            }
        }
        let digest = office.digest
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: digest >> UInt64(56 - 8 * $0)) }
        let snapshot = JournalSnapshot(position: office.position, digest: bytes, bytes: office.snapshot())
        return JournalLoad(epoch: reader.epoch, snapshot: snapshot, timeMilliseconds: office.clock)
    }

    /// What stands at the target is what was taken along.
    static func check(_ target: JournalPlace, _ load: JournalLoad) throws(JournalError) {
        let reader = try target.open()
        defer { reader.close() }
        let snapshot = try reader.latestSnapshot(below: .max).snapshot
        let office = try restored(snapshot, target.name)
        let digest = office.digest
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: digest >> UInt64(56 - 8 * $0)) }
        guard bytes == load.snapshot.digest, snapshot == load.snapshot, reader.epoch == load.epoch,
            reader.lastPosition == load.snapshot.position, reader.firstPosition == load.snapshot.position + 1
        else {
            throw .corruptFile(path: target.name, detail: "what was stored is not what is read back; the source is unchanged")
        }
    }

    private static func restored(_ snapshot: JournalSnapshot?, _ name: String) throws(JournalError) -> BoxOffice {
        guard let snapshot else { return BoxOffice() }
        do throws(SnapshotError) {
            return try BoxOffice(snapshot: snapshot.bytes)
        } catch {
            throw .corruptFile(path: name, detail: "the snapshot of position \(snapshot.position) can't be read: \(error)")
        }
    }
}
