internal import WebSocket

/// The WebSocket of a connection: messages of frames in and out.
struct SocketStream: ~Copyable {
    private var socket: WebSocket

    init(messageBytes: Int, maskSecret: (low: UInt64, high: UInt64)) {
        socket = WebSocket(clientWith: WebSocketLimits(maxMessageBytes: messageBytes), maskSecret: maskSecret)
    }

    /// Takes bytes in. Whole messages and the end are told to `connection`; pongs and the answer to a Close frame are
    /// appended to `output`.
    mutating func receive(
        _ bytes: inout MutableRawSpan, deflate: DeflateContext, output: inout [UInt8], for connection: ClientConnection
    ) {
        var events = SocketEvents(connection: connection)
        socket.receive(&bytes, deflate: deflate, output: &output, handler: &events)
    }

    /// Appends one binary message.
    mutating func send(_ message: RawSpan, to output: inout [UInt8]) {
        socket.send(.binary, message, to: &output)
    }

    /// Appends a Close frame, unless one was sent.
    mutating func close(_ code: UInt16, reason: String, to output: inout [UInt8]) {
        let code = WebSocketCloseCode(rawValue: code)
        socket.close(code.mayBeSent ? code : .normal, reason: reason, to: &output)
    }
}

/// Hands what the socket finds to the connection, while the socket itself is at work.
private struct SocketEvents: WebSocketHandler {
    let connection: ClientConnection

    mutating func message(_ kind: MessageKind, _ payload: RawSpan, socket: inout WebSocket, output: inout [UInt8]) {
        switch kind {
        case .binary: connection.take(payload)
        case .text: connection.failed(.webSocketFault("a text message"), closeCode: 1003, reason: "binary messages only")
        }
    }

    mutating func closed(code: WebSocketCloseCode, reason: String, fault: WebSocketFault?) {
        connection.socketClosed(code.rawValue, reason: reason, isFault: fault != nil)
    }
}
