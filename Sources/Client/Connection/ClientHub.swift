internal import Calls
public import Reactor
internal import WebSocket

// What the client connections of one loop share, so that each of them costs a few hundred bytes beside its TLS session.

/// Makes the client connections of one event loop. Confined to that loop's thread.
public final class ClientHub {
    /// The loop that all its connections belong to.
    public let loop: EventLoop
    /// The bounds of every connection.
    public let limits: ClientLimits

    /// Inflates if a server insists on compressing; costs nothing until then.
    let deflate = DeflateContext()
    let calls: CallLimits
    /// A buffer for frames that keeps its capacity while no connection uses it.
    private var spareFrames: [UInt8] = []

    /// A hub for connections on `loop`.
    public init(loop: EventLoop, limits: ClientLimits = ClientLimits()) {
        self.loop = loop
        self.limits = limits
        calls = CallLimits(welcomeMilliseconds: limits.welcomeMilliseconds)
    }

    /// Begins to connect. What becomes of it, even if it fails at once, is told by the handler in this turn or the next.
    ///
    /// - Parameters:
    ///   - address: one of the server's addresses.
    ///   - source: this end's address (port 0: any port), for more connections than one address has ports; nil leaves it
    ///     to the kernel.
    ///   - endpoint: what the server is called, and how to trust it.
    ///   - hello: the first frame.
    public func connect(
        to address: SocketAddress, from source: SocketAddress? = nil, endpoint: ClientEndpoint, hello: ClientHello,
        handler: any ClientConnectionHandler
    ) -> ClientConnection {
        ClientConnection(self, to: address, from: source, endpoint: endpoint, hello: hello, handler: handler)
    }

    /// Lends the spare buffer, empty; nobody's while lent.
    func borrowFrames() -> [UInt8] {
        var frames: [UInt8] = []
        swap(&frames, &spareFrames)
        return frames
    }

    /// Takes a buffer back, emptied.
    func giveBack(frames: consuming [UInt8]) {
        guard frames.capacity <= 256 * 1024, frames.capacity > spareFrames.capacity else { return }
        frames.removeAll(keepingCapacity: true)
        spareFrames = frames
    }
}

/// The bounds that a client keeps.
public struct ClientLimits: Sendable {
    /// From the first packet to the end of the TLS handshake. In a stampede servers let handshakes wait.
    public var connectMilliseconds: UInt64 = 10_000
    /// From there to the server's answer to the upgrade.
    public var upgradeMilliseconds: UInt64 = 10_000
    /// From there to WELCOME.
    public var welcomeMilliseconds: UInt64 = 10_000
    /// The largest WebSocket message taken: a server's largest frame, and room for one that is configured larger.
    public var messageBytes = 1 << 20

    /// The bounds above.
    public init() {}
}

/// What a server is called, and how to trust it; shared by the connections to it.
public final class ClientEndpoint: Sendable {
    /// The name sent and verified in TLS.
    public let serverName: String
    /// The Host field, with the port if it is not the scheme's own.
    public let host: String
    /// The path of the upgrade.
    public let path: String
    /// Nil for no TLS at all.
    public let tls: TLSContext?

    /// An endpoint from its parts.
    public init(serverName: String, host: String, path: String = "/v1", tls: TLSContext?) {
        self.serverName = serverName
        self.host = host
        self.path = path
        self.tls = tls
    }

    /// The endpoint of a URL.
    public convenience init(_ url: ServerURL, tls: TLSContext?) {
        self.init(serverName: url.host, host: url.hostField, path: url.path, tls: url.isSecure ? tls : nil)
    }
}
