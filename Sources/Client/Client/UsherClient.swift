internal import Calls
internal import Reactor
internal import Synchronization
public import UsherAPI
public import Wire

/// A client of Usher: one connection that comes back by itself, calls that are repeated where that is safe, and pushes.
///
///     let client = try await UsherClient.connect(to: [ServerURL("wss://localhost:8443")], identity: .user(.random()))
///     for try await update in client.line.join("aurora") where update.state == .active {
///         let hold = try await client.reservations.hold(performance: "aurora-1", bestAvailable: 2)
///         …
///     }
///
/// - A lost connection is made again: after 1 s, doubled up to 60 s, times a random factor from 0.5 to 1; as GOAWAY and
///   close codes say; with the highest journal position seen, so that answers are never older than earlier ones. Of several
///   addresses a random one comes first, and after losing one the next.
/// - Streams go on where they were, calls without an answer are sent again: commands under the same request id, so that
///   nothing happens twice.
/// - A call that the server asks to repeat is repeated, within its time (``RetryRule``).
/// - Cancelling a task cancels its call.
///
/// Usable from any task. Keep it for as long as it is needed and `close()` it.
public final class UsherClient: Sendable {
    let session: ClientSession
    let shared: SharedState
    let options: ClientOptions

    /// Connects, trying each address once.
    ///
    /// - Parameters:
    ///   - urls: the instances; any will do, the first that answers is taken, beginning with one at random
    ///     (``ClientOptions/startsAtRandom``).
    ///   - identity: who calls.
    ///   - trust: whom to believe to be the server.
    ///   - loop: nil for the process's shared one.
    /// - Throws: `UsherError.connection` with a sentence when none of them can be reached.
    public static func connect(
        to urls: [ServerURL], identity: ClientIdentity, trust: ClientTrust = .system,
        options: ClientOptions = ClientOptions(), loop: ClientLoop? = nil
    ) async throws(UsherError) -> UsherClient {
        precondition(!urls.isEmpty, "a client needs an address")
        let home: ClientLoop
        if let loop { home = loop } else { home = try .shared() }
        let client = try UsherClient(urls, identity, trust.makeContext(), options, home)
        let session = client.session
        let cancellation = Cancellation()
        let result: Result<Void, UsherError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let posted = client.shared.loop.post { hub in
                    guard !cancellation.isAsked else {
                        continuation.resume(returning: .failure(.cancelled))
                        return
                    }
                    session.start(hub) { continuation.resume(returning: $0) }
                }
                if !posted { continuation.resume(returning: .failure(.tooBusy)) }
            }
        } onCancel: {
            cancellation.ask()
            _ = client.shared.loop.post { _ in session.close() }
        }
        try result.get()
        return client
    }

    private init(
        _ urls: [ServerURL], _ identity: ClientIdentity, _ tls: TLSContext, _ options: ClientOptions, _ loop: ClientLoop
    ) {
        self.options = options
        shared = SharedState(loop: loop)
        session = ClientSession(urls: urls, tls: tls, identity: identity, options: options, shared: shared)
    }

    deinit { close() }

    /// Ends the connection. Calls that have no answer yet end with `UsherError.closed`.
    public func close() {
        let session = session
        _ = shared.loop.post { _ in session.close() }
    }

    // MARK: Facts

    /// What the server last said on connecting.
    public var welcome: Welcome { shared.welcome ?? Welcome() }

    /// Which server it is.
    public var server: ServerURL? { shared.server }

    /// The journal and the highest position of it that any answer has shown.
    public var seen: (epoch: Uuid, position: UInt64)? { shared.seen }

    /// What becomes of the connection, from now on. For one reader; the latest 16 are kept for it.
    public var connectionEvents: AsyncStream<ConnectionEvent> { shared.events }

    /// The place this client has in a concert's line, to be kept for a later client of the same user.
    public func queueToken(of concert: String) -> String? { shared.token(of: concert) }

    /// Gives the client a place that an earlier client of the same user took.
    public func useQueueToken(_ token: String, of concert: String) { shared.set(token: token, of: concert) }

    /// Takes another identity, now and after reconnecting, for instance a renewed JWT. One that is refused changes nothing.
    @discardableResult
    public func authenticate(_ identity: ClientIdentity) async throws(UsherError) -> AuthenticateResponse {
        var request = AuthenticateRequest()
        switch identity {
        case .jwt(let text): request.identity = .jwt(text)
        case .user(let user): request.identity = .user(user)
        }
        let response: AuthenticateResponse = try await call(.authenticate, request)
        let session = session
        _ = shared.loop.post { _ in session.identity = identity }
        return response
    }

    // MARK: Calls

    /// Calls a unary method of any kind. The services below are the comfortable way.
    public func call<Response: WireMessage>(
        _ method: Method, _ request: some WireMessage, _ settings: CallSettings = CallSettings(),
        returning response: Response.Type = Response.self
    ) async throws(UsherError) -> Response {
        try await call(method, request, settings, about: .nothing)
    }

    func call<Response: WireMessage>(
        _ method: Method, _ request: some WireMessage, _ settings: CallSettings, about subject: SharedState.Subject,
        returning response: Response.Type = Response.self
    ) async throws(UsherError) -> Response {
        let id = shared.newOperationID()
        let session = session
        let shared = shared
        let bytes = request.encoded()
        let timeout = (settings.timeout ?? options.callTimeout).wholeMilliseconds
        let requestID = method.isCommand ? settings.requestID ?? .random() : nil
        let cancellation = Cancellation()
        let result: Result<[UInt8], UsherError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let posted = shared.loop.post { hub in
                    guard !cancellation.isAsked else {
                        continuation.resume(returning: .failure(.cancelled))
                        return
                    }
                    session.begin(
                        Operation(
                            id: id, method: method, request: bytes, shape: .unary, requestID: requestID,
                            attempts: settings.attempts, lastSequence: 0, floor: settings.position,
                            metadata: { settings.metadata(shared, subject) }, deadline: hub.loop.now + timeout,
                            received: { _ in },
                            finished: { continuation.resume(returning: $0.map(\.payload)) }))
                }
                if !posted { continuation.resume(returning: .failure(.tooBusy)) }
            }
        } onCancel: {
            cancellation.ask()
            _ = shared.loop.post { _ in session.cancel(id) }
        }
        let payload = try result.get()
        do throws(WireError) {
            return try Response(decoding: payload)
        } catch {
            throw .refused(.unreadableAnswer(error))
        }
    }

    /// How a stream's messages become elements, and how it goes on after a lost connection.
    struct StreamKind<Payload: WireMessage, Element: Sendable>: Sendable {
        var shape: @Sendable () -> Operation.Shape
        var element: @Sendable (StreamMessage<Payload>) -> Element
    }

    func stream<Payload: WireMessage, Element: Sendable>(
        _ method: Method, _ request: some WireMessage, _ settings: CallSettings, about subject: SharedState.Subject,
        lastSequence: UInt64 = 0, _ kind: StreamKind<Payload, Element>
    ) -> Pushes<Element> {
        let id = shared.newOperationID()
        let session = session
        let shared = shared
        let bytes = request.encoded()
        let requestID = method.isCommand ? settings.requestID ?? .random() : nil
        let feed = PushFeed<Element>(
            window: options.streamWindow, report: { count in _ = shared.loop.post { _ in session.consumed(id, count) } },
            cancel: { _ = shared.loop.post { _ in session.cancel(id) } })
        let posted = shared.loop.post { [weak feed] hub in
            session.begin(
                Operation(
                    id: id, method: method, request: bytes, shape: kind.shape(), requestID: requestID,
                    attempts: settings.attempts, lastSequence: lastSequence, floor: settings.position,
                    metadata: { settings.metadata(shared, subject) },
                    deadline: settings.timeout.map { hub.loop.now + $0.wholeMilliseconds },
                    received: { view in
                        guard let payload = try? Payload(decoding: view.payload) else {
                            feed?.finish(.failure(.refused(.unreadableMessage)))
                            session.cancel(id)
                            return
                        }
                        let message = StreamMessage(
                            payload: payload, sequence: view.sequence, position: view.position, reset: view.reset)
                        feed?.push(kind.element(message))
                    },
                    finished: { feed?.finish($0.map { _ in }) }))
        }
        if !posted { feed.finish(.failure(.tooBusy)) }
        return Pushes(feed: feed)
    }
}

/// That a task was cancelled, for the loop to see before it begins what the task asked for: a task that is cancelled
/// beforehand runs its cancellation handler first, and what is not begun yet cannot be ended.
private final class Cancellation: Sendable {
    private let state = Mutex(false)

    var isAsked: Bool { state.withLock { $0 } }

    func ask() { state.withLock { $0 = true } }
}

extension CallSettings {
    fileprivate func metadata(_ shared: SharedState, _ subject: SharedState.Subject) -> [Metadata] {
        var metadata: [Metadata] = []
        if let authorization {
            metadata.append(Metadata(key: "authorization", value: Array("Bearer \(authorization)".utf8)))
        }
        if let token = queueToken ?? shared.token(for: subject) {
            metadata.append(Metadata(key: "queue-token", value: Array(token.utf8)))
        }
        return metadata
    }
}

extension UsherError {
    static var tooBusy: UsherError { .connection("This client has too many calls waiting. Let some of them end first.") }
}

extension Status {
    static var unreadableMessage: Status {
        Status(.internalError, "A message of the stream is not what the method sends.")
    }
}
