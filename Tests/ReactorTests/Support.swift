import Foundation
import Glibc
import Testing

@testable import Reactor

/// Notes what happens on a connection; `react` may answer.
final class Recorder: ConnectionHandler {
    var connection: Connection?
    var bytes: [UInt8] = []
    var receivedCount = 0
    var writableCount = 0
    var closings: [CloseCause] = []
    var onConnected: (Connection) -> Void = { _ in }
    var react: (Connection, [UInt8]) -> Void = { _, _ in }

    func connected(_ connection: Connection) {
        self.connection = connection
        onConnected(connection)
    }

    func received(_ connection: Connection, _ bytes: consuming MutableRawSpan) {
        let copy = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        receivedCount += 1
        self.bytes += copy
        react(connection, copy)
    }

    func writable(_ connection: Connection) { writableCount += 1 }
    func closed(_ connection: Connection, _ cause: CloseCause) { closings.append(cause) }
}

/// A loop, and a listener on it whose handlers are kept.
final class Bench {
    let loop: EventLoop
    let port: ListeningPort
    var served: [Recorder] = []
    var react: (Connection, [UInt8]) -> Void = { _, _ in }

    init(tls: TLSContext? = nil, limits: ListenerLimits = ListenerLimits(), loopLimits: LoopLimits = LoopLimits()) throws {
        loop = try EventLoop(limits: loopLimits)
        port = try ListeningPort(.loopback(port: 0))
        try loop.listen(on: port.sockets[0], tls: tls, limits: limits) { [unowned self] _ in
            let recorder = Recorder()
            recorder.react = react
            served.append(recorder)
            return recorder
        }
    }

    func client(tls: TLSContext? = nil, serverName: String? = "localhost", from source: SocketAddress? = nil) -> Recorder {
        let recorder = Recorder()
        recorder.connection = loop.connect(to: port.address, from: source, tls: tls, serverName: serverName, handler: recorder)
        return recorder
    }

    /// Turns the loop until the condition holds; ten seconds without it fail the test instead of hanging it.
    func turn(until what: Comment, at location: SourceLocation = #_sourceLocation, _ condition: () -> Bool) throws {
        let patience = Clock.monotonicMilliseconds() + 10_000
        while !condition() {
            try #require(Clock.monotonicMilliseconds() < patience, what, sourceLocation: location)
            loop.turn(upTo: 50)
        }
    }
}

/// A blocking socket below the Reactor, for peers that misbehave.
struct RawClient {
    let descriptor: Int32

    init(_ address: SocketAddress) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let code = unsafe address.withKernelForm { unsafe connect(descriptor, $0, $1) }
        try #require(code == 0)
    }

    func send(_ bytes: [UInt8]) { _ = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// Nil when the peer has reset the connection, empty at its end.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : Array(buffer[..<count])
    }

    /// Whether a receive would not block: bytes, the end or an error.
    var hasNews: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, 0) > 0
    }

    func reset() {
        var hard = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
        _ = close(descriptor)
    }
}

/// A self-signed certificate for localhost and 127.0.0.1, made once for all tests.
enum TestCertificate {
    static let files: (certificate: String, key: String) = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("reactor-tests-\(getpid())")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let certificate = folder.appendingPathComponent("certificate.pem").path
        let key = folder.appendingPathComponent("key.pem").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
            certificate,
        ]
        process.standardError = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
        return (certificate, key)
    }()

    static var pem: String { (try? String(contentsOfFile: files.certificate, encoding: .utf8)) ?? "" }

    static func server(minimum: TLSContext.Version = .tls12) throws -> TLSContext {
        try .server(certificateFile: files.certificate, keyFile: files.key, minimum: minimum)
    }

    static func client(version: TLSContext.Version = .tls13) throws -> TLSContext {
        let context = try TLSContext.client(trust: .pinned(pem: pem), minimum: version)
        if version == .tls12 { context.limitToTLS12() }
        return context
    }
}

func pattern(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

/// Many bytes, cheap to make; a prime period, so that lost blocks show.
func block(_ count: Int) -> [UInt8] {
    let one = (0..<251).map { UInt8($0) }
    var all: [UInt8] = []
    all.reserveCapacity(count + one.count)
    while all.count < count { all += one }
    all.removeLast(all.count - count)
    return all
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
