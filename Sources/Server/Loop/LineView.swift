import BoxOffice
import Sequencer
import UsherAPI

/// One line as one loop sees it: its own plain copy, brought up to date by deltas, so that a position costs neither a
/// lock nor a message (docs/decisions/position.md).
struct LineView: Sendable {
    private(set) var state: LineState
    /// Join numbers given out.
    private(set) var joined: Int
    /// Places of those who wait, and of those whose turn it is.
    private(set) var waiting: PlaceSet
    private(set) var active: PlaceSet
    /// After a draw: the place of join number n at index n − 1, for the lobby's.
    private var drawnPlaces: [UInt32]
    private(set) var drawSeed: [UInt8]
    private(set) var rate = AdmissionRate()
    /// Whether there may be news for those who wait since `clean`.
    private(set) var isDirty = true
    /// Whether the news is for everybody and can't wait: the line's state, the draw, a notice, new settings.
    private(set) var isUrgent = false

    init(_ image: LineImage) {
        state = image.state
        joined = image.joined
        waiting = image.waiting
        active = image.active
        drawSeed = image.drawn > 0 ? image.drawSeed : []
        drawnPlaces = Draw.places(seed: image.drawSeed, count: image.drawn)
    }

    /// How many join numbers the draw permuted; 0 before it.
    var drawn: Int { drawnPlaces.count }

    mutating func apply(_ change: LineChange, at timeMilliseconds: UInt64) {
        isDirty = true
        switch change {
        case .joined(_, let joinNumber, _):
            joined = max(joined, Int(joinNumber))
            waiting.insert(Int(joinNumber))
        case .left(_, let place):
            waiting.remove(Int(place))
        case .admitted(_, let place, _):
            waiting.remove(Int(place))
            active.insert(Int(place))
            rate.admitted(1, at: timeMilliseconds)
        case .ended(_, let place):
            active.remove(Int(place))
        case .drawn(_, let seed, let places):
            drawnPlaces = places
            drawSeed = seed
            waiting.permute(drawnPlaces)
            isUrgent = true
        case .state(_, let state):
            self.state = state
            isUrgent = true
            if state == .closed { waiting.removeAll() }
        }
    }

    /// Lets the rate grow old, and with it the estimates of those who wait. Called on the tick.
    mutating func advance(to timeMilliseconds: UInt64) {
        let hasAged = rate.advance(to: timeMilliseconds)
        if hasAged, waiting.count > 0, state == .open || state == .draining { isDirty = true }
    }

    mutating func clean() {
        isDirty = false
        isUrgent = false
    }

    /// Asks for a look at those who wait, though nobody has moved.
    mutating func soil(urgently: Bool) {
        isDirty = true
        if urgently { isUrgent = true }
    }

    /// Where a join number stands in the order: itself, unless a draw permuted it.
    func place(ofJoinNumber number: UInt64) -> Int {
        let index = Int(clamping: number) - 1
        return drawnPlaces.indices.contains(index) ? Int(drawnPlaces[index]) : Int(clamping: number)
    }

    /// What a place is, for all that the loop knows.
    func standing(ofPlace place: Int) -> TokenState {
        if waiting.contains(place) { return .waiting }
        return active.contains(place) ? .active : .ended
    }

    /// Live waiting places ahead, plus one. O(1).
    func position(ofPlace place: Int) -> UInt64 { UInt64(waiting.rank(below: place)) + 1 }

    /// Whether positions mean nothing yet, since a draw is still to come.
    func isBeforeDraw(order: LobbyOrder) -> Bool {
        order == .draw && drawnPlaces.isEmpty && (state == .scheduled || state == .lobby)
    }

    /// Where the holder of a place stands who waits.
    func prospect(ofPlace place: Int, policy: AdmissionPolicy?) -> Prospect {
        let position = position(ofPlace: place)
        return Prospect(
            position: position, behind: UInt64(waiting.count) - min(UInt64(waiting.count), position),
            estimate: estimate(position: position, policy: policy))
    }

    /// The wait for a position, while the line admits.
    func estimate(position: UInt64, policy: AdmissionPolicy?) -> Estimate? {
        guard state == .open || state == .draining else { return nil }
        var turnstile: Double?
        if let policy, policy.batch > 0, policy.intervalMs > 0 {
            turnstile = Double(policy.batch) * 1000 / Double(policy.intervalMs)
        }
        return rate.estimate(position: position, turnstile: turnstile)
            .map { Estimate(lowMs: $0.lowMilliseconds, highMs: $0.highMilliseconds) }
    }
}
