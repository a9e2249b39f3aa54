/// The journal thread's side: see `JetStreamJournal`. It performs what outbox and feed decide, on one connection at a time,
/// and leaves a server that is silent, or cut off from the others, for the next.
///
///     round: 1 take what has come   acknowledgements ─▶ outbox; republished, answers, inspections ─▶ feed ─▶ deliver
///            2 connect, where there is no connection
///            3 publish what is due; read, inspect or change server as the feed says
///            4 say that the journal stalls, or flows again
///            nothing to do: wait for the inbox or the next deadline
///
/// Unchecked Sendable: made by the opener, then handed to the journal thread and touched by no other.
final class JetStreamEngine: @unchecked Sendable {
    private let options: JetStreamOptions
    private let inbox: Monitor<JetStreamInbox>
    /// Of this opening, unlike that of any other: the first part of its message ids.
    private let writer = String(UInt64.random(in: 1 << 60 ... .max), radix: 36)
    private var connection: NATSConnection?
    private var nextServer: Int
    private var connectNotBefore: UInt64 = 0
    private var outbox = Outbox()
    private var feed: Feed?
    private var deliver: @Sendable (JournalEvent) -> Void = { _ in }
    private var hasSaidCaughtUp = false
    /// Names questions: a late answer to an earlier one is nobody's.
    private var question: UInt64 = 0
    private var answer: [StreamMessage] = []
    /// What went wrong last, for people.
    private var trouble = "nothing was heard from the servers"
    private var isStalled = false
    private var ownHeardAt: UInt64 = 0
    private var closingSince: UInt64?

    /// Without success for so long another server is tried.
    private static let troubleMax: UInt64 = 500
    /// When nothing that was appended has been heard for so long, the journal stalls.
    private static let stallAfter: UInt64 = 1_000
    /// How long closing waits for what is queued.
    private static let closeMax: UInt64 = 2_000
    private static let connectPause: UInt64 = 50
    private static let readLimit = JournalReadLimit(entriesMax: 1_024, bytesMax: 1 << 20)

    init(_ options: JetStreamOptions, inbox: Monitor<JetStreamInbox>) {
        self.options = options
        self.inbox = inbox
        nextServer = .random(in: 0..<options.servers.count)
    }

    private struct Wake {
        var start: (from: UInt64, deliver: @Sendable (JournalEvent) -> Void)?
        var appends: [[UInt8]] = []
        var events: [(connection: UInt64, event: NATSEvent)] = []
        var isClosing = false
    }

    func run() {
        inbox.update { $0.thread = JournalThread.current }
        let failure = serve()
        connection?.close()
        inbox.update { inbox in
            if let failure { inbox.end = failure }
            inbox.appends = []
            inbox.events = []
        }
        if let failure { deliver(.failed(failure)) }
        inbox.update { $0.threadEnded = true }
    }

    private static var now: UInt64 { JournalClock.system.elapsedMilliseconds() }

    /// Rounds until `close`, or the failure that ends them.
    private func serve() -> JournalError? {
        while true {
            let wake = wait()
            var now = Self.now
            if let start = wake.start {
                deliver = start.deliver
                feed = Feed(from: start.from, now: now)
                ownHeardAt = now
            }
            for payload in wake.appends { outbox.append(payload, now: now) }
            for (number, event) in wake.events where number == connection?.number { take(event, now) }
            if wake.isClosing {
                let since = closingSince ?? now
                closingSince = since
                if outbox.count == 0 || now >= since + Self.closeMax { return nil }
            }
            guard feed != nil else { continue }
            now = Self.now
            if let troubled = outbox.troubledFor(now: now), troubled >= Self.troubleMax, let server = connection?.server {
                leave("\(server): \(trouble)")
            }
            connect()
            publish()
            if let failure = follow() { return failure }
            noteStall()
        }
    }

    private func wait() -> Wake {
        let now = Self.now
        var deadline = UInt64.max
        if let feed {
            deadline = min(feed.deadline, outbox.deadline(now: now) ?? .max)
            if let troubled = outbox.troubledFor(now: now) {
                deadline = min(deadline, now + Self.troubleMax - min(troubled, Self.troubleMax))
            }
            if connection == nil { deadline = connectNotBefore }
            if !isStalled, let age = outbox.age(now: now) {
                deadline = min(deadline, now + Self.stallAfter - min(age, Self.stallAfter))
            }
        }
        if let closingSince { deadline = min(deadline, closingSince + Self.closeMax) }
        let isClosing = closingSince != nil
        // A deadline that has passed is looked at in a millisecond: nothing here may spin.
        let patience = deadline == .max ? UInt64.max : max(1, deadline - min(deadline, now))
        return inbox.wait(atMostMilliseconds: patience) { inbox in
            guard
                !inbox.appends.isEmpty || !inbox.events.isEmpty || inbox.start != nil || (inbox.end != nil && !isClosing)
            else { return nil }
            defer {
                inbox.start = nil
                inbox.appends = []
                inbox.events = []
                inbox.eventBytes = 0
            }
            return Wake(start: inbox.start, appends: inbox.appends, events: inbox.events, isClosing: inbox.end != nil)
        } ?? Wake(isClosing: isClosing)
    }

    // MARK: Connection

    private func connect() {
        let now = Self.now
        guard connection == nil, now >= connectNotBefore else { return }
        let server = options.servers[nextServer]
        nextServer = (nextServer + 1) % options.servers.count
        do throws(NATSError) {
            let inbox = inbox
            let numbers = Monitor<UInt64>(0)
            let heard = options.heardSubject
            let made = try NATSConnection(to: server, options) { event in
                let number = numbers.read { $0 }
                inbox.update { inbox in
                    if case .message(let message) = event {
                        let isRepeatable = message.subject == heard
                        guard !isRepeatable || inbox.eventBytes < JetStreamInbox.eventBytesMax else { return }
                        inbox.eventBytes += message.payload.count
                    }
                    inbox.events.append((number, event))
                }
            }
            numbers.update { $0 = made.number }
            try made.subscribe(made.inbox + ".>")
            try made.subscribe(heard)
            connection = made
            let now = Self.now
            outbox.reconnected(now: now)
            feed?.reconnected(now: now)
        } catch {
            trouble = "\(server): \(error.detail)"
            connectNotBefore = Self.now + Self.connectPause
        }
    }

    private func leave(_ reason: String) {
        trouble = reason
        connection?.close()
        connection = nil
        answer = []
        connectNotBefore = Self.now
    }

    // MARK: What comes

    private func take(_ event: NATSEvent, _ now: UInt64) {
        switch event {
        case .denied(let detail):
            trouble = "\(connection?.server ?? ""): \(detail)"
        case .ended(let detail):
            leave("\(connection?.server ?? ""): \(detail)")
        case .message(let message):
            if message.subject == options.heardSubject {
                guard let heard = StreamMessage(message), let delivered = feed?.heard(heard, now: now) else { return }
                hand(delivered, now)
            } else if let inbox = connection?.inbox, message.subject.hasPrefix(inbox) {
                takeReply(message, message.subject.dropFirst(inbox.count + 1).split(separator: "."), now)
            }
        }
    }

    /// Replies are addressed `p.<number>.<generation>` for publishes, `r.<question>` for reads, `i.<question>` for inspections.
    private func takeReply(_ message: NATSMessage, _ address: [Substring], _ now: UInt64) {
        switch address.first {
        case "p":
            guard address.count == 3, let number = UInt64(address[1]), let generation = UInt64(address[2]) else { return }
            acknowledge(AppendID(number: number, generation: generation), message, now)
        case "r":
            guard address.count == 2, UInt64(address[1]) == question, !message.isNobody else { return }
            if let stored = StreamMessage(message) {
                answer.append(stored)
            } else {
                let delivered = feed?.answered(answer, isMore: message.pending ?? 0 > 0, now: now) ?? []
                answer = []
                hand(delivered, now)
            }
        case "i":
            guard address.count == 2, UInt64(address[1]) == question, let state = JSONText(message.payload)?["state"],
                let first = state["first_seq"]?.unsigned, let last = state["last_seq"]?.unsigned
            else { return }
            feed?.inspected(first: max(1, first), last: last, now: now)
            inbox.update {
                $0.firstPosition = max($0.firstPosition, first)
                $0.lastPosition = max($0.lastPosition, last)
            }
            sayCaughtUp()
        default: break
        }
    }

    private func acknowledge(_ id: AppendID, _ message: NATSMessage, _ now: UInt64) {
        let server = connection?.server ?? ""
        guard !message.isNobody else {
            trouble = "\(server): the stream has no leader"
            outbox.refused(id, now: now)
            return
        }
        let object = JSONText(message.payload)
        if let position = object?["seq"]?.unsigned, object?["error"] == nil {
            outbox.stored(id, at: position, now: now)
        } else {
            trouble = "\(server): \(object?["error"]?["description"]?.string ?? "an answer that can't be read")"
            outbox.refused(id, now: now)
        }
    }

    /// Hand on what is next in order.
    private func hand(_ messages: [StreamMessage], _ now: UInt64) {
        guard !messages.isEmpty, let feed else { return }
        var own: (count: Int, bytes: UInt64) = (0, 0)
        for message in messages {
            guard let id = AppendID(message.id, run: writer) else { continue }
            if outbox.heard(id, now: now) { own = (own.count + 1, own.bytes + UInt64(message.payload.count)) }
        }
        outbox.passed(feed.next)
        inbox.update { inbox in
            inbox.lastPosition = max(inbox.lastPosition, feed.next - 1)
            inbox.unheard -= own.count
            inbox.statistics.commits += UInt64(own.count)
            inbox.statistics.entries += UInt64(own.count)
            inbox.statistics.payloadBytes += own.bytes
        }
        deliver(
            .committed(
                messages.map {
                    JournalEntry(position: $0.sequence, timeMilliseconds: $0.timeMilliseconds, payload: $0.payload)
                }))
        if own.count > 0 {
            ownHeardAt = now
            if isStalled {
                isStalled = false
                deliver(.flowing)
            }
        }
        sayCaughtUp()
    }

    private func sayCaughtUp() {
        guard let feed, !hasSaidCaughtUp, feed.isCaughtUp else { return }
        hasSaidCaughtUp = true
        deliver(.caughtUp(position: feed.next - 1))
    }

    // MARK: What is to be done

    private func publish() {
        guard let connection else { return }
        for due in outbox.publishes(now: Self.now) {
            let id = "\(writer)-\(due.id.number)-\(due.id.generation)"
            let reply = "\(connection.inbox).p.\(due.id.number).\(due.id.generation)"
            do throws(NATSError) {
                try connection.publish(options.subject, reply: reply, id: id, due.payload)
            } catch {
                leave("\(connection.server): \(error.detail)")
                return
            }
        }
    }

    /// Do what the feed wants; the failure that it found.
    private func follow() -> JournalError? {
        guard let connection, let step = feed?.step(now: Self.now) else { return nil }
        question += 1
        do throws(NATSError) {
            switch step {
            case .read(let position):
                answer = []
                try connection.publish(
                    "$JS.API.DIRECT.GET.\(options.stream)", reply: "\(connection.inbox).r.\(question)",
                    JetStreamStore.batch(from: position, limit: Self.readLimit).bytes)
            case .inspect:
                try connection.publish(
                    "$JS.API.STREAM.INFO.\(options.stream)", reply: "\(connection.inbox).i.\(question)", [])
            case .changeServer(let reason):
                leave("\(connection.server): \(reason)")
            case .trimmed(let position, let first):
                return .trimmed(position: position, firstPosition: first)
            case .hole(let position):
                return .corruptStream(journal: options.description, detail: "no server has the entry at position \(position)")
            case .beyondEnd(let position, let last):
                return .beyondEnd(position: position, lastPosition: last)
            }
        } catch {
            leave("\(connection.server): \(error.detail)")
        }
        return nil
    }

    private func noteStall() {
        let now = Self.now
        guard !isStalled, let age = outbox.age(now: now), age >= Self.stallAfter,
            now >= ownHeardAt + Self.stallAfter
        else { return }
        isStalled = true
        deliver(.stalled(reason: "nothing has been committed for \(age / 1_000) s; last \(trouble)"))
    }
}

extension StreamMessage {
    /// What a stream's message says; nil for a status.
    fileprivate init?(_ message: NATSMessage) {
        guard let stored = message.stored else { return nil }
        self.init(
            sequence: stored.sequence, timeMilliseconds: stored.timeMilliseconds, id: stored.id, payload: message.payload)
    }
}

extension AppendID {
    /// Reads a message id; nil for another writer's.
    fileprivate init?(_ id: String, run: String) {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == run, let number = UInt64(parts[1]), let generation = UInt64(parts[2]) else {
            return nil
        }
        self.init(number: number, generation: generation)
    }
}
