import Testing

@testable import Journal

@Suite(.serialized) struct `A stream that is not as it must be` {
    /// A change of what Usher creates, by name, and the setting that the refusal names. (`storage`, `deny_purge`: of another
    /// kind from the start; the others an operator can edit, too.)
    static let wrong: [(name: String, value: JSONText, setting: String)] = [
        ("storage", .string("memory"), "storage"),
        ("num_replicas", .integer(1), "num_replicas"),
        ("discard", .string("old"), "discard"),
        ("retention", .string("interest"), "retention"),
        ("max_msgs", .integer(1_000_000), "max_msgs"),
        ("max_bytes", .integer(1 << 30), "max_bytes"),
        ("max_age", .integer(86_400_000_000_000), "max_age"),
        ("max_msgs_per_subject", .integer(1_000_000), "max_msgs_per_subject"),
        ("max_msg_size", .integer(65_536), "max_msg_size"),
        ("duplicate_window", .integer(1_000_000_000), "duplicate_window"),
        ("allow_direct", .bool(false), "allow_direct"),
        ("deny_delete", .bool(false), "deny_delete"),
        ("deny_purge", .bool(true), "deny_purge"),
        ("republish", .null, "republish"),
        ("subjects", .array([.string("other.*")]), "subjects"),
    ]

    /// Creates a stream with `change` made to Usher's own configuration.
    private func create(_ settings: JetStreamOptions, _ change: (String, JSONText)) throws {
        var settings = settings
        settings.openMilliseconds = 10_000
        let rules = StreamRules.journal(settings, epoch: .random(), firstPosition: 1, closed: nil)
        var members = rules.configuration.filter { $0.0 != change.0 }
        members.append(change)
        // An account's own subjects can't be republished to themselves: another subject needs another source.
        if change.0 == "subjects" { members.removeAll { $0.0 == "republish" } }
        let link = JetStreamLink(settings)
        defer { link.close() }
        let end = JetStreamLink.now + 10_000
        while true {
            switch try link.call("STREAM.CREATE.\(settings.stream)", .object(members), within: 10_000) {
            case .done: return
            // The leader of a cluster that has just begun does not know all servers yet.
            case .error(_, 10_005, _) where JetStreamLink.now < end: try link.pause(100)
            case .error(_, _, let description): return _ = Issue.record("NATS refuses \(change): \(description)")
            }
        }
    }

    @Test func `is refused by the setting's name, with what mends it`() throws {
        for (name, value, setting) in Self.wrong {
            let settings = try options(SharedCluster.get(), stream: freshName())
            try create(settings, (name, value))
            do throws(JournalError) {
                _ = try JetStreamJournal(settings)
                Issue.record("\(name) \(value.text) was taken")
            } catch {
                guard case .unsafeSetting(_, let found, _, _, let remedy) = error else {
                    Issue.record("\(name): \(error)")
                    continue
                }
                #expect(found == "\(setting) of the stream \(settings.stream)")
                #expect(remedy.contains(settings.stream), "\(remedy)")
            }
        }
    }

    @Test func `and another's stream, or a newer format, is not touched`() throws {
        var settings = try options(SharedCluster.get(), stream: freshName())
        try create(settings, ("metadata", .object([("owner", .string("somebody"))])))
        #expect(throws: JournalError.self) { try JetStreamJournal(settings) }
        settings.stream = freshName()
        try create(
            settings,
            ("metadata", .object([("usher-epoch", .string(JournalEpoch.random().text)), ("usher-format", .string("2"))])))
        #expect(throws: JournalError.newerFormat(path: settings.description, found: 2, supported: 1)) {
            try JetStreamJournal(settings)
        }
    }

    @Test func `servers that are not there are named, and waited for as long as one wishes`() throws {
        var settings = try JetStreamOptions(url: "nats://127.0.0.1:1,127.0.0.1:2")
        settings.openMilliseconds = 200
        do throws(JournalError) {
            _ = try JetStreamJournal(settings)
            Issue.record("opened")
        } catch {
            guard case .unreachable(let journal, let detail) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(journal.contains("127.0.0.1:1,127.0.0.1:2"))
            #expect(detail.hasPrefix("127.0.0.1:"), "\(detail)")
        }
    }

    static let urls: [(text: String, servers: [String]?)] = [
        ("nats://a", ["a:4222"]), ("nats://a:1,b:2,c:3", ["a:1", "b:2", "c:3"]), ("tls://a.example:4443", ["a.example:4443"]),
        ("nats://[::1]:4222", ["[::1]:4222"]), ("nats://[::1]", ["[::1]:4222"]),
        ("nats://me:secret@a,b", ["a:4222", "b:4222"]),
        ("nats://", nil), ("nats://a,,b", nil), ("nats://a,a", nil), ("nats://a:0", nil), ("nats://a:70000", nil),
        ("nats://:4222", nil), ("nats://a/b", nil), ("nats://[::1", nil), ("http://a", nil), ("sqlite", nil),
        ("nats://a:x", nil),
    ]

    @Test(arguments: urls) func `an address is read, or refused with what is wrong`(text: String, servers: [String]?) {
        do throws(JournalError) {
            let read = try JetStreamOptions(url: text)
            #expect(read.servers == servers)
            #expect(read.isTLS == text.hasPrefix("tls"))
            #expect(!read.description.contains("secret"))
        } catch {
            #expect(servers == nil, "\(error)")
        }
    }

    @Test func `versions before 2_11 can't answer batches`() {
        for (version, isRecent) in [
            ("2.11.0", true), ("2.15.1", true), ("3.0.0", true), ("2.10.29", false), ("2.9.10", false), ("", false),
            ("x.y", false),
        ] { #expect(JetStreamStore.isRecent(version) == isRecent, "\(version)") }
    }

    @Test func `time stamps are read to the millisecond`() {
        for (text, time) in [
            ("1970-01-01T00:00:00Z", 0), ("2024-02-29T12:34:56.789123456Z", 1_709_210_096_789),
            ("2026-11-22T21:30:00.5Z", 1_795_383_000_500), ("2100-03-01T00:00:00.000000001Z", 4_107_542_400_000),
        ] as [(String, UInt64)] { #expect(RFC3339.milliseconds(text) == time, "\(text)") }
        for text in ["", "2026-11-22T21:30:00", "2026-11-22 21:30:00Z", "2026-13-01T00:00:00Z", "2026-11-22T21:30:00.Z", "x"] {
            #expect(RFC3339.milliseconds(text) == nil, "\(text)")
        }
    }

    @Test func `JSON is read as RFC 8259 has it, and nothing else`() {
        for text in [
            "null", "true", "[]", "{}", "[1,-2.5e3,18446744073709551615]", "{\"a\":{\"b\":[\"c\\\\\\\"\"]}}", "\"\\u0001\"",
        ] { #expect(JSONText(Array(text.utf8))?.text == text, "\(text)") }
        #expect(JSONText(Array("\"\\ud83c\\udfb5 \\n\"".utf8))?.string == "🎵 \n")
        let deep = String(repeating: "[", count: 100_000)
        for text in ["", "nul", "[1,]", "{\"a\"}", "{\"a\":1,}", "\"\\ud800\"", "\"a", "1 2", "--1", deep] {
            #expect(JSONText(Array(text.utf8)) == nil, "\(text.prefix(20))")
        }
    }
}
