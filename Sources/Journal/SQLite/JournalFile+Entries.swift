extension JournalFile {
    /// Commit `payloads` as the next entries, in one transaction.
    ///
    /// - Throws: nothing is then known about them, and the file is to be abandoned.
    func append(_ payloads: [[UInt8]], timeMilliseconds: UInt64) throws(JournalError) -> [JournalEntry] {
        var entries: [JournalEntry] = []
        entries.reserveCapacity(payloads.count)
        let end = try connection.transaction { () throws(JournalError) -> JournalChain in
            var end = chain
            for payload in payloads {
                end = end.extended(timeMilliseconds: timeMilliseconds, payload: payload)
                insertEntry.bind(1, Int64(end.position))
                insertEntry.bind(2, Int64(timeMilliseconds))
                insertEntry.bind(3, Int64(end.checksum))
                try insertEntry.run(blobAt: 4, payload[...])
                entries.append(
                    JournalEntry(position: end.position, timeMilliseconds: timeMilliseconds, payload: payload))
            }
            return end
        }
        chain = end
        return entries
    }

    /// The entries after `start`, checked, up to `limit`; none at the end. `start` moves over them.
    ///
    /// - Throws: `corruptEntry`, among others.
    func read(after start: inout JournalChain, limit: JournalReadLimit) throws(JournalError) -> [JournalEntry] {
        selectEntries.bind(1, Int64(start.position) + 1)
        defer { selectEntries.reset() }
        var entries: [JournalEntry] = []
        var bytes = 0
        while entries.isEmpty || (entries.count < limit.entriesMax && bytes < limit.bytesMax),
            try selectEntries.step()
        {
            let (entry, checksum) = try currentEntry()
            try start.advance(over: entry, checksum: checksum, path: path)
            entries.append(entry)
            bytes += entry.payload.count
        }
        // The end was read when the file was opened: what is missing before it is a hole.
        if entries.isEmpty, start.position < chain.position {
            throw .corruptEntry(path: path, position: start.position + 1, detail: "the entry is missing")
        }
        return entries
    }

    /// The chain up to `position`, whose entry is taken on trust: what `read` goes on from.
    func chain(at position: UInt64) throws(JournalError) -> JournalChain {
        guard position > base.position else {
            guard position == base.position else {
                throw .trimmed(position: position + 1, firstPosition: base.position + 1)
            }
            return JournalChain(base)
        }
        guard position != chain.position else { return chain }
        selectEntries.bind(1, Int64(position))
        defer { selectEntries.reset() }
        guard try selectEntries.step(), case let (entry, checksum) = try currentEntry(), entry.position == position else {
            throw .corruptEntry(path: path, position: position, detail: "the entry is missing")
        }
        return JournalChain(position: position, timeMilliseconds: entry.timeMilliseconds, checksum: checksum)
    }

    /// Check the last entry against the one before it, and that no snapshot knows of a later one.
    func checkEnd() throws(JournalError) {
        if let newest = try connection.integer("SELECT max(position) FROM snapshots"), newest > Int64(chain.position) {
            throw .corruptEntry(
                path: path, position: chain.position + 1,
                detail: "the entry is missing: there is a snapshot of position \(newest)")
        }
        guard chain.position > base.position else { return }
        var end = try chain(at: chain.position - 1)
        _ = try read(after: &end, limit: JournalReadLimit(entriesMax: 1))
    }

    private func currentEntry() throws(JournalError) -> (JournalEntry, checksum: UInt32) {
        let position = selectEntries.integer(0)
        let time = selectEntries.integer(1)
        let checksum = selectEntries.integer(2)
        guard position > 0, time >= 0, let checksum = UInt32(exactly: checksum) else {
            throw .corruptEntry(
                path: path, position: UInt64(clamping: position),
                detail: "position \(position), time \(time) and checksum \(checksum) can't all be right")
        }
        let entry = JournalEntry(
            position: UInt64(position), timeMilliseconds: UInt64(time), payload: selectEntries.bytes(3))
        return (entry, checksum)
    }
}

extension JournalChain {
    /// The chain at the place where a file begins.
    init(_ base: JournalBase) {
        self.init(epoch: base.epoch, base: base.position, timeMilliseconds: base.timeMilliseconds)
    }
}
