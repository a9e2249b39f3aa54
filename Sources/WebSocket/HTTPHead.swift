// A message head that `HTTPHeadReader` gathered, taken apart. It ends with an empty line, every line ends
// with CR LF, and no other control character than the tab occurs.

/// The head of a request.
public struct HTTPRequestHead: Sendable {
    public let method: String
    /// As it came: a path with an optional query, or an absolute URI.
    public let target: String
    /// The path and query of `target`, beginning with a slash.
    public let path: String
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    public let minorVersion: Int
    public let fields: HTTPFields

    init(_ head: [UInt8]) throws(HTTPFault) {
        var lines = HTTPLines(head)
        let parts = lines.next().split(separator: .space, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(\.isTokenCharacter) else { throw .requestLineMalformed }
        minorVersion = try httpMinorVersion(parts[2])
        method = String(decoding: parts[0], as: UTF8.self)
        target = String(decoding: parts[1], as: UTF8.self)
        path = try Self.path(of: parts[1])
        fields = try HTTPFields(&lines)

        let hosts = fields.values(of: "host")
        guard hosts.count <= 1 else { throw .hostRepeated }
        if let host = hosts.first {
            guard host.utf8.allSatisfy(\.isHostCharacter) else { throw .hostMalformed }
        } else if minorVersion > 0 {
            throw .hostMissing
        }
        guard fields.values(of: "transfer-encoding").isEmpty,
            fields.values(of: "content-length").allSatisfy({ $0 == "0" })
        else { throw .bodyNotAccepted }
    }

    private static func path(of target: ArraySlice<UInt8>) throws(HTTPFault) -> String {
        guard target.allSatisfy({ $0 > .space && $0 < .delete && $0 != UInt8(ascii: "#") }) else { throw .targetMalformed }
        let text = String(decoding: target, as: UTF8.self)
        if text.utf8.first == UInt8(ascii: "/") { return text }
        // The absolute form, RFC 9112 section 3.2.2, which a server must understand.
        for scheme in ["http://", "https://", "ws://", "wss://"] where text.lowercased().hasPrefix(scheme) {
            let rest = text.utf8.dropFirst(scheme.utf8.count)
            guard
                let authority = rest.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false).first,
                !authority.isEmpty, authority.allSatisfy(\.isHostCharacter)
            else { throw .targetMalformed }
            let path = String(decoding: rest.dropFirst(authority.count), as: UTF8.self)
            return path.isEmpty ? "/" : path
        }
        throw .targetMalformed
    }
}

/// The head of a response.
public struct HTTPResponseHead: Sendable {
    public let status: Int
    public let fields: HTTPFields

    init(_ head: [UInt8]) throws(HTTPFault) {
        var lines = HTTPLines(head)
        let parts = lines.next().split(separator: .space, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].count == 3, parts[1].allSatisfy(\.isDigit) else { throw .statusLineMalformed }
        guard try httpMinorVersion(parts[0]) == 1 else { throw .versionNotSupported }
        status = parts[1].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard status >= 100 else { throw .statusLineMalformed }
        fields = try HTTPFields(&lines)
    }
}

/// The fields of a head in their order, names in lower case, values without surrounding space.
public struct HTTPFields: Sendable {
    private var list: [(name: String, value: String)] = []

    init(_ lines: inout HTTPLines) throws(HTTPFault) {
        while true {
            let line = lines.next()
            guard let first = line.first else { return }
            guard first != .space, first != .tab else { throw .lineFolded }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .fieldWithoutColon }
            let name = line[..<colon]
            guard name.last != .space, name.last != .tab else { throw .spaceBeforeColon }
            guard !name.isEmpty, name.allSatisfy(\.isTokenCharacter) else { throw .fieldNameMalformed }
            guard list.count < HTTPHeadReader.fieldsMax else { throw .tooManyFields }
            list.append(
                (
                    String(decoding: name, as: UTF8.self).lowercased(),
                    String(decoding: trimmed(line[(colon + 1)...]), as: UTF8.self)
                ))
        }
    }

    public var count: Int { list.count }

    /// The values of all fields of a name, given in lower case.
    public func values(of name: String) -> [String] {
        list.lazy.filter { $0.name == name }.map(\.value)
    }

    /// The value of the only field of a name, given in lower case; nil if there is none or more than one.
    public func only(_ name: String) -> String? {
        let values = values(of: name)
        return values.count == 1 ? values[0] : nil
    }

    /// The elements of a comma-separated list, over all fields of a name, empty ones left out (RFC 9110 section 5.6.1).
    public func elements(of name: String) -> [String] {
        values(of: name).flatMap { value in
            value.utf8.split(separator: UInt8(ascii: ",")).map { String(decoding: trimmed($0), as: UTF8.self) }.filter {
                !$0.isEmpty
            }
        }
    }

    /// Whether a comma-separated list contains `token`, given in lower case, in any case.
    public func contains(_ token: String, in name: String) -> Bool {
        elements(of: name).contains { $0.lowercased() == token }
    }
}

/// The lines of a head, without their ends.
struct HTTPLines {
    private var rest: ArraySlice<UInt8>

    init(_ head: [UInt8]) {
        rest = head[...]
    }

    mutating func next() -> ArraySlice<UInt8> {
        guard let end = rest.firstIndex(of: .carriageReturn) else { return [] }
        defer { rest = rest[(end + 2)...] }
        return rest[..<end]
    }
}

/// The minor version of `HTTP/1.x`.
private func httpMinorVersion(_ text: ArraySlice<UInt8>) throws(HTTPFault) -> Int {
    let bytes = Array(text)
    guard bytes.count == 8, bytes.starts(with: "HTTP/".utf8), bytes[5].isDigit, bytes[6] == UInt8(ascii: "."), bytes[7].isDigit
    else { throw .versionMalformed }
    switch (bytes[5], bytes[7]) {
    case (UInt8(ascii: "1"), UInt8(ascii: "1")): return 1
    case (UInt8(ascii: "1"), UInt8(ascii: "0")): return 0
    default: throw .versionNotSupported
    }
}

/// Without spaces and tabs at both ends.
private func trimmed<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence {
    let isSpace: (UInt8) -> Bool = { $0 == .space || $0 == .tab }
    let front = bytes.drop(while: isSpace)
    guard let last = front.lastIndex(where: { !isSpace($0) }) else { return front.prefix(0) }
    return front[...last]
}
