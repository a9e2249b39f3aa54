import Wire

@testable import WebSocket

// One end of a WebSocket is fed with bytes, cut in three ways.
//
//   flags: 1 client's end · 2 deflate · 4 small limits · 8 echoes · 16 closes after a message · 32 sends a Close before
//   cuts, then the bytes
//
// Held: the same events, answers and state come of it however the bytes are cut; at most one Close frame goes out, last;
// nothing happens after the end; no more is buffered than the limits allow; a message is within its limits and text is
// UTF-8; what is answered is read by the real other end without fault.

extension FuzzTarget {
    static let webSocket = FuzzTarget("websocket", bytesMax: 2048) { bytes throws(Finding) in
        var script = Script(bytes)
        let set = EndSettings(flags: script.byte())
        let cuts = Cuts(&script)
        let input = script.remainder()
        let whole = try set.run(input, .none)
        try demandEqual(try set.run(input, cuts), whole, "cut at \(cuts.sizes)")
        if input.count <= 256 { try demandEqual(try set.run(input, Cuts(every: 1)), whole, "byte by byte") }
    }
}

/// What an end is like.
private struct EndSettings {
    let flags: UInt8

    var isClient: Bool { flags & 1 != 0 }
    var deflates: Bool { flags & 2 != 0 }
    var echoes: Bool { flags & 8 != 0 }
    var limits: WebSocketLimits {
        flags & 4 != 0 ? WebSocketLimits(maxMessageBytes: 300, maxFragments: 3) : WebSocketLimits(maxMessageBytes: 1 << 16)
    }

    func socket(client: Bool) -> WebSocket {
        let agreement = deflates ? DeflateAgreement(sendWindowBits: 15) : nil
        return client
            ? WebSocket(clientWith: limits, deflate: agreement, maskSecret: (1, 2))
            : WebSocket(serverWith: limits, deflate: agreement)
    }

    func run(_ input: [UInt8], _ cuts: Cuts) throws(Finding) -> SocketRecord {
        let deflate = DeflateContext(thresholdBytes: 16)
        var socket = socket(client: isClient)
        var record = SocketRecord(
            echoes: echoes, closesAfterMessage: flags & 16 != 0, limits: limits, deflate: deflates ? deflate : nil)
        var output: [UInt8] = []
        if flags & 32 != 0 { socket.close(.goingAway, reason: "before", to: &output) }
        let bufferedMax =
            (deflates ? DeflateContext.deflatedBytesMax(of: limits.maxMessageBytes) : limits.maxMessageBytes) + 125
        for piece in cuts.pieces(of: input) {
            let outputCount = output.count
            let wasClosed = socket.isClosed
            let eventCount = record.events.count
            socket.receive(piece, deflate, &output, &record)
            let buffered = socket.bufferedBytes
            try demand(buffered <= bufferedMax, "\(buffered) bytes are buffered")
            try demand(!wasClosed || output.count == outputCount && record.events.count == eventCount, "life after the end")
        }
        let isClosed = socket.isClosed
        if let broken = record.broken { throw Finding(broken) }
        try demand(record.events.dropLast().allSatisfy { !$0.isEnd }, "events after the end")
        try demandEqual(isClosed, record.events.last?.isEnd ?? false, "closed, and told so")
        record.output = output
        record.isOpen = socket.isOpen
        try checkAnswers(record)
        return record
    }

    /// The other end reads what this one said.
    private func checkAnswers(_ record: SocketRecord) throws(Finding) {
        let deflate = DeflateContext()
        var peer = socket(client: !isClient)
        var heard = SocketRecord(echoes: false, closesAfterMessage: false, limits: limits, deflate: nil)
        var nothing: [UInt8] = []
        peer.receive(record.output, deflate, &nothing, &heard)
        let buffered = peer.bufferedBytes
        try demandEqual(buffered, 0, "an answer was not finished")
        for case .closed(_, _, let fault?) in heard.events { throw Finding("an answer is a fault: \(fault)") }
        let ends = heard.events.count { $0.isEnd }
        try demand(ends <= 1 && heard.events.dropLast().allSatisfy { !$0.isEnd }, "more was said after a Close frame")
        try demandEqual(peer.isOpen, record.isOpen, "both ends open, or neither")
        // An echo is heard again as it was, each ping as a pong, until the end.
        let said = record.events.compactMap { (event) -> SocketEvent? in
            switch event {
            case .message: echoes ? event : nil
            case .ping(let payload): .pong(payload)
            case .pong, .closed: nil
            }
        }
        let answers = heard.events.filter { !$0.isEnd }
        try demand(flags & (16 | 32) != 0 || said == answers, "said \(said), heard \(answers)")
        try demand(answers.count <= said.count, "answers to nothing")
    }
}

private enum SocketEvent: Equatable {
    case message(MessageKind, [UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case closed(UInt16, String, WebSocketFault?)

    var isEnd: Bool { if case .closed = self { true } else { false } }
}

private struct SocketRecord: WebSocketHandler, Equatable, CustomStringConvertible {
    let echoes: Bool
    let closesAfterMessage: Bool
    let limits: WebSocketLimits
    let deflate: DeflateContext?
    var events: [SocketEvent] = []
    var output: [UInt8] = []
    var isOpen = true
    /// The first thing that must not be.
    var broken: String?

    mutating func message(_ kind: MessageKind, _ payload: RawSpan, socket: inout WebSocket, output: inout [UInt8]) {
        let bytes = [UInt8](copying: payload)
        if bytes.count > limits.maxMessageBytes { broken = "a message of \(bytes.count) bytes" }
        if kind == .text, String(validating: bytes, as: UTF8.self) == nil { broken = "text that is not UTF-8" }
        events.append(.message(kind, bytes))
        if echoes { socket.send(kind, payload, deflate: deflate, to: &output) }
        if closesAfterMessage { socket.close(.normal, reason: "enough", to: &output) }
    }

    mutating func ping(_ payload: RawSpan) { events.append(.ping([UInt8](copying: payload))) }
    mutating func pong(_ payload: RawSpan) { events.append(.pong([UInt8](copying: payload))) }

    mutating func closed(code: WebSocketCloseCode, reason: String, fault: WebSocketFault?) {
        events.append(.closed(code.rawValue, reason, fault))
    }

    static func == (left: SocketRecord, right: SocketRecord) -> Bool {
        left.events == right.events && left.output == right.output && left.isOpen == right.isOpen
    }

    var description: String { "\(events), \(output.count) bytes out, \(isOpen ? "open" : "not open")" }
}

extension WebSocket {
    /// Feeds a copy, since unmasking overwrites.
    mutating func receive<Handler: WebSocketHandler>(
        _ bytes: [UInt8], _ deflate: DeflateContext, _ output: inout [UInt8], _ handler: inout Handler
    ) {
        var copy = bytes
        var elements = copy.mutableSpan
        // Safe: bytes seen as bytes.
        var raw = unsafe elements.mutableBytes
        receive(&raw, deflate: deflate, output: &output, handler: &handler)
    }
}
