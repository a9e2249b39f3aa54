// Every method of protocol/usher/v1/*.proto, in the order of the services there.

import Wire

/// A method that can be called: what OPEN names.
public enum Method: CaseIterable, Sendable {
    // Session
    case authenticate
    // Line
    case join, check, leave
    // Catalogue
    case listConcerts, listPerformances, listSeats, streamSeats, watchSeats
    // Reservations
    case hold, release, cancelReservation, listReservations
    // Accounts
    case charge, getBalance, listTransactions
    // Payments
    case pay, listPayments
    // Operators
    case putConcert, putPerformance, setPolicy, openLobby, openLine, pauseLine, resumeLine, drainLine, closeLine
    case sendNotice, stats, watchStats

    /// How many answers a call gets.
    public enum Kind: Sendable {
        /// One, in CLOSE.
        case unary
        /// Any number of MESSAGEs, then CLOSE.
        case stream
    }

    /// The path as OPEN carries it.
    public var path: StaticString {
        switch self {
        case .authenticate: "/usher.v1.Session/Authenticate"
        case .join: "/usher.v1.Line/Join"
        case .check: "/usher.v1.Line/Check"
        case .leave: "/usher.v1.Line/Leave"
        case .listConcerts: "/usher.v1.Catalogue/ListConcerts"
        case .listPerformances: "/usher.v1.Catalogue/ListPerformances"
        case .listSeats: "/usher.v1.Catalogue/ListSeats"
        case .streamSeats: "/usher.v1.Catalogue/StreamSeats"
        case .watchSeats: "/usher.v1.Catalogue/WatchSeats"
        case .hold: "/usher.v1.Reservations/Hold"
        case .release: "/usher.v1.Reservations/Release"
        case .cancelReservation: "/usher.v1.Reservations/Cancel"
        case .listReservations: "/usher.v1.Reservations/List"
        case .charge: "/usher.v1.Accounts/Charge"
        case .getBalance: "/usher.v1.Accounts/GetBalance"
        case .listTransactions: "/usher.v1.Accounts/ListTransactions"
        case .pay: "/usher.v1.Payments/Pay"
        case .listPayments: "/usher.v1.Payments/List"
        case .putConcert: "/usher.v1.Operators/PutConcert"
        case .putPerformance: "/usher.v1.Operators/PutPerformance"
        case .setPolicy: "/usher.v1.Operators/SetPolicy"
        case .openLobby: "/usher.v1.Operators/OpenLobby"
        case .openLine: "/usher.v1.Operators/Open"
        case .pauseLine: "/usher.v1.Operators/Pause"
        case .resumeLine: "/usher.v1.Operators/Resume"
        case .drainLine: "/usher.v1.Operators/Drain"
        case .closeLine: "/usher.v1.Operators/Close"
        case .sendNotice: "/usher.v1.Operators/SendNotice"
        case .stats: "/usher.v1.Operators/Stats"
        case .watchStats: "/usher.v1.Operators/WatchStats"
        }
    }

    /// Whether the method answers once or streams.
    public var kind: Kind {
        switch self {
        case .join, .streamSeats, .watchSeats, .watchStats:
            .stream
        case .authenticate, .check, .leave, .listConcerts, .listPerformances, .listSeats, .hold, .release,
            .cancelReservation, .listReservations, .charge, .getBalance, .listTransactions, .pay, .listPayments,
            .putConcert, .putPerformance, .setPolicy, .openLobby, .openLine, .pauseLine, .resumeLine, .drainLine,
            .closeLine, .sendNotice, .stats:
            .unary
        }
    }

    /// Whether the method may change the state: then OPEN needs a request id, and its outcome is remembered.
    public var isCommand: Bool {
        switch self {
        case .join, .leave, .hold, .release, .cancelReservation, .charge, .pay, .putConcert, .putPerformance,
            .setPolicy, .openLobby, .openLine, .pauseLine, .resumeLine, .drainLine, .closeLine, .sendNotice:
            true
        case .authenticate, .check, .listConcerts, .listPerformances, .listSeats, .streamSeats, .watchSeats,
            .listReservations, .getBalance, .listTransactions, .listPayments, .stats, .watchStats:
            false
        }
    }

    /// Whether only operators may call it.
    public var isForOperators: Bool {
        switch self {
        case .putConcert, .putPerformance, .setPolicy, .openLobby, .openLine, .pauseLine, .resumeLine, .drainLine,
            .closeLine, .sendNotice, .stats, .watchStats:
            true
        case .authenticate, .join, .check, .leave, .listConcerts, .listPerformances, .listSeats, .streamSeats,
            .watchSeats, .hold, .release, .cancelReservation, .listReservations, .charge, .getBalance,
            .listTransactions, .pay, .listPayments:
            false
        }
    }

    /// The method of a path, compared byte by byte; nil if there is none. Allocates nothing.
    public init?(path: RawSpan) {
        guard path.byteCount < Method.byPathLength.count else { return nil }
        for method in Method.byPathLength[path.byteCount] where path.equals(method.path) {
            self = method
            return
        }
        return nil
    }

    /// The methods whose path has as many bytes as the index says: at most a handful to compare with.
    private static let byPathLength: [[Method]] = {
        let lengths = allCases.map(\.path.utf8CodeUnitCount)
        var methods = [[Method]](repeating: [], count: 1 + (lengths.max() ?? 0))
        for (method, length) in zip(allCases, lengths) { methods[length].append(method) }
        return methods
    }()
}

extension Method: CustomStringConvertible {
    /// The path.
    public var description: String { path.description }
}
