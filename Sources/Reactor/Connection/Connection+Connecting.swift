internal import CLinux
internal import Glibc

extension EventLoop {
    /// Begins to connect. Whatever goes wrong, even at once, is told by the handler's `closed`, in this turn or the next.
    /// - Parameters:
    ///   - address: the server.
    ///   - source: this end's address; port 0 lets the kernel choose. Nil leaves the address to the kernel too.
    ///   - tls: a client's context; nil for none.
    ///   - serverName: the name sent and verified; nil takes the numeric address.
    ///   - timeoutMilliseconds: for TCP and TLS together.
    @discardableResult
    public func connect(
        to address: SocketAddress, from source: SocketAddress? = nil, tls: TLSContext? = nil, serverName: String? = nil,
        timeoutMilliseconds: UInt64 = 5000, handler: any ConnectionHandler
    ) -> Connection {
        precondition(tls?.isServer != true, "connecting takes a client's context")
        let descriptor = linux_stream_socket(address.family)
        let connection = Connection(loop: self, descriptor: descriptor, phase: .connecting, listener: nil)
        connection.handler = handler
        connection.tlsToBe = tls.map { ($0, serverName ?? address.hostText, address) }
        guard descriptor >= 0 else {
            connection.phase = .closed
            noteEnded(connection, .refused(errno: errno))
            return connection
        }
        counters.connections.add()
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
        do throws(SystemError) {
            connection.interest = Poller.writable
            connection.registration = try poller.add(descriptor, Poller.writable, .connection(connection))
        } catch {
            connection.fail(unregistered: error.code)
            return connection
        }
        if let source {
            // Lets many connections share ports of this address, as long as the four-tuples differ (ip(7)).
            setOption(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT)
            guard unsafe source.withKernelForm({ unsafe bind(descriptor, $0, $1) }) == 0 else {
                connection.terminate(.refused(errno: errno))
                return connection
            }
        }
        connection.timer = schedule(after: timeoutMilliseconds, .connection(connection))
        let result = unsafe address.withKernelForm { unsafe Glibc.connect(descriptor, $0, $1) }
        if result != 0, errno != EINPROGRESS { connection.terminate(.refused(errno: errno)) }
        return connection
    }
}

extension Connection {
    fileprivate func fail(unregistered code: Int32) {
        phase = .closed
        _ = Glibc.close(descriptor)
        loop.counters.connections.subtract()
        loop.noteEnded(self, .refused(errno: code))
    }

    /// The kernel has an answer to `connect`.
    func finishConnecting() {
        if let code = pendingError() {
            terminate(.refused(errno: code))
            return
        }
        want(Poller.readable)
        guard let (context, serverName, address) = tlsToBe else {
            phase = .open
            becomeConnected()
            return
        }
        tlsToBe = nil
        phase = .handshaking
        do throws(TLSError) {
            session = try TLSSession(context, loop.tls, serverName: serverName, address: "\(address)")
        } catch {
            terminate(.tls(error))
            return
        }
        unsafe shakeHands(UnsafeRawBufferPointer(start: nil, count: 0))
    }
}

/// Turns a socket option on.
func setOption(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32 = 1) {
    var value = value
    _ = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
}
