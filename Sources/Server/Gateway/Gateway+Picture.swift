import BoxOffice
import Calls
import Reactor
import Sequencer
import UsherAPI

/// The loop's own picture of the sale: how it begins, how deltas bring it up to date, and who is told.
extension Gateway: TimerTarget {
    /// How often those who wait are looked at for what is worth no push of its own, such as the number behind: 5 s.
    private static let behindTicks: UInt64 = 50

    /// Starts the picture.
    func show(_ image: SaleImage) {
        catalogue = image.catalogue
        lines = image.lines.map { LineView($0) }
        feeds = image.seats.map { SeatFeed($0) }
        waiters = lines.map { _ in Waiters() }
        for (concert, line) in image.lines.enumerated() { noticeLog[concert] = line.notices }
        for key in image.keys { queueTokens.trust(key) }
        noteJournalTime(image.timeMilliseconds, position: image.position)
    }

    /// Brings the picture up to date, then tells those for whom something changed. Tokens, seats, line states and notices
    /// at once; positions on the tick.
    func take(_ delta: Delta) {
        guard !delta.isEmpty else { return }
        noteJournalTime(delta.timeMilliseconds, position: delta.position)
        var changedPerformances: Set<Int> = []
        if let catalogue = delta.catalogue {
            changedPerformances = extend(to: catalogue)
            for performance in changedPerformances { feeds[performance].reprice() }
            if !changedPerformances.isEmpty { lastChanges = nil }
            // The opening time or the policy may be another.
            for line in lines.indices { lines[line].soil(urgently: true) }
        }
        for key in delta.keys { queueTokens.trust(key) }
        var isLookDue = !delta.notices.isEmpty
        if delta.respiteUntil > respiteUntil {
            prolong(until: delta.respiteUntil)
            isLookDue = true
        }
        var closedLines: [Int] = []
        for change in delta.lines {
            lines[change.line].apply(change, at: journalTime)
            switch change {
            case .state(let line, .closed): closedLines.append(line)
            case .state, .drawn: isLookDue = true
            case .joined, .left, .admitted, .ended: break
            }
        }
        for sent in delta.notices {
            lines[sent.concert].soil(urgently: true)
            noticeLog[sent.concert] = Array((noticeLog[sent.concert] ?? []).suffix(SaleLimits.notices - 1)) + [sent.notice]
        }
        for change in delta.seats {
            feeds[change.performance].apply(change, kept: limits.resumeChanges)
            changedPerformances.insert(change.performance)
        }
        for status in delta.tokens.values.sorted(by: { $0.place < $1.place }) { tokenChanged(status) }
        for line in closedLines { waitingEnded(at: line) }
        pushSeats(of: changedPerformances)
        if isLookDue {
            pushPositions()
            pushToActive()
        }
    }

    /// Concerts and performances are only ever added, and changed in place.
    ///
    /// - Returns: performances whose prices changed.
    private func extend(to catalogue: Catalogue) -> Set<Int> {
        let before = self.catalogue.performances
        // Unchanged prices are the same array, so this looks at no seat.
        let repriced = before.indices.filter { before[$0].prices != catalogue.performances[$0].prices }
        self.catalogue = catalogue
        while lines.count < catalogue.concerts.count {
            lines.append(LineView(.new))
            waiters.append(Waiters())
        }
        while feeds.count < catalogue.performances.count {
            let seatCount = catalogue.performances[feeds.count].prices.count
            feeds.append(SeatFeed(SeatImage(revision: 0, states: Array(repeating: .available, count: seatCount))))
        }
        return Set(repriced)
    }

    // MARK: Tick

    func timerFired(_ tag: Int) {
        loop.schedule(after: PushPolicy.tickMilliseconds, self)
        ticks += 1
        if ticks % Self.behindTicks == 0 {
            for line in lines.indices { lines[line].soil(urgently: false) }
        }
        pushPositions()
        if ticks % 10 == 0 {
            pushToActive()
            sampleStats()
        }
        tellJournal()
        retryJoins()
        for session in backlogged where !session.isBacklogged { session.goOn() }
    }

    /// Presence and touches, gathered since the last tick.
    private func tellJournal() {
        if let news = presence.news(now: loop.now), submitOwn(.presence(news)) { presence.told(news) }
        let portion = touched.prefix(4096).sorted()
        if !portion.isEmpty, submitOwn(.touched(Touched(tokens: portion))) {
            touched.subtract(portion)
            // Forget touches of tokens that ended long ago.
            if touches.count > 100_000 { touches = touches.filter { statuses[$0.key] != nil } }
        }
    }

    // MARK: Streams of a session

    /// A stream without credit has some again.
    func resume(_ call: CallID, of session: Session) {
        if let stream = session.lineStreams.first(where: { $0.call == call }), stream.isOwed { sendUpdate(stream) }
        if let watch = session.seatWatches.first(where: { $0.call == call }), watch.isOwed { sendSeats(watch) }
    }

    /// The client wants a call no longer, or its deadline has come. A command under way goes on to its outcome.
    func endStream(_ call: CallID, _ status: Status, of session: Session) {
        if let stream = session.lineStreams.first(where: { $0.call == call }) {
            session.lineStreams.removeAll { $0 === stream }
            dropLineStream(stream, hasMoved: farewell != nil)
            session.calls.close(call, status, position: position, output: &frames)
        } else if let watch = session.seatWatches.first(where: { $0.call == call }) {
            endSeatWatch(watch, status)
        } else if let index = statsWatches.firstIndex(where: { $0.session === session && $0.call == call }) {
            statsWatches.remove(at: index)
            session.calls.close(call, status, position: position, output: &frames)
        }
    }
}

extension LineChange {
    /// Index of the concert.
    var line: Int {
        switch self {
        case .joined(let line, _, _), .left(let line, _), .admitted(let line, _, _), .ended(let line, _),
            .drawn(let line, _, _), .state(let line, _):
            line
        }
    }
}
