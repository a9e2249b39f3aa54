// Seats are claimed in the published image before the journal is asked.

internal import BoxOffice
internal import Calls
internal import SeatMap
internal import Sequencer
internal import UsherAPI

extension Door {
    /// Claims the seats in the published image, so that losers are turned away here, and only then asks the journal. What may be a
    /// repeat skips the claim and lets the journal decide.
    func hold(_ request: HoldRequest, _ call: IncomingCall, _ user: Uuid, _ session: ServerSession) throws(Status) {
        guard let token = token(of: call, session) else { throw Status(.tokenMissing, "door: join the line") }
        if call.attempts == 0, line.waiting.contains(token.place) {
            throw Status(.tokenWaiting, "door: number \(line.waiting.rank(below: token.place) + 1) in line")
        }
        guard let performance = catalogue.performance(request.performance) else {
            throw Status(.unknownPerformance, "door: there is no such performance")
        }
        var hold = Hold(performance: request.performance, seats: request.seats, bestAvailable: request.bestAvailable)
        var claim: SeatClaim?
        if call.attempts == 0, !mayBeRepeat(hold, token.id) {
            claim = try self.claim(&hold, catalogue.performances[performance].shard)
        }
        try command(.hold(hold), token: token.id, call, user, session, claim: claim)
    }

    /// The token that the call shows, or else the connection's.
    func token(of call: IncomingCall, _ session: ServerSession) -> QueueToken? { call.queueToken ?? session.token }

    private func mayBeRepeat(_ hold: Hold, _ token: UInt64) -> Bool {
        guard let status = statuses[token] else { return true }
        return status.reservations.contains { reservation in
            hold.seats.isEmpty || hold.seats.contains(where: reservation.seats.contains)
        }
    }

    private func claim(_ hold: inout Hold, _ shard: SeatShard) throws(Status) -> SeatClaim? {
        let id = ClaimID(loop: index, ticket: nextClaim)
        nextClaim &+= 1
        if hold.bestAvailable > 0 {
            guard case .claimed(let claim, _) = shard.claimBest(count: Int(hold.bestAvailable), allowsScattered: true, by: id)
            else { return nil }
            hold.seats = claim.seats.map { UInt32($0.seat) + 1 }
            return SeatClaim(shard: shard, claim: claim)
        }
        guard hold.seats.allSatisfy({ $0 >= 1 && $0 <= shard.seatCount }) else {
            throw Status(.unknownSeat, "door: there is no such seat")
        }
        func details(_ seats: Few<UInt16>) -> ErrorDetails { ErrorDetails(seats: seats.map { UInt32($0) + 1 }) }
        let result = shard.claim(hold.seats.map { UInt16($0 - 1) }, by: id)
        if case .claimed = result {} else { network.sightings.add(.lostClaims) }
        switch result {
        case .claimed(let claim): return SeatClaim(shard: shard, claim: claim)
        case .taken(let seats): throw Status(.seatTaken, "door: somebody has these seats", details: details(seats))
        case .contended(let seats): throw Status(.seatContended, "door: being claimed", details: details(seats))
        case .invalid(let seats): throw Status(.invalidField, "door: no such wish", details: details(seats))
        }
    }
}
