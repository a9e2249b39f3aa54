/// What a loop does at most in one turn, and keeps at most for a connection.
public struct LoopLimits: Sendable {
    /// Events taken from epoll in one turn.
    public var eventsPerTurn = 256
    /// Bytes taken from a socket for one event; the size of the loop's receive buffer.
    public var receiveBytesMax = 64 * 1024
    /// Handshake steps in one turn. A step with a key exchange costs some 200 µs, and everyone else waits that long.
    public var handshakesPerTurn = 8
    /// What a turn is meant to last at most. One that lasted n times as long gives the next n times the handshakes, lest
    /// they starve behind heavy pushing and run into their deadlines.
    public var turnMilliseconds: UInt64 = 5
    /// Timers fired or cascaded in one turn.
    public var timersPerTurn = 4096
    /// Output gathered for a connection before it is written within the turn. Bounds the loop's buffers, not a connection's.
    public var corkBytesMax = 256 * 1024
    /// `writable` is called when a connection's unsent bytes, having been above this, are at or below it.
    public var lowMarkBytes = 64 * 1024
    /// How long an orderly close may take, flushing and waiting for the peer, before the socket is closed regardless.
    public var lingerMilliseconds: UInt64 = 5000

    public init() {}
}

/// What one listener of one loop takes.
public struct ListenerLimits: Sendable {
    /// Connections accepted in one turn.
    public var acceptsPerTurn = 64
    /// Connections of this listener, all phases. At the limit accepting pauses: further peers wait in the kernel's queue.
    public var connectionsMax = 20_000
    /// Handshakes under way, counted from when the whole ClientHello has arrived. At the limit accepting pauses.
    public var handshakesMax = 256
    /// Sockets that have not sent a whole ClientHello. At the limit the oldest is evicted: silence blocks nobody for long.
    public var silentMax = 2048
    /// Bytes that may come before the ClientHello is whole; more ends the connection. Those of today have 2 KiB, OpenSSL would
    /// take 128, and keep them in several copies for each socket.
    public var helloBytesMax = 16 * 1024
    /// How long a socket may be silent before it can be evicted: what a ClientHello may need behind the connection's last
    /// packet. So `silentMax` silent sockets delay others by this much, not for the handshake's deadline.
    public var silentGraceMilliseconds: UInt64 = 250
    /// From accept until the TLS handshake is done.
    public var handshakeMilliseconds: UInt64 = 5000
    /// How long accepting pauses when the process or the system has run out of descriptors or memory.
    public var exhaustedPauseMilliseconds: UInt64 = 100

    public init() {}
}
