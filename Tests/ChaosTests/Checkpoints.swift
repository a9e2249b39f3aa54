import Journal
import UsherAPI
import Wire

/// What the instances of a cluster have said in the journal about their state.
struct Checkpoints {
    private let journal: JetStreamJournal
    private(set) var position: UInt64
    private var claims: [UInt32: [UInt64: [UInt8]]] = [:]

    /// Opens the journal to read along, from what is still kept of it.
    static func open(_ url: String) async throws -> Checkpoints {
        var options = try JetStreamOptions(url: url)
        options.stream = Stage.stream
        options.openMilliseconds = 30_000  // an election may be under way
        let journal = try await Stage.aside { [options] in try JetStreamJournal(options) }
        return Checkpoints(journal: journal, position: journal.firstPosition - 1)
    }

    private init(journal: JetStreamJournal, position: UInt64) {
        self.journal = journal
        self.position = position
    }

    func close() { journal.close() }

    /// Reads all that is there.
    mutating func readOn() async throws {
        while true {
            let (journal, next) = (journal, position + 1)
            let entries = try await withCheckedThrowingContinuation { continuation in
                journal.read(from: next, limit: JournalReadLimit()) { continuation.resume(with: $0) }
            }
            guard let last = entries.last else { return }
            for journalled in entries {
                let entry = try Entry(decoding: journalled.payload)
                for command in entry.commands {
                    guard case .checkpoint(let checkpoint) = command.body else { continue }
                    claims[entry.instance, default: [:]][checkpoint.position] = (0..<8).map {
                        UInt8(truncatingIfNeeded: checkpoint.digest >> (56 - 8 * $0))
                    }
                }
            }
            position = last.position
        }
    }

    /// Whether all of the instances have spoken of the last checkpoint, and that is past the position.
    func areComplete(of instances: [UInt32], after position: UInt64) -> Bool {
        let last = instances.map { claims[$0]?.keys.max() ?? 0 }
        return last[0] > position && Set(last).count == 1
    }

    func digests(of instance: UInt32) -> [UInt64: [UInt8]] { claims[instance] ?? [:] }
}
