import Calls
import Glibc
import Reactor
import UsherAPI
import Wire

@testable import WebSocket

/// The far end of one of the fuzzed server's connections: says what the script says, and holds the server to the protocol
/// in what it answers.
final class ClientEnd {
    private enum Phase {
        case head, socket, over
    }

    private let descriptor: Int32
    private var isOpen = true
    private var phase = Phase.head
    private var reader = HTTPHeadReader()
    private var socket = WebSocket(
        clientWith: WebSocketLimits(maxMessageBytes: FuzzedServer.limits.messageBytes),
        deflate: DeflateAgreement(sendWindowBits: 15),
        maskSecret: (1, 2))
    private var heard = Heard()
    private var bodyBytesLeft = 0
    /// Calls opened so far.
    var calls: UInt32 = 0
    private(set) var unsaid: [UInt8] = []

    /// The server's end.
    let connection: Connection

    /// The queue token heard last.
    var queueToken: String? { heard.queueToken }

    /// Connects to the server.
    init(_ server: FuzzedServer) throws(Finding) {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Finding("socketpair: errno \(errno)") }
        // Little room in the kernel, so that a slow reader is soon noticed.
        var room: Int32 = 8192
        _ = unsafe setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        descriptor = ends[0]
        let theirs = ends[1]
        connection = try demanded("accept") { try server.accept(theirs) }
    }

    deinit { if isOpen { close(descriptor) } }

    // MARK: Speaking

    /// Sends what the kernel takes; what it does not take waits for the next time.
    func say(_ bytes: [UInt8]) {
        guard isOpen else { return }
        unsaid += bytes
        let count = unsafe unsaid.withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if count > 0 { unsaid.removeFirst(count) }
        if count < 0, errno != EAGAIN { unsaid = [] }
    }

    /// Says one WebSocket frame, whose first byte may be any; the mask is of zeros.
    func say(frame first: UInt8, _ payload: [UInt8]) {
        var bytes = [first]
        if payload.count < 126 {
            bytes.append(0x80 | UInt8(payload.count))
        } else if payload.count < 65_536 {
            bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        } else {
            bytes.append(0x80 | 127)
            bytes += (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> (8 * $0)) }
        }
        say(bytes + [0, 0, 0, 0] + payload)
    }

    func hangUp(onlyHalf: Bool) {
        guard isOpen else { return }
        if onlyHalf {
            shutdown(descriptor, Int32(SHUT_WR))
        } else {
            isOpen = false
            close(descriptor)
        }
    }

    // MARK: Listening

    /// Takes all that has come.
    func listen() throws(Finding) {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while isOpen {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { break }
            try hear(Array(buffer[..<count]))
        }
        if isOpen, !unsaid.isEmpty { say([]) }
    }

    private func hear(_ bytes: [UInt8]) throws(Finding) {
        switch phase {
        case .head: try hearHead(bytes)
        case .socket: try hearSocket(bytes)
        case .over:
            bodyBytesLeft -= bytes.count
            try demand(bodyBytesLeft >= 0, "more than the response said")
        }
    }

    private func hearHead(_ bytes: [UInt8]) throws(Finding) {
        var consumed = 0
        let head: HTTPResponseHead?
        do throws(HTTPFault) {
            head = try reader.readResponse(bytes.rawSpan, consumed: &consumed)
        } catch {
            throw Finding("the response is none: \(error)")
        }
        guard let head else { return }
        if head.status == 101 {
            phase = .socket
        } else {
            try demand(HTTPStatus(rawValue: head.status) != nil, "status \(head.status)")
            phase = .over
            bodyBytesLeft = Int(head.fields.only("content-length") ?? "") ?? -1
        }
        if consumed < bytes.count { try hear(Array(bytes[consumed...])) }
    }

    private func hearSocket(_ bytes: [UInt8]) throws(Finding) {
        var nothing: [UInt8] = []
        let wasClosed = socket.isClosed
        try demand(!wasClosed, "\(bytes.count) bytes after the Close frame")
        socket.receive(bytes, DeflateContext(), &nothing, &heard)
        if let broken = heard.broken { throw Finding(broken) }
        // A ping of the server is answered by whoever listens, a Close frame too.
        if !nothing.isEmpty { say(nothing) }
    }

    /// What came of the server's frames.
    private struct Heard: WebSocketHandler {
        var speech = Speech([.welcome, .message, .close, .ping, .pong, .goAway])
        var broken: String?
        var queueToken: String?

        mutating func message(_ kind: MessageKind, _ payload: RawSpan, socket: inout WebSocket, output: inout [UInt8]) {
            var frames = [UInt8](copying: payload)
            var token = queueToken
            defer { queueToken = token }
            do throws(Finding) {
                try demand(kind == .binary && !frames.isEmpty, "a message that is not of frames")
                try speech.hear(&frames) { (kind, call, body) throws(Finding) in
                    if kind == .message { token = Self.queueToken(in: body) ?? token }
                    guard kind == .close else { return }
                    let close = try demanded("CLOSE") { () throws(WireError) in try Close(decoding: body) }
                    guard close.code != .ok else { return }
                    guard let reason = Reason(rawValue: close.reason) else { throw Finding("reason '\(close.reason)'") }
                    try demandEqual(reason.code, close.code, "code of \(close.reason)")
                }
            } catch {
                broken = error.description
            }
        }

        /// The queue token, if this is a line's update that has one.
        private static func queueToken(in body: [UInt8]) -> String? {
            guard let message = try? Message(decoding: body), let update = try? LineUpdate(decoding: message.payload),
                update.queueToken.hasPrefix("eyJ")
            else { return nil }
            return update.queueToken
        }

        mutating func closed(code: WebSocketCloseCode, reason: String, fault: WebSocketFault?) {
            if let fault { broken = "the server breaks the protocol: \(fault)" }
            // 1000 tells a client that all is done: never what a server says by itself.
            let known = (1001...1011).contains(code.rawValue) || (4000...4999).contains(code.rawValue)
            if !known, code != .noStatus, !heardCodes.contains(code.rawValue) { broken = "close code \(code)" }
        }

        /// What the client may have said itself, and gets back.
        let heardCodes: Set<UInt16> = []
    }
}
