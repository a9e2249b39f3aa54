// What shoppers want next: mostly to buy, sometimes to try what they shouldn't.

internal import Calls
internal import UsherAPI
internal import Wire

extension Shopper {
    /// One step of somebody with a connection.
    func wish(over connection: ShopperConnection) {
        if isOperator { return operate(over: connection) }
        switch dice.below(100) {
        case 0..<8: makeTrouble(over: connection)
        case 8..<16: look(over: connection)
        default:
            if !connection.isInLine {
                join(over: connection)
            } else if isActive {
                buy(over: connection)
            } else {
                wait(over: connection)
            }
        }
    }

    private func join(over connection: ShopperConnection) {
        // A client that comes back repeats its Join; one that starts afresh makes a new one.
        if dice.chance(50), let last = deeds.last(where: { $0.method == .join }), last.copies == 0 {
            send(last, over: connection)
        } else {
            does(.join, JoinRequest(concert: Sale.concert), "joins", over: connection)
        }
    }

    private func wait(over connection: ShopperConnection) {
        switch dice.below(20) {
        case 0: does(.leave, LeaveRequest(concert: Sale.concert), "leaves", over: connection)
        case 1: hold(over: connection)
        default: break
        }
    }

    private func buy(over connection: ShopperConnection) {
        switch dice.below(100) {
        case 0..<20:
            let amount = dice.pick([0, 20, 30, 40, 60, 90])
            does(.charge, ChargeRequest(amount: UInt64(amount)), "charges \(amount)", over: connection)
        case 20..<45 where held.isEmpty, 20..<28: hold(over: connection)
        case 28..<80:
            let reservation = held.last ?? UInt64(dice.below(6))
            does(.pay, PayRequest(reservation: reservation), "pays reservation \(reservation)", over: connection)
        case 80..<86:
            let reservation = held.first ?? UInt64(dice.below(6))
            does(.release, ReleaseRequest(reservation: reservation), "releases \(reservation)", over: connection)
        case 86..<89: does(.leave, LeaveRequest(concert: Sale.concert), "leaves", over: connection)
        default: look(over: connection)
        }
    }

    private func hold(over connection: ShopperConnection) {
        let count = 1 + dice.below(2)
        if dice.chance(35) {
            let request = HoldRequest(performance: Sale.performance, bestAvailable: UInt32(count))
            does(.hold, request, "holds the best \(count)", over: connection)
        } else {
            // The low seats are the ones everybody wants.
            var seats: [UInt32] = []
            for _ in 0..<count {
                let seat = UInt32(1 + dice.below(dice.chance(50) ? min(3, Int(world.shape.seats)) : Int(world.shape.seats)))
                if !seats.contains(seat) { seats.append(seat) }
            }
            does(.hold, HoldRequest(performance: Sale.performance, seats: seats), "holds \(seats)", over: connection)
        }
    }

    /// Reads, and what needs no turn.
    private func look(over connection: ShopperConnection) {
        switch dice.below(3) {
        case 0 where !connection.watchesSeats:
            _ = connection.open(
                .watchSeats, WatchSeatsRequest(performance: Sale.performance).encoded(), CallOptions(credit: 2), .seats)
        case 1 where !paid.isEmpty:
            let reservation = dice.pick(paid)
            does(
                .cancelReservation, CancelReservationRequest(reservation: reservation), "cancels \(reservation)",
                over: connection)
        default:
            let seen = connection.position
            _ = connection.open(
                .getBalance, GetBalanceRequest().encoded(), CallOptions(position: seen), .balance(seen: seen))
        }
    }

    private func makeTrouble(over connection: ShopperConnection) {
        switch dice.below(8) {
        case 0, 1:
            // The same command once more, answered or not.
            guard let deed = deeds.suffix(6).filter({ $0.method != .join }).last else { return }
            send(deed, over: connection)
        case 2:
            // The same request id for something else.
            guard let deed = deeds.last(where: { $0.method == .charge && $0.outcome?.isDone == true }) else { return }
            let other = ChargeRequest(amount: 77).encoded()
            let copy = Deed(number: -1, user: user, id: deed.id, method: .charge, request: other, what: "reuses an id")
            copy.attempts = 1
            _ = connection.open(
                .charge, other, CallOptions(requestID: deed.id, attempts: 1), .deed(copy))
            copy.copies = 1
        case 3: connection.cancel(dice.below(8))
        case 4, 5:
            network.trace.say(name, "reads no more")
            connection.link.clientReads = false
            network.after(dice.number(500...4_000)) { [weak connection] in connection?.link.clientReads = true }
        case 6: if connections.count < 2 { connect() }
        default:
            network.trace.say(name, "drops its connection")
            connection.drop(serverNoticesAfter: dice.chance(80) ? dice.number(1...1_000) : nil)
        }
    }

    // MARK: The operator

    private func operate(over connection: ShopperConnection) {
        pace = 800
        let change = LineRequest(concert: Sale.concert)
        guard !deeds.isEmpty else {
            if dice.chance(30) { does(.openLobby, change, "opens the lobby", over: connection) }
            does(.openLine, change, "opens the line", over: connection)
            return
        }
        switch dice.below(20) {
        case 0: does(.pauseLine, change, "pauses the line", over: connection)
        case 1: does(.drainLine, change, "drains the line", over: connection)
        case 2 where dice.chance(40): does(.closeLine, change, "closes the line", over: connection)
        case 2, 3:
            let policy = dice.pick([
                AdmissionPolicy(maxActive: 1), AdmissionPolicy(maxActive: 3), AdmissionPolicy(batch: 1, intervalMs: 400),
                AdmissionPolicy(maxActive: 2, batch: 2, intervalMs: 900),
            ])
            does(.setPolicy, SetPolicyRequest(concert: Sale.concert, policy: policy), "sets \(policy)", over: connection)
        default:
            // Paused or draining lines go on soon.
            does(dice.chance(50) ? .resumeLine : .openLine, change, "lets the line go on", over: connection)
        }
    }
}
