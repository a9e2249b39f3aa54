// A WebSocket driven by bytes, and a frame writer that shares nothing with the code under test.

@testable import WebSocket

enum Event: Equatable, CustomStringConvertible {
    case text([UInt8])
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case closed(UInt16, String, WebSocketFault?)

    static func text(_ string: String) -> Event { .text(Array(string.utf8)) }

    var description: String {
        switch self {
        case .text(let bytes): "text(\(bytes.count): \(bytes.prefix(20)))"
        case .binary(let bytes): "binary(\(bytes.count): \(bytes.prefix(20)))"
        case .ping(let bytes): "ping(\(bytes.count))"
        case .pong(let bytes): "pong(\(bytes.count))"
        case .closed(let code, let reason, let fault): "closed(\(code), \(reason), \(fault.map { "\($0)" } ?? "-"))"
        }
    }
}

func bytes(_ span: RawSpan) -> [UInt8] {
    var copy: [UInt8] = []
    copy.append(span)
    return copy
}

struct Recorder: WebSocketHandler {
    var events: [Event] = []
    var echoes = false
    var closesAfterMessage = false
    var deflate: DeflateContext?

    mutating func message(_ kind: MessageKind, _ payload: RawSpan, socket: inout WebSocket, output: inout [UInt8]) {
        events.append(kind == .text ? .text(bytes(payload)) : .binary(bytes(payload)))
        if echoes { socket.send(kind, payload, deflate: deflate, to: &output) }
        if closesAfterMessage { socket.close(.goingAway, to: &output) }
    }

    mutating func ping(_ payload: RawSpan) { events.append(.ping(bytes(payload))) }
    mutating func pong(_ payload: RawSpan) { events.append(.pong(bytes(payload))) }

    mutating func closed(code: WebSocketCloseCode, reason: String, fault: WebSocketFault?) {
        events.append(.closed(code.rawValue, reason, fault))
    }
}

/// A connection with its context, output and record.
struct Endpoint: ~Copyable {
    var socket: WebSocket
    var output: [UInt8] = []
    var recorder = Recorder()
    let deflate: DeflateContext

    init(server limits: WebSocketLimits = .roomy, deflate bits: UInt8? = nil, context: DeflateContext = DeflateContext()) {
        socket = WebSocket(serverWith: limits, deflate: bits.map(DeflateAgreement.init(sendWindowBits:)))
        deflate = context
    }

    init(client limits: WebSocketLimits = .roomy, deflate bits: UInt8? = nil, context: DeflateContext = DeflateContext()) {
        socket = WebSocket(clientWith: limits, deflate: bits.map(DeflateAgreement.init(sendWindowBits:)), maskSecret: (1, 2))
        deflate = context
    }

    /// Feeds all bytes in pieces of `size`.
    mutating func receive(_ input: [UInt8], inPiecesOf size: Int = .max) {
        var start = 0
        while start < input.count {
            let end = start + min(size, input.count - start)
            var piece = Array(input[start..<end])
            var elements = piece.mutableSpan
            var raw = unsafe elements.mutableBytes
            socket.receive(&raw, deflate: deflate, output: &output, handler: &recorder)
            start = end
        }
    }

    @discardableResult
    mutating func send(_ kind: MessageKind, _ payload: [UInt8], compressing: Bool = false) -> Bool {
        socket.send(kind, payload.raw, deflate: compressing ? deflate : nil, to: &output)
    }

    mutating func ping(_ payload: [UInt8] = []) -> Bool {
        socket.ping(payload.raw, to: &output)
    }

    var events: [Event] { recorder.events }
}

func isUTF8(_ text: [UInt8]) -> Bool {
    UTF8Checker.accepts(text.raw)
}

extension WebSocketLimits {
    static let roomy = WebSocketLimits(maxMessageBytes: 1 << 20, maxFragments: 1000)
}

enum Length { case shortest, medium, long }

/// Writes a frame, right or wrong.
func frame(
    _ opcode: UInt8, _ payload: [UInt8] = [], fin: Bool = true, rsv: UInt8 = 0, mask: [UInt8]? = [0x37, 0xfa, 0x21, 0x3d],
    length: Length = .shortest
) -> [UInt8] {
    var out = [(fin ? 0x80 : 0) | rsv << 4 | opcode]
    let maskBit: UInt8 = mask == nil ? 0 : 0x80
    let n = payload.count
    if length == .long || n > 65535 {
        out += [maskBit | 127] + (0..<8).map { UInt8(truncatingIfNeeded: n >> (56 - 8 * $0)) }
    } else if length == .medium || n > 125 {
        out += [maskBit | 126, UInt8(n >> 8), UInt8(n & 255)]
    } else {
        out.append(maskBit | UInt8(n))
    }
    if let mask {
        out += mask
        out.reserveCapacity(out.count + n)
        for index in 0..<n { out.append(payload[index] ^ mask[index & 3]) }
    } else {
        out += payload
    }
    return out
}

func closeFrame(_ code: UInt16, _ reason: String = "", mask: [UInt8]? = [9, 8, 7, 6]) -> [UInt8] {
    frame(8, [UInt8(code >> 8), UInt8(code & 255)] + Array(reason.utf8), mask: mask)
}

/// A small generator for tests; the seed is part of what a failure prints.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}
