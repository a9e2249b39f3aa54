import Calls
import Crypto
import Reactor
import Sequencer
import UsherAPI

/// Operators' calls. What they may do to a line is decided where it is applied; here is who they are, and live numbers.
extension Gateway {
    private func operatorIdentity(_ call: IncomingCall, _ session: Session) throws(Status) -> Identity {
        let identity = try identity(of: call, session)
        guard identity.isOperator else { throw Status(.operatorsOnly, "Only operators of the sale may call \(call.method).") }
        return identity
    }

    func operate(_ call: IncomingCall, _ session: Session) throws(Status) {
        let identity = try operatorIdentity(call, session)
        let body: Command.Body
        switch call.request {
        case .putConcert(let request):
            body = .putConcert(PutConcert(settings: request.settings, drawSeed: randomBytes(32)))
        case .putPerformance(let request):
            guard let settings = request.settings else { throw Status(.invalidField, "The settings are missing.") }
            body = .putPerformance(settings)
        case .setPolicy(let request): body = .setPolicy(request)
        case .changeLine(let request, let action): body = .changeLine(ChangeLine(concert: request.concert, action: action))
        case .sendNotice(let request): body = .notice(request)
        default: preconditionFailure("\(call.method) is no operator's command")
        }
        try submit(body, identity: identity, token: 0, call, session, use: .command)
    }

    // MARK: Live numbers

    func stats(_ request: StatsRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        _ = try operatorIdentity(call, session)
        try ask(.stats(concert: try wishedConcert(request)), .stats, call, session)
    }

    func watchStats(_ request: StatsRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        _ = try operatorIdentity(call, session)
        statsWatches.append(StatsWatch(session: session, call: call.id, concert: try wishedConcert(request)))
        sampleStats()
    }

    private func wishedConcert(_ request: StatsRequest) throws(Status) -> Int? {
        request.concert.isEmpty ? nil : try concert(request.concert)
    }

    /// Asks for the numbers of every watch that has had its last ones. Once a second.
    func sampleStats() {
        for watch in statsWatches
        where !watch.isAsking && watch.session.calls.canSend(watch.call) && !watch.session.isBacklogged {
            let pendingCall = PendingCall(session: watch.session, call: watch.call, use: .watchedStats(watch))
            watch.isAsking = (try? ask(.stats(concert: watch.concert), pendingCall)) != nil
        }
    }

    func send(_ lines: [LineStats], to watch: StatsWatch) {
        watch.isAsking = false
        watch.session.calls.message(
            watch.call, sequence: position, position: position, payload: statsResponse(lines), output: &frames)
    }

    func statsResponse(_ lines: [LineStats]) -> StatsResponse {
        StatsResponse(lines: lines, connections: instanceMetrics.connections(), position: position, timeMs: journalNow)
    }
}
