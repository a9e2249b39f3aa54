import Foundation
import Reactor
import Synchronization
import UsherAPI
import Wire

/// A connection below every library of ours: sends any bytes, and hands out what came, so that what is right and what is
/// wrong is decided by the test alone. Only TCP and TLS are the Reactor's.
final class RawClient: Sendable {
    /// What has come and was not taken yet.
    struct Inbox: Sendable {
        var bytes: [UInt8] = []
        /// Frames of Usher, once WebSocket messages were taken apart.
        var frames: [UsherFrame] = []
        /// WebSocket control frames other than Close.
        var controls: [WebSocketFrame] = []
        /// The server's Close frame.
        var close: Closing?
        /// MESSAGEs, CLOSEs and other frames that were taken apart, ever.
        var frameCount = 0
    }

    struct Closing: Sendable, Equatable {
        var code: UInt16?
        var reason: String
    }

    private struct State {
        var inbox = Inbox()
        var isConnected = false
        var tlsVersion: String?
        var end: CloseCause?
        /// Counts what happened, so that nothing is missed between looking and waiting.
        var news = 0
        var waiter: CheckedContinuation<Void, Never>?
        var isCancelled = false

        mutating func happened() -> CheckedContinuation<Void, Never>? {
            news += 1
            defer { waiter = nil }
            return waiter
        }
    }

    private let id = Uuid.test()
    private let state = Mutex(State())

    private init() {}

    deinit {
        let id = id
        RawLoop.shared.run { $0.connections.removeValue(forKey: id)?.abort() }
    }

    /// Connects, without TLS if none is given.
    static func connect(to port: UInt16, tls: TLSContext?) async throws -> RawClient {
        let client = RawClient()
        let id = client.id
        RawLoop.shared.run { [weak client] confined in
            guard let client else { return }
            confined.connections[id] = confined.loop.connect(
                to: .loopback(port: port), tls: tls, serverName: "127.0.0.1", timeoutMilliseconds: 60_000,
                handler: Handler(client))
        }
        try await client.take("a connection") { _, isConnected in isConnected ? true : nil }
        return client
    }

    /// Negotiated, such as `TLSv1.3`.
    var tlsVersion: String? { state.withLock { $0.tlsVersion } }

    // MARK: Doing

    func send(_ bytes: [UInt8]) {
        let id = id
        RawLoop.shared.run { $0.connections[id]?.write(bytes) }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func pauseReading() {
        let id = id
        RawLoop.shared.run { $0.connections[id]?.pauseReading() }
    }

    func resumeReading() {
        let id = id
        RawLoop.shared.run { $0.connections[id]?.resumeReading() }
    }

    /// Ends the connection without a word of WebSocket.
    func hangUp() {
        let id = id
        RawLoop.shared.run { $0.connections[id]?.close() }
    }

    // MARK: Waiting

    /// Waits until `body` finds what it looks for.
    ///
    /// - Throws: `RawEnd` if the connection ends without.
    @discardableResult
    func take<Value: Sendable>(_ what: String, _ body: (inout Inbox, _ isConnected: Bool) throws -> Value?) async throws
        -> Value
    {
        while true {
            let (found, news, end) = try state.withLock { state -> (Value?, Int, CloseCause?) in
                (try body(&state.inbox, state.isConnected), state.news, state.end)
            }
            if let found { return found }
            if let end { throw RawEnd(missing: what, cause: end, close: state.withLock { $0.inbox.close }) }
            await wait(after: news)
            try Task.checkCancellation()
        }
    }

    /// Waits for the end of the connection.
    @discardableResult
    func end() async throws -> CloseCause {
        while true {
            let (end, news) = state.withLock { ($0.end, $0.news) }
            if let end { return end }
            await wait(after: news)
            try Task.checkCancellation()
        }
    }

    /// What came and was not taken.
    var rest: [UInt8] { state.withLock { $0.inbox.bytes } }

    private func wait(after news: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.news != news || state.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                state.isCancelled = true
                return state.happened()
            }?.resume()
        }
    }

    private func note(_ change: (inout State) -> Void) {
        state.withLock { state in
            change(&state)
            return state.happened()
        }?.resume()
    }

    // MARK: On the loop

    /// Keeps the client only weakly: a test that is done with it lets go of the connection.
    private final class Handler: ConnectionHandler {
        weak var client: RawClient?
        let id: Uuid

        init(_ client: RawClient) {
            self.client = client
            id = client.id
        }

        func connected(_ connection: Connection) {
            client?.note {
                $0.isConnected = true
                $0.tlsVersion = connection.tlsVersion
            }
        }

        func received(_ connection: Connection, _ bytes: consuming MutableRawSpan) {
            let copy = [UInt8](copying: bytes.bytes)
            client?.note { $0.inbox.bytes += copy }
        }

        func closed(_ connection: Connection, _ cause: CloseCause) {
            client?.note { $0.end = cause }
        }
    }
}

/// The connection ended before what the test waited for came.
struct RawEnd: Error, CustomStringConvertible {
    var missing: String
    var cause: CloseCause
    var close: RawClient.Closing?

    var description: String {
        "the connection ended (\(cause), \(close.map { "\($0)" } ?? "no close frame")) instead of \(missing)"
    }
}
