// Snapshots of a shared journal, in a stream of their own:
//
//     NAME.snapshots.<position>.<maker>.<n>         the n-th chunk, from 0, at most 512 KiB
//     NAME.snapshots.<position>.<maker>.manifest    JSON: format, position, digest (hex), bytes, chunks, checksum
//
// 1. The manifest is written last: chunks without one are leavings of a maker that died, or is at work.
// 2. `maker` is random for each making, so that two at once don't mix; where there is a whole one for a position already,
//    nothing is written.
// 3. The checksum is that of the SQLite journal's snapshots: crc32(position u64, digest length u32, digest, bytes).
// 4. The snapshots of the last two positions are kept. The journal is trimmed up to the older of the two, only when both are
//    stored: whoever is behind it starts from a snapshot.

extension JetStreamStore {
    static let chunkBytesMax = 512 * 1_024
    /// 20 MB a second: more would show in the appends of a disk that both streams share.
    static let snapshotBytesPerMillisecond = 20_000
    private static let manifestWord = "manifest"
    private static let storePatience: UInt64 = 30_000

    /// Where one making's messages are.
    struct SnapshotPlace: Hashable {
        let position: UInt64
        let maker: String
    }

    struct SnapshotManifest: Equatable {
        let position: UInt64
        let digest: [UInt8]
        let byteCount: Int
        let chunkCount: Int
        let checksum: UInt32

        var json: JSONText {
            .object([
                ("format", .integer(1)), ("position", .integer(position)), ("digest", .string(Hex.text(digest))),
                ("bytes", .integer(byteCount)), ("chunks", .integer(chunkCount)), ("checksum", .integer(checksum)),
            ])
        }

        init(of snapshot: JournalSnapshot) {
            position = snapshot.position
            digest = snapshot.digest
            byteCount = snapshot.bytes.count
            chunkCount = (snapshot.bytes.count + chunkBytesMax - 1) / chunkBytesMax
            var sum = SnapshotRow.checksum(position: position, digest: digest)
            sum.add(snapshot.bytes)
            checksum = sum.value
        }

        init?(_ bytes: [UInt8]) {
            guard let object = JSONText(bytes), object["format"]?.unsigned == 1, let position = object["position"]?.unsigned,
                let digest = object["digest"]?.string.flatMap({ Hex.bytes($0) }), let count = object["bytes"]?.unsigned,
                let chunks = object["chunks"]?.unsigned, let checksum = object["checksum"]?.unsigned,
                let checksum = UInt32(exactly: checksum), let byteCount = Int(exactly: count),
                let chunkCount = Int(exactly: chunks), chunkCount <= byteCount
            else { return nil }
            self.position = position
            self.digest = digest
            self.byteCount = byteCount
            self.chunkCount = chunkCount
            self.checksum = checksum
        }
    }

    // MARK: Places

    private func subject(_ place: SnapshotPlace, _ word: String) -> String {
        "\(options.snapshotSubjects).\(place.position).\(place.maker).\(word)"
    }

    /// All there is of snapshots: whole ones, by their manifests, and leavings.
    func snapshotPlaces() throws(JournalError) -> (whole: [SnapshotPlace], leavings: [SnapshotPlace]) {
        let filter = JSONText.object([("subjects_filter", .string(options.snapshotSubjects + ".>"))])
        let answer = try link.call("STREAM.INFO.\(options.snapshotStream)", filter, within: Self.patienceMilliseconds)
        guard case .done(let object) = answer else {
            if case .error(404, _, _) = answer { return ([], []) }
            throw .refused(journal: options.description, operation: "listing snapshots", detail: "\(answer)")
        }
        var whole: Set<SnapshotPlace> = []
        var all: Set<SnapshotPlace> = []
        for (subject, _) in object["state"]?["subjects"]?.members ?? [] {
            let parts = subject.dropFirst(options.snapshotSubjects.count + 1).split(separator: ".")
            guard parts.count == 3, let position = UInt64(parts[0]) else { continue }
            let place = SnapshotPlace(position: position, maker: String(parts[1]))
            all.insert(place)
            if parts[2] == Self.manifestWord { whole.insert(place) }
        }
        func sorted(_ places: Set<SnapshotPlace>) -> [SnapshotPlace] {
            places.sorted { ($0.position, $0.maker) > ($1.position, $1.maker) }
        }
        return (sorted(whole), sorted(all.subtracting(whole)))
    }

    /// The newest message on a subject; nil where there is none.
    private func message(_ subject: String) throws(JournalError) -> [UInt8]? {
        let request = JSONText.object([("last_by_subj", .string(subject))])
        for attempt in 0..<6 {
            let found = try link.fetch(
                options.snapshotStream, request, isBatch: false, within: Self.patienceMilliseconds)
            if let message = found.first { return message.payload }
            // A server that is behind has not got it yet; another has.
            if attempt > 1 { link.changeServer() }
            try link.pause(50)
        }
        return nil
    }

    // MARK: Loading

    /// The newest whole snapshot below `position`.
    func loadSnapshot(below position: UInt64) throws(JournalError) -> JournalSnapshotLookup {
        var damaged: [UInt64] = []
        for place in try snapshotPlaces().whole where place.position < position {
            if let snapshot = try loadSnapshot(at: place) {
                return JournalSnapshotLookup(snapshot: snapshot, damagedPositions: damaged)
            }
            if damaged.last != place.position { damaged.append(place.position) }
        }
        return JournalSnapshotLookup(snapshot: nil, damagedPositions: damaged)
    }

    /// A snapshot; nil where it is not whole.
    private func loadSnapshot(at place: SnapshotPlace) throws(JournalError) -> JournalSnapshot? {
        guard let manifest = try manifest(at: place) else { return nil }
        var bytes: [UInt8] = []
        for index in 0..<manifest.chunkCount {
            guard let chunk = try message(subject(place, "\(index)")) else { return nil }
            bytes += chunk
            guard bytes.count <= manifest.byteCount else { return nil }
        }
        let snapshot = JournalSnapshot(position: manifest.position, digest: manifest.digest, bytes: bytes)
        return SnapshotManifest(of: snapshot) == manifest ? snapshot : nil
    }

    /// What is said of a snapshot; nil where it is not there or can't be read.
    func manifest(at place: SnapshotPlace) throws(JournalError) -> SnapshotManifest? {
        guard let bytes = try message(subject(place, Self.manifestWord)), let manifest = SnapshotManifest(bytes),
            manifest.position == place.position
        else { return nil }
        return manifest
    }

    // MARK: Saving

    /// Stores a snapshot, drops older ones, and trims the journal behind the one before. Where another instance stored one of
    /// the same position already, that one is as good.
    ///
    /// - Throws: `corruptStream` where the other one says something else.
    func saveSnapshot(_ snapshot: JournalSnapshot, trims: Bool = true) throws(JournalError) {
        let manifest = SnapshotManifest(of: snapshot)
        for place in try snapshotPlaces().whole where place.position == snapshot.position {
            guard let other = try self.manifest(at: place) else { continue }
            guard other == manifest else {
                throw .corruptStream(
                    journal: options.description,
                    detail: "another instance stored a snapshot of position \(snapshot.position) that differs from this one's")
            }
            return
        }
        try write(snapshot, manifest)
        try dropOldSnapshots(trims: trims)
    }

    private func write(_ snapshot: JournalSnapshot, _ manifest: SnapshotManifest) throws(JournalError) {
        let maker = String(UInt64.random(in: .min ... .max), radix: 36)
        let place = SnapshotPlace(position: snapshot.position, maker: maker)
        for index in 0..<manifest.chunkCount {
            let began = JetStreamLink.now
            let start = index * Self.chunkBytesMax
            let chunk = Array(snapshot.bytes[start..<min(start + Self.chunkBytesMax, snapshot.bytes.count)])
            let subject = subject(place, "\(index)")
            try link.store(subject, id: subject, chunk, within: Self.storePatience)
            let took = JetStreamLink.now - began
            let due = UInt64(chunk.count / Self.snapshotBytesPerMillisecond)
            if due > took { try link.pause(due - took) }
        }
        let subject = subject(place, Self.manifestWord)
        try link.store(subject, id: subject, manifest.json.bytes, within: Self.storePatience)
    }

    private func dropOldSnapshots(trims: Bool) throws(JournalError) {
        let (whole, leavings) = try snapshotPlaces()
        let positions = Set(whole.map(\.position)).sorted(by: >).prefix(JournalLimits.snapshotsKept)
        guard positions.count == JournalLimits.snapshotsKept, let oldest = positions.last else { return }
        for place in whole + leavings where place.position < oldest {
            let filter = JSONText.object([("filter", .string(subject(place, ">")))])
            let answer = try link.call(
                "STREAM.PURGE.\(options.snapshotStream)", filter, within: Self.patienceMilliseconds)
            if case .error(_, _, let description) = answer {
                throw .refused(journal: options.description, operation: "dropping an old snapshot", detail: description)
            }
        }
        // Both must be readable, not just be there: what is trimmed does not come back.
        guard trims, try loadSnapshot(below: oldest + 1).snapshot?.position == oldest else { return }
        try trim(upTo: oldest)
    }
}

/// Bytes as hexadecimal digits.
enum Hex {
    static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
