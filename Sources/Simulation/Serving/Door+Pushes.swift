// What streams are told: always the latest state, when there is credit and room for it.

internal import BoxOffice
internal import Calls
internal import Sequencer
internal import UsherAPI

extension Door {
    /// Sends the stream's latest state if it is news, and if there is credit and room for it; otherwise it stays owed.
    func sendUpdate(_ stream: LineStream) {
        let update = update(for: stream)
        guard stream.isOwed || update != stream.lastSent else { return }
        stream.isOwed = true
        guard !stream.session.mustWait else { return network.sightings.add(.heldBack) }
        switch stream.session.message(stream.call, sequence: position, position: position, update) {
        case .sent:
            stream.isOwed = false
            stream.lastSent = update
            if update.state == .ended { stream.session.finish(stream, position: position) }
        case .noCredit: network.sightings.add(.heldBack)
        case .ended, .tooLarge: break
        }
    }

    private func update(for stream: LineStream) -> LineUpdate {
        var update = LineUpdate(
            lineState: line.state, place: UInt64(stream.place), joinNumber: UInt64(stream.place), concert: Sale.concert)
        if case .stalled = standing { update.stalled = true }
        update.queueToken = "\(QueueToken(id: stream.token, place: stream.place))"
        if let status = statuses[stream.token] {
            update.state = status.state
            update.endReason = status.endReason
            update.activeUntilMs = status.activeUntil
            update.reservations = status.reservations
        } else if line.waiting.contains(stream.place) {
            update.state = .waiting
            update.position = UInt64(line.waiting.rank(below: stream.place)) + 1
            update.behind = UInt64(line.waiting.count) - update.position
        } else {
            // Waited when the line closed: the delta names nobody then.
            update.state = .ended
            update.endReason = .closed
        }
        return update
    }

    func sendSeats(_ watch: SeatWatch) {
        guard watch.isOwed || watch.lastRevision != seatRevision else { return }
        watch.isOwed = true
        guard !watch.session.mustWait else { return }
        let list = SeatList(
            performance: Sale.performance,
            seats: seats.enumerated().map { Seat(number: UInt32($0.offset + 1), state: $0.element) })
        guard watch.session.message(watch.call, sequence: seatRevision, position: position, list) == .sent else { return }
        watch.isOwed = false
        watch.lastRevision = seatRevision
    }
}
