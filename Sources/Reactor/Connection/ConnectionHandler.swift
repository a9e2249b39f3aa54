/// Who gets what happens on a connection. Called on the loop's thread, from the loop's turn, never from within a call to the
/// connection.
///
/// The order is: `connected` once, then `received` and `writable` any number of times, then `closed` once. A connection that
/// never got ready (only possible for one's own `connect`) hears only `closed`.
public protocol ConnectionHandler: AnyObject {
    /// TCP and, if asked for, TLS stand: from now on one can write.
    func connected(_ connection: Connection)

    /// Bytes have arrived, decrypted; all that one receive brought. They are lent for the call and may be changed in place.
    func received(_ connection: Connection, _ bytes: consuming MutableRawSpan)

    /// Unsent output is back at or below the low mark, having been above it.
    func writable(_ connection: Connection)

    /// The connection has ended. Nothing comes after.
    func closed(_ connection: Connection, _ cause: CloseCause)
}

extension ConnectionHandler {
    public func writable(_ connection: Connection) {}
}

/// Why a connection ended.
public enum CloseCause: Equatable, Sendable {
    /// `close` or `abort` was called.
    case local
    /// The peer ended it in an orderly way (FIN or close_notify). What was unsent has been sent.
    case peer
    /// The connection broke: ECONNRESET, EPIPE, ETIMEDOUT, …
    case broken(errno: Int32)
    /// It could not be made.
    case refused(errno: Int32)
    /// Connecting or the TLS handshake took too long.
    case timedOut
    /// TLS failed: in the handshake, by verification, or by a bad record.
    case tls(TLSError)
    /// The loop was stopped.
    case loopStopped
}
