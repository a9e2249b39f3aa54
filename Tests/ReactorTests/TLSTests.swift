import Glibc
import Testing

@testable import Reactor

struct TLSTests {
    @Test(arguments: [TLSContext.Version.tls12, .tls13]) func `a second connection resumes the first one's session`(
        version: TLSContext.Version
    ) throws {
        let bench = try Bench(tls: try TestCertificate.server())
        bench.react = { connection, bytes in connection.write(bytes) }
        let context = try TestCertificate.client(version: version)
        for round in 0..<3 {
            let client = bench.client(tls: context)
            client.onConnected = { $0.write([1]) }
            try bench.turn(until: "echo") { client.bytes == [1] }
            #expect(client.connection?.isResumed == (round > 0))
            // However the connection ends, the session stays good.
            if round == 0 { client.connection?.abort() } else { client.connection?.close() }
            try bench.turn(until: "closed") { !client.closings.isEmpty }
        }
        // The loop counts both ends.
        #expect(bench.loop.counters.handshakesFull.value == 2)
        #expect(bench.loop.counters.handshakesResumed.value == 4)
    }

    @Test func `a ticket of one loop is good at another`() throws {
        let tls = try TestCertificate.server()
        let context = try TestCertificate.client()
        let port = try ListeningPort(.loopback(port: 0))
        for round in 0..<2 {
            let loop = try EventLoop()
            let recorder = Recorder()
            recorder.onConnected = { $0.write([7]) }
            let listener = try loop.listen(on: port.sockets[0], tls: tls) { _ in recorder }
            let client = Recorder()
            loop.connect(to: port.address, tls: context, serverName: "localhost", handler: client)
            while client.bytes.isEmpty { loop.turn(upTo: 1000) }
            #expect(client.connection?.isResumed == (round == 1))
            _ = listener
            loop.control.stop()
            if round == 1 { loop.run() } else { client.connection?.abort(); loop.turn(upTo: 0) }
        }
    }

    @Test func `a client refuses a certificate it does not trust, and one for another name`() throws {
        let bench = try Bench(tls: try TestCertificate.server())
        let stranger = try TLSContext.client(trust: .system)
        let pinned = try TestCertificate.client()
        for (context, name) in [(stranger, "localhost"), (pinned, "elsewhere.example"), (pinned, "127.0.0.2")] {
            let client = bench.client(tls: context, serverName: name)
            try bench.turn(until: "refused") { !client.closings.isEmpty }
            guard case .tls(let error) = client.closings[0] else {
                Issue.record("\(client.closings)")
                continue
            }
            #expect(error.reason.contains("certificate verify failed"), "\(error)")
            #expect(client.closings.count == 1)
        }
        try bench.turn(until: "the server's ends too") { bench.loop.counters.connections.value == 0 }
        #expect(bench.served.isEmpty)
        let numeric = bench.client(tls: pinned, serverName: nil)
        try bench.turn(until: "127.0.0.1 is named in the certificate") { numeric.connection?.isOpen == true }
    }

    @Test func `a server of TLS 1.3 only refuses a client of 1.2`() throws {
        let bench = try Bench(tls: try TestCertificate.server(minimum: .tls13))
        let client = bench.client(tls: try TestCertificate.client(version: .tls12))
        try bench.turn(until: "refused") { !client.closings.isEmpty }
        guard case .tls = client.closings[0] else { Issue.record("\(client.closings)"); return }
    }

    @Test(arguments: [TLSContext.Version.tls12, .tls13]) func `bytes that dribble in one at a time make no difference`(
        version: TLSContext.Version
    ) throws {
        let bench = try Bench(tls: try TestCertificate.server())
        bench.react = { connection, bytes in connection.write(bytes) }
        let front = try ListeningPort(.loopback(port: 0))
        try bench.loop.listen(on: front.sockets[0]) { connection in
            Dribbler(to: bench.port.address, on: bench.loop)
        }
        let client = Recorder()
        client.onConnected = { $0.write(pattern(300)) }
        bench.loop.connect(
            to: front.address, tls: try TestCertificate.client(version: version), serverName: "localhost", handler: client)
        try bench.turn(until: "the echo") { client.bytes.count == 300 }
        #expect(client.bytes == pattern(300))
    }

    @Test func `noise instead of TLS fails the handshake and harms nobody`() throws {
        let bench = try Bench(tls: try TestCertificate.server())
        let noise = try RawClient(bench.port.address)
        noise.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        try bench.turn(until: "failed") { bench.loop.counters.handshakesFailed.value == 1 }
        let client = bench.client(tls: try TestCertificate.client())
        try bench.turn(until: "connected") { client.connection?.isOpen == true }
        close(noise.descriptor)
    }

    @Test func `a record changed on the way ends the connection`() throws {
        let bench = try Bench(tls: try TestCertificate.server())
        let front = try ListeningPort(.loopback(port: 0))
        var spoiler: Dribbler?
        try bench.loop.listen(on: front.sockets[0]) { _ in
            let dribbler = Dribbler(to: bench.port.address, on: bench.loop)
            spoiler = dribbler
            return dribbler
        }
        let client = Recorder()
        bench.loop.connect(to: front.address, tls: try TestCertificate.client(), serverName: "localhost", handler: client)
        try bench.turn(until: "connected") { bench.served.count == 1 && client.connection?.isOpen == true }
        spoiler?.spoils = true
        client.connection?.write(pattern(100))
        try bench.turn(until: "closed") { !bench.served[0].closings.isEmpty }
        guard case .tls = bench.served[0].closings[0] else { Issue.record("\(bench.served[0].closings)"); return }
        #expect(bench.served[0].bytes.isEmpty)
    }

    @Test func `missing files are named`() {
        let error = #expect(throws: TLSError.self) {
            try TLSContext.server(certificateFile: "/nowhere/a.pem", keyFile: "/nowhere/b.pem")
        }
        #expect(error?.description.contains("/nowhere/a.pem") == true)
    }
}

/// Stands between client and server and passes one byte a turn towards the server; answers pass whole.
private final class Dribbler: ConnectionHandler, TurnTarget {
    private let address: SocketAddress
    private let loop: EventLoop
    private var client: Connection?
    private var server: Connection?
    private var waiting: [UInt8] = []
    private var isVisiting = false
    var spoils = false

    init(to address: SocketAddress, on loop: EventLoop) {
        self.address = address
        self.loop = loop
    }

    func connected(_ connection: Connection) {
        if client == nil {
            client = connection
            loop.connect(to: address, handler: self)
        } else {
            server = connection
            ask()
        }
    }

    func received(_ connection: Connection, _ bytes: consuming MutableRawSpan) {
        let copy = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        if connection === client {
            waiting += copy
            ask()
        } else {
            client?.write(copy)
        }
    }

    func closed(_ connection: Connection, _ cause: CloseCause) {
        (connection === client ? server : client)?.close()
    }

    private func ask() {
        guard !isVisiting, server != nil, !waiting.isEmpty else { return }
        isVisiting = true
        loop.visitAtTurnEnd(self)
    }

    func turnEnded() {
        isVisiting = false
        var byte = waiting.removeFirst()
        if spoils, waiting.count == 10 { byte ^= 1 }
        server?.write([byte])
        ask()
    }
}
