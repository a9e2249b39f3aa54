// Reads the head of an HTTP/1.1 message: the start line and the fields up to the empty line, RFC 9112
// sections 2 to 5. Strict where leniency has been used to smuggle requests past proxies:
//  1. A line ends with CR LF; either alone is refused (section 2.2), as is any other control character.
//  2. Exactly one space parts the request line (section 3).
//  3. No space before the colon (section 5.1), no folded lines (section 5.2).
//  4. Exactly one valid Host (section 3.2); no body: Transfer-Encoding, or a Content-Length that is not 0.
//  5. The whole head is at most 8 KiB and 100 fields; nothing is kept of what lies behind it.

/// Gathers one message head from pieces of any size. Use a new reader for each head.
public struct HTTPHeadReader: ~Copyable {
    /// The largest head, its last empty line included; one byte more is refused with 431.
    public static let bytesMax = 8 << 10
    /// The most fields; one more is refused with 431.
    public static let fieldsMax = 100

    private var head: [UInt8] = []
    /// How many bytes of CR LF CR LF have come in a row.
    private var ending = 0

    public init() {}

    /// Takes the next bytes of a request.
    ///
    /// - Parameter consumed: set to how many of `bytes` belong to the head; the rest is the WebSocket's.
    /// - Returns: the head once it is complete, nil before.
    public mutating func readRequest(_ bytes: RawSpan, consumed: inout Int) throws(HTTPFault) -> HTTPRequestHead? {
        guard try gather(bytes, &consumed) else { return nil }
        return try HTTPRequestHead(head)
    }

    /// Takes the next bytes of a response; as `readRequest`.
    public mutating func readResponse(_ bytes: RawSpan, consumed: inout Int) throws(HTTPFault) -> HTTPResponseHead? {
        guard try gather(bytes, &consumed) else { return nil }
        return try HTTPResponseHead(head)
    }

    /// - Returns: whether the head is complete.
    private mutating func gather(_ bytes: RawSpan, _ consumed: inout Int) throws(HTTPFault) -> Bool {
        precondition(ending < 4, "a reader reads one head")
        for offset in 0..<bytes.byteCount {
            let byte = bytes[offset]
            if ending & 1 == 1 {
                guard byte == .lineFeed else { throw .bareCarriageReturn }
                ending += 1
            } else if byte == .carriageReturn {
                ending += 1
            } else {
                guard byte != .lineFeed else { throw .bareLineFeed }
                guard byte >= .space && byte != .delete || byte == .tab else { throw .controlCharacter }
                ending = 0
            }
            guard head.count < Self.bytesMax else { throw .headTooLarge }
            head.append(byte)
            if ending == 4 {
                consumed = offset + 1
                return true
            }
        }
        consumed = bytes.byteCount
        return false
    }
}

/// Why a message head was refused.
public enum HTTPFault: HTTPRefusal, CaseIterable {
    case headTooLarge, tooManyFields
    case bareCarriageReturn, bareLineFeed, controlCharacter
    case requestLineMalformed, targetMalformed, statusLineMalformed, versionMalformed, versionNotSupported
    case lineFolded, fieldWithoutColon, fieldNameMalformed, spaceBeforeColon
    case hostMissing, hostRepeated, hostMalformed
    case bodyNotAccepted

    public var status: HTTPStatus {
        switch self {
        case .headTooLarge, .tooManyFields: .headerFieldsTooLarge
        case .versionNotSupported: .versionNotSupported
        case .bareCarriageReturn, .bareLineFeed, .controlCharacter, .requestLineMalformed, .targetMalformed,
            .statusLineMalformed, .versionMalformed, .lineFolded, .fieldWithoutColon, .fieldNameMalformed,
            .spaceBeforeColon, .hostMissing, .hostRepeated, .hostMalformed, .bodyNotAccepted:
            .badRequest
        }
    }

    public var sentence: String {
        switch self {
        case .headTooLarge: "The header block exceeds \(HTTPHeadReader.bytesMax) bytes."
        case .tooManyFields: "There are more than \(HTTPHeadReader.fieldsMax) header fields."
        case .bareCarriageReturn: "A carriage return stands without a line feed."
        case .bareLineFeed: "A line feed stands without a carriage return."
        case .controlCharacter: "The header block contains a control character."
        case .requestLineMalformed: "The request line is not method, target and version, parted by single spaces."
        case .targetMalformed: "The request target is neither a path nor an absolute URI."
        case .statusLineMalformed: "The status line is not version, status code and reason."
        case .versionMalformed: "The version is not of the form HTTP/1.1."
        case .versionNotSupported: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
        case .lineFolded: "A header line begins with a space."
        case .fieldWithoutColon: "A header line has no colon."
        case .fieldNameMalformed: "A header field's name is not a token."
        case .spaceBeforeColon: "There is a space between a header field's name and its colon."
        case .hostMissing: "The Host field is missing."
        case .hostRepeated: "There is more than one Host field."
        case .hostMalformed: "The Host field is not a host with an optional port."
        case .bodyNotAccepted: "A request with a body is not accepted."
        }
    }
}

extension UInt8 {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20
    static let delete: UInt8 = 0x7f

    /// `tchar` of RFC 9110 section 5.6.2.
    var isTokenCharacter: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// A character of a host and port, RFC 3986 section 3.2: unreserved, sub-delims, `%`, `:`, `[`, `]`.
    var isHostCharacter: Bool {
        switch self {
        case UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "#"): false
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="),
            UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: isTokenCharacter
        }
    }

    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }
}
