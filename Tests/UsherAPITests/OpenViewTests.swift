import Testing
import UsherAPI
import Wire

@Suite struct OpenViewTests {
    @Test func `the view says what the message says`() throws {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let record = ProtoRecord.random("Open", density: 2, using: &random)
            try compare(record.bytes, "seed \(seed)")
        }
    }

    @Test func `the view refuses what the message refuses, with the same error`() throws {
        for seed in 0..<1000 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var bytes = ProtoRecord.random("Open", using: &random).bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            try compare(bytes, "seed \(seed)")
        }
    }

    @Test func `metadata is found by its key, the last one of several`() throws {
        let open = Open(metadata: [
            Metadata(key: "queue-token", value: [1]), Metadata(key: "trace-bin", value: [0, 255]),
            Metadata(key: "queue-token", value: [2, 3]),
        ])
        let bytes = open.encoded()
        let view = try OpenView(bytes.rawSpan)
        #expect(copied(view.metadata("queue-token")) == [2, 3])
        #expect(copied(view.metadata("trace-bin")) == [0, 255])
        #expect(copied(view.metadata("authorization")) == nil)
        #expect(copied(view.metadata("")) == nil)
        let (byteCount, isValid) = (view.metadataByteCount, view.isMetadataValid)
        #expect(byteCount == 11 + 1 + 9 + 2 + 11 + 2)
        #expect(isValid)
    }

    @Test(arguments: [
        ("a", true), ("queue-token", true), ("x_1.y-bin", true), ("", false), ("Authorization", false), ("a b", false),
        ("ключ", false), ("a\n", false), (":path", false),
    ])
    func `metadata keys are lower-case ASCII`(key: String, isValid: Bool) throws {
        let bytes = Open(metadata: [Metadata(key: "ok"), Metadata(key: key)]).encoded()
        let view = try OpenView(bytes.rawSpan)
        let isMetadataValid = view.isMetadataValid
        #expect(isMetadataValid == isValid)
    }

    @Test(
        arguments: [
            ("a", [0xC3, 0xA9], true), ("a", [], true), ("a", [0xFF], false), ("a-bin", [0xFF], true), ("-bin", [0xFF], true),
            ("bin", [0xFF], false), ("a-bin.", [0xC3], false),
        ] as [(String, [UInt8], Bool)])
    func `metadata values are UTF-8 unless their key ends in -bin`(key: String, value: [UInt8], isValid: Bool) throws {
        let bytes = Open(metadata: [Metadata(key: key, value: value), Metadata(key: "ok")]).encoded()
        let view = try OpenView(bytes.rawSpan)
        let isMetadataValid = view.isMetadataValid
        #expect(isMetadataValid == isValid)
    }

    private func compare(_ bytes: [UInt8], _ comment: Comment) throws {
        let expected: Open
        do throws(WireError) {
            expected = try Open(decoding: bytes)
        } catch {
            #expect(throws: error, comment) { _ = try OpenView(bytes.rawSpan) }
            return
        }
        let view = try OpenView(bytes.rawSpan)
        var seen = Open(
            method: String(decoding: [UInt8](copying: view.method), as: UTF8.self), timeoutMs: view.timeoutMs,
            requestId: view.requestID, attempts: view.attempts, credit: view.credit, lastSequence: view.lastSequence,
            position: view.position, request: [UInt8](copying: view.request))
        seen.metadata = expected.metadata
        let metadataByteCount = view.metadataByteCount
        #expect(seen == expected, comment)
        #expect(metadataByteCount == expected.metadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.count }, comment)
    }

    private func copied(_ bytes: RawSpan?) -> [UInt8]? {
        if let bytes { [UInt8](copying: bytes) } else { nil }
    }
}
