internal import Calls
internal import Reactor
internal import UsherAPI

/// One call as its caller sees it: it outlives connections and is repeated until it has its end. Confined to the loop.
final class Operation {
    /// In the order of beginning.
    let id: UInt64
    let method: Method
    let request: [UInt8]
    let shape: Shape
    let requestID: Uuid?
    /// Evaluated for each sending, since tokens are renewed.
    let metadata: () -> [Metadata]
    /// Monotonic milliseconds; nil: none.
    let deadline: UInt64?
    /// The end: nil with OK for a stream; a unary call's answer.
    let finished: (Result<CloseAnswer, UsherError>) -> Void
    /// One message of a stream.
    let received: (MessageView) -> Void
    /// The journal position that the answer must not be older than, beside what this client has seen.
    let floor: UInt64

    /// The call it is, and on which connection.
    var call: RunningCall?
    var attempts: UInt32
    var repeats = 0
    var backoff = Backoff.repeating
    /// Of its deadline.
    var timer = TimerToken.none
    /// Its next sending is being waited for.
    var isResting = false
    /// Whether anything was ever sent.
    var wasSent = false
    /// Resume after this.
    var lastSequence: UInt64
    /// Messages that the consumer has not taken yet.
    var unconsumed: UInt32 = 0
    /// Whether any message has come.
    var hasReceived = false

    /// How it goes on after a lost connection.
    enum Shape {
        case unary
        /// A stream whose first message is the present state: opened again.
        case state
        /// A stream of numbered changes: resumed, unless a snapshot was coming in parts. The closure tells whether a
        /// message leaves a snapshot incomplete.
        case changes(leavesIncomplete: (MessageView) -> Bool?)
        /// A list in messages: opened again only if none has come yet.
        case list

        var isStream: Bool {
            if case .unary = self { false } else { true }
        }
    }

    /// A unary call's answer.
    struct CloseAnswer {
        var payload: [UInt8]
        var position: UInt64
    }

    init(
        id: UInt64, method: Method, request: [UInt8], shape: Shape, requestID: Uuid?, attempts: UInt32,
        lastSequence: UInt64, floor: UInt64, metadata: @escaping () -> [Metadata], deadline: UInt64?,
        received: @escaping (MessageView) -> Void, finished: @escaping (Result<CloseAnswer, UsherError>) -> Void
    ) {
        self.id = id
        self.method = method
        self.request = request
        self.shape = shape
        self.requestID = requestID
        self.attempts = attempts
        self.lastSequence = lastSequence
        self.floor = floor
        self.metadata = metadata
        self.deadline = deadline
        self.received = received
        self.finished = finished
    }

    /// Takes note of a message and passes it on.
    func take(_ message: MessageView) {
        hasReceived = true
        repeats = 0
        unconsumed += 1
        if case .changes(let leavesIncomplete) = shape {
            switch leavesIncomplete(message) {
            case true?: lastSequence = 0
            case false?: lastSequence = message.sequence
            case nil: if lastSequence != 0 { lastSequence = message.sequence }
            }
        }
        received(message)
    }

    /// What OPEN says this time.
    ///
    /// - Parameter seen: the journal position that the answer must show, where the connection's HELLO has not said it.
    func options(now: UInt64, window: UInt32, seen: UInt64) -> CallOptions {
        CallOptions(
            timeoutMilliseconds: deadline.map { UInt32(clamping: max(1, $0 - min($0, now))) } ?? 0, metadata: metadata(),
            requestID: requestID, attempts: attempts,
            credit: shape.isStream ? max(1, window - min(window, unconsumed)) : 0, replenishesCredit: false,
            lastSequence: lastSequence, position: max(floor, seen))
    }
}

/// A call on one of a client's connections.
struct RunningCall: Hashable {
    let connection: ClientConnection
    let id: CallID

    static func == (left: RunningCall, right: RunningCall) -> Bool {
        left.id == right.id && left.connection === right.connection
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(connection))
        hasher.combine(id)
    }

    func cancel() { connection.cancel(id) }
}
