// How a snapshot is written: numbers as unsigned LEB128 (7 bits a byte, least significant first), bytes and text with
// their length before them, lists with their count. Small, since most numbers are; and canonical, since there is one way
// to write each. The reader refuses whatever the writer would not have written, as far as it can tell.

internal import UsherAPI
internal import Wire

/// Why bytes are not a snapshot that this code can read.
public enum SnapshotError: Error, Equatable, Sendable {
    /// They do not begin as a snapshot does.
    case notASnapshot
    /// A version that this code does not know.
    case version(UInt64)
    /// They are not what was written: the digest differs.
    case digest
    /// The digest is right but the contents are not: `at` is the byte.
    case malformed(at: Int)
}

struct SnapshotWriter {
    var bytes: [UInt8] = []

    mutating func number(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func number(_ number: some BinaryInteger) { self.number(UInt64(truncatingIfNeeded: number)) }

    mutating func flag(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    mutating func fixed(_ number: UInt64) {
        for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * byte))) }
    }

    mutating func uuid(_ id: Uuid) {
        fixed(id.high)
        fixed(id.low)
    }

    mutating func data(_ data: [UInt8]) {
        number(data.count)
        bytes.append(contentsOf: data)
    }

    mutating func text(_ text: String) {
        number(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    mutating func message(_ message: some WireMessage) { data(message.encoded()) }

    /// Ids in ascending order, as the distance from one to the next.
    mutating func members(_ set: TokenSet) {
        let members = set.members
        number(members.count)
        var last = 0
        for member in members {
            number(member - last)
            last = member
        }
    }
}

struct SnapshotReader {
    private let bytes: [UInt8]
    private let end: Int
    private(set) var at: Int

    init(_ bytes: [UInt8], from start: Int, to end: Int) {
        self.bytes = bytes
        self.end = end
        at = start
    }

    var isAtEnd: Bool { at == end }

    func malformed() -> SnapshotError { .malformed(at: at) }

    mutating func number() throws(SnapshotError) -> UInt64 {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard at < end else { throw malformed() }
            let byte = bytes[at]
            at += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
        }
        throw malformed()
    }

    /// A number that is at most `limit`.
    mutating func number(upTo limit: Int) throws(SnapshotError) -> Int {
        let number = try number()
        guard number <= UInt64(max(limit, 0)) else { throw malformed() }
        return Int(number)
    }

    /// How many elements follow. Each has a byte at least, so that no count can ask for more memory than there is.
    mutating func count() throws(SnapshotError) -> Int {
        let count = try number()
        guard count <= UInt64(end - at) else { throw malformed() }
        return Int(count)
    }

    mutating func small<Small: FixedWidthInteger>(_: Small.Type) throws(SnapshotError) -> Small {
        guard let small = Small(exactly: try number()) else { throw malformed() }
        return small
    }

    mutating func flag() throws(SnapshotError) -> Bool { try number(upTo: 1) == 1 }

    mutating func fixed() throws(SnapshotError) -> UInt64 {
        guard end - at >= 8 else { throw malformed() }
        var result: UInt64 = 0
        for byte in 0..<8 { result |= UInt64(bytes[at + byte]) << UInt64(8 * byte) }
        at += 8
        return result
    }

    mutating func uuid() throws(SnapshotError) -> Uuid { Uuid(high: try fixed(), low: try fixed()) }

    mutating func data() throws(SnapshotError) -> [UInt8] {
        let count = try count()
        defer { at += count }
        return Array(bytes[at..<at + count])
    }

    mutating func text() throws(SnapshotError) -> String {
        guard let text = String(validating: try data(), as: UTF8.self) else { throw malformed() }
        return text
    }

    mutating func message<Message: WireMessage>(_: Message.Type) throws(SnapshotError) -> Message {
        guard let message = try? Message(decoding: try data()) else { throw malformed() }
        return message
    }

    mutating func members(below limit: Int) throws(SnapshotError) -> TokenSet {
        var set = TokenSet()
        var last = 0
        for _ in 0..<(try count()) {
            last += try number(upTo: limit)
            guard last < limit, set.insert(last) else { throw malformed() }
        }
        return set
    }
}
