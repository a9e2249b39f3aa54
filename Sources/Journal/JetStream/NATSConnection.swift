internal import CNATS
import Glibc
import Synchronization

// The one file that speaks to libnats. A connection is to one server, which it leaves only by ending: libnats's own
// reconnecting is off, since it can't be told to change server, and has to be where a server that is cut off from the
// others still answers.
//
// libnats runs threads of its own, one that reads and one for each subscription. They run nothing of ours but `pass`,
// which copies a message and hands it over; it must be quick and must not block.

/// Why a connection could not be made, or what was to be sent was not.
struct NATSError: Error, Equatable {
    let detail: String
    /// Where waiting does not help, since somebody has to change something: what.
    var remedy: String?
}

/// One message, copied out of libnats. Headers are those that a journal needs.
struct NATSMessage: Sendable {
    let subject: String
    let payload: [UInt8]
    /// A status instead of a message: 503 nobody is there, 404 nothing found, 204 the end of a batch.
    let status: Int?
    let stored: Stored?
    /// How many messages the stream has after this one, where it says so.
    let pending: UInt64?

    /// Where and when a stream has it.
    struct Stored: Sendable {
        let sequence: UInt64
        let timeMilliseconds: UInt64
        let id: String
    }

    var isNobody: Bool { status == 503 }
}

/// What a connection tells its owner, from libnats's threads.
enum NATSEvent: Sendable {
    case message(NATSMessage)
    /// The user may not do what was asked, which then nobody answers.
    case denied(String)
    case ended(String)
}

/// A connection to one NATS server. Any thread may publish; one closes it.
@safe final class NATSConnection: Sendable {
    let server: String
    /// Of this connection, unlike that of any other of this process.
    let number: UInt64
    /// Replies are sent below it.
    let inbox: String
    private let state: Monitor<State>

    @safe private struct State: @unchecked Sendable {
        // Safe: libnats's objects are meant for several threads; the pointers are cleared, under the mutex, when closed.
        var connection: OpaquePointer?
        var subscriptions: [OpaquePointer]

        init(_ connection: OpaquePointer?) {
            unsafe self.connection = connection
            unsafe subscriptions = []
        }
    }

    /// How long connecting may take: a server that is there answers in a few milliseconds.
    private static let connectMilliseconds: Int64 = 1_000
    /// A server that takes no bytes for so long is left.
    private static let writeMilliseconds: Int64 = 1_000
    private static let lastNumber = Atomic<UInt64>(0)

    /// Connects; blocks for a second at the most.
    ///
    /// - Parameter events: what comes from libnats's threads until `close` has returned, and perhaps a little longer.
    init(
        to server: String, _ options: JetStreamOptions, events: @escaping @Sendable (NATSEvent) -> Void
    ) throws(NATSError) {
        self.server = server
        // Only differs: no order with anything else is needed.
        number = Self.lastNumber.add(1, ordering: .relaxed).newValue
        inbox = "_INBOX.\(String(UInt64.random(in: .min ... .max), radix: 36)).\(number)"
        NATSListeners.add(number, events)
        do throws(NATSError) {
            state = Monitor(try Self.connect(options.url(of: server), options, number))
        } catch {
            NATSListeners.remove(number)
            throw error
        }
    }

    deinit { close() }

    private static func connect(
        _ url: String, _ options: JetStreamOptions, _ number: UInt64
    ) throws(NATSError) -> State {
        for file in [options.authorityFile, options.credentialsFile].compactMap(\.self) where unsafe access(file, R_OK) != 0 {
            throw NATSError(
                detail: "\(file) can't be read", remedy: "Check the path and that this process may read the file")
        }
        var settings: OpaquePointer?
        try check(unsafe natsOptions_Create(&settings), "options")
        defer { unsafe natsOptions_Destroy(settings) }
        try check(unsafe natsOptions_SetURL(settings, url), "address")
        try check(unsafe natsOptions_SetName(settings, "usher"), "name")
        try check(unsafe natsOptions_SetTimeout(settings, connectMilliseconds), "time-out")
        try check(unsafe natsOptions_SetAllowReconnect(settings, false), "reconnecting")
        try check(unsafe natsOptions_SetNoRandomize(settings, true), "order")
        try check(unsafe natsOptions_SetIgnoreDiscoveredServers(settings, true), "discovery")
        try check(unsafe natsOptions_SetSendAsap(settings, true), "sending")
        try check(unsafe natsOptions_SetWriteDeadline(settings, writeMilliseconds), "write deadline")
        try check(unsafe natsOptions_SetPingInterval(settings, 2_000), "pings")
        try check(unsafe natsOptions_SetMaxPingsOut(settings, 2), "pings")
        try check(unsafe natsOptions_SetErrorHandler(settings, denied, NATSListeners.pointer(number)), "error handler")
        try check(unsafe natsOptions_SetClosedCB(settings, ended, NATSListeners.pointer(number)), "end handler")
        if options.isTLS {
            try check(unsafe natsOptions_SetSecure(settings, true), "TLS")
        }
        // Also without `tls://`: a server that requires TLS gets it.
        if let file = options.authorityFile {
            let status = unsafe natsOptions_LoadCATrustedCertificates(settings, file)
            try check(status, "reading \(file)", remedy: "--journal-ca takes certificates in PEM")
        }
        if let file = options.credentialsFile {
            try check(unsafe natsOptions_SetUserCredentialsFromFiles(settings, file, nil), "reading \(file)")
        }
        var connection: OpaquePointer?
        let status = unsafe natsConnection_Connect(&connection, settings)
        try check(status, "connecting", remedy: remedy(status, options))
        return unsafe State(connection)
    }

    /// What to change, by what connecting ended with; nil for a server that is not there, or not yet.
    private static func remedy(_ status: natsStatus, _ options: JetStreamOptions) -> String? {
        let text = lastError(status)
        if status == NATS_SECURE_CONNECTION_WANTED {
            return "This server has no TLS: give it a `tls` block, or write nats:// in the place of tls://"
        }
        // libnats's way to say that OpenSSL did not take the certificate: the number and text of the reason.
        if status == NATS_SSL_ERROR, text.dropFirst("SSL handshake error: ".utf8.count).first?.isNumber == true {
            return "The server's certificate must be signed by an authority of "
                + (options.authorityFile ?? "this system, or of the file that --journal-ca names")
                + ", name the host as --journal does, and be valid today"
        }
        if status == NATS_CONNECTION_AUTH_FAILED {
            return options.credentialsFile.map { "\($0) must be of a user whom these servers know, and who has not expired" }
                ?? "Name the credentials of this instance's NATS user with --journal-credentials"
        }
        if let file = options.credentialsFile, status == NATS_ERR || status == NATS_INVALID_ARG, text.contains("seed") {
            return "\(file) must be a NATS credentials file: a user's JWT and the seed of its key"
        }
        return nil
    }

    /// The largest message the server takes.
    var payloadMax: Int64 {
        state.read { state in unsafe state.connection.map { unsafe natsConnection_GetMaxPayload($0) } ?? 0 }
    }

    /// Hand every message on `subject`, which may end in a wildcard, to the connection's events.
    func subscribe(_ subject: String) throws(NATSError) {
        let status = state.update { state in
            guard let connection = unsafe state.connection else { return NATS_CONNECTION_CLOSED }
            var subscription: OpaquePointer?
            let status = unsafe natsConnection_Subscribe(
                &subscription, connection, subject, Self.pass, NATSListeners.pointer(number))
            if let subscription = unsafe subscription { unsafe state.subscriptions.append(subscription) }
            return status
        }
        try Self.check(status, "subscribing to \(subject)")
    }

    /// Send; returns when the kernel has it, or within a second without.
    func publish(
        _ subject: String, reply: String?, id: String? = nil, _ payload: [UInt8]
    ) throws(NATSError) {
        let status = state.update { state in
            guard let connection = unsafe state.connection else { return NATS_CONNECTION_CLOSED }
            var message: OpaquePointer?
            // Safe: libnats copies what it is given before it returns.
            var status = unsafe payload.withUnsafeBytes { bytes in
                unsafe natsMsg_Create(
                    &message, subject, reply, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
            }
            guard status == NATS_OK else { return status }
            defer { unsafe natsMsg_Destroy(message) }
            if let id { status = unsafe natsMsgHeader_Set(message, "Nats-Msg-Id", id) }
            guard status == NATS_OK else { return status }
            return unsafe natsConnection_PublishMsg(connection, message)
        }
        try Self.check(status, "publishing")
    }

    /// Ends it. Idempotent.
    func close() {
        NATSListeners.remove(number)
        let ended = state.update { state in
            defer { state = unsafe State(nil) }
            return state
        }
        guard let connection = unsafe ended.connection else { return }
        unsafe ended.subscriptions.forEach { subscription in unsafe natsSubscription_Destroy(subscription) }
        unsafe natsConnection_Destroy(connection)
    }

    // MARK: From libnats's threads

    private static let pass: natsMsgHandler = { _, _, message, listener in
        guard let message = unsafe message else { return }
        defer { unsafe natsMsg_Destroy(message) }
        NATSListeners.tell(UInt64(UInt(bitPattern: listener)), .message(unsafe copy(message)))
    }

    private static let ended: natsConnectionHandler = { connection, listener in
        var text: UnsafePointer<CChar>?
        let status = unsafe natsConnection_GetLastError(connection, &text)
        let detail = status == NATS_OK ? "the server ended it" : unsafe text.map { unsafe String(cString: $0) } ?? ""
        NATSListeners.tell(UInt64(UInt(bitPattern: listener)), .ended(detail))
    }

    /// Without a handler libnats prints to standard error. What it dropped is read again.
    private static let denied: natsErrHandler = { connection, _, status, listener in
        guard status == NATS_NOT_PERMITTED else { return }
        var text: UnsafePointer<CChar>?
        _ = unsafe natsConnection_GetLastError(connection, &text)
        let detail = unsafe text.map { unsafe String(cString: $0) } ?? ""
        NATSListeners.tell(UInt64(UInt(bitPattern: listener)), .denied(detail))
    }

    private static func copy(_ message: OpaquePointer) -> NATSMessage {
        let count = Int(unsafe natsMsg_GetDataLength(message))
        var payload: [UInt8] = []
        if count > 0, let start = unsafe natsMsg_GetData(message) {
            // Safe: libnats keeps the message until it is destroyed, and says how long its data are.
            unsafe payload = Array(UnsafeRawBufferPointer(start: start, count: count))
        }
        let stored: NATSMessage.Stored? = unsafe header(message, "Nats-Sequence").flatMap { UInt64($0) }.map { sequence in
            NATSMessage.Stored(
                sequence: sequence,
                timeMilliseconds: unsafe header(message, "Nats-Time-Stamp").flatMap { RFC3339.milliseconds($0) } ?? 0,
                id: unsafe header(message, "Nats-Msg-Id") ?? "")
        }
        return NATSMessage(
            subject: unsafe String(cString: natsMsg_GetSubject(message)), payload: payload,
            status: unsafe count == 0 ? header(message, "Status").flatMap { Int($0) } : nil, stored: stored,
            pending: unsafe header(message, "Nats-Num-Pending").flatMap { UInt64($0) })
    }

    private static func header(_ message: OpaquePointer, _ name: String) -> String? {
        var value: UnsafePointer<CChar>?
        guard unsafe natsMsgHeader_Get(message, name, &value) == NATS_OK else { return nil }
        return unsafe value.map { unsafe String(cString: $0) }
    }

    private static func check(
        _ status: natsStatus, _ operation: String, remedy: @autoclosure () -> String? = nil
    ) throws(NATSError) {
        guard status != NATS_OK else { return }
        let text = lastError(status)
        let kind = unsafe String(cString: natsStatus_GetText(status))
        throw NATSError(
            detail: text.isEmpty || text == kind ? "\(operation): \(kind)" : "\(operation): \(kind), \(text)",
            remedy: remedy())
    }

    /// The library's last error of this thread, if it is this one: it names what the status only classes.
    private static func lastError(_ status: natsStatus) -> String {
        var last = NATS_OK
        let text = unsafe nats_GetLastError(&last).map { unsafe String(cString: $0) } ?? ""
        guard last == status else { return "" }
        // It begins with where in its own source libnats is: "(conn.c:2088): ".
        var words = text.utf8[...]
        if words.first == UInt8(ascii: "("), let end = words.firstIndex(of: UInt8(ascii: ")")) {
            words = words[end...].dropFirst(3)
        }
        return String(words) ?? text
    }
}

/// Who hears which connection. libnats is given a number in place of a pointer: what it says late finds nobody, and
/// nothing has to outlive it.
private enum NATSListeners {
    private static let all = Monitor<[UInt64: @Sendable (NATSEvent) -> Void]>([:])

    static func add(_ number: UInt64, _ listener: @escaping @Sendable (NATSEvent) -> Void) {
        all.update { $0[number] = listener }
    }

    /// The number in the guise that libnats hands back. It is never followed.
    static func pointer(_ number: UInt64) -> UnsafeMutableRawPointer? {
        unsafe UnsafeMutableRawPointer(bitPattern: UInt(number))
    }

    static func remove(_ number: UInt64) { all.update { _ = $0.removeValue(forKey: number) } }

    static func tell(_ number: UInt64, _ event: NATSEvent) {
        let listener = all.read { $0[number] }
        listener?(event)
    }
}
