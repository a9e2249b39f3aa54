import Calls
import Client
import Reactor
import UsherAPI
import Wire

// How a fan asks: one command at a time, kept until its end is known, and one question at a time.

/// A command that has no end yet. It goes out again with the same request id until it has.
struct FanCommand {
    let method: Method
    let request: [UInt8]
    let requestID: Uuid
    var attempts: UInt32 = 0
    let startedUs: UInt64
    let startedWallUs: UInt64
}

/// A question that changes nothing.
enum FanQuery {
    case check, dates, payments, transactions

    var method: Method {
        switch self {
        case .check: .check
        case .dates: .listPerformances
        case .payments: .listPayments
        case .transactions: .listTransactions
        }
    }
}

extension Fan {
    // MARK: Commands

    func command(_ method: Method, _ request: some WireMessage) {
        command = FanCommand(
            method: method, request: request.encoded(), requestID: .random(), startedUs: Clocks.monotonic(),
            startedWallUs: Clocks.wall())
        sendCommand()
        switch method {
        case .hold: maybeLose(.holding, within: 5)
        case .charge: maybeLose(.charging, within: 5)
        case .pay: maybeLose(.paying, within: 5)
        default: break
        }
    }

    func sendCommand() {
        guard let command, commandCall == nil, let connection, connection.isReady else { return }
        commandCall = try? connection.open(
            path: command.method.description, request: command.request,
            CallOptions(metadata: presented, requestID: command.requestID, attempts: command.attempts))
        if commandCall == nil { hastenMove() }
    }

    func commandEnded(_ close: borrowing CloseView) {
        guard let done = command else { return }
        let status = close.status
        if status.code != .ok, let delay = retryDelay(status) {
            command!.attempts += 1
            next(.repeatCommand, after: delay)
            return
        }
        command = nil
        if status.code == .ok {
            do throws(WireError) {
                try succeeded(done, close)
            } catch {
                problem("the answer to \(done.method) could not be read")
            }
        } else {
            refused(done, status)
        }
        settle()
    }

    /// After a command's end: home if the token has ended meanwhile, or back to the line after a lost connection.
    private func settle() {
        guard phase != .gone else { return }
        if let reason = endHeard {
            endHeard = nil
            tokenEnded(reason)
        } else if awayFromUs != nil || going.isNew {
            loop.cancel(course)
            if isPolling { check() } else { join() }
        }
    }

    private func succeeded(_ done: FanCommand, _ close: borrowing CloseView) throws(WireError) {
        let isFirstTry = done.attempts == 0
        switch done.method {
        case .hold:
            if isFirstTry { crowd.note(.hold, since: done.startedUs) }
            holdDone(try HoldResponse(decoding: close.payload), done)
        case .release:
            if isFirstTry { crowd.note(.release, since: done.startedUs) }
            setHeld(nil)
            next(.choose, after: persona.thought())
        case .charge:
            if isFirstTry { crowd.note(.charge, since: done.startedUs) }
            chargeDone(try ChargeResponse(decoding: close.payload), done)
        case .pay:
            if isFirstTry { crowd.note(.pay, since: done.startedUs) }
            payDone(try PayResponse(decoding: close.payload), done)
        case .leave:
            goHome(leavingAs)
        default: break
        }
    }

    // MARK: Questions

    func ask(_ query: FanQuery) {
        self.query = query
        queryStarted = Clocks.monotonic()
        sendQuery()
    }

    func sendQuery() {
        guard let query, queryCall == nil, let connection, connection.isReady else { return }
        let options = CallOptions(metadata: isAuditing ? [] : presented)
        let concert = crowd.plan.concert
        queryCall =
            switch query {
            case .check: try? connection.open(query.method, CheckRequest(concert: concert), options)
            case .dates: try? connection.open(query.method, ListPerformancesRequest(concert: concert), options)
            case .payments: try? connection.open(query.method, ListPaymentsRequest(), options)
            case .transactions: try? connection.open(query.method, ListTransactionsRequest(), options)
            }
        if queryCall == nil { hastenMove() }
    }

    func queryEnded(_ close: borrowing CloseView) {
        guard let done = query else { return }
        let status = close.status
        if status.code != .ok, let delay = retryDelay(status) {
            next(.query, after: delay)
            return
        }
        query = nil
        guard status.code == .ok else {
            questionRefused(done, status)
            return
        }
        do throws(WireError) {
            switch done {
            case .check:
                crowd.note(.check, since: queryStarted)
                checked(try LineUpdate(decoding: close.payload))
            case .dates:
                crowd.note(.dates, since: queryStarted)
                datesHeard(try ListPerformancesResponse(decoding: close.payload))
            case .payments:
                record.audit = FanRecord.Audit(
                    payments: try ListPaymentsResponse(decoding: close.payload).payments, transactions: [])
                ask(.transactions)
            case .transactions:
                record.audit?.transactions = try ListTransactionsResponse(decoding: close.payload).transactions
                endAudit()
            }
        } catch {
            problem("the answer to \(done.method) could not be read")
            if isAuditing { endAudit() }
        }
    }

    private func questionRefused(_ done: FanQuery, _ status: Status) {
        if isAuditing {
            problem("\(done.method) was refused: \(status.reason) \(status.message)")
            record.audit = nil
            endAudit()
        } else if status.reason == Reason.tokenEnded.rawValue {
            tokenEnded(status.details?.endReason ?? .unspecified)
        } else {
            odd("\(done.method)", status)
            fail("\(done.method) was refused: \(status.reason) \(status.message)")
        }
    }

    // MARK: Audit

    /// Asks the server what it knows of this fan's money.
    func beginAudit() {
        goHome(.unfinished)
        query = nil
        queryCall = nil
        isAuditing = true
        if let connection {
            if connection.isReady { askHistory() }
        } else if record.joinNumber == 0 {
            endAudit()
        } else {
            connect()
        }
    }

    func askHistory() { ask(.payments) }

    func endAudit() {
        guard isAuditing else { return }
        isAuditing = false
        crowd.auditEnded()
    }
}
