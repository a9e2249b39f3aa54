import Foundation
import Testing
import UsherAPI
import Wire

/// protocol/vectors/*.json, which hold for clients in any language; conformance.py reads the same files.
@Suite struct VectorTests {
    struct File<Vector: Decodable>: Decodable {
        var vectors: [Vector]
    }

    struct MessageVector: Decodable {
        var name, type, hex: String
        var meaning: [String: JSON]
        var canonical: String?
    }

    struct MalformedVector: Decodable {
        var name, type, hex, error: String
        var at: Int
    }

    struct FrameVector: Decodable {
        struct Frame: Decodable {
            var kind: UInt8, flags: UInt8, call: UInt32
            var type: String?
            var meaning: [String: JSON]?
        }

        var name, hex: String
        var frames: [Frame]
        var error: String?
        var at: Int?
        var close: UInt16?
    }

    @Test func `messages have their golden bytes`() throws {
        let vectors: [MessageVector] = try load("messages.json")
        for vector in vectors {
            let message = try decode(vector.type, [UInt8](hex: vector.hex))
            #expect(describe(message) == ProtoRecord(vector.meaning, type: vector.type).text, "\(vector.name)")
            #expect(message.encoded().hex == vector.hex, "\(vector.name)")
        }
        // Every message a client meets has at least one.
        let inJournalOnly: Set = [
            "Entry", "Command", "Join", "Leave", "Hold", "Release", "Pay", "CancelReservation", "Charge", "Presence",
            "Touched", "PutConcert", "ChangeLine", "Configure", "InstanceStarted", "InstanceStopped", "PublishKey",
            "Checkpoint",
        ]
        #expect(Set(CodecTests.types).subtracting(vectors.map(\.type)).isSubset(of: inJournalOnly))
    }

    @Test func `bytes that are not canonical are read, and written canonically`() throws {
        for vector in try load("tolerated.json") as [MessageVector] {
            let message = try decode(vector.type, [UInt8](hex: vector.hex))
            #expect(describe(message) == ProtoRecord(vector.meaning, type: vector.type).text, "\(vector.name)")
            #expect(message.encoded().hex == vector.canonical, "\(vector.name)")
        }
    }

    @Test func `malformed bytes are refused, for the reason and at the place they say`() throws {
        for vector in try load("malformed.json") as [MalformedVector] {
            do {
                _ = try decode(vector.type, [UInt8](hex: vector.hex))
                Issue.record("\(vector.name) was read")
            } catch {
                #expect("\(error)" == "\(vector.error)(at: \(vector.at))", "\(vector.name)")
            }
        }
    }

    @Test func `WebSocket messages split into their frames, or close the connection`() throws {
        for vector in try load("frames.json") as [FrameVector] {
            let bytes = [UInt8](hex: vector.hex)
            var reader = FrameReader(bytes.rawSpan, bodyBytesMax: 65_536)
            var rebuilt: [UInt8] = []
            do {
                for expected in vector.frames {
                    let frame = try reader.next()!
                    let (header, body) = (frame.header, [UInt8](copying: frame.body))
                    let seen = [UInt32(header.kind), UInt32(header.flags.rawValue), header.callID]
                    #expect(seen == [UInt32(expected.kind), UInt32(expected.flags), expected.call], "\(vector.name)")
                    if let type = expected.type {
                        let record = ProtoRecord(expected.meaning!, type: type)
                        #expect(describe(try decode(type, body)) == record.text, "\(vector.name)")
                    }
                    header.append(to: &rebuilt)
                    rebuilt += body
                }
                let hasMore = try reader.next() != nil
                #expect(!hasMore && vector.error == nil, "\(vector.name)")
                #expect(rebuilt == bytes, "\(vector.name)")
            } catch let error as FrameError {
                let position = vector.at.map { "(at: \($0)" } ?? ""
                #expect("\(error)".hasPrefix((vector.error ?? "no error") + position), "\(vector.name): \(error)")
                #expect(error.closeCode.rawValue == vector.close, "\(vector.name)")
            }
        }
    }

    @Test func `the conversation in the specification says what it says it does`() throws {
        let page = try String(contentsOf: ProtoSchema.repository.appending(path: "protocol/README.md"), encoding: .utf8)
        let frames = page.split(separator: "\n").compactMap { line -> [UInt8]? in
            guard line.hasPrefix("client ") || line.hasPrefix("server ") else { return nil }
            return [UInt8](hex: line.split(separator: " ").dropFirst().joined())
        }
        let user = try #require(Uuid("01923e4f-89ab-7cde-8123-456789abcdef"))
        let concerts = ListConcertsResponse(concerts: [Concert(id: "aurora", title: "Aurora", lineState: .open)])
        var expected: [[UInt8]] = [[], [], []]
        expected[0].appendFrame(Hello(clientName: "demo", clientVersion: "1", identity: .user(user)), callID: 0)
        expected[1].appendFrame(Open(method: Method.listConcerts.path.description, timeoutMs: 2000), callID: 1)
        expected[2].appendFrame(CloseCarrying(concerts, position: 9), callID: 1)
        #expect(frames == expected)
    }

    private func load<Vector: Decodable>(_ file: String) throws -> [Vector] {
        let url = ProtoSchema.repository.appending(path: "protocol/vectors/\(file)")
        let vectors = try JSONDecoder().decode(File<Vector>.self, from: Data(contentsOf: url)).vectors
        try #require(!vectors.isEmpty)
        return vectors
    }
}
