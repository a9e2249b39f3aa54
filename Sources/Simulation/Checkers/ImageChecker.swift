// What is published for reading is what the state machine says: the seats' words after every round, and each loop's picture
// of the line at its position.

internal import BoxOffice
internal import SeatMap
internal import Sequencer
internal import UsherAPI

/// Compares pictures with the state.
final class ImageChecker {
    var found: (String) -> Void = { _ in }
    /// Who waits and who is active, after each entry.
    private var lines: [(waiting: PlaceSet, active: PlaceSet)] = []

    func witnessed(_ office: borrowing BoxOffice) {
        lines.append((office.waitingPlaces(ofConcert: 0), office.activePlaces(ofConcert: 0)))
    }

    func check(_ office: borrowing BoxOffice, _ catalogue: Catalogue, by name: String) {
        guard let shard = catalogue.performances.first?.shard else { return }
        var free = 0
        for seat in 0..<shard.seatCount {
            let state = office.seatState(performance: 0, seat: seat + 1)?.state ?? .available
            let shown = shard.state(of: seat).state
            let agrees: Bool =
                switch shown {
                case .available: state == .available
                case .held: state == .held
                case .sold: state == .sold
                }
            if !agrees { found("\(name) shows seat \(seat + 1) \(shown) at #\(office.position), and it is \(state)") }
            if shown == .available { free += 1 }
        }
        if free != shard.freeCount { found("\(name) counts \(shard.freeCount) free seats of \(free)") }
    }

    func check(_ line: LinePicture, at position: UInt64, by name: String) {
        guard position >= 1, position <= UInt64(lines.count) else { return }
        let truth = lines[Int(position) - 1]
        if line.waiting != truth.waiting || line.active != truth.active {
            found("\(name) has another picture of the line at #\(position)")
        }
    }

    /// With nothing under way no seat is claimed.
    func checkNoClaims(_ catalogue: Catalogue, by name: String) {
        guard let shard = catalogue.performances.first?.shard else { return }
        for seat in 0..<shard.seatCount where shard.state(of: seat).claimant != nil {
            found("\(name) leaves seat \(seat + 1) claimed for ever")
        }
    }
}
