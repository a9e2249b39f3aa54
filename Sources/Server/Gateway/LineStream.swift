import BoxOffice
import Calls
import UsherAPI

/// One running Join: what its client has been shown, so that the next look tells whether there is something to say. The
/// latest state is computed when it is sent; nothing is queued.
final class LineStream {
    unowned let session: Session
    let call: CallID
    let token: QueueToken
    /// Index of the concert.
    let line: Int
    /// Index in `Gateway.waiters[line].streams`; nil once it no longer waits.
    var waitingIndex: Int?

    // What was shown last.
    var shownLineState = LineState.unspecified
    var shownOpens: UInt64 = 0
    var shownProspect = ShownProspect()
    var shownWarnings: [Warning] = []
    var shownStalled = false
    /// The respite that its deadlines were of.
    var shownRespite: UInt64 = 0
    var shownNotice: UInt64 = 0
    var passExpires: UInt64 = 0
    /// Reservations whose end was shown, among those a status still lists.
    var shownEnded: Set<UInt64> = []
    var hasShownToken = false

    /// An update could not be sent, for want of credit or since the reader is slow: it is due as soon as it can be.
    var isOwed = false

    init(session: Session, call: CallID, token: QueueToken, line: Int) {
        self.session = session
        self.call = call
        self.token = token
        self.line = line
    }
}

/// Those who wait in one line, and how far the look at them that is under way has come.
struct Waiters {
    var streams: [LineStream] = []
    /// The index of the next to be looked at; 0: no look is under way.
    var next = 0
    /// It looks at everybody, not only at those whose quiet is over.
    var isUrgent = false
    /// It has passed somebody by whose quiet was not over.
    var hasPassedBy = false
}
