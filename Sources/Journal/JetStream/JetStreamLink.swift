import Glibc

/// Asks the servers of a shared journal and waits for the answer: for opening, snapshots, trimming and tools. Appends and
/// what is heard go another way (`JetStreamEngine`).
///
/// A server that says nothing, or knows nobody who could answer, is left for the next, until the time is up. Confined to
/// one thread, but for `stop`.
final class JetStreamLink {
    let options: JetStreamOptions
    private var connection: NATSConnection?
    private var nextServer: Int
    private var lastReply: UInt64 = 0
    /// What went wrong last at each server.
    private var troubles: [String: String] = [:]
    private let answers: Monitor<Answers>

    private struct Answers {
        var reply = ""
        var messages: [NATSMessage] = []
        var ended: String?
        var denied: String?
        var isStopped = false
    }

    /// A server that has not answered for so long is left.
    private static let patienceMilliseconds: UInt64 = 2_000
    /// Between two attempts where somebody answered that nobody is there.
    private static let pauseMilliseconds: UInt64 = 50
    /// The largest entry, with its headers, fits.
    static let payloadMin: Int64 = 1_048_576

    init(_ options: JetStreamOptions) {
        self.options = options
        nextServer = .random(in: 0..<options.servers.count)
        answers = Monitor(Answers())
    }

    deinit { connection?.close() }

    /// Makes a call under way, and all to come, fail with `closed`. From any thread.
    var stop: @Sendable () -> Void {
        { [answers] in answers.update { $0.isStopped = true } }
    }

    func close() {
        connection?.close()
        connection = nil
    }

    /// Waits; not to the end when stopped meanwhile.
    func pause(_ milliseconds: UInt64) throws(JournalError) {
        let stopped = answers.wait(atMostMilliseconds: milliseconds) { $0.isStopped ? true : nil } ?? false
        if stopped { throw .closed }
    }

    // MARK: Questions

    /// What a server's API said.
    enum Verdict {
        case done(JSONText)
        /// `code` is as in HTTP, `number` names the error in NATS's list of errors.
        case error(code: UInt64, number: UInt64, description: String)
    }

    /// One request of JetStream's API, repeated until somebody can answer.
    func call(_ name: String, _ body: JSONText = .object([]), within milliseconds: UInt64) throws(JournalError) -> Verdict {
        let end = Self.now + milliseconds
        while true {
            let answer = try ask("$JS.API.\(name)", body.bytes, until: end)[0]
            guard let object = JSONText(answer.payload) else {
                throw .refused(journal: options.description, operation: name, detail: "the answer is no JSON")
            }
            guard let error = object["error"] else { return .done(object) }
            let description = error["description"]?.string ?? "unknown error"
            // No leader, or not yet: somebody will be.
            if error["code"]?.unsigned == 503 {
                note(description)
                guard Self.now < end else { throw unreachable }
                try pause(Self.pauseMilliseconds)
                continue
            }
            return .error(
                code: error["code"]?.unsigned ?? 0, number: error["err_code"]?.unsigned ?? 0, description: description)
        }
    }

    /// Publishes to a stream and waits until it is stored.
    func store(_ subject: String, id: String, _ payload: [UInt8], within milliseconds: UInt64) throws(JournalError) {
        let end = Self.now + milliseconds
        while true {
            let answer = try ask(subject, payload, id: id, until: end)[0]
            let object = JSONText(answer.payload)
            if object?["seq"] != nil, object?["error"] == nil { return }
            let description = object?["error"]?["description"]?.string ?? "unknown answer"
            note(description)
            guard Self.now < end else {
                throw .refused(journal: options.description, operation: "storing \(subject)", detail: description)
            }
            try pause(Self.pauseMilliseconds)
        }
    }

    /// Messages of a stream by Direct Get: all of them up to the end of the batch, none where nothing was found.
    func fetch(
        _ stream: String, _ request: JSONText, isBatch: Bool, within milliseconds: UInt64
    ) throws(JournalError) -> [NATSMessage] {
        let answer = try ask(
            "$JS.API.DIRECT.GET.\(stream)", request.bytes, isBatch: isBatch, until: Self.now + milliseconds)
        return answer.filter { $0.stored != nil }
    }

    /// Ask another server from now on.
    func changeServer() {
        connection?.close()
        connection = nil
    }

    static var now: UInt64 { JournalClock.system.elapsedMilliseconds() }

    private func ask(
        _ subject: String, _ payload: [UInt8], id: String? = nil, isBatch: Bool = false, until end: UInt64
    ) throws(JournalError) -> [NATSMessage] {
        while true {
            if let answer = try attempt(subject, payload, id, isBatch, until: end) { return answer }
            guard Self.now < end else { throw unreachable }
            try pause(Self.pauseMilliseconds)
        }
    }

    /// One question to one server; nil when it is to be repeated.
    private func attempt(
        _ subject: String, _ payload: [UInt8], _ id: String?, _ isBatch: Bool, until end: UInt64
    ) throws(JournalError) -> [NATSMessage]? {
        guard let connection = try connected() else { return nil }
        lastReply += 1
        let reply = "\(connection.inbox).\(lastReply)"
        answers.update {
            $0.reply = reply
            $0.messages = []
            $0.denied = nil
        }
        do throws(NATSError) {
            try connection.publish(subject, reply: reply, id: id, payload)
        } catch {
            leave(error.detail)
            return nil
        }
        let patience = min(Self.patienceMilliseconds, max(Self.pauseMilliseconds, end - min(end, Self.now)))
        enum Outcome { case answered([NATSMessage]), denied(String), ended(String), stopped }
        let outcome: Outcome? = answers.wait(atMostMilliseconds: patience) { answers in
            if answers.isStopped { return .stopped }
            if let last = answers.messages.last, !isBatch || last.status != nil { return .answered(answers.messages) }
            return answers.denied.map { .denied($0) } ?? answers.ended.map { .ended($0) }
        }
        switch outcome {
        case .stopped: throw .closed
        case .denied(let detail):
            throw .refused(journal: options.description, operation: "a request to \(connection.server)", detail: detail)
        case .ended(let detail): leave(detail)
        case nil: leave("takes the connection and does not answer: it has no majority, or stands still")
        case .answered(let messages):
            guard messages[0].isNobody else { return messages }
            leave("has nobody for \(subject): JetStream has no leader yet, or is off")
        }
        return nil
    }

    private func leave(_ reason: String) {
        note(reason)
        changeServer()
    }

    private func note(_ trouble: String) {
        if let connection { troubles[connection.server] = trouble }
    }

    private var unreachable: JournalError {
        let said = options.servers.compactMap { server in troubles[server].map { "\(server): \($0)" } }
        return .unreachable(
            journal: options.description, detail: said.isEmpty ? "no server was asked" : said.joined(separator: "; "))
    }

    /// A connection to one of the servers; nil where this turn's does not take one.
    private func connected() throws(JournalError) -> NATSConnection? {
        if answers.read({ $0.isStopped }) { throw .closed }
        if let connection { return connection }
        let server = options.servers[nextServer]
        nextServer = (nextServer + 1) % options.servers.count
        answers.update { $0.ended = nil }
        let made: NATSConnection
        do throws(NATSError) {
            made = try NATSConnection(to: server, options) { [answers] event in
                answers.update { answers in
                    switch event {
                    case .message(let message): if message.subject == answers.reply { answers.messages.append(message) }
                    case .denied(let detail): answers.denied = detail
                    case .ended(let detail): answers.ended = detail
                    }
                }
            }
            try made.subscribe(made.inbox + ".>")
        } catch {
            troubles[server] = error.detail
            guard let remedy = error.remedy else { return nil }
            throw .untrusted(journal: options.description, detail: "\(server): \(error.detail)", remedy: remedy)
        }
        let payloadMax = made.payloadMax
        guard payloadMax >= Self.payloadMin else {
            made.close()
            throw .unsafeSetting(
                journal: options.description, setting: "max_payload of \(server)", found: "\(payloadMax)",
                wanted: "at least \(Self.payloadMin)", remedy: "Set max_payload: 1MB in that server's configuration")
        }
        connection = made
        return made
    }
}
