// Linearizability, with the journal as witness order. For everything a client was told:
//
//   - a command's outcome is what the plain sale says of that request id at the position the answer names
//   - the entry was stored after the client first sent the command and before it heard the answer (real time)
//   - one request id is carried out once: all copies that were, came to the same
//   - a read says what was so at its position, and that position is not before what the client has seen
//
// The sequential order is thus total, respects real time, and each answer follows from it: that is linearizability of
// commands, and of reads up to the position they name.

internal import UsherAPI
internal import Wire

/// Compares what clients were told with the journal's order.
final class HistoryChecker {
    /// What can be read, at one position.
    struct Page {
        let seats: [SeatState]
        let balances: [UInt64]
        /// Of each token: its position while it waits, 0 else.
        let positions: [Int]
        let states: [TokenState]
        let ends: [EndReason]
        /// Of each user, whether they wait.
        let waits: [Bool]

        init(_ model: PlainSale, users: [Uuid]) {
            seats = (0..<model.seatCount).map { seat in
                model.booking(of: seat + 1).map { model.bookings[$0].state == .paid ? .sold : .held } ?? .available
            }
            balances = users.map { model.balance(of: $0) }
            var ahead = 0
            var positions: [Int] = []
            for token in model.tokens {
                if token.state == .waiting { ahead += 1 }
                positions.append(token.state == .waiting ? ahead : 0)
            }
            self.positions = positions
            states = model.tokens.map(\.state)
            ends = model.tokens.map(\.end)
            waits = users.map { user in model.live(user).map { model.tokens[$0].state == .waiting } ?? false }
        }
    }

    private struct Execution {
        let user: Uuid
        let request: Uuid
        let position: UInt64
        let storedAt: UInt64
        let ruling: Ruling
    }

    let users: [Uuid]
    var found: (String) -> Void = { _ in }
    /// Request ids given more than once.
    private(set) var repeats = 0
    private var pages: [Page] = []
    private var executions: [Uuid: [Execution]] = [:]

    init(users: [Uuid]) { self.users = users }

    func name(of user: Uuid) -> String {
        users.firstIndex(of: user).map { $0 == 0 ? "operator" : "shopper \($0)" } ?? "somebody"
    }

    func turn(page: Page) { pages.append(page) }

    func stored(_ entry: Entry, _ rulings: [Ruling], at now: UInt64, position: UInt64) {
        for (command, ruling) in zip(entry.commands, rulings) {
            guard let request = command.requestId, let user = command.user else { continue }
            let execution = Execution(user: user, request: request, position: position, storedAt: now, ruling: ruling)
            if ruling.isDone, let earlier = executions[request]?.first(where: { $0.user == user && $0.ruling.isDone }),
                earlier.ruling != ruling
            {
                found("request \(request) came to \(earlier.ruling) at #\(earlier.position) and to \(ruling) at #\(position)")
            }
            if executions[request] != nil { repeats += 1 }
            executions[request, default: []].append(execution)
        }
    }

    // MARK: Commands

    func check(_ answer: Deed.Answer, of deed: Deed, name: String) {
        if answer.isFromDoor { return checkDoor(answer, deed, name) }
        let all = (executions[deed.id] ?? []).filter { $0.user == deed.user }
        guard let execution = all.first(where: { $0.position == answer.position && $0.ruling == answer.ruling }) else {
            return found(
                "\(name) was told \(answer.ruling) at #\(answer.position) when it \(deed.what); the journal has "
                    + (all.isEmpty ? "nothing of it" : all.map { "\($0.ruling) at #\($0.position)" }.joined(separator: ", ")))
        }
        checkTime(execution, deed, answer.at, name)
    }

    private func checkTime(_ execution: Execution, _ deed: Deed, _ heardAt: UInt64, _ name: String) {
        if execution.storedAt > heardAt || execution.storedAt < deed.firstSentAt ?? 0 {
            found(
                "\(name) \(deed.what): stored at \(execution.storedAt) ms, sent at \(deed.firstSentAt ?? 0), answered at \(heardAt)"
            )
        }
    }

    /// What a door refuses without the journal must be so at its position, too.
    private func checkDoor(_ answer: Deed.Answer, _ deed: Deed, _ name: String) {
        guard case .refused(let reason) = answer.ruling, let page = page(answer.position) else {
            return found("\(name): a door says \(answer.ruling)")
        }
        switch reason {
        case .tokenMissing, .unknownSeat, .unknownPerformance, .operatorsOnly, .identityMissing, .invalidField: break
        case .tokenWaiting:
            if let user = users.firstIndex(of: deed.user), !page.waits[user] {
                found("\(name) was told to wait at #\(answer.position), and did not have to")
            }
        case .seatTaken:
            guard let hold = try? HoldRequest(decoding: deed.request) else { return }
            let taken = hold.seats.contains { Int($0) <= page.seats.count && page.seats[Int($0) - 1] != .available }
            // A loop's position may be behind the published seats by what is on its way to it.
            let later = pages.suffix(from: Int(answer.position)).contains { page in
                hold.seats.contains { Int($0) <= page.seats.count && page.seats[Int($0) - 1] != .available }
            }
            if !taken, !later { found("\(name) was told that \(hold.seats) are taken, and they are not") }
        default: found("\(name): no door may say \(reason)")
        }
    }

    // MARK: Reads

    private func page(_ position: UInt64) -> Page? {
        position >= 1 && position <= UInt64(pages.count) ? pages[Int(position) - 1] : nil
    }

    func check(_ update: LineUpdate, of deed: Deed, at position: UInt64, now: UInt64, name: String) {
        let all = (executions[deed.id] ?? []).filter { $0.user == deed.user && $0.position <= position }
        let place = Int(update.place)
        guard
            let execution = all.first(where: {
                if case .joined(_, update.joinNumber) = $0.ruling { true } else { false }
            })
        else { return found("\(name) has place \(place), which the journal did not give") }
        checkTime(execution, deed, now, name)
        guard let page = page(position), place >= 1, place <= page.states.count else {
            return found("\(name) was told of #\(position)")
        }
        if update.state != page.states[place - 1] {
            return found("\(name) was told \(update.state) at #\(position), and was \(page.states[place - 1])")
        }
        if update.endReason != page.ends[place - 1] {
            found("\(name) was told \(update.endReason) at #\(position), and it was \(page.ends[place - 1])")
        }
        if update.state == .waiting, Int(update.position) != page.positions[place - 1] {
            found("\(name) was told position \(update.position) at #\(position), and had \(page.positions[place - 1])")
        }
    }

    func check(balance: UInt64, of user: Int, at position: UInt64, seen: UInt64, name: String) {
        guard let page = page(position) else { return found("\(name) was told of #\(position)") }
        if position < seen { found("\(name) has seen #\(seen) and was answered from #\(position)") }
        if page.balances[user] != balance {
            found("\(name) was told a balance of \(balance) at #\(position), and had \(page.balances[user])")
        }
    }

    func check(_ list: SeatList, at position: UInt64, name: String) {
        guard let page = page(position), list.seats.count == page.seats.count else {
            return found("\(name) was told of #\(position)")
        }
        for (seat, state) in zip(list.seats, page.seats) where seat.state != state {
            found("\(name) was told that seat \(seat.number) is \(seat.state) at #\(position), and it was \(state)")
        }
    }
}
