// Frames: the protocol's own within a WebSocket message, and the WebSocket's around it.

internal import UsherAPI
internal import WebSocket
internal import Wire

extension Benchmark {
    /// Framing of both kinds, unmasking, and what a broadcast costs.
    public static var frames: [Benchmark] {
        [parseFrames, receive(inFlight: 1), receive(inFlight: 16), unmask, framePushes, broadcast]
    }

    /// Frames of 57-byte bodies, split off a message of 16.
    private static var parseFrames: Benchmark {
        Benchmark(
            "parse a frame's header", sizes: [16], of: "frames a message", testSize: 3, allocationsMax: 0
        ) { size in
            var message: [UInt8] = []
            for call in 1...size { message.appendFrame(kind: 4, callID: UInt32(call), body: Small.measured) }
            let repeats = 200_000 / size
            let wanted = repeats * size * (57 + 4)
            return Prepared(operations: repeats * size, expecting: wanted) {
                var sum = 0
                for _ in 0..<repeats {
                    var reader = FrameReader(message.rawSpan, bodyBytesMax: 65_536)
                    do throws(FrameError) {
                        while let frame = try reader.next() { sum += frame.body.byteCount + Int(frame.header.kind) }
                    } catch {
                        return -1
                    }
                }
                return sum
            }
        }
    }

    /// Masked messages of 66 bytes as a client sends them, so many to one read, unmasked and handed on.
    private static func receive(inFlight: Int) -> Benchmark {
        Benchmark(
            "receive a masked message, \(inFlight) a read", sizes: [100_000], of: "messages", testSize: 32, allocationsMax: 0
        ) { messages in
            var client = WebSocket(clientWith: WebSocketLimits(), maskSecret: (1, 2))
            var body: [UInt8] = []
            body.appendFrame(kind: 4, callID: 7, body: Small.measured)
            var read: [UInt8] = []
            for _ in 0..<inFlight { client.send(.binary, body.rawSpan, to: &read) }
            let end = Receiving()
            let reads = messages / inFlight
            return Prepared(operations: reads * inFlight, expecting: reads * inFlight * body.count) {
                end.receive(read, times: reads)
            }
        }
    }

    /// The bytes of one large message, in place.
    private static var unmask: Benchmark {
        Benchmark(
            "unmask, a KiB", sizes: [60], of: "KiB a message", testSize: 2, allocationsMax: 0
        ) { size in
            var client = WebSocket(clientWith: WebSocketLimits(), maskSecret: (1, 2))
            var read: [UInt8] = []
            client.send(.binary, [UInt8](repeating: 7, count: size * 1024).rawSpan, to: &read)
            let end = Receiving()
            let reads = 2_000
            return Prepared(operations: reads * size, expecting: reads * size * 1024) { end.receive(read, times: reads) }
        }
    }

    /// A push as a connection's turn writes it: WebSocket header, frame header and message behind each other.
    private static var framePushes: Benchmark {
        Benchmark(
            "frame a push for one connection", sizes: [100_000], of: "pushes", testSize: 3, allocationsMax: 0
        ) { pushes in
            let sender = Sending()
            let push = opaque(Small.measured)
            return Prepared(operations: pushes, expecting: pushes * (2 + 9 + push.encodedSize)) {
                sender.send(push, times: pushes)
            }
        }
    }

    /// The same notice to everybody: encoded and framed once, then appended for each.
    private static var broadcast: Benchmark {
        Benchmark(
            "broadcast, each of the subscribers", sizes: [1, 100, 10_000], of: "subscribers", testSize: 3
        ) { subscribers in
            var outputs = [[UInt8]](repeating: [], count: subscribers)
            for index in outputs.indices { outputs[index].reserveCapacity(256) }
            let sender = Sending()
            let push = opaque(Small.measured)
            return Prepared(operations: subscribers, expecting: subscribers * (2 + 9 + push.encodedSize)) {
                for index in outputs.indices { outputs[index].removeAll(keepingCapacity: true) }
            } run: {
                sender.broadcast(push, to: &outputs)
                return outputs.reduce(0) { $0 + $1.count }
            }
        }
    }
}

/// A server's end that counts the bytes of the messages it is handed.
private final class Receiving {
    private struct Counter: WebSocketHandler {
        var bytes = 0

        mutating func message(_ kind: MessageKind, _ payload: RawSpan, socket: inout WebSocket, output: inout [UInt8]) {
            bytes += payload.byteCount
        }

        mutating func closed(code: WebSocketCloseCode, reason: String, fault: WebSocketFault?) { bytes = -1 }
    }

    private var socket = WebSocket(serverWith: WebSocketLimits())
    private let deflate = DeflateContext()
    private var buffer: [UInt8] = []
    private var output: [UInt8] = []

    /// Receives the same bytes so many times, from a buffer into which they are copied as `recv` does.
    func receive(_ read: [UInt8], times: Int) -> Int {
        var counter = Counter()
        if buffer.count != read.count { buffer = read }
        for _ in 0..<times {
            // Safe: the buffer is as long as what is read.
            unsafe buffer.withUnsafeMutableBytes { room in unsafe room.copyBytes(from: read) }
            var elements = buffer.mutableSpan
            // Safe: bytes seen as bytes.
            var bytes = unsafe elements.mutableBytes
            socket.receive(&bytes, deflate: deflate, output: &output, handler: &counter)
        }
        return counter.bytes
    }
}

/// A server's end that sends.
private final class Sending {
    private var socket = WebSocket(serverWith: WebSocketLimits())
    private var body: [UInt8] = []
    private var output: [UInt8] = []

    init() {
        body.reserveCapacity(256)
        output.reserveCapacity(256)
    }

    func send(_ push: Small, times: Int) -> Int {
        var sum = 0
        for call in 0..<times {
            output.removeAll(keepingCapacity: true)
            body.removeAll(keepingCapacity: true)
            body.appendFrame(kind: 4, callID: UInt32(truncatingIfNeeded: call), body: push)
            socket.send(.binary, body.rawSpan, to: &output)
            sum += output.count
        }
        return sum
    }

    func broadcast(_ push: Small, to outputs: inout [[UInt8]]) {
        body.removeAll(keepingCapacity: true)
        body.appendFrame(kind: 4, callID: 1, body: push)
        let frame = WebSocket.encode(.binary, body.rawSpan)
        for index in outputs.indices { socket.send(frame, to: &outputs[index]) }
    }
}
