public import BoxOffice
public import UsherAPI

/// One line at a journal position, from which a loop's own copy starts.
public struct LineImage: Sendable {
    public var state: LineState
    public var joined: Int
    public var waiting: PlaceSet
    public var active: PlaceSet
    public var drawSeed: [UInt8]
    /// Join numbers that the draw permuted; 0 before it.
    public var drawn: Int
    public var notices: [Notice]

    /// The line of a new concert.
    public static let new = LineImage(
        state: .scheduled, joined: 0, waiting: PlaceSet(), active: PlaceSet(), drawSeed: [], drawn: 0, notices: [])
}

/// One performance's seats at a journal position.
public struct SeatImage: Sendable {
    public var revision: UInt64
    /// State of seat n at index n − 1.
    public var states: [SeatState]

    public init(revision: UInt64, states: [SeatState]) {
        self.revision = revision
        self.states = states
    }
}

/// Everything a loop needs to begin: after it, deltas.
public struct SaleImage: Sendable {
    public var position: UInt64
    public var timeMilliseconds: UInt64
    public var catalogue: Catalogue
    public var lines: [LineImage]
    public var seats: [SeatImage]
    public var keys: [[UInt8]]
}

extension Sequencer {
    /// The sale as it stands. O(everything): for starting loops.
    public func image() -> SaleImage {
        var lines: [LineImage] = []
        for index in 0..<office.concertCount {
            guard let facts = office.concert(index) else { continue }
            lines.append(
                LineImage(
                    state: facts.lineState, joined: Int(office.joined(concert: index)),
                    waiting: office.waitingPlaces(ofConcert: index),
                    active: office.activePlaces(ofConcert: index), drawSeed: facts.drawSeed, drawn: Int(facts.drawn),
                    notices: office.notices(ofConcert: index)))
        }
        var seats: [SeatImage] = []
        for index in 0..<office.performanceCount {
            guard let status = office.performance(index) else { continue }
            let states = (1...status.prices.count).map { office.seatState(performance: index, seat: $0)?.state ?? .available }
            seats.append(SeatImage(revision: status.revision, states: states))
        }
        return SaleImage(
            position: office.position, timeMilliseconds: office.clock, catalogue: catalogue, lines: lines, seats: seats,
            keys: office.keys.map(\.ed25519))
    }
}
