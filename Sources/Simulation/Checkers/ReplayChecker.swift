// I6: replaying the journal from any snapshot, or from nothing, gives the same bytes. The instances make their snapshots by the
// server's own code; here each is read back, written again, and played forward to the end.

internal import BoxOffice
internal import Journal
internal import UsherAPI
internal import Wire

/// Plays the log again.
final class ReplayChecker {
    private let log: SimulatedLog
    private var snapshots: [JournalSnapshot] = []
    var found: (String) -> Void = { _ in }

    init(log: SimulatedLog) { self.log = log }

    /// A snapshot just made: two instances' at one position are equal.
    func check(_ snapshot: JournalSnapshot) {
        if let other = snapshots.first(where: { $0.position == snapshot.position }) {
            if other != snapshot { found("two snapshots at #\(snapshot.position) differ") }
        } else {
            snapshots.append(snapshot)
        }
    }

    /// The end: `bytes` is the state of one that never restarted.
    func finish(_ bytes: [UInt8], digest: UInt64) {
        // The oldest has most to replay and the newest least; those between say nothing new in a short world.
        let chosen = snapshots.count <= 2 ? snapshots : [snapshots[0], snapshots[snapshots.count - 1]]
        for snapshot in chosen {
            do throws(SnapshotError) {
                var office = try BoxOffice(snapshot: snapshot.bytes)
                if office.snapshot() != snapshot.bytes {
                    found("the snapshot at #\(snapshot.position) is written otherwise than read")
                }
                play(into: &office)
                if office.snapshot() != bytes || office.digest != digest {
                    found("replay from the snapshot at #\(snapshot.position) ends with other bytes")
                }
                for problem in office.checkInvariants() { found("replayed from #\(snapshot.position): \(problem)") }
            } catch {
                found("the snapshot at #\(snapshot.position) can't be read: \(error)")
            }
        }
    }

    private func play(into office: inout BoxOffice) {
        var effects = Effects()
        for stored in log.entries.suffix(from: Int(office.position)) {
            guard let entry = try? Entry(decoding: stored.payload) else { continue }
            effects.removeAll()
            office.apply(entry, position: stored.position, timeMilliseconds: stored.timeMilliseconds, effects: &effects)
        }
    }
}
