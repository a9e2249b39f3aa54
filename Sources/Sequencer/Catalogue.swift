public import SeatMap
public import UsherAPI

/// What is on sale, as every loop sees it: immutable, replaced whole when an operator changes something, so that a
/// reader holds one reference and takes no lock. Concerts and performances are named by dense indices that never change.
public final class Catalogue: Sendable {
    /// One performance with the published image of its seats.
    public struct PerformanceRecord: Sendable {
        public var settings: PerformanceSettings
        public var concert: Int
        /// Price of seat n at index n − 1.
        public var prices: [UInt64]
        public var shard: SeatShard
        public var priceRange: ClosedRange<UInt64>
    }

    /// One concert and its performances in order of (start, id).
    public struct ConcertRecord: Sendable {
        public var settings: ConcertSettings
        public var drawCommitment: [UInt8]
        public var performances: [Int]
    }

    public let concerts: [ConcertRecord]
    public let performances: [PerformanceRecord]
    /// Concert indices in order of id, as lists show them.
    public let concertsByID: [Int]
    private let concertIndex: [String: Int]
    private let performanceIndex: [String: Int]

    public init(concerts: [ConcertRecord], performances: [PerformanceRecord]) {
        self.concerts = concerts
        self.performances = performances
        concertsByID = concerts.indices.sorted { concerts[$0].settings.id < concerts[$1].settings.id }
        concertIndex = Dictionary(uniqueKeysWithValues: concerts.indices.map { (concerts[$0].settings.id, $0) })
        performanceIndex = Dictionary(uniqueKeysWithValues: performances.indices.map { (performances[$0].settings.id, $0) })
    }

    /// The empty catalogue.
    public convenience init() {
        self.init(concerts: [], performances: [])
    }

    public func concert(_ id: String) -> Int? { concertIndex[id] }

    public func performance(_ id: String) -> Int? { performanceIndex[id] }
}
