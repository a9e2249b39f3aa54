import NatsCluster

@testable import Journal

/// Three real servers for all tests of this process; they end with it.
enum SharedCluster {
    private static let started = Result { try NatsCluster() }

    static func get() throws -> NatsCluster { try started.get() }
}

/// A journal's name that no other test has.
func freshName() -> String { "t" + String(UInt64.random(in: 1 << 40 ... .max), radix: 36) }

func options(_ cluster: NatsCluster, stream: String, servers: [String]? = nil) throws -> JetStreamOptions {
    var options = try JetStreamOptions(url: cluster.journal)
    if let servers { options.servers = servers }
    options.stream = stream
    options.openMilliseconds = 30_000  // an election may be under way
    return options
}

/// An opened and started journal, and what it says.
struct Writer {
    let journal: JetStreamJournal
    let ear = Ear()

    init(_ options: JetStreamOptions, from position: UInt64 = 1) throws {
        journal = try JetStreamJournal(options)
        try journal.start(from: position, deliver: ear.deliver)
    }

    /// Append so many payloads that tell the writer and the number.
    func append(_ name: UInt8, _ numbers: ClosedRange<Int>) {
        for number in numbers { journal.append(tagged(name, number)) }
    }
}

func tagged(_ name: UInt8, _ number: Int) -> [UInt8] {
    [name] + payload(number, length: 50) + [UInt8(number >> 8), UInt8(number & 255)]
}

/// What a state machine takes of a journal with several writers: of each only its next number.
func applied(_ entries: [JournalEntry]) -> [UInt8: [Int]] {
    var taken: [UInt8: [Int]] = [:]
    for entry in entries where entry.payload.count > 2 {
        let number = Int(entry.payload[entry.payload.count - 2]) << 8 | Int(entry.payload.last!)
        if number == (taken[entry.payload[0]]?.last ?? 0) + 1 { taken[entry.payload[0], default: []].append(number) }
    }
    return taken
}
