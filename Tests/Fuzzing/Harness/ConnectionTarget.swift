import Calls
import Reactor
import UsherAPI
import Wire

// Up to three connections of a whole server, TLS taken off: HTTP upgrade, WebSocket, calls, gateway, sequencer.
//
//   steps: what (one byte), and what it needs
//
// Held: what is answered is HTTP, then WebSocket, then frames, within the limits told and with reasons of the catalogue;
// each call ends at most once; no more waits for a slow reader than is allowed; the promises of the sale after each entry;
// what is shown is what is; and when all have gone, nothing of them is left.

extension FuzzTarget {
    static let connection = FuzzTarget(
        "connection", bytesMax: 2048, dictionary: ["gig", "night", "queue-token", "authorization", "Bearer "]
    ) { bytes throws(Finding) in
        var script = Script(bytes)
        let visit = try Visit()
        while !script.isAtEnd { try visit.step(&script) }
        try visit.end()
    }
}

private final class Visit {
    private let server: FuzzedServer
    private var ends: [ClientEnd] = []
    private var current = 0
    private var pen = FramePen()
    private var requests: UInt64 = 0

    init() throws(Finding) {
        server = try demanded("a server") { try FuzzedServer() }
        try connect()
    }

    private func connect() throws(Finding) {
        ends.append(try ClientEnd(server))
        current = ends.count - 1
    }

    func step(_ script: inout Script) throws(Finding) {
        let what = script.byte()
        switch what % 16 {
        case 0: say(script.piece())
        case 1: say(upgrade(what))
        case 2: ends[current].say(frame: script.byte(), script.piece())
        case 3: pen.write(&script)
        case 4: ends[current].say(frame: 0x82, pen.take())
        case 5: server.pass(milliseconds: UInt64(script.byte()) << (what >> 4 & 7))
        case 6:
            server.sequence()
            try server.commit()
        case 7: try ends[current].listen()
        case 8: pen.write(hello(script.byte()))
        case 9, 10, 11: pen.write(open(script.byte(), script.byte()))
        case 12: pen.write(control(what, script.byte()))
        case 13: server.sequence()
        case 14:
            if ends.count < 3, what >> 4 & 1 == 0 { try connect() } else { current = Int(what >> 5) % ends.count }
        default:
            switch what >> 4 {
            case 0...7: ends[current].hangUp(onlyHalf: what >> 4 < 4)
            case 8: server.failJournal()
            case 9: server.drain()
            default: try greet()
            }
        }
        server.turn()
        for end in ends {
            let waiting = end.connection.unsentBytes
            try demand(waiting <= Self.unsentMax, "\(waiting) bytes wait for a reader")
        }
    }

    /// What streams may leave, and one answer to each call that runs: what is read at once is small here.
    private static let unsentMax =
        FuzzedServer.limits.outputBytes + (FuzzedServer.limits.runningCalls + 2) * FuzzedServer.limits.messageBytes + 16_384

    /// All a well-behaved client says first.
    private func greet() throws(Finding) {
        say(upgrade(0))
        server.turn()
        var message: [UInt8] = []
        message += hello(UInt8(current))
        message += open(1, 0x30)  // Join, with credit for three updates
        ends[current].say(frame: 0x82, message)
        server.turn()
        server.sequence()
        try server.commit()
        try ends[current].listen()
    }

    private func say(_ bytes: [UInt8]) { ends[current].say(bytes) }

    private func upgrade(_ what: UInt8) -> [UInt8] {
        let path = what >> 4 == 15 ? "/.well-known/jwks.json" : what >> 4 == 14 ? "/none" : "/v1"
        return Array(
            """
            GET \(path) HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Protocol: usher.v1\r
            Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n
            """.utf8)
    }

    private func hello(_ who: UInt8) -> [UInt8] {
        var hello = Hello(clientName: "fuzz")
        switch who & 7 {
        case 7: hello.identity = .jwt("operator:\(FuzzedServer.operatorKey)")
        case 6: break
        case let number: hello.identity = .user(user(number))
        }
        if who & 8 != 0 { hello.epoch = FuzzedServer.epoch }
        if who & 16 != 0 { hello.position = UInt64(who >> 5) + 100 }
        return frame(hello, 0)
    }

    private func user(_ number: UInt8) -> Uuid { Uuid(high: 1, low: UInt64(number) % 4 + 1) }

    private func open(_ which: UInt8, _ argument: UInt8) -> [UInt8] {
        let method = Method.allCases[Int(which) % Method.allCases.count]
        var open = Open(method: method.path.description)
        requests += 1
        if method.isCommand {
            open.requestId = Uuid(high: 2, low: argument & 0x80 == 0 ? 1000 + requests : UInt64(argument & 7))
        }
        open.attempts = argument & 0xC0 == 0xC0 ? 1 : 0
        if method.kind == .stream { open.credit = UInt32(argument >> 4 & 3) }
        if argument & 0x48 == 0x48 { open.timeoutMs = 1_500 }
        if argument & 0x84 == 0x84 {
            let bearer = argument & 8 == 0 ? "\(user(argument >> 5))" : "operator:\(FuzzedServer.operatorKey)"
            open.metadata.append(Metadata(key: "authorization", value: Array("Bearer \(bearer)".utf8)))
        }
        if argument & 0x42 == 0x42, let token = ends.lazy.compactMap(\.queueToken).last {
            open.metadata.append(Metadata(key: "queue-token", value: Array(token.utf8)))
        }
        open.request = body(of: method, argument)
        ends[current].calls += 1
        return frame(open, ends[current].calls)
    }

    private func control(_ what: UInt8, _ argument: UInt8) -> [UInt8] {
        let call = UInt32(argument & 15)
        switch what >> 4 & 3 {
        case 0: return frame(Cancel(), call)
        case 1: return frame(Credit(messages: UInt32(argument >> 4)), call)
        case 2: return frame(Ping(data: 1), 0)
        default: return frame(Pong(data: UInt64(argument)), 0)
        }
    }

    private func frame(_ body: some FrameBody, _ call: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendFrame(body, callID: call)
        return bytes
    }

    func end() throws(Finding) {
        for end in ends { try end.listen() }
        for end in ends { end.hangUp(onlyHalf: false) }
        server.turn()
        for _ in 0..<3 {
            server.pass(milliseconds: 4_000)
            server.sequence()
            try server.commit()
        }
        ends = []
        try server.checkEmpty()
        try server.checkPicture()
        server.end()
    }
}
