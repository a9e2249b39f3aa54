import UsherAPI
import Wire

// WebSocket frames (RFC 6455 section 5.2) and Usher's (protocol/README.md section 3), made and taken apart by hand.

enum Opcode {
    static let continuation: UInt8 = 0
    static let text: UInt8 = 1
    static let binary: UInt8 = 2
    static let close: UInt8 = 8
    static let ping: UInt8 = 9
    static let pong: UInt8 = 10
}

/// One WebSocket frame.
struct WebSocketFrame: Sendable, Equatable {
    var opcode: UInt8
    var payload: [UInt8]
    var isFinal = true
    var isCompressed = false

    init(_ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true, isCompressed: Bool = false) {
        self.opcode = opcode
        self.payload = payload
        self.isFinal = isFinal
        self.isCompressed = isCompressed
    }

    /// As a client sends it: masked, the length as short as can be.
    var bytes: [UInt8] {
        let key: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]
        return Self.header(first, length: payload.count, masked: 0x80) + key + payload.enumerated().map { $1 ^ key[$0 & 3] }
    }

    /// As no client may send it.
    var unmaskedBytes: [UInt8] { Self.header(first, length: payload.count, masked: 0) + payload }

    private var first: UInt8 { opcode | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) }

    static func header(_ first: UInt8, length: Int, masked: UInt8) -> [UInt8] {
        switch length {
        case ..<126: [first, masked | UInt8(length)]
        case ..<65_536: [first, masked | 126, UInt8(length >> 8), UInt8(length & 0xff)]
        default: [first, masked | 127] + bigEndian(UInt64(length))
        }
    }

    /// A message in several fragments.
    static func fragments(_ parts: [[UInt8]], _ opcode: UInt8 = Opcode.binary, isCompressed: Bool = false) -> [WebSocketFrame] {
        parts.indices.map { index in
            WebSocketFrame(
                index == 0 ? opcode : Opcode.continuation, parts[index], isFinal: index == parts.count - 1,
                isCompressed: isCompressed && index == 0)
        }
    }

    /// Takes a server's frame off the front; nil if it is not whole.
    init?(takenFrom bytes: inout [UInt8]) {
        guard bytes.count >= 2 else { return nil }
        precondition(bytes[1] & 0x80 == 0, "a server must not mask")
        var start = 2
        var length = Int(bytes[1] & 0x7f)
        if length > 125 {
            start = length == 126 ? 4 : 10
            guard bytes.count >= start else { return nil }
            length = bytes[2..<start].reduce(0) { $0 << 8 | Int($1) }
        }
        guard bytes.count >= start + length else { return nil }
        self.init(
            bytes[0] & 0x0f, Array(bytes[start..<start + length]), isFinal: bytes[0] & 0x80 != 0,
            isCompressed: bytes[0] & 0x40 != 0)
        bytes.removeFirst(start + length)
    }
}

/// One frame of Usher, any.
struct UsherFrame: Sendable, Equatable {
    var kind: UInt8
    var call: UInt32
    var body: [UInt8]
    var flags: UInt8 = 0

    static let ignorable: UInt8 = 1
    static let end: UInt8 = 2
    static let reserved: UInt8 = 4

    init(_ kind: FrameKind, call: UInt32 = 0, _ body: [UInt8] = [], flags: UInt8 = 0) {
        self.init(number: UInt8(kind.rawValue), call: call, body, flags: flags)
    }

    init(number: UInt8, call: UInt32 = 0, _ body: [UInt8] = [], flags: UInt8 = 0) {
        kind = number
        self.call = call
        self.body = body
        self.flags = flags
    }

    var bytes: [UInt8] { Self.header(kind, flags, length: UInt32(body.count), call) + body }

    static func header(_ kind: UInt8, _ flags: UInt8, length: UInt32, _ call: UInt32) -> [UInt8] {
        [kind << 3 | flags] + bigEndian(length) + bigEndian(call)
    }

    func isKind(_ kind: FrameKind) -> Bool { self.kind == UInt8(kind.rawValue) }

    /// All frames of a message.
    static func all(in message: [UInt8]) -> [UsherFrame] {
        var frames: [UsherFrame] = []
        var rest = message[...]
        while !rest.isEmpty {
            let header = Array(rest.prefix(9))
            let length = header[1..<5].reduce(0) { $0 << 8 | Int($1) }
            let call = header[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            frames.append(
                UsherFrame(number: header[0] >> 3, call: call, Array(rest.dropFirst(9).prefix(length)), flags: header[0] & 7))
            rest = rest.dropFirst(9 + length)
        }
        return frames
    }

    // MARK: A client's frames

    static func hello(_ user: Uuid? = .test(), clientName: String = "") -> UsherFrame {
        var hello = Hello()
        hello.clientName = clientName
        hello.identity = user.map { .user($0) }
        return UsherFrame(.hello, hello.encoded())
    }

    static func hello(jwt: String) -> UsherFrame {
        var hello = Hello()
        hello.identity = .jwt(jwt)
        return UsherFrame(.hello, hello.encoded())
    }

    /// OPEN; a command gets a request id of its own unless `change` takes it away.
    static func open(_ call: UInt32, _ method: Method, _ request: some WireMessage, _ change: (inout Open) -> Void = { _ in })
        -> UsherFrame
    {
        var open = Open()
        open.method = "\(method.path)"
        open.request = request.encoded()
        if method.isCommand { open.requestId = .test() }
        if method.kind == .stream { open.credit = 1_000 }
        change(&open)
        return UsherFrame(.open, call: call, open.encoded())
    }

    static func credit(_ call: UInt32, _ messages: UInt32) -> UsherFrame {
        UsherFrame(.credit, call: call, Credit(messages: messages).encoded())
    }

    static func cancel(_ call: UInt32) -> UsherFrame { UsherFrame(.cancel, call: call) }

    static func ping(_ data: UInt64) -> UsherFrame { UsherFrame(.ping, Ping(data: data).encoded()) }
}

func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
}
