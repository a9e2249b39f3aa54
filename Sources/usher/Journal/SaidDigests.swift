import UsherAPI

/// The digests of their state that instances say in a shared journal, against a replay's at the same positions.
struct SaidDigests {
    /// Where they are said: protocol/journal.md.
    private static let interval: UInt64 = 1_024

    private var replayed: [UInt64: UInt64] = [:]
    private(set) var count = 0
    /// The last one of each instance.
    private(set) var last: [UInt32: Checkpoint] = [:]

    /// What the replay has after an entry.
    mutating func replayed(_ position: UInt64, _ digest: UInt64) {
        if position.isMultiple(of: Self.interval) { replayed[position] = digest }
    }

    /// Compares what an entry says, which is of a position before it. What is of a position before the replay's first is left out.
    ///
    /// - Throws: `Failure` at one that is not the replay's.
    mutating func compare(_ entry: Entry) throws(Failure) {
        for case .checkpoint(let said)? in entry.commands.map(\.body) {
            guard let digest = replayed[said.position] else { continue }
            guard digest == said.digest else {
                throw Failure(
                    .local,
                    "Instance \(entry.instance) said that its digest at position \(said.position) is \(String(said.digest, radix: 16)); the replay's is \(String(digest, radix: 16)). The journal is whole, but that instance had another state. Keep a copy of the journal and of its log, and report it."
                )
            }
            count += 1
            last[entry.instance] = said
        }
    }

    /// Nil: none was said.
    var sentence: String? {
        guard count > 0 else { return nil }
        let instances = last.count == 1 ? "instance" : "instances"
        return "\(Format.money(UInt64(count))) digests said by \(last.count) \(instances), all equal to the replay's."
    }

    var json: [Json] {
        last.sorted { $0.key < $1.key }.map { instance, said in
            .object([
                ("instance", .number(UInt64(instance))), ("position", .number(said.position)),
                ("digest", .string(String(said.digest, radix: 16))),
            ])
        }
    }
}
