import Foundation

// What a power cut leaves of files whose last writes had not been synced: Tests/powercut/powercut.c has kept the bytes that
// those writes replaced, and this takes some of them back.
//
// For each 512-byte sector a disk may hold any version since the last sync. From the harmless to the worst that hardware
// does: everything arrived; nothing did; a prefix of the writes did, the last of them torn; the writes arrived in any order,
// sector by sector; the torn write left noise. What was synced is never touched.

/// How much of what was not synced is lost.
enum PowerLoss: String, CaseIterable, Sendable {
    /// The process alone died: the kernel keeps what was written.
    case none
    /// Nothing since the last sync has arrived.
    case all
    /// The writes up to some moment have arrived, the last of them up to some byte.
    case torn
    /// As `torn`, and the rest of that write is noise.
    case garbled
    /// Each sector has either arrived or not.
    case scattered
}

/// One write that was not synced, as powercut.c recorded it.
struct UnsyncedWrite: Equatable {
    enum Kind: UInt64 { case write = 1, truncation = 2 }

    var kind: Kind
    var offset: Int
    var byteCount: Int
    /// Of the file, before.
    var oldSize: Int
    /// What stood there; fewer than `byteCount` where the write went past the end.
    var oldBytes: [UInt8]

    private static let headBytes = 40

    /// The records of an undo file. The last one may be cut short by a kill; then the write did not happen.
    static func list(_ bytes: [UInt8]) -> [UnsyncedWrite] {
        var writes: [UnsyncedWrite] = []
        var start = 0
        while start + headBytes <= bytes.count {
            let words = (0..<5).map { number in
                (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + number * 8 + $1]) << (8 * UInt64($1)) }
            }
            let body = start + headBytes
            let count = Int(words[4])
            guard let kind = Kind(rawValue: words[0]), body + count <= bytes.count else { break }
            writes.append(
                UnsyncedWrite(
                    kind: kind, offset: Int(words[1]), byteCount: Int(words[2]), oldSize: Int(words[3]),
                    oldBytes: Array(bytes[body..<(body + count)])))
            start = body + count
        }
        return writes
    }

    func undo(_ file: inout [UInt8]) {
        if file.count > oldSize { file.removeLast(file.count - oldSize) }
        if file.count < oldSize { file += [UInt8](repeating: 0, count: oldSize - file.count) }
        file.replaceSubrange(offset..<(offset + oldBytes.count), with: oldBytes)
    }
}

enum PowerCut {
    static let sectorBytes = 512

    /// What the disk holds after the cut.
    static func remains(
        of file: [UInt8], unsynced: [UnsyncedWrite], _ loss: PowerLoss, using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        guard loss != .none, !unsynced.isEmpty else { return file }
        /// The file as it was before a write, the oldest being the first.
        func before(_ index: Int) -> [UInt8] {
            var bytes = file
            for write in unsynced[index...].reversed() { write.undo(&bytes) }
            return bytes
        }
        switch loss {
        case .none: return file
        case .all: return before(0)
        case .torn, .garbled:
            let index = Int.random(in: 0..<unsynced.count, using: &random)
            let new = index + 1 < unsynced.count ? before(index + 1) : file
            return tear(unsynced[index], before(index), new, isGarbled: loss == .garbled, using: &random)
        case .scattered: return scatter(unsynced, before(0), file, using: &random)
        }
    }

    /// A write that got as far as some byte.
    private static func tear(
        _ write: UnsyncedWrite, _ old: [UInt8], _ new: [UInt8], isGarbled: Bool,
        using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        // It may not have happened at all, or not whole: a full disk, or a kill in its middle.
        let last = min(write.offset + write.byteCount, new.count)
        guard write.kind == .write, write.offset < last else { return Bool.random(using: &random) ? old : new }
        let end = Int.random(in: write.offset...last, using: &random)
        var result = Array(new[..<end])
        if old.count > end { result += old[end...] }
        if isGarbled {
            // Noise up to the end of the sector in which it stopped, never over what the write did not touch.
            for index in end..<min(result.count, last, (end / sectorBytes + 1) * sectorBytes) where end < result.count {
                result[index] = .random(in: 0...255, using: &random)
            }
        }
        return result
    }

    private static func scatter(
        _ unsynced: [UnsyncedWrite], _ old: [UInt8], _ new: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        // A file has its old size or its new one: that is one word of the file system.
        var result = Bool.random(using: &random) || new.count < old.count ? new : Array(new[..<old.count])
        var sectors: Set<Int> = []
        for write in unsynced where write.byteCount > 0 {
            sectors.formUnion((write.offset / sectorBytes)...((write.offset + write.byteCount - 1) / sectorBytes))
        }
        for sector in sectors.sorted() where Bool.random(using: &random) {
            let start = sector * sectorBytes
            for index in start..<max(start, min(start + sectorBytes, result.count)) {
                result[index] = index < old.count ? old[index] : 0
            }
        }
        return result
    }

    /// Cuts the power of a data folder whose server is gone.
    ///
    /// - Parameter undo: powercut.c's folder. Empty afterwards, as if all had been synced: it is what the disk holds.
    /// - Returns: how many writes were at stake.
    static func strike(
        data: URL, undo: URL, _ loss: PowerLoss, using random: inout some RandomNumberGenerator
    ) throws -> Int {
        guard loss != .none else { return 0 }
        var count = 0
        for name in ["journal.sqlite", "journal.sqlite-wal"] {
            let records = undo.appending(path: "\(name).undo")
            let file = data.appending(path: name)
            let unsynced = UnsyncedWrite.list([UInt8]((try? Data(contentsOf: records)) ?? Data()))
            if !unsynced.isEmpty, let bytes = try? Data(contentsOf: file) {
                count += unsynced.count
                let remains = remains(of: [UInt8](bytes), unsynced: unsynced, loss, using: &random)
                try Data(remains).write(to: file)
            }
            try Data().write(to: records)
        }
        count += try strikeNames(data: data, undo: undo, loss)
        return count
    }

    /// Files made or removed since their folder was synced: there as before, unless the cut was kind.
    private static func strikeNames(data: URL, undo: URL, _ loss: PowerLoss) throws -> Int {
        let records = undo.appending(path: "names.undo")
        let bytes = [UInt8]((try? Data(contentsOf: records)) ?? Data())
        let changes = stride(from: 0, to: bytes.count - bytes.count % 16, by: 16).map { (bytes[$0], bytes[$0 + 8]) }
        if loss != .torn {  // whose writes have all arrived but the last
            for (kind, number) in changes.reversed() {
                let file = data.appending(path: number == 0 ? "journal.sqlite" : "journal.sqlite-wal")
                if kind == 3 {
                    try? FileManager.default.removeItem(at: file)
                } else {
                    try? FileManager.default.copyItem(at: undo.appending(path: "removed"), to: file)
                }
            }
        }
        try Data().write(to: records)
        return changes.count
    }
}
