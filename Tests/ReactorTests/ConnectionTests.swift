import Glibc
import Testing

@testable import Reactor

struct ConnectionTests {
    enum Security: CaseIterable {
        case none, tls12, tls13

        func server() throws -> TLSContext? { self == .none ? nil : try TestCertificate.server() }
        func client() throws -> TLSContext? {
            self == .none ? nil : try TestCertificate.client(version: self == .tls12 ? .tls12 : .tls13)
        }
        var version: String? { [.none: nil, .tls12: "TLSv1.2", .tls13: "TLSv1.3"][self]! }
    }

    @Test(arguments: Security.allCases) func `what is sent comes back`(security: Security) throws {
        let bench = try Bench(tls: security.server())
        bench.react = { connection, bytes in connection.write(bytes) }
        let client = bench.client(tls: try security.client())
        client.onConnected = { $0.write(Array("hello".utf8)) }
        try bench.turn(until: "the echo") { client.bytes == Array("hello".utf8) }
        #expect(client.connection?.tlsVersion == security.version)
        #expect(bench.served[0].connection?.tlsVersion == security.version)
        client.connection?.close()
        try bench.turn(until: "both ends closed") { !client.closings.isEmpty && !bench.served[0].closings.isEmpty }
        #expect(client.closings == [.local])
        #expect(bench.served[0].closings == [.peer])
        bench.loop.turn(upTo: 0)
        #expect(bench.loop.counters.connections.value == 0)
    }

    @Test(arguments: Security.allCases) func `a hundred connections each get their own bytes`(security: Security) throws {
        let bench = try Bench(tls: security.server())
        bench.react = { connection, bytes in connection.write(bytes) }
        let context = try security.client()
        let clients = (0..<100).map { index in
            let client = bench.client(tls: context, from: .loopback(UInt8(2 + index % 8), port: 0))
            client.onConnected = { $0.write(pattern(1000, seed: UInt64(index))) }
            return client
        }
        try bench.turn(until: "all echoes") { clients.allSatisfy { $0.bytes.count == 1000 } }
        for (index, client) in clients.enumerated() { #expect(client.bytes == pattern(1000, seed: UInt64(index))) }
        #expect(clients[1].connection?.localAddress?.hostText == "127.0.0.3")
        #expect(bench.served.count == 100)
    }

    @Test(arguments: Security.allCases) func `a slow reader's bytes wait with the connection, and writable comes once`(
        security: Security
    ) throws {
        let bench = try Bench(tls: security.server())
        let client = bench.client(tls: try security.client())
        try bench.turn(until: "connected") { client.connection?.isOpen == true && bench.served.count == 1 }
        let sender = try #require(bench.served[0].connection)
        client.connection?.pauseReading()
        let sent = block(20_000_000)
        for start in stride(from: 0, to: sent.count, by: 500_000) { sender.write(Array(sent[start..<start + 500_000])) }
        bench.loop.turn(upTo: 0)
        #expect(sender.unsentBytes > 1_000_000)
        #expect(bench.loop.output.bytes.isEmpty, "the loop keeps nothing for it")
        #expect(bench.served[0].writableCount == 0)
        client.connection?.resumeReading()
        try bench.turn(until: "all bytes") { client.bytes.count == sent.count }
        #expect(client.bytes == sent)
        #expect(bench.served[0].writableCount == 1)
        #expect(sender.unsentBytes == 0)
        #expect(sender.remainder.capacity == 0)
    }

    @Test func `the kernel takes little for a peer that does not read`() throws {
        let bench = try Bench()
        let raw = try RawClient(bench.port.address)
        try bench.turn(until: "accepted") { bench.served.count == 1 }
        bench.served[0].connection?.write(block(20_000_000))
        for _ in 0..<20 { bench.loop.turn(upTo: 10) }
        // The kernel's own overhead is in the doubled number; the peer's receive buffer comes on top (tcp(7), tcp_rmem).
        let taken = Int(bench.loop.counters.bytesSent.value)
        #expect(taken < 2 * Int(ListeningPort.sendBufferBytes) + 1_000_000, "of up to 4 MB and the peer's")
        #expect(taken > 10_000)
        raw.reset()
    }

    @Test(arguments: Security.allCases) func `close sends what is unsent first`(security: Security) throws {
        let bench = try Bench(tls: security.server())
        bench.react = { connection, _ in
            connection.write(block(3_000_000))
            connection.close()
            connection.write([1, 2, 3])  // dropped: it is closing
        }
        let client = bench.client(tls: try security.client())
        client.onConnected = { $0.write([0]) }
        try bench.turn(until: "both ends closed") { !client.closings.isEmpty && !bench.served[0].closings.isEmpty }
        #expect(client.bytes == block(3_000_000))
        #expect(client.closings == [.peer])
        #expect(bench.served[0].closings == [.local])
    }

    @Test(arguments: Security.allCases) func `all of a callback leaves in one record and one system call`(security: Security)
        throws
    {
        let bench = try Bench(tls: security.server())
        bench.react = { connection, _ in
            connection.write([1, 2, 3])
            connection.withOutput { $0 += [4, 5] }
            connection.write([6])
        }
        let client = bench.client(tls: try security.client())
        try bench.turn(until: "connected") { client.connection?.isOpen == true && bench.served.count == 1 }
        for _ in 0..<3 { bench.loop.turn(upTo: 0) }  // session tickets
        let (writes, records) = (bench.loop.counters.writes.value, bench.loop.counters.records.value)
        client.connection?.write([0])
        try bench.turn(until: "the answer") { client.bytes.count == 6 }
        #expect(client.bytes == [1, 2, 3, 4, 5, 6])
        #expect(client.receivedCount == 1)
        #expect(bench.loop.counters.writes.value - writes == 2, "one for the question, one for the answer")
        #expect(bench.loop.counters.records.value - records == (security == .none ? 0 : 2))
    }

    @Test(arguments: Security.allCases) func `a fan-out costs one write for each connection and leaves no buffers`(
        security: Security
    ) throws {
        let bench = try Bench(tls: security.server())
        let context = try security.client()
        let clients = (0..<50).map { _ in bench.client(tls: context) }
        try bench.turn(until: "connected") { bench.served.count == 50 && clients.allSatisfy { $0.connection?.isOpen == true } }
        for _ in 0..<3 { bench.loop.turn(upTo: 0) }
        let (writes, records) = (bench.loop.counters.writes.value, bench.loop.counters.records.value)
        let frame = pattern(32)
        for recorder in bench.served {
            unsafe recorder.connection?.write(frame.span.bytes)
            unsafe recorder.connection?.write(frame.span.bytes)
        }
        try bench.turn(until: "all frames") { clients.allSatisfy { $0.bytes.count == 64 } }
        #expect(bench.loop.counters.writes.value - writes == 50)
        #expect(bench.loop.counters.records.value - records == (security == .none ? 0 : 50))
        #expect(bench.served.allSatisfy { $0.connection?.remainder.capacity == 0 })
    }

    @Test func `while output is lent, others may be written to and the loan still leaves whole`() throws {
        let bench = try Bench()
        let clients = [bench.client(), bench.client()]
        try bench.turn(until: "connected") { bench.served.count == 2 && clients.allSatisfy { $0.connection?.isOpen == true } }
        let (one, other) = (bench.served[0].connection!, bench.served[1].connection!)
        one.write([1])
        one.withOutput { bytes in
            bytes.append(2)
            other.withOutput { $0.append(9) }
            other.write([8])
            bytes.append(3)
            one.close()  // after the loan
        }
        try bench.turn(until: "bytes") { clients.map(\.bytes.count).reduce(0, +) == 5 }
        #expect(Set(clients.map(\.bytes)) == [[1, 2, 3], [9, 8]])
        try bench.turn(until: "closed") { bench.served[0].closings == [.local] }
    }

    @Test func `a peer that ends its side still gets the answer`() throws {
        let bench = try Bench()
        bench.react = { connection, bytes in connection.write(bytes) }
        let raw = try RawClient(bench.port.address)
        raw.send([1, 2, 3])
        _ = shutdown(raw.descriptor, Int32(SHUT_WR))
        try bench.turn(until: "closed") { bench.served.first?.closings.isEmpty == false }
        #expect(bench.served[0].closings == [.peer])
        #expect(raw.receive() == [1, 2, 3])
        #expect(raw.receive() == [])
        close(raw.descriptor)
    }

    @Test(arguments: [false, true]) func `a reset is heard of once, reading or paused`(paused: Bool) throws {
        let bench = try Bench()
        let raw = try RawClient(bench.port.address)
        try bench.turn(until: "accepted") { bench.served.count == 1 }
        if paused { bench.served[0].connection?.pauseReading() }
        raw.reset()
        try bench.turn(until: "closed") { !bench.served[0].closings.isEmpty }
        bench.served[0].connection?.abort()
        bench.served[0].connection?.close()
        for _ in 0..<3 { bench.loop.turn(upTo: 0) }
        #expect(bench.served[0].closings == [.broken(errno: ECONNRESET)])
    }

    @Test func `a reset while output waits ends the connection and gives its bytes back`() throws {
        let bench = try Bench()
        bench.react = { connection, _ in connection.write(block(20_000_000)) }
        let raw = try RawClient(bench.port.address)
        raw.send([1])
        try bench.turn(until: "a remainder") { (bench.served.first?.connection?.unsentBytes ?? 0) > 0 }
        raw.reset()
        try bench.turn(until: "closed") { !bench.served[0].closings.isEmpty }
        guard case .broken = bench.served[0].closings[0] else { Issue.record("\(bench.served[0].closings)"); return }
        #expect(bench.served[0].connection?.unsentBytes == 0)
    }

    @Test func `abort drops what is unsent and is heard of after the callback`() throws {
        let bench = try Bench()
        var heardInside: [CloseCause] = []
        bench.react = { [unowned bench] connection, _ in
            connection.write([1])
            connection.abort()
            connection.write([2])
            heardInside = bench.served[0].closings
        }
        let client = bench.client()
        client.onConnected = { $0.write([0]) }
        try bench.turn(until: "closed") { !client.closings.isEmpty }
        #expect(heardInside.isEmpty)
        #expect(bench.served[0].closings == [.local])
        #expect(client.bytes.isEmpty)
        #expect(client.closings == [.broken(errno: ECONNRESET)])
    }

    @Test func `a peer that never ends is closed after the linger time`() throws {
        var limits = LoopLimits()
        limits.lingerMilliseconds = 20
        let bench = try Bench(loopLimits: limits)
        bench.react = { connection, _ in connection.close() }
        let raw = try RawClient(bench.port.address)
        raw.send([1])
        try bench.turn(until: "closed") { bench.served.first?.closings == [.local] }
        close(raw.descriptor)
    }

    @Test func `what a peer does not take before the linger time is over is dropped, the kernel's part too`() throws {
        var limits = LoopLimits()
        limits.lingerMilliseconds = 20
        let bench = try Bench(loopLimits: limits)
        bench.react = { connection, _ in
            connection.write(block(20_000_000))
            connection.close()
        }
        let raw = try RawClient(bench.port.address)
        raw.send([1])
        try bench.turn(until: "closed") { bench.served.first?.closings == [.local] }
        var received = 0
        while let bytes = raw.receive() {
            try #require(!bytes.isEmpty, "a reset, no orderly end")
            received += bytes.count
        }
        #expect(received < 20_000_000)
        close(raw.descriptor)
    }

    @Test func `nobody listening is refused, told by closed alone`() throws {
        let bench = try Bench()
        let client = Recorder()
        // A port that was free a moment ago: bound, never listening.
        let vacant = try ListeningPort(.loopback(9, port: 0)).address
        bench.loop.connect(to: vacant, handler: client)
        try bench.turn(until: "refused") { !client.closings.isEmpty }
        #expect(client.closings == [.refused(errno: ECONNREFUSED)])
        #expect(client.connection == nil)
    }
}
