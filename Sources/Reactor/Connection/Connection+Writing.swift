internal import Glibc

// Output goes cork → (TLS records) → kernel; what the kernel does not take becomes the connection's `remainder`, and only then
// is EPOLLOUT asked for. With TLS the remainder is already encrypted, for records must leave in the order they were made.
extension Connection {
    /// Appends bytes to this turn's output. They leave at the end of the turn, or when another connection is written to, in as
    /// few records and one system call. On a connection that is closing or closed they are dropped; before `connected` it is
    /// an error of the caller. Never blocks and never calls back.
    public func write(_ bytes: RawSpan) {
        guard beginWriting() else { return }
        precondition(!isLent, "inside withOutput, append to the bytes it lends")
        loop.cork(for: self)
        unsafe bytes.withUnsafeBytes { unsafe loop.output.bytes.append(contentsOf: $0) }
        flushIfFull()
    }

    /// As `write(_: RawSpan)`.
    public func write(_ bytes: [UInt8]) { unsafe write(bytes.span.bytes) }

    /// Lends the output buffer, to append to in place; what is already there must stay. Inside, other connections may be
    /// written to, this one only through the buffer. On a connection that is closing or closed the bytes are dropped.
    public func withOutput<R, E>(_ body: (inout [UInt8]) throws(E) -> R) throws(E) -> R {
        guard beginWriting() else {
            var nowhere: [UInt8] = []
            return try body(&nowhere)
        }
        precondition(!isLent, "the output is lent once at a time")
        loop.cork(for: self)
        var bytes: [UInt8] = []
        swap(&bytes, &loop.output.bytes)
        isLent = true
        defer { endLoan(&bytes) }
        return try body(&bytes)
    }

    private func endLoan(_ bytes: inout [UInt8]) {
        isLent = false
        if phase == .open {
            loop.cork(for: self)  // another may have been written to meanwhile
            swap(&bytes, &loop.output.bytes)
            if closesAfterLoan { finishOutput() } else { flushIfFull() }
        } else if loop.output.owner == nil, loop.output.bytes.isEmpty {
            bytes.removeAll(keepingCapacity: true)
            swap(&bytes, &loop.output.bytes)
        }
    }

    private func beginWriting() -> Bool {
        switch phase {
        case .open: return !closesAfterLoan
        case .draining, .lingering, .closed: return false
        case .connecting, .silent, .handshaking: preconditionFailure("write only after `connected`")
        }
    }

    private func flushIfFull() {
        guard loop.output.bytes.count >= loop.limits.corkBytesMax else { return }
        loop.flushCork()
    }

    // MARK: Towards the kernel

    /// Encrypts, if need be, and sends.
    func emit(_ bytes: UnsafeRawBufferPointer) {
        guard let session else {
            unsafe send(bytes)
            return
        }
        do throws(TLSError) {
            loop.counters.records.add(try unsafe session.write(bytes))
        } catch {
            loop.tls.reset()
            terminate(.tls(error))
            return
        }
        transmit()
    }

    /// Sends the records that TLS has left in the engine.
    func transmit() {
        let records = unsafe loop.tls.outgoing
        guard unsafe !records.isEmpty else { return }
        if phase != .closed { unsafe send(records) }
        loop.tls.clearOutgoing()
    }

    private func send(_ bytes: UnsafeRawBufferPointer) {
        guard remainder.isEmpty else {
            unsafe remainder.append(contentsOf: bytes)
            noteBacklog()
            return
        }
        guard let sent = unsafe offerKernel(bytes), sent < bytes.count else { return }
        unsafe remainder = Array(bytes[sent...])
        noteBacklog()
        want(interest | Poller.writable)
    }

    /// The kernel again takes bytes.
    func sendRemainder() {
        guard !remainder.isEmpty else { return }
        guard let sent = offerKernel(remainder, from: remainderOffset) else { return }
        remainderOffset += sent
        if remainderOffset == remainder.count {
            remainder = []
            remainderOffset = 0
            want(interest & ~Poller.writable)
        } else if remainderOffset > 64 * 1024, remainderOffset > remainder.count / 2 {
            // Keeps the dead front below the living rest, at less than one copy for each byte sent.
            remainder.removeFirst(remainderOffset)
            remainderOffset = 0
        }
        if phase == .draining {
            if remainder.isEmpty { outputDrained() }
        } else if owesWritable, phase == .open, remainder.count - remainderOffset <= loop.limits.lowMarkBytes {
            owesWritable = false
            handler?.writable(self)
        }
    }

    private func noteBacklog() {
        if remainder.count - remainderOffset > loop.limits.lowMarkBytes { owesWritable = true }
    }

    /// The array is passed by itself, for breaking off drops the connection's hold on it.
    private func offerKernel(_ bytes: [UInt8], from offset: Int) -> Int? {
        unsafe bytes.withUnsafeBytes { unsafe offerKernel(UnsafeRawBufferPointer(rebasing: $0[offset...])) }
    }

    /// One `send`. Returns how many bytes the kernel took; nil when the connection broke and has been ended.
    private func offerKernel(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let count = unsafe Glibc.send(descriptor, bytes.baseAddress!, bytes.count, Int32(MSG_NOSIGNAL))
        loop.counters.writes.add()
        if count >= 0 {
            loop.counters.bytesSent.add(count)
            return count
        }
        let code = errno
        if code == EAGAIN || code == EINTR || code == ENOBUFS { return 0 }
        terminate(peerEnded ? .peer : .broken(errno: code))
        return nil
    }
}
