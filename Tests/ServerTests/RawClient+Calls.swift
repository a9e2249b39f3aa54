import Reactor
import Testing
import UsherAPI
import Wire

extension RawClient {
    // MARK: Sending

    func send(_ frames: WebSocketFrame...) { send(frames.flatMap(\.bytes)) }

    /// One message with these frames.
    func send(_ frames: UsherFrame...) { send(frames) }

    func send(_ frames: [UsherFrame]) { send(WebSocketFrame(Opcode.binary, frames.flatMap(\.bytes))) }

    // MARK: Taking

    /// The next WebSocket frame, whatever it is.
    func webSocketFrame() async throws -> WebSocketFrame {
        try await take("a WebSocket frame") { inbox, _ in WebSocketFrame(takenFrom: &inbox.bytes) }
    }

    /// The first frame of Usher for which the condition holds; others stay.
    func frame(_ what: String, where isWanted: (UsherFrame) -> Bool) async throws -> UsherFrame {
        try await take(what) { inbox, _ in
            inbox.sort()
            guard let index = inbox.frames.firstIndex(where: isWanted) else {
                if let close = inbox.close { throw RawEnd(missing: what, cause: .peer, close: close) }
                return nil
            }
            return inbox.frames.remove(at: index)
        }
    }

    func welcome() async throws -> Welcome { try Welcome(decoding: await frame("WELCOME") { $0.isKind(.welcome) }.body) }

    func goAway() async throws -> GoAway { try GoAway(decoding: await frame("GOAWAY") { $0.isKind(.goAway) }.body) }

    /// The call's next message.
    func message(_ call: UInt32) async throws -> Message {
        try Message(decoding: await frame("MESSAGE of call \(call)") { $0.isKind(.message) && $0.call == call }.body)
    }

    func update(_ call: UInt32) async throws -> LineUpdate { try LineUpdate(decoding: await message(call).payload) }

    func seats(_ call: UInt32) async throws -> (Message, SeatList) {
        let message = try await message(call)
        return (message, try SeatList(decoding: message.payload))
    }

    /// The call's end.
    func close(_ call: UInt32) async throws -> Close {
        let frame = try await frame("CLOSE of call \(call)") { $0.isKind(.close) && $0.call == call }
        #expect(frame.flags == UsherFrame.end)
        return try Close(decoding: frame.body)
    }

    /// The PONG with this data: everything that the server had to say to what was sent before has come by then.
    func pong(_ data: UInt64) async throws {
        _ = try await frame("PONG \(data)") { $0.isKind(.pong) && (try? Pong(decoding: $0.body).data) == data }
    }

    /// Sends a PING, and waits for its PONG.
    func roundTrip(_ data: UInt64 = .random(in: 1 ... .max)) async throws {
        send(.ping(data))
        try await pong(data)
    }

    /// Frames that came and were not taken, PINGs left out.
    func untaken() async throws -> [UsherFrame] {
        try await take("frames") { inbox, _ in
            inbox.sort()
            return inbox.frames.filter { !$0.isKind(.ping) }
        }
    }

    /// The server's Close frame, after which nothing may come but the connection's end.
    func closing() async throws -> Closing {
        try await end()
        return try await take("a close frame") { inbox, _ in
            inbox.sort()
            #expect(inbox.bytes.isEmpty, "nothing is sent after a close")
            return inbox.close
        }
    }

    /// The same, its code alone.
    func closeCode() async throws -> UInt16? { try await closing().code }
}

extension RawClient.Inbox {
    /// Takes WebSocket messages apart, up to a Close frame.
    mutating func sort() {
        while close == nil, let frame = WebSocketFrame(takenFrom: &bytes) {
            switch frame.opcode {
            case Opcode.binary:
                let all = UsherFrame.all(in: frame.payload)
                frames += all
                frameCount += all.count
            case Opcode.close:
                close = RawClient.Closing(
                    code: frame.payload.count < 2 ? nil : UInt16(frame.payload[0]) << 8 | UInt16(frame.payload[1]),
                    reason: String(decoding: frame.payload.dropFirst(2), as: UTF8.self))
            default: controls.append(frame)
            }
        }
    }
}

extension TestSale {
    /// A connection that has said HELLO and was welcomed.
    func rawCalls(_ user: Uuid? = .test()) async throws -> RawClient { try await rawCalls(hello: .hello(user)) }

    func rawCalls(hello: UsherFrame) async throws -> RawClient {
        let (client, _) = try await rawSocket()
        client.send(hello)
        _ = try await client.welcome()
        return client
    }
}
