internal import BoxOffice
internal import Sequencer
internal import UsherAPI

/// The line as one loop sees it: its own copy of who waits and who is active, brought up to date by the sequencer's deltas.
struct LinePicture {
    private(set) var state = LineState.scheduled
    private(set) var waiting = PlaceSet()
    private(set) var active = PlaceSet()

    init(_ image: LineImage?) {
        guard let image else { return }
        state = image.state
        waiting = image.waiting
        active = image.active
    }

    mutating func apply(_ change: LineChange) {
        switch change {
        case .joined(_, let joinNumber, _): waiting.insert(Int(joinNumber))
        case .left(_, let place): waiting.remove(Int(place))
        case .admitted(_, let place, _):
            waiting.remove(Int(place))
            active.insert(Int(place))
        case .ended(_, let place): active.remove(Int(place))
        case .drawn: break
        case .state(_, let state):
            self.state = state
            if state == .closed { waiting.removeAll() }
        }
    }
}
