internal import Glibc

extension Connection {
    /// One `recv` into the loop's buffer, and what follows from it.
    func receive() {
        let isHandshake = phase == .silent || phase == .handshaking
        if isHandshake {
            // Level-triggered: epoll tells of it again in the next turn.
            guard loop.handshakesLeft > 0 else {
                loop.handshakesPutOff += 1
                return
            }
            loop.handshakesLeft -= 1
        }
        let buffer = unsafe loop.receiveBuffer
        let count = unsafe recv(descriptor, buffer.baseAddress!, buffer.count, 0)
        guard count > 0 else {
            if count == 0 { endOfInput() } else { receiveFailed(errno) }
            return
        }
        loop.counters.reads.add()
        loop.counters.bytesReceived.add(count)
        let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        if isHandshake {
            unsafe shakeHands(UnsafeRawBufferPointer(bytes))
        } else if phase == .open {
            if let session {
                unsafe loop.tls.offer(UnsafeRawBufferPointer(bytes))
                decrypt(session)
            } else {
                unsafe deliver(bytes)
            }
        }
        // Draining or lingering: thrown away.
    }

    private func receiveFailed(_ code: Int32) {
        if code != EAGAIN && code != EINTR { terminate(peerEnded ? .peer : .broken(errno: code)) }
    }

    private func endOfInput() {
        switch phase {
        case .silent, .handshaking: terminate(.broken(errno: ECONNRESET))
        case .open: endedByPeer()
        case .lingering: terminate(endCause)
        case .draining:
            peerEnded = true
            want(interest & ~Poller.readable)
        case .connecting, .closed: break
        }
    }

    /// Decrypts what was offered, sends what TLS answers by itself, and hands the plaintext over at once. No callback comes
    /// before the engine is empty again, so callbacks may write to whomever they like.
    private func decrypt(_ session: TLSSession, isFirst: Bool = false) {
        let target = unsafe loop.tls.plaintext
        let (count, progress) = unsafe session.read(into: target, from: loop.tls)
        transmit()
        loop.tls.reset()
        if isFirst, phase == .open { becomeConnected() }
        if count > 0, phase == .open { unsafe deliver(UnsafeMutableRawBufferPointer(rebasing: target[..<count])) }
        guard phase == .open else { return }
        switch progress {
        case .done, .wait: break
        case .ended: endedByPeer()
        case .failed(let error): terminate(.tls(error))
        }
    }

    private func deliver(_ bytes: UnsafeMutableRawBufferPointer) {
        // The buffers are the loop's and are next used by the next event, so they outlive the call that borrows them.
        unsafe handler?.received(self, bytes.mutableBytes)
    }

    // MARK: Handshake

    /// Takes the handshake one step further.
    func shakeHands(_ bytes: UnsafeRawBufferPointer) {
        if session == nil {
            guard let tls = listener?.tls else { preconditionFailure("only a listener's connection is silent") }
            do throws(TLSError) {
                session = try TLSSession(tls, loop.tls)
            } catch {
                terminate(.tls(error))
                return
            }
        }
        guard let session else { return }
        unsafe loop.tls.offer(bytes)
        switch session.handshake(over: loop.tls) {
        case .done:
            if session.isResumed { loop.counters.handshakesResumed.add() } else { loop.counters.handshakesFull.add() }
            finishHandshake(session)
        case .wait:
            // The server answers once it has the whole ClientHello: from then on the handshake counts as under way.
            if phase == .silent, unsafe !loop.tls.outgoing.isEmpty {
                phase = .handshaking
                listener?.heardHello()
            }
            transmit()
            if phase == .silent, let listener {
                helloBytes += Int32(bytes.count)
                if helloBytes > listener.helloBytesMax {
                    terminate(.tls(TLSError("TLS handshake", reason: "no end of ClientHello")))
                }
            }
        case .ended:
            loop.tls.reset()
            terminate(.broken(errno: ECONNRESET))
        case .failed(let error):
            transmit()  // the alert
            loop.tls.reset()
            terminate(.tls(error))
        }
    }

    private func finishHandshake(_ session: TLSSession) {
        let hadHello = phase == .handshaking
        phase = .open
        listener?.handshakeEnded(hadHello: hadHello)
        transmit()
        guard phase == .open else { return }
        // The first bytes of the application may have come with the last of the handshake.
        if loop.tls.hasIncoming || session.hasPending {
            decrypt(session, isFirst: true)
        } else {
            becomeConnected()
        }
    }

    /// The connection is ready: the handler is told, and for a listener's connection found first.
    func becomeConnected() {
        loop.cancel(timer)
        timer = .none
        if let listener { handler = listener.accept(self) }
        handler?.connected(self)
    }
}
