import Testing

@testable import WebSocket

struct CloseTests {
    @Test(
        arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4499, 4999]
            as [UInt16])
    func `a valid code is told and answered with itself`(code: UInt16) {
        for size in [Int.max, 1] {
            var server = Endpoint(server: .roomy)
            server.receive(closeFrame(code, "bye"), inPiecesOf: size)
            let events = server.events
            #expect(events == [.closed(code, "bye", nil)])
            #expect(server.output == closeFrame(code, mask: nil))
        }
    }

    @Test(arguments: [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] as [UInt16])
    func `a code that must not be sent is 1002`(code: UInt16) {
        var server = Endpoint(server: .roomy)
        server.receive(closeFrame(code))
        let events = server.events
        #expect(events == [.closed(1002, WebSocketFault.closeCodeInvalid.reason, .closeCodeInvalid)])
        #expect(!WebSocketCloseCode(rawValue: code).mayBeSent)
    }

    @Test(arguments: [Int.max, 1])
    func `a close without a code is answered without one`(size: Int) {
        var server = Endpoint(server: .roomy)
        server.receive(frame(8), inPiecesOf: size)
        let events = server.events
        #expect(events == [.closed(1005, "", nil)])
        #expect(server.output == [0x88, 0x00])
    }

    @Test func `a reason of 123 bytes is the longest`() {
        var server = Endpoint(server: .roomy)
        let reason = String(repeating: "r", count: 123)
        server.receive(closeFrame(1000, reason))
        let events = server.events
        #expect(events == [.closed(1000, reason, nil)])
    }

    @Test func `after a close was received everything is ignored`() {
        var server = Endpoint(server: .roomy)
        server.receive(
            frame(1, [65], fin: false) + closeFrame(1000) + frame(0, [65]) + frame(9) + closeFrame(1001) + [0xff, 0xff])
        let events = server.events
        #expect(events == [.closed(1000, "", nil)])
        #expect(server.output == closeFrame(1000, mask: nil))
        let sent = (
            server.send(.text, [65]), server.ping(),
            server.socket.close(.normal, to: &server.output), server.socket.begin(.binary, payloadBytes: 1, to: &server.output)
        )
        #expect(sent == (false, false, false, false))
        #expect(server.output == closeFrame(1000, mask: nil))
    }

    @Test func `after our close nothing more is sent, messages are dropped, and the peer's close ends it`() {
        var server = Endpoint(server: .roomy)
        server.receive(frame(1, [65], fin: false))
        let closed = server.socket.close(WebSocketCloseCode(rawValue: 4500), reason: "no", to: &server.output)
        #expect(closed)
        let farewell = closeFrame(4500, "no", mask: nil)
        #expect(server.output == farewell)
        let owned = server.socket.bufferedBytes
        #expect(owned == 0)

        // More than the limits allow, and not UTF-8: it is not looked at any more.
        server.receive(frame(0, [0xff]) + frame(9, [1]) + frame(2, [UInt8](repeating: 1, count: 70000)), inPiecesOf: 100)
        let silent = (server.events.isEmpty, server.socket.isClosed, server.socket.bufferedBytes)
        #expect(silent == (true, false, 0))
        #expect(server.output == farewell)

        server.receive(closeFrame(4500) + frame(9, [1]), inPiecesOf: 3)
        let events = server.events
        #expect(events == [.closed(4500, "", nil)])
        #expect(server.output == farewell)
        let isClosed = server.socket.isClosed
        #expect(isClosed)
    }

    @Test func `a fault after our close ends it without a second Close frame`() {
        var server = Endpoint(server: .roomy)
        server.socket.close(.goingAway, to: &server.output)
        server.receive(frame(3))
        let events = server.events
        #expect(events == [.closed(1002, WebSocketFault.unknownOpcode.reason, .unknownOpcode)])
        #expect(server.output == closeFrame(1001, mask: nil))
    }

    @Test func `a handler that closes gets no further message of the same bytes`() {
        var server = Endpoint(server: .roomy)
        server.recorder.closesAfterMessage = true
        server.receive(frame(1, [65]) + frame(1, [66]) + closeFrame(1001))
        let events = server.events
        #expect(events == [.text("A"), .closed(1001, "", nil)])
        #expect(server.output == closeFrame(1001, mask: nil))
    }

    @Test func `a long reason is cut at the end of a character`() {
        var server = Endpoint(server: .roomy)
        server.socket.close(.normal, reason: String(repeating: "한", count: 60), to: &server.output)
        #expect(server.output == closeFrame(1000, String(repeating: "한", count: 41), mask: nil))
        var empty = Endpoint(server: .roomy)
        empty.socket.close(.noStatus, reason: "unsaid", to: &empty.output)
        #expect(empty.output == [0x88, 0x00])
    }

    @Test func `two ends close with each other`() {
        var client = Endpoint(client: .roomy)
        var server = Endpoint(server: .roomy)
        client.socket.close(.normal, reason: "done", to: &client.output)
        server.receive(client.output)
        client.receive(server.output)
        let events = (client.events, server.events)
        #expect(events.0 == [.closed(1000, "", nil)])
        #expect(events.1 == [.closed(1000, "done", nil)])
    }
}
