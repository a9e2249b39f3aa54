// The shopper's end of one connection: the real client's call machine, and what each call is for.

internal import Calls
internal import UsherAPI
internal import Wire

/// One connection of a shopper.
final class ShopperConnection {
    enum Use {
        case deed(Deed)
        /// A Join and its stream.
        case line(Deed)
        case balance(seen: UInt64)
        case seats
    }

    private unowned let shopper: Shopper
    let link: Link
    let instance: String
    private var calls: ClientCalls
    private var output: [UInt8] = []
    /// What each running call is for. Looked up by call id, walked in its order only.
    private var uses: [(call: CallID, use: Use)] = []
    private(set) var isOpen = true
    private var wakesAt = UInt64.max

    init(of shopper: Shopper, link: Link, instance: String, epoch: Uuid?, position: UInt64) {
        self.shopper = shopper
        self.link = link
        self.instance = instance
        calls = ClientCalls(limits: Door.limits, now: shopper.now)
        link.client = Link.End(
            message: { [weak self] in self?.receive($0) },
            lost: { [weak self] in self?.lose() })
        var hello = Hello(clientName: "simulated", epoch: epoch, position: position)
        hello.identity = .user(shopper.user)
        calls.hello(hello, now: shopper.now, output: &output)
        flush()
        wakeInTime()
    }

    var position: UInt64 { calls.position }
    var epoch: Uuid? { calls.epoch }
    var takesCalls: Bool { isOpen && calls.takesCalls && calls.runningCount < 8 }
    var isInLine: Bool { uses.contains { if case .line = $0.use { true } else { false } } }
    var watchesSeats: Bool { uses.contains { if case .seats = $0.use { true } else { false } } }

    // MARK: Out

    /// Opens a call; false if the connection takes none.
    func open(_ method: Method, _ request: [UInt8], _ options: CallOptions, _ use: Use) -> Bool {
        do throws(OpenRefusal) {
            let call = try calls.open(
                path: method.description, request: request, options, now: shopper.now, output: &output)
            uses.append((call, use))
        } catch {
            return false
        }
        flush()
        wakeInTime()
        return true
    }

    /// Gives up one of the running calls.
    func cancel(_ index: Int) {
        guard isOpen, !uses.isEmpty else { return }
        calls.cancel(uses[index % uses.count].call, output: &output)
        flush()
    }

    /// Lets one more message come on each stream: for those whose credit does not come back by itself.
    func giveCredit() {
        for (call, use) in uses {
            switch use {
            case .line, .seats: calls.credit(call, messages: 1, output: &output)
            case .deed, .balance: break
            }
        }
        flush()
    }

    private func flush() {
        guard !output.isEmpty else { return }
        link.sendToServer(output)
        output = []
    }

    // MARK: In

    private func receive(_ message: [UInt8]) {
        guard isOpen else { return }
        var events = Events(connection: self)
        do throws(ConnectionViolation) {
            try calls.receive(message.rawSpan, now: shopper.now, output: &output, handler: &events)
        } catch {
            shopper.broke("\(instance) broke the protocol: \(error)")
            drop()
            return
        }
        flush()
        wakeInTime()
    }

    fileprivate func told(_ call: CallID, _ message: borrowing MessageView) {
        guard let use = uses.first(where: { $0.call == call })?.use else { return }
        let position = message.position
        do throws(WireError) {
            switch use {
            case .line(let deed):
                shopper.toldPlace(try LineUpdate(decoding: message.payload), deed, position, self)
            case .seats: shopper.toldSeats(try SeatList(decoding: message.payload), position, message.sequence)
            case .deed, .balance: shopper.broke("\(instance) streams to a call that is no stream")
            }
        } catch {
            shopper.broke("\(instance) sent a message that is none: \(error)")
        }
    }

    fileprivate func closed(_ call: CallID, _ close: borrowing CloseView) {
        guard let index = uses.firstIndex(where: { $0.call == call }) else { return }
        let use = uses.remove(at: index).use
        let status = close.status
        let position = close.position
        do throws(WireError) {
            switch use {
            case .line(let deed): shopper.lineEnded(deed, status, position)
            case .deed(let deed):
                let ruling = status.code == .ok ? try Self.ruling(deed.method, close.payload) : nil
                shopper.answered(deed, status, ruling, position)
            case .balance(let seen):
                guard status.code == .ok else { return }
                shopper.toldBalance(try GetBalanceResponse(decoding: close.payload).balance, position, seen: seen)
            case .seats: break
            }
        } catch {
            shopper.broke("\(instance) sent an answer that is none: \(error)")
        }
    }

    /// A reply in the checkers' language.
    private static func ruling(_ method: Method, _ payload: RawSpan) throws(WireError) -> Ruling {
        switch method {
        case .leave: return .left
        case .hold: return .held(try HoldResponse(decoding: payload).reservation ?? Reservation())
        case .release: return .released(reservation: try ReleaseResponse(decoding: payload).reservation?.id ?? 0)
        case .pay:
            let response = try PayResponse(decoding: payload)
            return .paid(
                payment: response.payment?.id ?? 0, reservation: response.payment?.reservation ?? 0,
                amount: response.payment?.amount ?? 0, balance: response.balance)
        case .cancelReservation:
            let response = try CancelReservationResponse(decoding: payload)
            return .cancelled(
                reservation: response.reservation?.id ?? 0, refunded: response.refunded, balance: response.balance)
        case .charge:
            let response = try ChargeResponse(decoding: payload)
            return .charged(
                transaction: response.transaction?.id ?? 0, amount: response.transaction?.amount ?? 0,
                balance: response.balance)
        default: return .operatorDone
        }
    }

    // MARK: End

    /// Leaves without a word.
    func drop(serverNoticesAfter: UInt64? = 20) {
        link.cut(serverNoticesAfter: serverNoticesAfter, clientNoticesAfter: nil)
        lose()
    }

    private func lose() {
        guard isOpen else { return }
        isOpen = false
        let unanswered = calls.unanswered
        calls.shut()
        for (call, use) in uses {
            // How often to say a command was sent is the client machine's to know.
            guard let lost = unanswered.first(where: { $0.call == call }) else { continue }
            switch use {
            case .deed(let deed), .line(let deed): shopper.lost(deed, lost)
            case .balance, .seats: break
            }
        }
        uses = []
        shopper.ended(self)
    }

    private func wakeInTime() {
        guard isOpen, let deadline = [calls.nextCallDeadline, calls.nextLivenessDeadline].compactMap({ $0 }).min(),
            deadline < wakesAt
        else { return }
        wakesAt = deadline
        shopper.network.after(deadline - min(deadline, shopper.now)) { [weak self] in self?.wake() }
    }

    private func wake() {
        wakesAt = .max
        guard isOpen else { return }
        var events = Events(connection: self)
        do throws(ConnectionViolation) {
            try calls.expire(now: shopper.now, output: &output, handler: &events)
            flush()
            wakeInTime()
        } catch {
            drop(serverNoticesAfter: nil)
        }
    }

    private struct Events: ClientCallsHandler {
        let connection: ShopperConnection

        mutating func welcome(_ welcome: Welcome, in calls: inout ClientCalls, output: inout [UInt8]) {}

        mutating func message(
            _ call: CallID, _ message: MessageView, in calls: inout ClientCalls, output: inout [UInt8]
        ) { connection.told(call, message) }

        mutating func closed(_ call: CallID, _ close: CloseView, in calls: inout ClientCalls, output: inout [UInt8]) {
            connection.closed(call, close)
        }

        mutating func goAway(_ goAway: GoAway, in calls: inout ClientCalls, output: inout [UInt8]) {}
    }
}
