internal import Glibc

/// One TCP connection, with or without TLS, of one loop.
///
///     connect ─▶ connecting ─┐
///                            ├─▶ handshaking ─▶ open ─▶ draining ─▶ lingering ─▶ closed
///     accept ──▶ silent ─────┘                   ▲
///     accept or connect without TLS ─────────────┘        any phase ─▶ closed
///
/// - silent: a server's TLS connection whose ClientHello is not complete; has no SSL object before the first byte.
/// - draining: closed by us (or the peer's end was seen); output is still being sent, input is thrown away.
/// - lingering: all is sent, the writing side is shut; waits for the peer's end, so that the kernel does not answer bytes
///   still on their way with a reset that would destroy what the peer has not read yet.
///
/// The object is small and owns bytes only while the kernel does not take them: everything else is the loop's.
@safe public final class Connection {
    enum Phase {
        case connecting, silent, handshaking, open, draining, lingering, closed
    }

    /// The loop it belongs to.
    public let loop: EventLoop
    var handler: (any ConnectionHandler)?
    let listener: Listener?
    var session: TLSSession?
    /// For a client with TLS, until the session is made.
    var tlsToBe: (context: TLSContext, serverName: String, address: SocketAddress)? {
        get { clientSettings?.value }
        set { clientSettings = newValue.map { Box($0) } }
    }
    private var clientSettings: Box?
    var registration = Registration(value: .max)
    var timer = TimerToken.none
    /// What the kernel has not taken yet (with TLS: records), from `remainderOffset` on.
    var remainder: [UInt8] = []
    var remainderOffset = 0
    let descriptor: Int32
    var interest: UInt32 = 0
    var phase: Phase
    /// `writable` is owed once the remainder has fallen to the low mark.
    var owesWritable = false
    /// The cork's bytes are in the hands of `withOutput`.
    var isLent = false
    /// `close` was called while they were.
    var closesAfterLoan = false
    /// The peer has ended its side.
    var peerEnded = false
    /// While silent: bytes of a ClientHello that is not whole yet.
    var helloBytes: Int32 = 0

    private final class Box {
        let value: (context: TLSContext, serverName: String, address: SocketAddress)
        init(_ value: (context: TLSContext, serverName: String, address: SocketAddress)) { self.value = value }
    }

    init(loop: EventLoop, descriptor: Int32, phase: Phase, listener: Listener?) {
        self.loop = loop
        self.descriptor = descriptor
        self.phase = phase
        self.listener = listener
    }

    // MARK: Facts

    /// Whether one can write: connected and not closed or closing.
    public var isOpen: Bool { phase == .open }

    /// This end's address; nil once closed. Costs a system call.
    public var localAddress: SocketAddress? {
        guard phase != .closed else { return nil }
        return unsafe SocketAddress.ask { address, length in unsafe getsockname(descriptor, address, length) }
    }

    /// Such as `TLSv1.3`; nil without TLS.
    public var tlsVersion: String? { session?.version }

    /// Whether TLS was resumed from a ticket.
    public var isResumed: Bool { session?.isResumed ?? false }

    /// Bytes written that the kernel has not taken yet, this turn's included. With TLS the records count, not what is in them.
    public var unsentBytes: Int {
        remainder.count - remainderOffset + (loop.output.owner === self ? loop.output.bytes.count : 0)
    }

    // MARK: Reading

    /// Takes no more bytes from the socket, so that the peer is slowed down by TCP. While paused, the peer's end goes
    /// unnoticed, a reset does not.
    public func pauseReading() {
        guard phase == .open else { return }
        want(interest & ~Poller.readable)
    }

    /// Takes bytes again.
    public func resumeReading() {
        guard phase == .open else { return }
        want(interest | Poller.readable)
    }

    func want(_ events: UInt32) {
        guard events != interest else { return }
        interest = events
        loop.poller.modify(descriptor, events, registration)
    }

    // MARK: Events

    func handle(_ flags: UInt32) {
        if phase == .connecting {
            finishConnecting()
            return
        }
        if flags & Poller.writable != 0 { sendRemainder() }
        guard phase != .closed else { return }
        if interest & Poller.readable != 0 {
            if flags & (Poller.readable | Poller.broken) != 0 { receive() }
        } else if flags & Poller.broken != 0 {
            terminate(peerEnded ? .peer : .broken(errno: pendingError() ?? ECONNRESET))
        }
    }

    func timeIsUp() {
        timer = .none
        switch phase {
        case .connecting, .silent, .handshaking: terminate(.timedOut)
        case .draining:
            // It did not take what was ours to send: the kernel must not go on offering it for minutes.
            dropKernelsBytes()
            terminate(endCause)
        case .lingering: terminate(endCause)
        case .open, .closed: break
        }
    }

    /// The socket's error, if it has one; asking clears it.
    func pendingError() -> Int32? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let asked = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        return asked == 0 && code != 0 ? code : nil
    }

    func tellClosed(_ cause: CloseCause) {
        guard let handler else { return }
        self.handler = nil
        handler.closed(self, cause)
    }
}
