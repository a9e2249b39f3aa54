public import BoxOffice
public import UsherAPI

/// What a loop needs to bring its picture of the sale up to date: one value for each loop, into which the sequencer
/// merges until the loop takes it. Its size is bounded by what there is (a place changes its state at most three times,
/// a token has one latest status, a seat change carries its revision), never by how long the loop was away.
public struct Delta: Sendable {
    /// The journal position the picture has after this delta; 0: nothing happened.
    public var position: UInt64 = 0
    /// Journal time of that position.
    public var timeMilliseconds: UInt64 = 0
    /// Journal time of the first position in it: how old its oldest news is.
    public var oldestTimeMilliseconds: UInt64 = 0
    /// Until then nothing lapses, whatever statuses said before: the end of the last respite after an outage.
    public var respiteUntil: UInt64 = 0
    /// Replaces the catalogue, if present. Taken before everything else.
    public var catalogue: Catalogue?
    /// In the order in which they happened.
    public var lines: [LineChange] = []
    /// The latest status of each token that is, or just was, more than waiting.
    public var tokens: [UInt64: TokenStatus] = [:]
    /// In the order of their revisions for each performance.
    public var seats: [SeatChange] = []
    public var notices: [SentNotice] = []
    /// Public signing keys that instances journalled.
    public var keys: [[UInt8]] = []

    public init() {}

    public var isEmpty: Bool { position == 0 }

    /// Appends what came after. O(size of `later`).
    public mutating func merge(_ later: Delta) {
        guard !isEmpty else {
            self = later
            return
        }
        position = later.position
        timeMilliseconds = later.timeMilliseconds
        respiteUntil = later.respiteUntil
        catalogue = later.catalogue ?? catalogue
        lines.append(contentsOf: later.lines)
        tokens.merge(later.tokens) { _, latest in latest }
        seats.append(contentsOf: later.seats)
        notices.append(contentsOf: later.notices)
        keys.append(contentsOf: later.keys)
    }
}

/// What a loop hears for one of its tickets.
public struct Answer: Sendable {
    public enum Content: Sendable {
        case outcome(Outcome)
        case facts(Facts)
        /// The journal does not take it, or has not said what became of it: nothing is known of the command, or nothing was begun
        /// (`mayHaveHappened` false).
        case journalFailed(mayHaveHappened: Bool)
    }

    public var ticket: UInt64
    public var position: UInt64
    public var content: Content
}

/// The answer to a `Question`.
public enum Facts: Sendable {
    case balance(UInt64)
    case transactions([Transaction], more: Bool)
    case reservations([Reservation], more: Bool)
    case payments([Payment], more: Bool)
    case token(TokenStatus?)
    case stats([LineStats])
}

/// What the sequencer has for the loops after a round: one delta for all of them and each one's answers.
public struct Publication: Sendable {
    public var delta = Delta()
    public var answers: [[Answer]]
    /// Claims of this instance that the journal decided for another's.
    public var claimsLost: UInt64 = 0

    public init(loops: Int) {
        answers = Array(repeating: [], count: loops)
    }
}
