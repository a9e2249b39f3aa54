// What the two streams of a shared journal have to be like: how they are created, and what an existing one is held against.
//
// Each rule names a setting as NATS's configuration of a stream does, what it must be, and how an operator puts it right.
// What can't be asked over the API is in docs/operating.md: `sync_interval: always`.

struct StreamRule {
    let setting: String
    let wanted: String
    /// The answer is the stream's configuration.
    let holds: (JSONText) -> Bool
    let found: (JSONText) -> String
    let remedy: String
}

struct StreamRules {
    let stream: String
    /// As `STREAM.CREATE` takes it.
    let configuration: [(String, JSONText)]
    let rules: [StreamRule]

    /// Two minutes: longer than any outage of a majority that ends by itself.
    static let duplicateWindowNanoseconds: UInt64 = 120_000_000_000
    static let epochName = "usher-epoch"
    static let formatName = "usher-format"
    /// Set while a journal is being moved here, or once it has been moved away: why it can't be used.
    static let closedName = "usher-closed"
    static let format = "1"

    /// The stream of entries.
    static func journal(_ options: JetStreamOptions, epoch: JournalEpoch, firstPosition: UInt64, closed: String?) -> StreamRules
    {
        var metadata: [(String, JSONText)] = [
            (epochName, .string(epoch.text)), (formatName, .string(format)),
        ]
        if let closed { metadata.append((closedName, .string(closed))) }
        let republish = JSONText.object([("src", .string(options.subject)), ("dest", .string(options.heardSubject))])
        var configuration = common(options.stream, options.subject, options.replicas)
        configuration += [
            ("duplicate_window", .integer(duplicateWindowNanoseconds)), ("deny_delete", .bool(true)),
            ("republish", republish), ("metadata", .object(metadata)),
        ]
        if firstPosition > 1 { configuration.append(("first_seq", .integer(firstPosition))) }
        let stream = options.stream
        return StreamRules(
            stream: stream, configuration: configuration,
            rules: commonRules(stream, options.subject, options.replicas) + [
                StreamRule(
                    setting: "duplicate_window", wanted: "at least 2m",
                    holds: { $0["duplicate_window"]?.unsigned ?? 0 >= duplicateWindowNanoseconds },
                    found: { "\(Double($0["duplicate_window"]?.unsigned ?? 0) / 1e9) s" },
                    remedy: edit(stream, "--dupe-window=2m")),
                bool("deny_delete", true, edit(stream, "--deny-delete")),
                StreamRule(
                    setting: "republish", wanted: "from \(options.subject) to \(options.heardSubject), with payloads",
                    holds: {
                        $0["republish"]?["src"]?.string == options.subject
                            && $0["republish"]?["dest"]?.string == options.heardSubject
                            && $0["republish"]?["headers_only"]?.bool != true
                    },
                    found: { $0["republish"]?.text ?? "not set" },
                    remedy: edit(
                        stream, "--republish-source=\(options.subject) --republish-destination=\(options.heardSubject)")),
            ])
    }

    /// The stream of snapshots.
    static func snapshots(_ options: JetStreamOptions) -> StreamRules {
        let subject = options.snapshotSubjects + ".>"
        return StreamRules(
            stream: options.snapshotStream,
            configuration: common(options.snapshotStream, subject, options.replicas)
                + [("duplicate_window", .integer(duplicateWindowNanoseconds))],
            rules: commonRules(options.snapshotStream, subject, options.replicas))
    }

    private static func common(_ stream: String, _ subject: String, _ replicas: Int) -> [(String, JSONText)] {
        [
            ("name", .string(stream)), ("subjects", .array([.string(subject)])), ("storage", .string("file")),
            ("num_replicas", .integer(replicas)), ("retention", .string("limits")), ("discard", .string("new")),
            ("max_msgs", .integer(-1)), ("max_bytes", .integer(-1)), ("max_age", .integer(0)),
            ("max_msgs_per_subject", .integer(-1)), ("max_msg_size", .integer(-1)), ("max_consumers", .integer(-1)),
            ("allow_direct", .bool(true)), ("deny_purge", .bool(false)),
        ]
    }

    private static func commonRules(_ stream: String, _ subject: String, _ replicas: Int) -> [StreamRule] {
        let anew =
            "It can't be changed: remove the stream `\(stream)` and let Usher create it, or choose another --journal-stream"
        return [
            StreamRule(
                setting: "subjects", wanted: subject,
                holds: { $0["subjects"]?.array?.map(\.string) == [subject] },
                found: { $0["subjects"]?.array?.compactMap(\.string).joined(separator: ", ") ?? "not set" },
                remedy: edit(stream, "--subjects=\(subject)")),
            text("storage", "file", anew),
            StreamRule(
                setting: "num_replicas", wanted: "at least \(replicas)",
                holds: { $0["num_replicas"]?.unsigned ?? 0 >= UInt64(replicas) },
                found: { $0["num_replicas"]?.text ?? "not set" },
                remedy: edit(stream, "--replicas=\(replicas)") + ", or say --journal-replicas"),
            text("retention", "limits", anew),
            text("discard", "new", edit(stream, "--discard=new")),
            none("max_msgs", edit(stream, "--max-msgs=-1")),
            none("max_bytes", edit(stream, "--max-bytes=-1")),
            none("max_age", edit(stream, "--max-age=0s")),
            none("max_msgs_per_subject", edit(stream, "--max-msgs-per-subject=-1")),
            StreamRule(
                setting: "max_msg_size", wanted: "no limit, or at least \(JetStreamLink.payloadMin)",
                holds: {
                    let limit = $0["max_msg_size"]?.signed ?? -1
                    return limit < 0 || limit >= JetStreamLink.payloadMin
                },
                found: { $0["max_msg_size"]?.text ?? "not set" }, remedy: edit(stream, "--max-msg-size=-1")),
            bool("allow_direct", true, edit(stream, "--allow-direct")),
            bool("deny_purge", false, anew),
        ]
    }

    private static func edit(_ stream: String, _ flags: String) -> String {
        "Mend it with `nats stream edit \(stream) \(flags)`"
    }

    private static func text(_ name: String, _ wanted: String, _ remedy: String) -> StreamRule {
        StreamRule(
            setting: name, wanted: wanted, holds: { $0[name]?.string == wanted },
            found: { $0[name]?.string ?? "not set" }, remedy: remedy)
    }

    private static func bool(_ name: String, _ wanted: Bool, _ remedy: String) -> StreamRule {
        StreamRule(
            setting: name, wanted: "\(wanted)", holds: { ($0[name]?.bool ?? false) == wanted },
            found: { "\($0[name]?.bool ?? false)" }, remedy: remedy)
    }

    /// A limit that must not be: NATS says -1, 0 or nothing for none.
    private static func none(_ name: String, _ remedy: String) -> StreamRule {
        StreamRule(
            setting: name, wanted: "no limit", holds: { $0[name]?.signed ?? -1 <= 0 },
            found: { $0[name]?.text ?? "not set" }, remedy: remedy)
    }

    /// - Throws: `unsafeSetting` for the first rule that a stream's configuration breaks.
    func check(_ configuration: JSONText, journal: String) throws(JournalError) {
        for rule in rules where !rule.holds(configuration) {
            throw .unsafeSetting(
                journal: journal, setting: "\(rule.setting) of the stream \(stream)", found: rule.found(configuration),
                wanted: rule.wanted, remedy: rule.remedy)
        }
    }
}

extension JournalEpoch {
    /// 32 hexadecimal digits.
    var text: String { Self.hex(high) + Self.hex(low) }

    init?(text: String) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
