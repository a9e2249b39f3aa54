internal import Glibc

extension Connection {
    /// Ends the connection in an orderly way: sends what is unsent, TLS's close_notify and FIN, waits for the peer's end, at
    /// most `lingerMilliseconds` altogether; then `closed(.local)`. From now on nothing is received or written. A connection
    /// that is not ready yet is aborted.
    public func close() {
        switch phase {
        case .open:
            if isLent { closesAfterLoan = true } else { finishOutput() }
        case .connecting, .silent, .handshaking: abort()
        case .draining, .lingering, .closed: break
        }
    }

    /// Ends the connection at once: unsent bytes are dropped, also the kernel's, and the peer sees a reset. `closed(.local)`
    /// follows within this turn or the next. Does nothing on a closed connection.
    public func abort() {
        guard phase != .closed else { return }
        dropKernelsBytes()
        terminate(.local)
    }

    /// Makes the end of the descriptor a reset (socket(7), SO_LINGER).
    func dropKernelsBytes() {
        var hard = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
    }

    /// The peer has ended its side: there is no half-open life after that. What is unsent goes out first.
    func endedByPeer() {
        peerEnded = true
        // A socket at its end stays readable for ever.
        want(interest & ~Poller.readable)
        finishOutput()
    }

    var endCause: CloseCause { peerEnded ? .peer : .local }

    /// The cork's bytes and close_notify leave in one write, and the draining phase begins.
    func finishOutput() {
        let isCurrent = loop.output.owner === self
        if isCurrent { loop.flushCork() }
        guard phase == .open else { return }
        phase = .draining
        if !peerEnded { want(interest | Poller.readable) }
        if let session {
            session.closeNotify()
            transmit()
            guard phase == .draining else { return }
        }
        timer = loop.schedule(after: loop.limits.lingerMilliseconds, .connection(self))
        if remainder.isEmpty { outputDrained() }
    }

    /// All is with the kernel: says so to the peer, and waits for its end.
    func outputDrained() {
        if peerEnded {
            terminate(.peer)
            return
        }
        phase = .lingering
        if shutdown(descriptor, Int32(SHUT_WR)) != 0 { terminate(.local) }
    }

    /// Ends the connection now and gives all back; the handler hears of it at the end of the turn.
    func terminate(_ cause: CloseCause) {
        guard phase != .closed else { return }
        let last = phase
        phase = .closed
        loop.cancel(timer)
        timer = .none
        loop.dropCork(of: self)
        loop.poller.remove(registration)
        _ = Glibc.close(descriptor)
        session = nil
        remainder = []
        remainderOffset = 0
        loop.counters.connections.subtract()
        if last == .silent || last == .handshaking {
            loop.counters.handshakesFailed.add()
            listener?.handshakeEnded(hadHello: last == .handshaking)
        }
        listener?.connectionEnded()
        if handler != nil { loop.noteEnded(self, cause) }
    }
}
