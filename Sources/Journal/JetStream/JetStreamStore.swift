/// A shared journal as its servers keep it: created or checked, read by position, trimmed. Snapshots are in
/// `JetStreamStore+Snapshots.swift`. Everything here waits for answers; confined to one thread, but for `link.stop`.
final class JetStreamStore {
    let options: JetStreamOptions
    let link: JetStreamLink

    /// How long something that is not opening waits for servers.
    static let patienceMilliseconds: UInt64 = 15_000
    /// As `nats-server` writes it; batch reads came with it.
    static let versionMin = (2, 11)

    init(_ options: JetStreamOptions) {
        self.options = options
        link = JetStreamLink(options)
    }

    /// What is known of a stream.
    struct State {
        let configuration: JSONText
        /// Where the first entry is or will be.
        let first: UInt64
        /// 0 without entries; one below `first` where all have been trimmed.
        let last: UInt64
        /// Positions in between that are gone.
        let deleted: UInt64
        let leader: String
        let bytes: UInt64

        var metadata: JSONText? { configuration["metadata"] }
        /// Why the journal can't be used, if it can't.
        var closed: String? { metadata?[StreamRules.closedName]?.string }
    }

    // MARK: Opening

    /// Creates the two streams where they are missing, and checks them. Two that do so at once are no harm: one creates,
    /// the other finds.
    ///
    /// - Parameter creates: false for tools: what is not there is `notFound`.
    func open(creates: Bool = true) throws(JournalError) -> (epoch: JournalEpoch, state: State) {
        let state = try found(.journal(options, epoch: .random(), firstPosition: 1, closed: nil), creates: creates)
        guard let state else { throw .notFound(path: options.description) }
        let epoch = try check(state)
        if let closed = state.closed { throw .moved(journal: options.description, detail: closed) }
        let snapshots = StreamRules.snapshots(options)
        if let found = try found(snapshots, creates: creates) {
            try snapshots.check(found.configuration, journal: options.description)
        }
        return (epoch, state)
    }

    /// A stream, created if it may be; nil where it is not there and may not.
    private func found(_ rules: StreamRules, creates: Bool) throws(JournalError) -> State? {
        let end = JetStreamLink.now + options.openMilliseconds
        while true {
            if let state = try info(of: rules.stream, within: options.openMilliseconds) { return state }
            guard creates else { return nil }
            // Where another one creates it at the same time, this finds it in a moment.
            var pause: UInt64 = 20
            do throws(JournalError) {
                try create(rules)
            } catch {
                guard case .unreachable = error, JetStreamLink.now < end else { throw error }
                pause = 500
            }
            guard JetStreamLink.now < end else {
                throw .unreachable(
                    journal: options.description, detail: "the stream \(rules.stream) was created and is not there")
            }
            try link.pause(pause)
        }
    }

    /// The stream's epoch, if it is as it must be.
    private func check(_ state: State) throws(JournalError) -> JournalEpoch {
        let journal = options.description
        guard let text = state.metadata?[StreamRules.epochName]?.string, let epoch = JournalEpoch(text: text) else {
            throw .notAJournal(path: journal, detail: "the stream \(options.stream) is not one of Usher's")
        }
        let format = state.metadata?[StreamRules.formatName]?.string ?? ""
        guard format == StreamRules.format else {
            throw .newerFormat(path: journal, found: Int64(format) ?? 0, supported: Int64(StreamRules.format) ?? 0)
        }
        try StreamRules.journal(options, epoch: epoch, firstPosition: 1, closed: nil)
            .check(state.configuration, journal: journal)
        let version = state.metadata?["_nats.ver"]?.string ?? ""
        guard Self.isRecent(version) else {
            throw .unsafeSetting(
                journal: journal, setting: "the version of its servers",
                found: version.isEmpty ? "older than 2.11" : version, wanted: "2.11 or later",
                remedy: "Upgrade nats-server on all three machines")
        }
        guard state.deleted == 0 else {
            throw .corruptStream(
                journal: journal,
                detail: "its leader, \(state.leader), has lost \(state.deleted) entries from the middle")
        }
        return epoch
    }

    static func isRecent(_ version: String) -> Bool {
        let parts = version.split(separator: ".").prefix(2).map { Int($0) ?? -1 }
        guard parts.count == 2 else { return false }
        return (parts[0], parts[1]) >= versionMin
    }

    /// What the stream's leader says; nil where there is no such stream.
    func info(of stream: String, within milliseconds: UInt64 = patienceMilliseconds) throws(JournalError) -> State? {
        switch try link.call("STREAM.INFO.\(stream)", within: milliseconds) {
        case .error(404, _, _): return nil
        case .error(_, _, let description):
            throw .refused(journal: options.description, operation: "asking for the stream \(stream)", detail: description)
        case .done(let answer):
            guard let configuration = answer["config"], let state = answer["state"], let first = state["first_seq"]?.unsigned,
                let last = state["last_seq"]?.unsigned
            else {
                throw .refused(
                    journal: options.description, operation: "asking for the stream \(stream)",
                    detail: "the answer lacks its state")
            }
            return State(
                configuration: configuration, first: max(1, first), last: last, deleted: state["num_deleted"]?.unsigned ?? 0,
                leader: answer["cluster"]?["leader"]?.string ?? "", bytes: state["bytes"]?.unsigned ?? 0)
        }
    }

    func create(_ rules: StreamRules) throws(JournalError) {
        let answer = try link.call(
            "STREAM.CREATE.\(rules.stream)", .object(rules.configuration), within: options.openMilliseconds)
        switch answer {
        case .done: break
        // Somebody else created it with another epoch. It is found and checked like any other.
        case .error(_, 10_058, _): break
        // Fewer servers than replicas, for now.
        case .error(_, 10_005, let description):
            throw .unreachable(
                journal: options.description, detail: "the stream \(rules.stream) can't be created yet: \(description)")
        case .error(_, _, let description):
            throw .refused(journal: options.description, operation: "creating the stream \(rules.stream)", detail: description)
        }
    }

    // MARK: Entries

    /// Entries from `position` on, at most `limit`; none past the end.
    ///
    /// - Throws: `trimmed`, or `corruptStream` where no server has what must be there.
    func read(from position: UInt64, limit: JournalReadLimit) throws(JournalError) -> [JournalEntry] {
        let end = JetStreamLink.now + Self.patienceMilliseconds
        while true {
            let request = Self.batch(from: position, limit: limit)
            let found = try link.fetch(options.stream, request, isBatch: true, within: Self.patienceMilliseconds)
            var entries: [JournalEntry] = []
            for message in found {
                guard let stored = message.stored, stored.sequence == position + UInt64(entries.count) else { break }
                guard entries.count < limit.entriesMax else { break }
                entries.append(
                    JournalEntry(
                        position: stored.sequence, timeMilliseconds: stored.timeMilliseconds, payload: message.payload))
            }
            if !entries.isEmpty { return entries }
            guard let state = try info(of: options.stream) else { throw .notFound(path: options.description) }
            if position > state.last { return [] }
            if position < state.first { throw .trimmed(position: position, firstPosition: state.first) }
            guard JetStreamLink.now < end else {
                throw .corruptStream(journal: options.description, detail: "no server has the entry at position \(position)")
            }
            // This server is behind, or has lost it.
            link.changeServer()
            try link.pause(100)
        }
    }

    /// At least two, for a batch of one is answered otherwise.
    static func batch(from position: UInt64, limit: JournalReadLimit) -> JSONText {
        .object([
            ("seq", .integer(position)), ("batch", .integer(min(max(2, limit.entriesMax), 1_024))),
            ("max_bytes", .integer(max(1, limit.bytesMax))),
        ])
    }

    /// Drop the entries up to the one at `position`, for good.
    func trim(upTo position: UInt64) throws(JournalError) {
        let answer = try link.call(
            "STREAM.PURGE.\(options.stream)", .object([("seq", .integer(position + 1))]), within: Self.patienceMilliseconds)
        if case .error(_, _, let description) = answer {
            throw .refused(journal: options.description, operation: "trimming", detail: description)
        }
    }

    /// Say in the stream itself why it can't be used, or, with nil, that it can.
    func close(because reason: String?) throws(JournalError) {
        guard let state = try info(of: options.stream), var members = state.configuration.members else {
            throw .notFound(path: options.description)
        }
        var metadata = (state.metadata?.members ?? []).filter {
            $0.0 != StreamRules.closedName && !$0.0.hasPrefix("_nats.")
        }
        if let reason { metadata.append((StreamRules.closedName, .string(reason))) }
        members = members.filter { $0.0 != "metadata" } + [("metadata", .object(metadata))]
        let answer = try link.call("STREAM.UPDATE.\(options.stream)", .object(members), within: Self.patienceMilliseconds)
        if case .error(_, _, let description) = answer {
            throw .refused(journal: options.description, operation: "marking the stream", detail: description)
        }
    }
}
