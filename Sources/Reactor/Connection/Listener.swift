internal import CLinux
internal import Glibc

/// Accepts connections of one listening socket on one loop.
///
/// Invariants, at the end of each turn:
/// 1. The socket is watched only while another connection may come: connections and handshakes under way are below their
///    limits and the process is not out of descriptors.
/// 2. At most `silentMax` connections are silent. One more evicts the oldest, once its grace is over, so silent sockets block
///    others no longer than that. While handshakes are put off to the next turn nobody is accepted, so that in a stampede
///    nobody is evicted whose ClientHello lies unread.
public final class Listener {
    let tls: TLSContext?
    let accept: (Connection) -> any ConnectionHandler
    private let loop: EventLoop
    private let socket: ListeningSocket
    private let limits: ListenerLimits
    private var registration = Registration(value: .max)
    private var isWatching = true
    private var isClosed = false
    private var isExhausted = false
    /// A timer will end the wait for the oldest silent connection's grace.
    private var awaitsGrace = false
    private var connectionCount = 0
    private var handshakeCount = 0
    private var silentCount = 0
    /// Those accepted with TLS, oldest first, from `silentFirst` on; some are silent no longer. Nobody stays longer than the
    /// handshake's deadline, so it is short.
    private var silentQueue: [Silent?] = []
    private var silentFirst = 0

    private struct Silent {
        let connection: Connection
        let since: UInt64
    }

    init(
        _ loop: EventLoop, _ socket: ListeningSocket, tls: TLSContext?, limits: ListenerLimits,
        accept: @escaping (Connection) -> any ConnectionHandler
    ) throws(SystemError) {
        self.loop = loop
        self.socket = socket
        self.tls = tls
        self.limits = limits
        self.accept = accept
        registration = try loop.poller.add(socket.descriptor.raw, Poller.readable, .listener(self))
    }

    /// Where it listens.
    public var address: SocketAddress { socket.address }

    var helloBytesMax: Int { limits.helloBytesMax }

    /// Accepts nobody any more. The port itself is given back when its `ListeningPort` goes, too.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        loop.poller.forget(socket.descriptor.raw, registration)
        loop.drop(self)
        _ = shutdown(socket.descriptor.raw, Int32(SHUT_RD))
    }

    // MARK: Accepting

    func acceptSome() {
        var left = limits.acceptsPerTurn
        if tls != nil {
            if loop.isBehindWithHandshakes { return }
            dropSpokenFromQueue()
        }
        while left > 0, mayAccept {
            left -= 1
            let descriptor = linux_accept_nonblocking(socket.descriptor.raw)
            guard descriptor >= 0 else {
                switch errno {
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: pause()
                case EAGAIN: left = 0
                default: break  // that one connection failed before it was accepted: accept(2), "Error handling"
                }
                continue
            }
            take(descriptor)
        }
    }

    private func take(_ descriptor: Int32) {
        let connection = Connection(loop: loop, descriptor: descriptor, phase: tls == nil ? .open : .silent, listener: self)
        do throws(SystemError) {
            connection.interest = Poller.readable
            connection.registration = try loop.poller.add(descriptor, Poller.readable, .connection(connection))
        } catch {
            connection.phase = .closed
            _ = Glibc.close(descriptor)
            pause()
            return
        }
        connectionCount += 1
        loop.counters.accepted.add()
        loop.counters.connections.add()
        guard tls != nil else {
            connection.becomeConnected()
            return
        }
        connection.timer = loop.schedule(after: limits.handshakeMilliseconds, .connection(connection))
        silentCount += 1
        silentQueue.append(Silent(connection: connection, since: loop.now))
        if silentCount > limits.silentMax { evictOldest() }
    }

    private func evictOldest() {
        guard let oldest = silentQueue[silentFirst] else { return }
        loop.counters.silentEvicted.add()
        oldest.connection.terminate(.timedOut)
        dropSpokenFromQueue()
    }

    /// Makes the front of the queue one that is silent still, if there is any.
    private func dropSpokenFromQueue() {
        while silentFirst < silentQueue.count, let first = silentQueue[silentFirst], first.connection.phase != .silent {
            silentQueue[silentFirst] = nil
            silentFirst += 1
        }
        if silentFirst > 64, silentFirst > silentQueue.count / 2 {
            silentQueue.removeFirst(silentFirst)
            silentFirst = 0
        }
    }

    // MARK: Pausing

    private var mayAccept: Bool {
        !isClosed && !isExhausted && connectionCount < limits.connectionsMax && handshakeCount < limits.handshakesMax
            && graceLeft == 0
    }

    /// How long the oldest silent connection still has, when there is room for no other; else 0.
    private var graceLeft: UInt64 {
        guard silentCount >= limits.silentMax, silentFirst < silentQueue.count, let oldest = silentQueue[silentFirst] else {
            return 0
        }
        let end = oldest.since + limits.silentGraceMilliseconds
        return end > loop.now ? end - loop.now : 0
    }

    /// Watches the socket or leaves it alone, once a turn.
    func adjust() {
        dropSpokenFromQueue()
        if graceLeft > 0, !awaitsGrace {
            awaitsGrace = true
            _ = loop.schedule(after: graceLeft, .listener(self))
        }
        guard !isClosed, mayAccept != isWatching else { return }
        isWatching.toggle()
        loop.poller.modify(socket.descriptor.raw, isWatching ? Poller.readable : 0, registration)
    }

    private func pause() {
        isExhausted = true
        loop.counters.acceptPauses.add()
        _ = loop.schedule(after: limits.exhaustedPauseMilliseconds, .listener(self))
    }

    /// A pause is over; if there is reason for another, it begins at the end of the turn.
    func endPause() {
        isExhausted = false
        awaitsGrace = false
    }

    // MARK: Told by connections

    func heardHello() {
        silentCount -= 1
        handshakeCount += 1
    }

    func handshakeEnded(hadHello: Bool) {
        if hadHello { handshakeCount -= 1 } else { silentCount -= 1 }
    }

    func connectionEnded() { connectionCount -= 1 }
}

extension EventLoop {
    /// Accepts connections from this socket.
    /// - Parameters:
    ///   - socket: one of a `ListeningPort`'s; each loop has its own.
    ///   - tls: a server's context; nil for none.
    ///   - limits: how many at once.
    ///   - accept: gives each connection its handler, right before the handler's `connected`; so with TLS only peers whose
    ///     handshake succeeded are ever heard of.
    /// - Throws: `SystemError` when epoll has no room.
    @discardableResult
    public func listen(
        on socket: ListeningSocket, tls: TLSContext? = nil, limits: ListenerLimits = ListenerLimits(),
        accept: @escaping (Connection) -> any ConnectionHandler
    ) throws(SystemError) -> Listener {
        precondition(tls?.isServer != false, "listening takes a server's context")
        let listener = try Listener(self, socket, tls: tls, limits: limits, accept: accept)
        keep(listener)
        return listener
    }
}
