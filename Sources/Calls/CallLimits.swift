public import UsherAPI
import Wire

// Every bound of a connection in one place, each with its reason. What a client can run into is told in WELCOME.
// One object is shared by all connections of a kind, so that it costs each of them a pointer.

/// The bounds a server keeps for one kind of connection. Immutable.
public final class CallLimits: Sendable {
    // MARK: Frames and calls

    /// One frame's body, both ways. The largest snapshot comes in parts anyway, and a receiver buffers a partial frame
    /// for each connection: 64 KiB is what a slow sender may cost.
    public let frameBytes: Int
    /// Handlers that run at once for one connection. A page needs a handful: a line, seats of a few performances,
    /// one command.
    public let runningCalls: Int
    /// All keys and values of one call: two tokens of 1 KiB, a bearer JWT of 4 KiB, and some.
    public let metadataBytes: Int
    /// Fragments of one WebSocket message: nobody needs any, a few thousand tiny ones would cost more than they carry.
    public let messageFragments: Int
    /// Output that waits for a slow reader before its state streams conflate: four full frames.
    public let outputBytes: Int
    /// Line streams of one queue token on one loop, and as many lists and watches of seats: each is pushed to, so that one
    /// user with many connections must not cost as much as a crowd. Two connections' worth, for those that were left behind
    /// and are not found dead yet.
    public let tokenStreams: Int

    // MARK: The sale, told here since WELCOME tells all

    /// Changes kept for each stream's resume: at 100 deltas a second 40 s, longer than a reconnect takes.
    public let resumeChanges: Int
    /// Seats in one Hold, a party. The policy of a performance is lower as a rule.
    public let seatsPerHold: Int
    /// Items of one page of a list: 100 of 200 bytes fit a frame three times over.
    public let pageItems: Int
    /// Remembered outcomes of one user.
    public let requestIDs: Int

    // MARK: Time

    /// From the upgrade to HELLO: a silent socket holds a slot no longer.
    public let helloMilliseconds: UInt64
    /// From HELLO to WELCOME, for clients: twice what a handshake may take, since a stampede queues them.
    public let welcomeMilliseconds: UInt64
    /// Between a server's pings. Proxies and phone networks forget silent connections after 30 to 60 s; twice the
    /// interval without a byte is death, so a sleeping phone is noticed within 50 s.
    public let pingMilliseconds: UInt64
    /// From TCP to the end of the TLS handshake.
    public let handshakeMilliseconds: UInt64
    /// From there to the end of the HTTP upgrade.
    public let upgradeMilliseconds: UInt64
    /// The header block of the upgrade.
    public let headerBytes: Int

    // MARK: Rates

    /// OPEN frames; above, each is answered RATE_LIMITED. A person clicks a few times a second; a page that comes
    /// back opens all it had at once.
    public let opens: RateLimit
    /// OPEN frames answered without a handler, for whatever reason; above, the connection ends. An OPEN of nine bytes
    /// costs an answer of a hundred, so nobody may go on for long; a page that opens 300 calls at once still hears
    /// RATE_LIMITED for each one too many.
    public let refusals: RateLimit
    /// CANCEL frames; above, the connection ends. Each is worth one OPEN, so twice the opens is
    /// never passed by who does not open and cancel in a loop (HTTP/2 rapid reset, CVE-2023-44487).
    public let cancels: RateLimit
    /// PING frames, and the WebSocket's own pings and pongs; above, the connection ends. A client needs one when it wakes
    /// up, and libraries ping every 20 s or so by themselves.
    public let pings: RateLimit
    /// Identities and queue tokens that turn out to be no good; above, the connection ends. Each costs up to a signature's
    /// verification, 100 µs, and who means well shows at most one or two in a session.
    public let falseProofs: RateLimit
    /// Bytes of the socket, without TLS, and those that compressed messages unfold to; above, the connection ends. The burst
    /// holds sixteen of the largest frames.
    public let bytes: RateLimit

    /// The limits given, the others as wire version 1 has them.
    ///
    /// `bytes.burst` must hold at least one message of ``messageBytes``.
    public init(
        frameBytes: Int = 64 * 1024, runningCalls: Int = 32, metadataBytes: Int = 8 * 1024, messageFragments: Int = 64,
        outputBytes: Int = 256 * 1024, tokenStreams: Int = 64, resumeChanges: Int = 4096, seatsPerHold: Int = 16,
        pageItems: Int = 100,
        requestIDs: Int = 256, helloMilliseconds: UInt64 = 5_000, welcomeMilliseconds: UInt64 = 10_000,
        pingMilliseconds: UInt64 = 25_000, handshakeMilliseconds: UInt64 = 5_000, upgradeMilliseconds: UInt64 = 5_000,
        headerBytes: Int = 8 * 1024, opens: RateLimit = RateLimit(perSecond: 20, burst: 64),
        refusals: RateLimit = RateLimit(perSecond: 20, burst: 256),
        cancels: RateLimit = RateLimit(perSecond: 40, burst: 128),
        pings: RateLimit = RateLimit(perSecond: 1, burst: 10),
        falseProofs: RateLimit = RateLimit(perSecond: 1, burst: 8),
        bytes: RateLimit = RateLimit(perSecond: 256 * 1024, burst: 1024 * 1024 + 64 * 1024)
    ) {
        self.frameBytes = frameBytes
        self.runningCalls = runningCalls
        self.metadataBytes = metadataBytes
        self.messageFragments = messageFragments
        self.outputBytes = outputBytes
        self.tokenStreams = tokenStreams
        self.resumeChanges = resumeChanges
        self.seatsPerHold = seatsPerHold
        self.pageItems = pageItems
        self.requestIDs = requestIDs
        self.helloMilliseconds = helloMilliseconds
        self.welcomeMilliseconds = welcomeMilliseconds
        self.pingMilliseconds = pingMilliseconds
        self.handshakeMilliseconds = handshakeMilliseconds
        self.upgradeMilliseconds = upgradeMilliseconds
        self.headerBytes = headerBytes
        self.opens = opens
        self.refusals = refusals
        self.cancels = cancels
        self.pings = pings
        self.falseProofs = falseProofs
        self.bytes = bytes
        precondition(pingMilliseconds > 0 && frameBytes > 0 && runningCalls > 0)
        precondition(Int(bytes.burst) >= messageBytes, "a message that is allowed must be allowed at least once")
    }

    /// What one visitor's connection gets.
    public static let visitor = CallLimits()

    /// What a configured backend gets, which serves many users over one connection.
    public static let backend = backend(pingMilliseconds: visitor.pingMilliseconds)

    /// The same with another ping interval.
    public static func backend(pingMilliseconds: UInt64) -> CallLimits {
        CallLimits(
            runningCalls: 1024, pingMilliseconds: pingMilliseconds, opens: RateLimit(perSecond: 5_000, burst: 10_000),
            refusals: RateLimit(perSecond: 5_000, burst: 10_000),
            cancels: RateLimit(perSecond: 10_000, burst: 20_000), pings: RateLimit(perSecond: 10, burst: 100),
            falseProofs: RateLimit(perSecond: 5_000, burst: 10_000),
            bytes: RateLimit(perSecond: 16 * 1024 * 1024, burst: 32 * 1024 * 1024))
    }

    /// The largest WebSocket message: that of one largest frame. Smaller frames share one.
    public var messageBytes: Int { frameBytes + FrameHeader.byteCount }

    /// What WELCOME tells.
    public var told: Limits {
        Limits(
            frameBytes: UInt32(frameBytes), runningCalls: UInt32(runningCalls),
            messageFragments: UInt32(messageFragments), outputBytes: UInt32(outputBytes),
            resumeChanges: UInt32(resumeChanges), seatsPerHold: UInt32(seatsPerHold), pageItems: UInt32(pageItems),
            metadataBytes: UInt32(metadataBytes), requestIds: UInt32(requestIDs))
    }
}
