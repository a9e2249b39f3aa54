public import UsherAPI

/// Who a client is.
public enum ClientIdentity: Sendable, Equatable {
    /// A token of the site's identity provider, or `operator:KEY` with a development server's operator key.
    case jwt(String)
    /// A bare user id, which a development server takes on trust.
    case user(Uuid)

    var hello: Hello.Identity {
        switch self {
        case .jwt(let text): .jwt(text)
        case .user(let user): .user(user)
        }
    }
}

/// How a client behaves.
public struct ClientOptions: Sendable {
    /// How long a call may take, reconnecting and repeating included, unless the call says otherwise.
    public var callTimeout: Duration = .seconds(30)
    /// Messages of a stream that may wait for their reader. Past it the server conflates.
    public var streamWindow: UInt32 = 16
    /// How often a call is repeated at most when the server asks for it.
    public var repeatsMax = 10
    /// The waits before reconnecting.
    public var reconnecting = Backoff.reconnecting
    /// The waits before repeating a call.
    public var repeating = Backoff.repeating
    /// The program, for the server's log.
    public var clientName = "usher-swift"
    /// Its version.
    public var clientVersion = "1"
    /// Whether a client with several addresses begins with one at random, so that all clients together spread over the
    /// instances evenly, also after losing one; otherwise with the first.
    public var startsAtRandom = true
    /// How long answers may be refused as `NOT_CAUGHT_UP` until the journal counts as one that was restored from an older
    /// copy (``ConnectionEvent/journalWentBack``). Well below a call's timeout, or no call would live to see it.
    public var catchingUpMax: Duration = .seconds(15)
    /// Of connections.
    public var limits = ClientLimits()
    /// The journal and highest position that an earlier client of the same user has seen (``UsherClient/seen``): answers
    /// will not be older.
    public var seen: (epoch: Uuid, position: UInt64)?

    /// The values above.
    public init() {}
}

/// What one call may say beside its request.
public struct CallSettings: Sendable {
    /// Instead of the client's own; streams have none by themselves, but are not asked for again where the server says to wait
    /// for more than a minute.
    public var timeout: Duration?
    /// The place in line it uses, instead of the one this client has.
    public var queueToken: String?
    /// Makes the call act for this identity instead of the connection's: a JWT, or a user's UUID in development.
    public var authorization: String?
    /// Names the command, to repeat one whose end was never heard; nil makes one up.
    public var requestID: Uuid?
    /// How often that request id was sent before.
    public var attempts: UInt32
    /// The answer must not be older than this position of the journal, which another client has seen (``UsherClient/seen``);
    /// what this client has seen counts by itself.
    public var position: UInt64

    /// The settings given.
    public init(
        timeout: Duration? = nil, queueToken: String? = nil, authorization: String? = nil, requestID: Uuid? = nil,
        attempts: UInt32 = 0, position: UInt64 = 0
    ) {
        self.timeout = timeout
        self.queueToken = queueToken
        self.authorization = authorization
        self.requestID = requestID
        self.attempts = attempts
        self.position = position
    }
}

/// What becomes of a client's connection.
public enum ConnectionEvent: Sendable, Equatable {
    /// It stands.
    case connected(Welcome)
    /// It was lost; the client tries again by itself in so many milliseconds.
    case lost(String, retryInMilliseconds: UInt64)
    /// The server goes away; the client moves by itself.
    case moving(String)
    /// No instance has what this client was told earlier: the journal was restored from an older copy. What was acknowledged
    /// since then may be gone: look up what became of it, and tell the user. The client goes on with the journal as it is.
    case journalWentBack
    /// There is no coming back, as the sentence says. The last event.
    case over(String)
}

extension Duration {
    /// Whole milliseconds, at least 0.
    var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0 ? 0 : UInt64(seconds) * 1000 + UInt64(max(0, attoseconds) / 1_000_000_000_000_000)
    }
}
