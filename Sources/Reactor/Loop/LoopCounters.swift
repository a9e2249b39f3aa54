internal import Synchronization

/// What a loop has done, readable from any thread at any time.
///
/// One thread writes, so adding is a relaxed load and store, no locked instruction; relaxed, since each number stands alone
/// and orders nothing.
public final class LoopCounters: Sendable {
    /// One number.
    public struct Counter: ~Copyable, Sendable {
        private let number = Atomic<UInt64>(0)

        /// The value now.
        public var value: UInt64 { number.load(ordering: .relaxed) }

        func add(_ amount: Int = 1) {
            number.store(number.load(ordering: .relaxed) &+ UInt64(amount), ordering: .relaxed)
        }

        func subtract() { number.store(number.load(ordering: .relaxed) &- 1, ordering: .relaxed) }
    }

    /// Connections accepted.
    public let accepted = Counter()
    /// Connections that exist now, handshaking and closing ones included.
    public let connections = Counter()
    /// TLS handshakes finished with a key exchange and a certificate.
    public let handshakesFull = Counter()
    /// TLS handshakes finished from a session ticket.
    public let handshakesResumed = Counter()
    /// Connections that ended before their handshake did, whatever the cause, evicted ones included.
    public let handshakesFailed = Counter()
    /// Silent connections evicted to make room.
    public let silentEvicted = Counter()
    /// Times that accepting paused for want of descriptors or memory.
    public let acceptPauses = Counter()
    /// Bytes received from sockets (with TLS: ciphertext).
    public let bytesReceived = Counter()
    /// Bytes sent to sockets.
    public let bytesSent = Counter()
    /// recv calls that brought bytes.
    public let reads = Counter()
    /// send calls.
    public let writes = Counter()
    /// TLS records made for application data.
    public let records = Counter()
    /// Turns of the loop.
    public let turns = Counter()
}
