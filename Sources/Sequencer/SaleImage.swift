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
}

/// One performance's seats at a journal position.
public struct SeatImage: Sendable {
    public var revision: UInt64
    /// State of seat n at index n − 1.
    public var states: [SeatState]
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
        SaleImage(
            position: office.position, timeMilliseconds: office.timeMilliseconds, catalogue: catalogue,
            lines: catalogue.concerts.indices.map { office.line($0) },
            seats: catalogue.performances.indices.map { performance in
                SeatImage(
                    revision: office.performances[performance].revision,
                    states: catalogue.performances[performance].prices.indices.map { office.seat(performance: performance, seat: $0 + 1).state })
            },
            keys: office.keys.map(\.ed25519))
    }
}
