/// The loop's one output buffer and whom its bytes are for.
struct Cork {
    var bytes: [UInt8] = []
    var owner: Connection?
    let bytesMax: Int

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
        bytes.reserveCapacity(16 * 1024)
    }
}

extension EventLoop {
    /// Makes the cork this connection's; another's bytes are written first.
    func cork(for connection: Connection) {
        guard output.owner !== connection else { return }
        flushCork()
        output.owner = connection
    }

    /// Writes what is corked.
    func flushCork() {
        guard let owner = output.owner else { return }
        output.owner = nil
        guard !output.bytes.isEmpty else { return }
        // Out of the loop's hands meanwhile, so that whatever sending leads to cannot touch them.
        var bytes: [UInt8] = []
        swap(&bytes, &output.bytes)
        unsafe bytes.withUnsafeBytes { unsafe owner.emit($0) }
        swap(&bytes, &output.bytes)
        resetCork()
    }

    /// Throws the bytes away of a connection that has ended.
    func dropCork(of connection: Connection) {
        guard output.owner === connection else { return }
        output.owner = nil
        resetCork()
    }

    private func resetCork() {
        if output.bytes.capacity > 4 * output.bytesMax {
            // One huge write need not stay in memory for ever.
            output.bytes = []
        } else {
            output.bytes.removeAll(keepingCapacity: true)
        }
    }
}
