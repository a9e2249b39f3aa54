public import UsherAPI
public import Wire

/// What OPEN says beside method and request.
public struct CallOptions: Equatable, Sendable {
    /// How long the client waits; 0: for ever.
    public var timeoutMilliseconds: UInt32
    /// Keys and values.
    public var metadata: [Metadata]
    /// Names a command, so that it can be repeated.
    public var requestID: Uuid?
    /// How many times the request id was sent before.
    public var attempts: UInt32
    /// For a stream: messages that may be on their way at once, at least 1. 0 makes the call unary.
    public var credit: UInt32
    /// Whether credit comes back by itself, once half of it is used up. Otherwise give it with `ClientCalls.credit`.
    public var replenishesCredit: Bool
    /// For a stream: resume after this sequence; 0: from the start.
    public var lastSequence: UInt64
    /// Answer only once this journal position is applied; 0: whatever this connection has shown already.
    public var position: UInt64

    /// The options given.
    public init(
        timeoutMilliseconds: UInt32 = 0, metadata: [Metadata] = [], requestID: Uuid? = nil, attempts: UInt32 = 0,
        credit: UInt32 = 0, replenishesCredit: Bool = true, lastSequence: UInt64 = 0, position: UInt64 = 0
    ) {
        self.timeoutMilliseconds = timeoutMilliseconds
        self.metadata = metadata
        self.requestID = requestID
        self.attempts = attempts
        self.credit = credit
        self.replenishesCredit = replenishesCredit
        self.lastSequence = lastSequence
        self.position = position
    }
}

/// Why a call cannot be opened on this connection; nothing was appended.
public enum OpenRefusal: Error, Equatable, Sendable {
    /// The connection is closed: open it on the next one.
    case closed
    /// The server goes away: open it on the next one.
    case goingAway
    /// As many calls run as the server allows.
    case tooManyCalls
    /// OPEN would be larger than a frame may be.
    case tooLarge
    /// All ids are used up: open it on the next connection.
    case idsExhausted
}

extension ClientCalls {
    /// Sends the first frame. Call it once.
    public mutating func hello(_ hello: Hello, now: UInt64, output: inout [UInt8]) {
        precondition(phase == .idle, "HELLO is sent once")
        phase = .greeting
        epoch = hello.epoch
        position = hello.position
        welcomeDeadline = now + limits.welcomeMilliseconds
        output.appendFrame(hello, callID: 0)
    }

    /// Opens a call, from `hello` on. The handler hears `closed` for it.
    public mutating func open(
        _ method: Method, _ request: some WireEncodable, _ options: CallOptions = CallOptions(), now: UInt64,
        output: inout [UInt8]
    ) throws(OpenRefusal) -> CallID {
        try open(path: method.description, request: request.encoded(), options, now: now, output: &output)
    }

    /// Opens a call of a method that need not be a known one, with its request encoded.
    public mutating func open(
        path: String, request: [UInt8], _ options: CallOptions = CallOptions(), now: UInt64, output: inout [UInt8]
    ) throws(OpenRefusal) -> CallID {
        precondition(phase != .idle, "HELLO comes first")
        guard phase != .closed else { throw .closed }
        guard phase != .goingAway else { throw .goingAway }
        guard running.count < runningCallsMax else { throw .tooManyCalls }
        guard highestCall < .max else { throw .idsExhausted }
        let open = Open(path, options, request: request)
        let start = output.count
        output.appendFrame(open, callID: highestCall + 1)
        guard output.count - start <= messageBytes else {
            output.removeSubrange(start...)
            throw .tooLarge
        }
        highestCall += 1
        let call = CallID(highestCall)
        running.append(ClientCall(call, options, now: now))
        return call
    }

    /// Asks the server to stop a call. It still ends with `closed`; its messages are no longer passed on.
    ///
    /// Does nothing for a call that has ended or is cancelled already.
    public mutating func cancel(_ call: CallID, output: inout [UInt8]) {
        guard phase != .closed, let index = running.index(of: call.rawValue),
            running[index].isWanted
        else { return }
        running.update(index) { $0.state.insert(.cancelled) }
        output.appendFrame(Cancel(), callID: call.rawValue)
    }

    /// Gives a stream credit for more messages. Does nothing for a call that has ended or is cancelled.
    public mutating func credit(_ call: CallID, messages: UInt32, output: inout [UInt8]) {
        guard phase != .closed, messages > 0, let index = running.index(of: call.rawValue),
            running[index].isWanted
        else { return }
        running.update(index) { $0.credit = $0.credit.addingSaturated(messages) }
        output.appendFrame(Credit(messages: messages), callID: call.rawValue)
    }

    /// Asks whether the server is there, for instance after the device slept. Any answer is life.
    public mutating func ping(now: UInt64, output: inout [UInt8]) {
        guard phase == .open || phase == .goingAway else { return }
        pingNumber &+= 1
        pingSentAt = now
        output.appendFrame(Ping(data: UInt64(pingNumber)), callID: 0)
    }
}

extension Open {
    fileprivate init(_ method: String, _ options: CallOptions, request: [UInt8]) {
        self.init(
            method: method, timeoutMs: options.timeoutMilliseconds, metadata: options.metadata,
            requestId: options.requestID, attempts: options.attempts, credit: options.credit,
            lastSequence: options.lastSequence, position: options.position, request: request)
    }
}

extension ClientCall {
    fileprivate init(_ call: CallID, _ options: CallOptions, now: UInt64) {
        id = call.rawValue
        window = options.credit
        credit = options.credit
        deadline = options.timeoutMilliseconds == 0 ? .max : now + UInt64(options.timeoutMilliseconds)
        requestID = options.requestID
        attempts = options.attempts
        lastSequence = options.lastSequence
        state = options.replenishesCredit ? .replenishes : []
    }
}
