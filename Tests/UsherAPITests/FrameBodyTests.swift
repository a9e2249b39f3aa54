import Testing
import UsherAPI
import Wire

@Suite struct FrameBodyTests {
    @Test func `each body makes the frame of its kind, and only CLOSE ends a call`() throws {
        try expect(Hello(clientName: "x"), .hello, [])
        try expect(Welcome(instance: "a"), .welcome, [])
        try expect(Open(method: "/m"), .open, [])
        try expect(Message(sequence: 3), .message, [])
        try expect(Close(code: .aborted), .close, .end)
        try expect(Credit(messages: 9), .credit, [])
        try expect(Cancel(), .cancel, [])
        try expect(Ping(data: 1), .ping, [])
        try expect(Pong(data: 1), .pong, [])
        try expect(GoAway(lastCall: 7), .goAway, [])
    }

    @Test func `a payload encoded in place gives the bytes of one that was encoded before`() {
        for payload in [LineUpdate(), LineUpdate(state: .waiting, position: 70_000, concert: "c")] {
            for (sequence, position, reset) in [(0, 0, false), (300, 7, true)] as [(UInt64, UInt64, Bool)] {
                let carrying = MessageCarrying(payload, sequence: sequence, position: position, reset: reset)
                let message = Message(sequence: sequence, position: position, reset: reset, payload: payload.encoded())
                #expect(frame(carrying) == frame(message))
            }
            let close = Close(position: 9, payload: payload.encoded())
            #expect(frame(CloseCarrying(payload, position: 9)) == frame(close))
        }
    }

    private func frame(_ body: some FrameBody) -> [UInt8] {
        var output: [UInt8] = []
        output.appendFrame(body, callID: 5)
        return output
    }

    private func expect<Body: FrameBody & WireMessage>(_ body: Body, _ kind: FrameKind, _ flags: FrameFlags) throws {
        let bytes = frame(body)
        var reader = FrameReader(bytes.rawSpan, bodyBytesMax: 100)
        let frame = try reader.next()!
        let (header, copy) = (frame.header, [UInt8](copying: frame.body))
        #expect(header.frameKind == kind)
        #expect(header.flags == flags)
        #expect(header.callID == 5)
        #expect(try Body(decoding: copy) == body)
    }
}
