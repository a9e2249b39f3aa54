import BoxOffice
import Calls
import Crypto
import Reactor
import Sequencer
import UsherAPI
import Wire

/// Join, Check, Leave, and the streams that push.
extension Gateway {
    // MARK: Calls

    func concert(_ id: String) throws(Status) -> Int {
        guard let index = catalogue.concert(id) else { throw Status(.unknownConcert, "There is no concert '\(id)'.") }
        return index
    }

    /// Takes a place, or goes on with the one the caller has.
    func join(_ request: JoinRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let concert = try concert(request.concert)
        let identity = try identity(of: call, session)
        if let token = try presentedToken(call, identity), token.concert == request.concert,
            standing(of: token, at: concert) != .ended
        {
            try resume(token, at: concert, call, session)
            return
        }
        guard hasRoomForJoin else {
            postpone(call, session)
            return
        }
        try submit(
            .join(Join(concert: request.concert)), identity: identity, token: 0, call, session, use: .join(concert: concert))
    }

    /// A token brings back its place without a command: the loop knows who waits, and asks about who is active.
    private func resume(_ token: QueueToken, at concert: Int, _ call: IncomingCall, _ session: Session) throws(Status) {
        if standing(of: token, at: concert) == .waiting {
            begin(LineStream(session: session, call: call.id, token: token, line: concert), isKnown: false)
        } else {
            try ask(.token(token.id, of: token.user), .resume(token, concert: concert), call, session)
        }
    }

    func check(_ request: CheckRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let concert = try concert(request.concert)
        let identity = try identity(of: call, session)
        if let token = try token(for: concert, call, identity, session) {
            guard standing(of: token, at: concert) == .waiting else {
                // Also how it ended, which who polls hears nowhere else.
                try ask(.token(token.id, of: token.user), .check(isTokenKnown: true), call, session)
                return
            }
            presence.checked(token.id, now: loop.now)
            reply(call.id, update(for: waitingStatus(token, at: concert), isTokenKnown: true), of: session)
        } else {
            try ask(.liveToken(user: identity.user, concert: concert), .check(isTokenKnown: false), call, session)
        }
    }

    func leave(_ request: LeaveRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let concert = try concert(request.concert)
        let identity = try identity(of: call, session)
        let token = try token(for: concert, call, identity, session)
        try submit(
            .leave(Leave(concert: request.concert)), identity: identity, token: token?.id ?? 0, call, session, use: .command)
    }

    // MARK: Streams

    /// What a token that waits looks like; the loop needs nobody to know it.
    private func waitingStatus(_ token: QueueToken, at concert: Int) -> TokenStatus {
        var status = TokenStatus()
        status.id = token.id
        status.user = token.user
        status.concert = concert
        status.joinNumber = token.joinNumber
        status.place = UInt64(lines[concert].place(ofJoinNumber: token.joinNumber))
        status.state = .waiting
        return status
    }

    func queueToken(of status: TokenStatus) -> QueueToken {
        QueueToken(
            id: status.id, user: status.user, concert: catalogue.concerts[status.concert].settings.id,
            joinNumber: status.joinNumber)
    }

    /// The refusal of one more stream of a token that has as many on this loop as it may.
    func checkStreams(_ count: Int) throws(Status) {
        guard count >= limits.tokenStreams else { return }
        throw Status(
            .tooManyCalls, "Too many streams of your queue token are open; close some.",
            details: ErrorDetails(limit: UInt64(limits.tokenStreams)))
    }

    /// Starts a line stream: binds the token to the connection and sends the first update.
    func begin(_ stream: LineStream, status: TokenStatus? = nil, isKnown: Bool) {
        let session = stream.session
        do throws(Status) {
            try checkStreams(lineStreams[stream.token.id]?.count ?? 0)
        } catch {
            // By the streams it has its user is present already.
            refuse(stream.call, error, of: session)
            return
        }
        // A bearer's join binds nothing: the connection's own calls must not lose their token to it.
        if stream.token.user == session.identity?.user {
            session.tokens.removeAll { $0.concert == stream.token.concert }
            session.tokens.append(stream.token)
        }
        session.lineStreams.append(stream)
        lineStreams[stream.token.id, default: []].append(stream)
        presence.streamBegan(stream.token.id, isKnown: isKnown)
        var latest = statuses[stream.token.id] ?? arrivedStatuses[stream.token.id] ?? status
        if latest?.state ?? .waiting == .waiting, lines[stream.line].state == .closed {
            // The answer is older than the line's close, which named nobody.
            latest = endedByClosing(stream)
        }
        if let latest, latest.state != .waiting {
            statuses[latest.id] = latest
        } else {
            stream.waitingIndex = waiters[stream.line].streams.count
            waiters[stream.line].streams.append(stream)
        }
        metrics.lineStreams.add()
        sendUpdate(stream)
    }

    /// Takes a stream out of the picture; its call is not answered here.
    ///
    /// - Parameter hasMoved: the client goes on elsewhere.
    func dropLineStream(_ stream: LineStream, hasMoved: Bool = false) {
        stopWaiting(stream)
        lineStreams[stream.token.id]?.removeAll { $0 === stream }
        if lineStreams[stream.token.id]?.isEmpty == true {
            lineStreams[stream.token.id] = nil
            statuses[stream.token.id] = nil
        }
        presence.streamEnded(stream.token.id, now: loop.now, hasMoved: hasMoved)
    }

    private func stopWaiting(_ stream: LineStream) {
        guard let index = stream.waitingIndex else { return }
        let last = waiters[stream.line].streams.removeLast()
        if last !== stream {
            waiters[stream.line].streams[index] = last
            last.waitingIndex = index
            // A look that is under way has not come to it, and is past its new index.
            if index < waiters[stream.line].next { lines[stream.line].soil(urgently: waiters[stream.line].isUrgent) }
        }
        stream.waitingIndex = nil
    }

    /// The status of a token with streams here has changed to more than waiting: they are told at once.
    func tokenChanged(_ status: TokenStatus) {
        if status.state == .ended {
            for watch in seatWatches[status.id] ?? [] {
                endSeatWatch(watch, tokenEnded(status))
                watch.session.flush()
            }
        }
        guard let streams = lineStreams[status.id] else { return }
        statuses[status.id] = status
        for stream in streams {
            stopWaiting(stream)
            sendUpdate(stream)
            stream.session.flush()
        }
    }

    /// The line has closed, and with it every token that waits here has ended; the delta names none of them.
    func waitingEnded(at line: Int) {
        for stream in waiters[line].streams { tokenChanged(endedByClosing(stream)) }
    }

    private func endedByClosing(_ stream: LineStream) -> TokenStatus {
        var status: TokenStatus = waitingStatus(stream.token, at: stream.line)
        status.state = .ended
        status.endReason = .closed
        return status
    }

    /// Sends a stream's present state, or notes that it is owed. Ends the call after the token's last update.
    func sendUpdate(_ stream: LineStream) {
        let session = stream.session
        guard session.calls.canSend(stream.call), !session.mustWait() else {
            stream.isOwed = true
            return
        }
        let status = statuses[stream.token.id] ?? waitingStatus(stream.token, at: stream.line)
        // Encoded by itself, where its type is known: inside a frame it would be counted and written through tables.
        payload.removeAll(keepingCapacity: true)
        update(for: status, on: stream).append(to: &payload)
        let encoded = payload
        guard
            session.calls.message(
                stream.call, sequence: position, position: position, encoded: encoded.rawSpan, output: &frames) == .sent
        else {
            stream.isOwed = true
            return
        }
        metrics.linePushes.add()
        stream.isOwed = false
        if status.state == .ended {
            session.lineStreams.removeAll { $0 === stream }
            // The token stays bound, until another takes its place: who still uses it is told how it ended.
            dropLineStream(stream)
            presence.forget(stream.token.id)
            session.calls.close(stream.call, .ok, position: position, output: &frames)
        }
    }

    // MARK: Updates

    /// The facts of a status, as Check answers them.
    ///
    /// - Parameter isTokenKnown: the client has the queue token. A signature would be more than half the cost of a poll.
    func update(for status: TokenStatus, isTokenKnown: Bool) -> LineUpdate {
        var update = facts(of: status)
        let token = queueToken(of: status)
        update.concert = token.concert
        if !isTokenKnown { update.queueToken = (try? queueTokens.sign(token, now: loop.wallNow)) ?? "" }
        update.reservations = status.reservations.filter { $0.state == .held }
        update.warnings = warnings(status)
        update.notices = noticeLog[status.concert] ?? []
        if status.state == .active, let pass = try? queueTokens.signPass(token, now: loop.wallNow) {
            update.pass = pass.pass
            update.passExpiresMs = pass.expiresMilliseconds
        }
        return update
    }

    /// The same for a stream: what goes without saying is left out, and what is said is noted.
    private func update(for status: TokenStatus, on stream: LineStream) -> LineUpdate {
        var update = facts(of: status)
        if !stream.hasShownToken {
            stream.hasShownToken = true
            update.concert = stream.token.concert
            update.queueToken = (try? queueTokens.sign(stream.token, now: loop.wallNow)) ?? ""
        }
        if status.state == .active, stream.passExpires < loop.wallNow + QueueTokens.passRenewalMilliseconds,
            let pass = try? queueTokens.signPass(stream.token, now: loop.wallNow)
        {
            update.pass = pass.pass
            update.passExpiresMs = pass.expiresMilliseconds
            stream.passExpires = pass.expiresMilliseconds
        }
        update.reservations = status.reservations.filter { reservation in
            if reservation.state == .held { return true }
            return stream.shownEnded.insert(reservation.id).inserted
        }
        update.warnings = warnings(status)
        update.notices = (noticeLog[status.concert] ?? []).filter { $0.number > stream.shownNotice }
        stream.shownNotice = noticeLog[status.concert]?.last?.number ?? 0
        stream.shownLineState = update.lineState
        stream.shownOpens = update.opensMs
        stream.shownWarnings = update.warnings
        stream.shownStalled = update.stalled
        stream.shownRespite = respiteUntil
        stream.shownProspect.show(
            Prospect(position: update.position, behind: update.behind, estimate: update.estimate), now: loop.now)
        return update
    }

    private func facts(of status: TokenStatus) -> LineUpdate {
        let line = lines[status.concert]
        let settings = catalogue.concerts[status.concert].settings
        var update = LineUpdate()
        update.state = status.state
        update.lineState = line.state
        update.joinNumber = status.joinNumber
        update.endReason = status.endReason
        if line.state == .lobby { update.opensMs = settings.opensMs }
        update.stalled = isStalled
        let isBeforeDraw = line.isBeforeDraw(order: settings.lobbyOrder)
        if !isBeforeDraw { update.place = status.place }
        switch status.state {
        case .waiting:
            guard !isBeforeDraw else { break }
            let prospect = line.prospect(ofPlace: Int(status.place), policy: settings.policy)
            update.position = prospect.position
            update.behind = prospect.behind
            update.estimate = prospect.estimate
        case .active:
            update.activeUntilMs = status.activeUntil
            update.idleUntilMs = status.idleUntil
        case .ended, .unspecified, .unrecognized:
            break
        }
        return update
    }

    // MARK: Tick

    /// Pushes in one look. A look that has more to say goes on in the next turn of the loop, so that calls, handshakes and
    /// the pushes that can't wait get theirs in between.
    private static var pushesPerLook: Int { 512 }

    /// Looks at those who wait in lines that have moved, and tells those whose picture is off.
    func pushPositions() {
        var budget = Self.pushesPerLook
        for line in lines.indices {
            lines[line].advance(to: journalNow)
            guard lines[line].isDirty || waiters[line].next > 0, budget > 0 else { continue }
            // What moves while a look is under way makes the line dirty again, for another one; what is urgent starts it over.
            if waiters[line].next == 0 || lines[line].isUrgent {
                waiters[line].next = 0
                waiters[line].isUrgent = lines[line].isUrgent
                waiters[line].hasPassedBy = false
                lines[line].clean()
            }
            look(at: line, &budget)
        }
        if budget == 0, !isLookGoingOn {
            isLookGoingOn = true
            loop.schedule(after: 0) { [unowned self] in
                isLookGoingOn = false
                pushPositions()
            }
        }
    }

    /// One line's part of a look.
    private func look(at line: Int, _ budget: inout Int) {
        let view = lines[line]
        let isUrgent = waiters[line].isUrgent
        let streams = waiters[line].streams
        var index = waiters[line].next
        while index < streams.count, budget > 0 {
            let stream = streams[index]
            index += 1
            let position = view.position(ofPlace: view.place(ofJoinNumber: stream.token.joinNumber))
            guard isUrgent || !stream.shownProspect.isQuiet(position: position, now: loop.now) else {
                waiters[line].hasPassedBy = true
                continue
            }
            if !stream.isOwed, isNews(view, for: stream) {
                budget -= 1
                sendUpdate(stream)
                stream.session.flush()
            }
        }
        waiters[line].next = index < streams.count ? index : 0
        // There may be news for them too, on a later tick.
        if waiters[line].next == 0, waiters[line].hasPassedBy { lines[line].soil(urgently: false) }
    }

    /// Whether a waiting stream's client should be told where it stands now.
    private func isNews(_ view: LineView, for stream: LineStream) -> Bool {
        let settings = catalogue.concerts[stream.line].settings
        if view.state != stream.shownLineState || (view.state == .lobby && settings.opensMs != stream.shownOpens)
            || (noticeLog[stream.line]?.last?.number ?? 0) > stream.shownNotice || isStalled != stream.shownStalled
        {
            return true
        }
        guard !view.isBeforeDraw(order: settings.lobbyOrder) else { return false }
        let place = view.place(ofJoinNumber: stream.token.joinNumber)
        return stream.shownProspect.isOutdated(by: view.prospect(ofPlace: place, policy: settings.policy), now: loop.now)
    }
}
