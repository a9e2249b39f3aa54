public import Calls
internal import Reactor
public import UsherAPI
public import Wire

// Opening calls: bare, whose answers go to the handler, and with closures.

extension ClientConnection {
    /// Opens a call; the handler hears `message` and `closed` for it. Its deadline is kept here too.
    ///
    /// A command that has no request id in its options gets a random one.
    /// - Throws: `OpenRefusal`, nothing was sent then; `.closed` also before the upgrade is done.
    @discardableResult
    public func open(
        _ method: Method, _ request: some WireEncodable, _ options: CallOptions = CallOptions()
    ) throws(OpenRefusal) -> CallID {
        try open(path: method.description, request: request.encoded(), options.completed(for: method))
    }

    /// Opens a call of any path, with its request encoded.
    @discardableResult
    public func open(path: String, request: [UInt8], _ options: CallOptions) throws(OpenRefusal) -> CallID {
        guard state.contains(.upgraded), end == nil else { throw .closed }
        let now = hub.loop.now
        let call = try withFrames { (calls, frames) throws(OpenRefusal) in
            try calls.open(path: path, request: request, options, now: now, output: &frames)
        }
        arm()
        return call
    }

    /// Opens a unary call; `answer` hears its end once, with the response or the status that refused it.
    ///
    /// If the connection ends first, `answer` is dropped unheard: no end is ever inferred. `ended` tells, and
    /// `unanswered` lists the call.
    @discardableResult
    public func call<Response: WireMessage>(
        _ method: Method, _ request: some WireEncodable, _ options: CallOptions = CallOptions(),
        returning response: Response.Type = Response.self, _ answer: @escaping (Result<Response, Status>) -> Void
    ) throws(OpenRefusal) -> CallID {
        let call = try open(method, request, options)
        pending.append(
            PendingCall(call: call, message: nil) { close in
                guard close.status.code == .ok else {
                    answer(.failure(close.status))
                    return
                }
                do throws(WireError) {
                    answer(.success(try Response(decoding: close.payload)))
                } catch {
                    answer(.failure(.unreadableAnswer(error)))
                }
            })
        return call
    }

    /// Opens a stream; `message` hears each of its messages, `closed` its end, dropped unheard as for `call`.
    ///
    /// - Parameter options: without credit, 16 messages may be on their way.
    @discardableResult
    public func stream<Response: WireMessage>(
        _ method: Method, _ request: some WireEncodable, _ options: CallOptions = CallOptions(),
        returning response: Response.Type = Response.self, message: @escaping (StreamMessage<Response>) -> Void,
        closed: @escaping (Status) -> Void
    ) throws(OpenRefusal) -> CallID {
        var options = options
        if options.credit == 0 { options.credit = 16 }
        let call = try open(method, request, options)
        pending.append(
            PendingCall(
                call: call,
                message: { [unowned self] view in
                    guard let decoded = try? Response(decoding: view.payload) else {
                        failed(.violation(.body(.message, .truncated(at: 0))), closeCode: 4501, reason: "unreadable message")
                        return
                    }
                    message(
                        StreamMessage(
                            payload: decoded, sequence: view.sequence, position: view.position, reset: view.reset))
                },
                closed: { closed($0.status) }))
        return call
    }

    /// Asks the server to stop a call. It still ends with `closed`.
    public func cancel(_ call: CallID) {
        withFrames { calls, frames in calls.cancel(call, output: &frames) }
    }

    /// Gives a stream that does not replenish by itself credit for more messages.
    public func credit(_ call: CallID, messages: UInt32) {
        withFrames { calls, frames in calls.credit(call, messages: messages, output: &frames) }
    }

    /// Asks whether the server is there; the handler hears `pong`.
    public func ping() {
        let now = hub.loop.now
        withFrames { calls, frames in calls.ping(now: now, output: &frames) }
    }

    // MARK: Answers

    func tell(_ call: CallID, _ message: MessageView) {
        if let waiting = pending.first(where: { $0.call == call }) {
            waiting.message?(message)
        } else {
            handler?.message(self, call, message)
        }
    }

    func tell(_ call: CallID, _ close: CloseView) {
        if let index = pending.firstIndex(where: { $0.call == call }) {
            pending.remove(at: index).closed(close)
        } else {
            handler?.closed(self, call, close)
        }
    }
}

/// One message of a stream, decoded.
public struct StreamMessage<Payload: Sendable>: Sendable {
    /// The message itself.
    public var payload: Payload
    /// The revision of the stream's state.
    public var sequence: UInt64
    /// The journal position it reflects.
    public var position: UInt64
    /// Forget what this stream said before: a snapshot begins.
    public var reset: Bool
}

/// A call opened with closures.
struct PendingCall {
    let call: CallID
    let message: ((MessageView) -> Void)?
    let closed: (CloseView) -> Void
}

extension CallOptions {
    /// With a request id where the method needs one.
    func completed(for method: Method) -> CallOptions {
        guard method.isCommand, requestID == nil else { return self }
        var options = self
        options.requestID = .random()
        return options
    }
}

extension Status {
    static func unreadableAnswer(_ error: WireError) -> Status {
        Status(.internalError, "The server's answer is not the message that the method returns (\(error)).")
    }
}
