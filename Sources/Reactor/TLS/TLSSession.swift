internal import COpenSSL

/// One connection's TLS: the owner of an SSL object, over the loop's engine.
///
/// Each call reads what was offered to the engine and leaves its records in the engine's output, for the caller to send.
@safe final class TLSSession {
    enum Progress {
        case done
        /// More bytes from the peer are needed.
        case wait
        /// The peer has said that it sends no more (close_notify).
        case ended
        case failed(TLSError)
    }

    let context: TLSContext
    /// Under which the context keeps sessions of this server. Empty on the server's side.
    let sessionKey: String
    private let ssl: OpaquePointer
    /// A server's: messages of TLS itself since the handshake.
    private var ownMessages: UInt32 = 0

    /// How many messages of TLS itself, and alerts in answer, a client may cause in a connection's whole life once the handshake
    /// is over. A KeyUpdate of 27 bytes costs new keys, some 90 µs, and a ClientHello an alert, whether or not the client reads
    /// it; OpenSSL bounds neither. Clients update their keys after gigabytes or hours, most never.
    static let ownMessagesMax = 64

    /// A session that has not begun.
    /// - Parameters:
    ///   - serverName: for a client: the name to send and to verify.
    ///   - address: for a client: where it connects to.
    init(_ context: TLSContext, _ engine: TLSEngine, serverName: String = "", address: String = "") throws(TLSError) {
        ssl_clear_errors()
        guard let ssl = unsafe SSL_new(context.context) else { throw TLSError("TLS session") }
        self.context = context
        unsafe self.ssl = ssl
        sessionKey = context.isServer ? "" : "\(serverName) \(address)"
        // SSL_set_bio takes one reference to each, and SSL_free gives it back.
        unsafe BIO_up_ref(engine.readBIO)
        unsafe BIO_up_ref(engine.writeBIO)
        unsafe SSL_set_bio(ssl, engine.readBIO, engine.writeBIO)
        if context.isServer {
            unsafe SSL_set_accept_state(ssl)
            unsafe SSL_set_msg_callback(ssl, noteMessage)
            // The engine outlives its sessions.
            unsafe ssl_set_message_callback_argument(ssl, engine.pipe)
        } else {
            unsafe SSL_set_connect_state(ssl)
            // Unretained: this object frees the SSL before it goes.
            unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
            try unsafe context.prepare(ssl, serverName: serverName, key: sessionKey)
        }
    }

    deinit {
        // As if closed in an orderly way: else OpenSSL would forbid resuming a session whose connection merely broke off.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
    }

    func handshake(over engine: TLSEngine) -> Progress {
        ssl_clear_errors()
        engine.ownMessages = 0
        let result = unsafe SSL_do_handshake(ssl)
        return result == 1 ? .done : progress(after: result, "TLS handshake")
    }

    /// Decrypts all that is there into `target`, which has room for it.
    /// - Returns: how many bytes, and why there are no more.
    func read(into target: UnsafeMutableRawBufferPointer, from engine: TLSEngine) -> (count: Int, progress: Progress) {
        var count = 0
        ssl_clear_errors()
        repeat {
            let room = target.count - count
            precondition(room >= 16 * 1024, "the plaintext buffer holds what one receive can bring")
            engine.ownMessages = ownMessages
            let result = unsafe SSL_read(ssl, target.baseAddress! + count, Int32(room))
            ownMessages = engine.ownMessages
            guard ownMessages <= Self.ownMessagesMax else {
                return (count, .failed(TLSError("TLS read", reason: "too many handshake messages")))
            }
            guard result > 0 else { return (count, progress(after: result, "TLS read")) }
            count += Int(result)
        } while engine.hasIncoming || hasPending
        return (count, .wait)
    }

    /// Encrypts all of `bytes`.
    /// - Returns: how many records it took.
    func write(_ bytes: UnsafeRawBufferPointer) throws(TLSError) -> Int {
        var offset = 0
        var records = 0
        ssl_clear_errors()
        while offset < bytes.count {
            // The mode ENABLE_PARTIAL_WRITE makes one call one record of at most 16 KiB; the engine's output takes everything.
            let written = unsafe SSL_write(ssl, bytes.baseAddress! + offset, Int32(min(bytes.count - offset, 1 << 30)))
            guard written > 0 else { throw TLSError("TLS write") }
            offset += Int(written)
            records += 1
        }
        return records
    }

    /// Says that nothing more will be sent (RFC 8446, section 6.1).
    func closeNotify() {
        ssl_clear_errors()
        if unsafe SSL_shutdown(ssl) < 0 { ERR_clear_error() }
    }

    /// Whether bytes taken from the engine wait inside.
    var hasPending: Bool { unsafe SSL_has_pending(ssl) == 1 }

    var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// Such as `TLSv1.3`.
    var version: String { unsafe String(cString: SSL_get_version(ssl)) }

    private func progress(after result: Int32, _ operation: String) -> Progress {
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wait
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: return .failed(failure(operation))
        }
    }

    private func failure(_ operation: String) -> TLSError {
        let error = TLSError(operation)
        let verified = unsafe SSL_get_verify_result(ssl)
        guard verified != Int(X509_V_OK), !context.isServer else { return error }
        return TLSError(
            operation, reason: "\(error.reason) (\(unsafe String(cString: X509_verify_cert_error_string(verified))))")
    }
}

/// Called by OpenSSL for each message of a server's session: counts, in the engine's pipe, what the client says in TLS itself
/// and the alerts that answer it. Past the bound the rest is not looked at: SSL_read takes it for the end.
private func noteMessage(
    isWritten: Int32, version: Int32, type: Int32, bytes: UnsafeRawPointer?, count: Int, ssl: OpaquePointer?,
    pipe: UnsafeMutableRawPointer?
) {
    guard type == (isWritten == 0 ? SSL3_RT_HANDSHAKE : SSL3_RT_ALERT) else { return }
    let pipe = unsafe pipe!.assumingMemoryBound(to: TLSEngine.Pipe.self)
    unsafe pipe.pointee.ownMessages += 1
    if unsafe pipe.pointee.ownMessages > TLSSession.ownMessagesMax { unsafe SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN) }
}
