import Glibc
import Testing

@testable import Reactor

struct ListenerTests {
    @Test func `a second server on the port is refused with a clear error`() throws {
        let first = try ListeningPort(.loopback(port: 0), count: 3)
        let error = #expect(throws: SystemError.self) { try ListeningPort(first.address, count: 3) }
        #expect(error?.code == EADDRINUSE)
        #expect(error?.description.contains("Address already in use") == true)
        #expect(error?.description.contains("\(first.address.port)") == true)
    }

    @Test func `the port is free again once its owner has gone`() throws {
        var first: ListeningPort? = try ListeningPort(.loopback(port: 0), count: 2)
        let address = try #require(first?.address)
        first = nil
        _ = try ListeningPort(address, count: 2)
    }

    @Test func `all sockets of a port share it and each gets connections`() throws {
        let port = try ListeningPort(.loopback(port: 0), count: 2)
        #expect(Set(port.sockets.map(\.address)) == [port.address])
        let loop = try EventLoop()
        var counts = [0, 0]
        for (index, socket) in port.sockets.enumerated() {
            try loop.listen(on: socket) { _ in
                counts[index] += 1
                return Recorder()
            }
        }
        let clients = try (0..<64).map { _ in try RawClient(port.address) }
        while counts.reduce(0, +) < 64 { loop.turn(upTo: 1000) }
        #expect(counts.allSatisfy { $0 > 0 })
        for client in clients { close(client.descriptor) }
    }

    @Test func `connections at the limit wait in the kernel until one ends`() throws {
        var limits = ListenerLimits()
        limits.connectionsMax = 2
        let bench = try Bench(limits: limits)
        let clients = try (0..<3).map { _ in try RawClient(bench.port.address) }
        try bench.turn(until: "two accepted") { bench.served.count == 2 }
        for _ in 0..<3 { bench.loop.turn(upTo: 1) }
        #expect(bench.served.count == 2)
        bench.served[0].connection?.abort()
        try bench.turn(until: "the third") { bench.served.count == 3 }
        for client in clients { close(client.descriptor) }
    }

    @Test func `a silent socket is closed at the handshake's deadline`() throws {
        var limits = ListenerLimits()
        limits.handshakeMilliseconds = 30
        let bench = try Bench(tls: try TestCertificate.server(), limits: limits)
        let raw = try RawClient(bench.port.address)
        try bench.turn(until: "ended") { bench.loop.counters.handshakesFailed.value == 1 }
        #expect(raw.receive() == [])
        #expect(bench.served.isEmpty, "no handler ever hears of it")
        close(raw.descriptor)
    }

    @Test(arguments: [[], [22], [22, 3, 1, 2, 0, 1, 0]] as [[UInt8]])
    func `the oldest of too many sockets without a whole ClientHello is evicted, and others get in`(beginning: [UInt8]) throws {
        var limits = ListenerLimits()
        limits.silentMax = 3
        limits.silentGraceMilliseconds = 20
        let bench = try Bench(tls: try TestCertificate.server(), limits: limits)
        let silent = try (0..<5).map { _ in try RawClient(bench.port.address) }
        for client in silent { client.send(beginning) }
        try bench.turn(until: "two evicted") { bench.loop.counters.silentEvicted.value == 2 }
        #expect(silent.map(\.hasNews) == [true, true, false, false, false])
        let client = bench.client(tls: try TestCertificate.client())
        try bench.turn(until: "connected") { client.connection?.isOpen == true }
        #expect(bench.loop.counters.silentEvicted.value == 3)
        for client in silent { close(client.descriptor) }
    }

    @Test(arguments: [16 * 1024, 16 * 1024 + 1]) func `a ClientHello has 16 KiB to be whole in`(size: Int) throws {
        let bench = try Bench(tls: try TestCertificate.server())
        let raw = try RawClient(bench.port.address)
        // Records of one handshake message that says it is 128 KiB long.
        var bytes: [UInt8] = []
        var message: [UInt8] = [1, 1, 0xff, 0] + pattern(size)
        while bytes.count < size {
            let part = min(message.count, 16_000, size - bytes.count - 5)
            bytes += [22, 3, 1, UInt8(part >> 8), UInt8(part & 0xff)] + message.prefix(part)
            message.removeFirst(part)
        }
        #expect(bytes.count == size)
        for start in stride(from: 0, to: size, by: 1_000) {
            raw.send(Array(bytes[start..<min(start + 1_000, size)]))
            bench.loop.turn(upTo: 10)
        }
        try bench.turn(until: "all is read") { bench.loop.counters.bytesReceived.value == size }
        #expect(bench.loop.counters.handshakesFailed.value == (size > ListenerLimits().helloBytesMax ? 1 : 0))
        close(raw.descriptor)
    }

    @Test func `in a stampede nobody is evicted whose ClientHello is still on its way or unread`() throws {
        var limits = ListenerLimits()
        limits.silentMax = 4
        limits.silentGraceMilliseconds = 60_000
        var loopLimits = LoopLimits()
        loopLimits.handshakesPerTurn = 2
        let bench = try Bench(tls: try TestCertificate.server(), limits: limits, loopLimits: loopLimits)
        let port = bench.port.address
        let thread = try Reactor.Thread.start(name: "crowd") {
            // On a loop of its own, so that all of them speak at once, whatever the server's loop does.
            guard let loop = try? EventLoop(), let tls = try? TestCertificate.client() else { return }
            let crowd = (0..<100).map { _ in
                let client = Recorder()
                loop.connect(to: port, tls: tls, serverName: "localhost", timeoutMilliseconds: 60_000, handler: client)
                return client
            }
            while crowd.contains(where: { $0.connection == nil && $0.closings.isEmpty }) { loop.turn(upTo: 1000) }
        }
        try bench.turn(until: "everyone") {
            bench.loop.counters.accepted.value == 100
                && bench.served.count + Int(bench.loop.counters.handshakesFailed.value) == 100
        }
        #expect(bench.loop.counters.silentEvicted.value == 0)
        #expect(bench.served.count == 100)
        thread.join()
    }

    @Test func `handshakes under way are limited, and their deadline lets others in again`() throws {
        // What a client says first, caught by a listener without TLS.
        let catcher = try Bench()
        _ = catcher.client(tls: try TestCertificate.client())
        try catcher.turn(until: "a ClientHello") { catcher.served.first?.bytes.isEmpty == false }
        let hello = catcher.served[0].bytes

        var limits = ListenerLimits()
        limits.handshakesMax = 2
        limits.handshakeMilliseconds = 200
        let bench = try Bench(tls: try TestCertificate.server(), limits: limits)
        let stalling = try (0..<2).map { _ in try RawClient(bench.port.address) }
        for client in stalling { client.send(hello) }
        try bench.turn(until: "ServerHello") { stalling.allSatisfy(\.hasNews) }
        let late = bench.client(tls: try TestCertificate.client())
        try bench.turn(until: "the late one is in") { late.connection?.isOpen == true && bench.served.count == 1 }
        #expect(bench.loop.counters.handshakesFailed.value == 2, "only after the two had ended")
        for client in stalling { close(client.descriptor) }
    }

    @Test func `without descriptors accepting pauses and recovers`() async {
        await #expect(processExitsWith: .success) {
            var limits = ListenerLimits()
            limits.exhaustedPauseMilliseconds = 10
            let bench = try Bench(limits: limits)
            let clients = try (0..<8).map { _ in try RawClient(bench.port.address) }
            // Descriptors are handed out lowest first: room for two more, at most.
            var room = rlimit()
            _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &room)
            let before = room.rlim_cur
            room.rlim_cur = rlim_t(clients.last!.descriptor + 3)
            _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &room)
            try bench.turn(until: "paused") { bench.loop.counters.acceptPauses.value > 0 }
            guard bench.served.count < 8 else { exit(2) }
            room.rlim_cur = before
            _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &room)
            try bench.turn(until: "all accepted") { bench.served.count == 8 }
            exit(0)
        }
    }
}
