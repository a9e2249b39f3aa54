internal import BoxOffice
internal import SeatMap
internal import UsherAPI

/// What the loops see without asking: the catalogue, and in it the words of the seats.
extension Sequencer {
    func publish(_ change: SeatChange) {
        publish(performance: change.performance, seat: Int(change.seat), change.state, reservation: change.reservation)
    }

    /// Writes one seat, counted from 1, into the image, over any claim.
    private func publish(performance: Int, seat: Int, _ state: UsherAPI.SeatState, reservation: UInt64) {
        catalogue.performances[performance].shard
            .publish(seat - 1, SeatMap.SeatState(state), holder: UInt32(truncatingIfNeeded: reservation))
    }

    /// Keeps the shards of known performances and makes those of new ones.
    mutating func rebuildCatalogue() {
        var performances: [Catalogue.PerformanceRecord] = []
        for index in 0..<office.performanceCount {
            guard let status = office.performance(index) else { continue }
            let known = index < catalogue.performances.count ? catalogue.performances[index].shard : nil
            performances.append(
                Catalogue.PerformanceRecord(
                    settings: status.settings, concert: status.concert, prices: status.prices,
                    shard: known ?? SeatShard(seatCount: status.prices.count),
                    priceRange: (status.prices.min() ?? 0)...(status.prices.max() ?? 0)))
        }
        var concerts: [Catalogue.ConcertRecord] = []
        for index in 0..<office.concertCount {
            guard let facts = office.concert(index), var settings = office.settings(ofConcert: index) else { continue }
            settings.policy = facts.policy
            let dates = office.performances(ofConcert: index).sorted {
                (performances[$0].settings.startsMs, performances[$0].settings.id) < (
                    performances[$1].settings.startsMs, performances[$1].settings.id
                )
            }
            concerts.append(
                Catalogue.ConcertRecord(settings: settings, drawCommitment: facts.drawCommitment, performances: dates))
        }
        catalogue = Catalogue(concerts: concerts, performances: performances)
    }

    /// After a restore: brings the image to what the snapshot says.
    func publishAllSeats() {
        for (index, performance) in catalogue.performances.enumerated() {
            for seat in 1...performance.prices.count {
                guard let (state, reservation) = office.seatState(performance: index, seat: seat), state != .available else {
                    continue
                }
                publish(performance: index, seat: seat, state, reservation: reservation)
            }
        }
    }
}

extension SeatMap.SeatState {
    /// What the image shows for a state of the sale.
    fileprivate init(_ state: UsherAPI.SeatState) {
        switch state {
        case .held: self = .held
        case .sold: self = .sold
        case .available, .unspecified, .unrecognized: self = .available
        }
    }
}
