import BoxOffice
import Calls
import Crypto
import Reactor
import SeatMap
import Sequencer
import UsherAPI
import Wire

/// Commands and questions: how they are made, and what becomes of their answers.
extension Gateway {
    /// Which queue token a command uses.
    enum TokenUse {
        case none
        /// That of the concert whose reservation this is.
        case ofReservation(UInt64)
    }

    // MARK: Hold

    /// Claims the seats in the published image, so that losers of a stampede are turned away here, and only then asks the
    /// journal. What may be a repeat skips the claim and lets the journal decide, so that the winner's retry gets the
    /// winner's outcome.
    func hold(_ request: HoldRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let identity = try identity(of: call, session)
        guard let performance = catalogue.performance(request.performance) else {
            throw Status(.unknownPerformance, "There is no performance '\(request.performance)'.")
        }
        let record = catalogue.performances[performance]
        let token = try commandToken(for: record.concert, call, identity, session)
        try checkSeats(request, seatCount: record.prices.count)
        var hold = Hold(performance: request.performance, seats: request.seats, bestAvailable: request.bestAvailable)
        var claim: SeatClaim?
        if call.attempts == 0, !mayBeRepeat(hold, token) {
            do throws(Status) {
                claim = try self.claim(&hold, record.shard)
            } catch {
                // The journal never sees this call, yet a call it was: whoever tries seat after seat is not idle.
                touch(token, at: record.concert)
                throw error
            }
        }
        do throws(Status) {
            try submit(.hold(hold), identity: identity, token: token, call, session, use: .command, claim: claim)
        } catch {
            claim?.undo()
            throw error
        }
    }

    /// Whether a hold that does not say so may be the repeat of one that was carried out: its token holds such seats, or is
    /// not known here. Then the journal, which remembers request ids, has to say.
    private func mayBeRepeat(_ hold: Hold, _ token: UInt64) -> Bool {
        guard let status = statuses[token] else { return true }
        return status.reservations.contains { reservation in
            reservation.performance == hold.performance
                && (hold.seats.isEmpty || !Set(hold.seats).isDisjoint(with: reservation.seats))
        }
    }

    private func checkSeats(_ request: HoldRequest, seatCount: Int) throws(Status) {
        let seats = request.seats
        guard seats.isEmpty != (request.bestAvailable == 0), seats.count <= limits.seatsPerHold,
            request.bestAvailable <= limits.seatsPerHold,
            Set(seats).count == seats.count
        else {
            throw Status(
                .invalidField, "Name 1 to \(limits.seatsPerHold) different seats, or say how many of the best available.",
                details: ErrorDetails(limit: UInt64(limits.seatsPerHold)))
        }
        let unknown = seats.filter { $0 < 1 || $0 > seatCount }
        guard unknown.isEmpty else {
            throw Status(
                .unknownSeat, "The performance has seats 1 to \(seatCount).",
                details: ErrorDetails(seats: unknown, limit: UInt64(seatCount)))
        }
    }

    /// Claims what the hold names, or chooses for it. Seats count from 1 outside the image, from 0 in it.
    ///
    /// - Returns: nil if nothing could be chosen: the journal decides then, since claims under way may be undone.
    private func claim(_ hold: inout Hold, _ shard: SeatShard) throws(Status) -> SeatClaim? {
        let id = ClaimID(loop: index, ticket: nextClaim)
        nextClaim &+= 1
        if hold.bestAvailable > 0 {
            guard case .claimed(let claim, _) = shard.claimBest(count: Int(hold.bestAvailable), allowsScattered: true, by: id)
            else { return nil }
            hold.seats = claim.seats.map { UInt32($0.seat) + 1 }
            return SeatClaim(shard: shard, claim: claim)
        }
        func numbers(_ seats: Few<UInt16>) -> [UInt32] { seats.map { UInt32($0) + 1 } }
        switch shard.claim(hold.seats.map { UInt16($0 - 1) }, by: id) {
        case .claimed(let claim):
            return SeatClaim(shard: shard, claim: claim)
        case .taken(let seats):
            metrics.holdsTurnedAway.add()
            throw Status(
                .seatTaken, "Somebody else has these seats; choose others.", details: ErrorDetails(seats: numbers(seats)))
        case .contended(let seats):
            metrics.holdsTurnedAway.add()
            throw Status(
                .seatContended, "Another request is just claiming these seats; try again.",
                details: ErrorDetails(retryAfterMs: 50, seats: numbers(seats)))
        case .invalid(let seats):
            throw Status(.unknownSeat, "The performance has no such seats.", details: ErrorDetails(seats: numbers(seats)))
        }
    }

    // MARK: Other commands

    func command(_ body: Command.Body, token use: TokenUse, _ call: IncomingCall, _ session: Session) throws(Status) {
        let identity = try identity(of: call, session)
        let token: UInt64 =
            switch use {
            case .none: 0
            case .ofReservation(let id): try tokenID(ofReservation: id, call, identity, session)
            }
        try submit(body, identity: identity, token: token, call, session, use: .command)
    }

    func charge(_ request: ChargeRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let identity = try identity(of: call, session)
        try checkOwn(request.user, identity)
        try submit(
            .charge(Charge(amount: request.amount)), identity: identity, token: try anyActiveToken(call, identity, session),
            call, session, use: .command)
    }

    private func checkOwn(_ user: Uuid?, _ identity: Identity) throws(Status) {
        guard user == nil || user == identity.user else { throw Status(.notYours, "An account is its user's alone.") }
    }

    /// The token for a command on a concert; 0: none. Who has none or waits is refused here, but for repeats: their outcome
    /// may be remembered, of a token that this connection does not know or that has ended. That is seen where they are applied.
    private func commandToken(for concert: Int, _ call: IncomingCall, _ identity: Identity, _ session: Session) throws(Status)
        -> UInt64
    {
        guard let token = try token(for: concert, call, identity, session) else {
            if call.attempts > 0 { return 0 }
            throw Status(
                .tokenMissing,
                "The call needs an active queue token of '\(catalogue.concerts[concert].settings.id)'; join its line.")
        }
        if call.attempts == 0, standing(of: token, at: concert) == .waiting { throw waitingStatus(token, at: concert) }
        return token.id
    }

    /// A presented token; else the connection's token whose reservation it is; else the only one it has.
    private func tokenID(ofReservation id: UInt64, _ call: IncomingCall, _ identity: Identity, _ session: Session)
        throws(Status) -> UInt64
    {
        if let presented = try presentedToken(call, identity) { return presented.id }
        let own = session.tokens.filter { $0.user == identity.user }
        let holder = own.first { statuses[$0.id]?.reservations.contains { $0.id == id } ?? false }
        return (holder ?? own.first)?.id ?? 0
    }

    /// A token whose turn it is, of whichever concert; 0: none, which is refused where it matters.
    private func anyActiveToken(_ call: IncomingCall, _ identity: Identity, _ session: Session) throws(Status) -> UInt64 {
        if let presented = try presentedToken(call, identity) { return presented.id }
        let own = session.tokens.filter { $0.user == identity.user }
        let active = own.first { token in
            catalogue.concert(token.concert).map { standing(of: token, at: $0) == .active } ?? false
        }
        return (active ?? own.first)?.id ?? 0
    }

    // MARK: Questions

    func balance(_ request: GetBalanceRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let identity = try identity(of: call, session)
        try checkOwn(request.user, identity)
        guard try mayReadAccount(call, identity, session) else { return }
        try ask(.balance(identity.user), .balance, call, session)
    }

    func transactions(_ request: ListTransactionsRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let identity = try identity(of: call, session)
        try checkOwn(request.user, identity)
        try ask(.transactions(identity.user, before: request.before), .transactions, call, session)
    }

    /// - Returns: false if the call is answered later, with how its token ended.
    private func mayReadAccount(_ call: IncomingCall, _ identity: Identity, _ session: Session) throws(Status) -> Bool {
        guard settings.accountNeedsActiveToken else { return true }
        let presented = try presentedToken(call, identity)
        let candidates = presented.map { [$0] } ?? session.tokens.filter { $0.user == identity.user }
        let concerts = candidates.compactMap { catalogue.concert($0.concert) }
        guard let first = concerts.first else {
            throw Status(.tokenMissing, "The account can be read once it is your turn; join a concert's line.")
        }
        let concert = zip(candidates, concerts).first { standing(of: $0, at: $1) == .active }?.1 ?? first
        return try activeToken(for: concert, call, identity, session) != nil
    }

    // MARK: Answers

    func finish(_ pendingCall: PendingCall, with answer: Answer) {
        let session = pendingCall.session
        let call = pendingCall.call
        switch answer.content {
        case .outcome(.refused(let refusal)):
            refuse(
                call,
                Status(code: refusal.code, reason: refusal.reason.rawValue, message: refusal.message, details: refusal.details),
                of: session)
        case .outcome(.done(let done)):
            finish(pendingCall, done, position: answer.position)
        case .facts(let facts):
            finish(pendingCall, facts, position: answer.position)
        case .journalFailed(let mayHaveHappened):
            refuse(call, mayHaveHappened ? outcomeUnknown : notTaken, of: session)
        }
    }

    private func finish(_ pendingCall: PendingCall, _ done: Reply, position: UInt64) {
        let session = pendingCall.session
        let call = pendingCall.call
        func send(_ response: some WireMessage) { reply(call, response, of: session, position: position) }
        switch done {
        case .joined(let status): joined(status, call, session)
        case .left: send(LeaveResponse())
        case .held(let reservation): send(HoldResponse(reservation: reservation))
        case .released(let reservation): send(ReleaseResponse(reservation: reservation))
        case .paid(let payment, let balance): send(PayResponse(payment: payment, balance: balance))
        case .cancelled(let reservation, let refunded, let balance):
            send(CancelReservationResponse(reservation: reservation, refunded: refunded, balance: balance))
        case .charged(let transaction, let balance): send(ChargeResponse(transaction: transaction, balance: balance))
        case .operatorDone(let concert): send(OperatorResponse(concert: concertFacts(concert)))
        case .none: session.calls.close(call, .ok, position: position, output: &frames)
        }
    }

    /// A Join is committed: its stream begins, unless the client has gone or given it up meanwhile.
    private func joined(_ status: TokenStatus, _ call: CallID, _ session: Session) {
        guard isAwaited(call, session) else {
            // The journal took the Join for presence; nobody is here to be present.
            presence.streamBegan(status.id, isKnown: true)
            presence.streamEnded(status.id, now: loop.now)
            session.calls.close(call, .cancelled(mayHaveHappened: true), position: position, output: &frames)
            return
        }
        begin(
            LineStream(session: session, call: call, token: queueToken(of: status), line: status.concert), status: status,
            isKnown: true)
    }

    private func isAwaited(_ call: CallID, _ session: Session) -> Bool {
        session.connection.isOpen && session.calls.isWanted(call)
    }

    private func finish(_ pendingCall: PendingCall, _ facts: Facts, position: UInt64) {
        let session = pendingCall.session
        let call = pendingCall.call
        func answer(_ response: some WireMessage) { reply(call, response, of: session, position: position) }
        switch (pendingCall.use, facts) {
        case (_, .balance(let balance)): answer(GetBalanceResponse(balance: balance))
        case (_, .transactions(let list, let more)): answer(ListTransactionsResponse(transactions: list, more: more))
        case (_, .reservations(let list, let more)): answer(ListReservationsResponse(reservations: list, more: more))
        case (_, .payments(let list, let more)): answer(ListPaymentsResponse(payments: list, more: more))
        case (.watchedStats(let watch), .stats(let lines)): send(lines, to: watch)
        case (_, .stats(let lines)): answer(statsResponse(lines))
        case (.check(let isTokenKnown), .token(let status?)):
            if status.state == .ended {
                session.tokens.removeAll { $0.id == status.id }
            } else {
                presence.checked(status.id, now: loop.now)
            }
            answer(update(for: status, isTokenKnown: isTokenKnown))
        case (.resume(let token, let concert), .token(let status?)):
            guard isAwaited(call, session) else {
                session.calls.close(call, .cancelled(), position: position, output: &frames)
                return
            }
            begin(LineStream(session: session, call: call, token: token, line: concert), status: status, isKnown: false)
        case (.refuseEnded, .token(let status?)) where status.state != .ended:
            // A place so new that this loop's picture does not have it yet.
            refuse(
                call,
                Status(
                    .notCaughtUp, "This part of the instance does not know your place yet.",
                    details: ErrorDetails(retryAfterMs: 50)), of: session)
        case (.refuseEnded, .token(let status?)):
            refuse(call, tokenEnded(status), of: session)
        case (.resume, .token):
            refuse(call, Status(.tokenInvalid, "The queue token is of no place of yours here; join without it."), of: session)
        case (_, .token):
            refuse(call, Status(.unknownToken, "You have no place in this line; join it first."), of: session)
        }
    }
}
