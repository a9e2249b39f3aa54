internal import COpenSSL
internal import Glibc
internal import Synchronization

/// The settings of one side of TLS, and for a client the sessions it can resume. Shared by all loops, so that a ticket
/// issued by one is good at the others.
///
/// TLS 1.3 and, unless refused, 1.2 with the ciphers of Mozilla's "intermediate" profile 5.7 that give forward secrecy by
/// ECDHE; curves X25519 and P-256; ALPN `http/1.1` (RFC 7301); no renegotiation, no compression; servers keep no sessions but
/// issue one ticket for each handshake (RFC 8446 section 4.6.1, RFC 5077).
@safe public final class TLSContext: @unchecked Sendable {
    // Unchecked: an SSL_CTX is thread-safe once configured (ssl-threads, OpenSSL's own locks); it is configured in init only.
    let context: OpaquePointer
    let isServer: Bool
    /// Resumable sessions by the name and address of the server, owned.
    private let sessions = Mutex<[String: Session]>([:])
    private let verifiesName: Bool

    /// The lowest version spoken; the highest is always 1.3.
    public enum Version: Sendable {
        case tls12, tls13
    }

    /// Whom a client believes.
    public enum Trust: Sendable {
        /// The system's certificate authorities.
        case system
        /// The certificate authorities in this PEM file.
        case authorities(file: String)
        /// Just the certificates in this PEM text, each for itself, whoever issued it.
        case pinned(pem: String)
    }

    /// A server's context.
    /// - Parameters:
    ///   - certificateFile: PEM: the server's certificate, then its intermediates.
    ///   - keyFile: PEM: its private key.
    ///   - minimum: the lowest version taken.
    /// - Throws: `TLSError` when a file cannot be read or the key does not fit the certificate.
    public static func server(certificateFile: String, keyFile: String, minimum: Version = .tls12) throws(TLSError)
        -> TLSContext
    {
        let made = try TLSContext(isServer: true, minimum: minimum, verifiesName: false)
        let context = unsafe made.context
        guard unsafe SSL_CTX_use_certificate_chain_file(context, certificateFile) == 1 else {
            throw TLSError("certificate \(certificateFile)")
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(context, keyFile, SSL_FILETYPE_PEM) == 1 else {
            throw TLSError("private key \(keyFile)")
        }
        guard unsafe SSL_CTX_check_private_key(context) == 1 else { throw TLSError("private key \(keyFile)") }
        unsafe ssl_context_serve_http11(context)
        unsafe ssl_context_set_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        guard unsafe SSL_CTX_set_num_tickets(context, 1) == 1 else { throw TLSError("session tickets") }
        return made
    }

    /// A client's context.
    /// - Parameters:
    ///   - trust: whom it believes.
    ///   - verifiesName: whether the certificate must be for the name (or numeric address) connected to.
    ///   - minimum: the lowest version taken.
    ///   - resumes: whether later connections go on from a ticket of an earlier one. Not for those who play many users.
    /// - Throws: `TLSError` when the certificates cannot be read.
    public static func client(
        trust: Trust, verifiesName: Bool = true, minimum: Version = .tls12, resumes: Bool = true
    ) throws(TLSError) -> TLSContext {
        let made = try TLSContext(isServer: false, minimum: minimum, verifiesName: verifiesName)
        let context = unsafe made.context
        switch trust {
        case .system:
            guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else { throw TLSError("system certificates") }
        case .authorities(let file):
            guard unsafe SSL_CTX_load_verify_file(context, file) == 1 else { throw TLSError("certificates \(file)") }
        case .pinned(let pem):
            try made.pin(pem)
        }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        guard unsafe SSL_CTX_set_alpn_protos(context, ssl_alpn_http11(), 9) == 0 else { throw TLSError("ALPN") }
        guard resumes else {
            unsafe ssl_context_set_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
            return made
        }
        unsafe ssl_context_set_cache_mode(context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE))
        unsafe SSL_CTX_sess_set_new_cb(context, keepSession)
        return made
    }

    private init(isServer: Bool, minimum: Version, verifiesName: Bool) throws(TLSError) {
        ssl_clear_errors()
        guard let context = unsafe SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw TLSError("TLS context")
        }
        unsafe self.context = context
        self.isServer = isServer
        self.verifiesName = verifiesName
        let lowest = minimum == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION
        let configured =
            unsafe ssl_context_set_versions(context, lowest, TLS1_3_VERSION) == 1
            && SSL_CTX_set_cipher_list(
                context,
                "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                    + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305") == 1
            && SSL_CTX_set_ciphersuites(
                context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1
            && ssl_context_set_groups(context, "X25519:P-256") == 1
        guard configured else { throw TLSError("TLS settings") }
        unsafe SSL_CTX_set_options(context, ssl_option_no_renegotiation() | ssl_option_no_compression())
        // Buffers only while bytes are in flight: 31 KB of idle memory become 14.
        unsafe ssl_context_set_mode(
            context, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
        unsafe ssl_context_set_read_ahead(context, 1)
    }

    /// For tests: speaks nothing but TLS 1.2.
    func limitToTLS12() {
        let limited = unsafe ssl_context_set_versions(context, TLS1_2_VERSION, TLS1_2_VERSION)
        precondition(limited == 1)
    }

    deinit {
        sessions.withLock { sessions in
            for session in sessions.values { unsafe SSL_SESSION_free(session.pointer) }
        }
        unsafe SSL_CTX_free(context)
    }

    private func pin(_ pem: String) throws(TLSError) {
        let bytes = Array(pem.utf8)
        guard let source = unsafe BIO_new_mem_buf(bytes, Int32(bytes.count)) else { throw TLSError("pinned certificate") }
        defer { unsafe BIO_free(source) }
        let store = unsafe SSL_CTX_get_cert_store(context)
        var count = 0
        while let certificate = unsafe PEM_read_bio_X509(source, nil, nil, nil) {
            unsafe X509_STORE_add_cert(store, certificate)
            unsafe X509_free(certificate)
            count += 1
        }
        guard count > 0 else { throw TLSError("pinned certificate") }
        ERR_clear_error()  // the end of the PEM text counts as an error
        // Lets a chain end at a pinned certificate that is not its own issuer.
        unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    // MARK: A client's sessions

    @safe private struct Session: @unchecked Sendable {
        // Unchecked: an SSL_SESSION counts its references atomically and is not changed once issued.
        let pointer: OpaquePointer
    }

    private static let sessionsMax = 64

    /// Prepares a client's connection: name to send and verify, session to resume.
    func prepare(_ ssl: OpaquePointer, serverName: String, key: String) throws(TLSError) {
        let isNumeric = SocketAddress(numeric: serverName, port: 0) != nil
        // RFC 6066 section 3: numeric addresses are not sent.
        if !isNumeric, unsafe ssl_set_server_name(ssl, serverName) != 1 { throw TLSError("server name \(serverName)") }
        if verifiesName {
            let parameters = unsafe SSL_get0_param(ssl)
            let set =
                isNumeric
                ? unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) : unsafe SSL_set1_host(ssl, serverName)
            guard set == 1 else { throw TLSError("server name \(serverName)") }
        }
        sessions.withLock { sessions in
            guard let session = sessions[key], unsafe SSL_SESSION_is_resumable(session.pointer) == 1 else { return }
            _ = unsafe SSL_set_session(ssl, session.pointer)
        }
    }

    /// Takes ownership of a session just issued.
    fileprivate func keep(_ session: OpaquePointer, for key: String) {
        let dropped = sessions.withLock { sessions -> Session? in
            if let old = sessions.updateValue(unsafe Session(pointer: session), forKey: key) { return old }
            guard sessions.count > Self.sessionsMax, let other = sessions.keys.first(where: { $0 != key }) else { return nil }
            return sessions.removeValue(forKey: other)
        }
        if let dropped { unsafe SSL_SESSION_free(dropped.pointer) }
    }
}

/// Called by OpenSSL when a server has issued a session. Returns 1 when the reference is kept.
private func keepSession(ssl: OpaquePointer?, session: OpaquePointer?) -> Int32 {
    // The extra data is the TLSSession that owns this SSL, so it is alive during the call.
    guard let session = unsafe session, let owner = unsafe SSL_get_ex_data(ssl, 0) else { return 0 }
    let connection = unsafe Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
    unsafe connection.context.keep(session, for: connection.sessionKey)
    return 1
}
