public import Wire

/// GRPC's status codes, with gRPC's meaning.
public enum StatusCode: WireEnum {
    /// Done.
    case ok
    /// Stopped, as a rule by the caller.
    case cancelled
    /// An error of which nothing else is known.
    case unknown
    /// The request is wrong in itself, whatever the state.
    case invalidArgument
    /// Time ran out; a command may still have been carried out.
    case deadlineExceeded
    /// What was named does not exist.
    case notFound
    /// What was to be made exists already.
    case alreadyExists
    /// The caller is known and may not.
    case permissionDenied
    /// A quota or a limit is used up.
    case resourceExhausted
    /// The state does not allow it; retrying alone will not help.
    case failedPrecondition
    /// Somebody else was faster; trying anew may help.
    case aborted
    /// Past the valid range, in the present state.
    case outOfRange
    /// This server does not know the method.
    case unimplemented
    /// A promise of the server is broken.
    case `internal`
    /// Not now; retry with backoff.
    case unavailable
    /// Data is lost or corrupt.
    case dataLoss
    /// Who is calling is not known.
    case unauthenticated
    /// A number this version has no name for.
    case unrecognized(Int32)

    /// The value of a number on the wire.
    public init(rawValue: Int32) {
        switch rawValue {
        case 0: self = .ok
        case 1: self = .cancelled
        case 2: self = .unknown
        case 3: self = .invalidArgument
        case 4: self = .deadlineExceeded
        case 5: self = .notFound
        case 6: self = .alreadyExists
        case 7: self = .permissionDenied
        case 8: self = .resourceExhausted
        case 9: self = .failedPrecondition
        case 10: self = .aborted
        case 11: self = .outOfRange
        case 12: self = .unimplemented
        case 13: self = .internal
        case 14: self = .unavailable
        case 15: self = .dataLoss
        case 16: self = .unauthenticated
        default: self = .unrecognized(rawValue)
        }
    }

    /// The number on the wire.
    public var rawValue: Int32 {
        switch self {
        case .ok: 0
        case .cancelled: 1
        case .unknown: 2
        case .invalidArgument: 3
        case .deadlineExceeded: 4
        case .notFound: 5
        case .alreadyExists: 6
        case .permissionDenied: 7
        case .resourceExhausted: 8
        case .failedPrecondition: 9
        case .aborted: 10
        case .outOfRange: 11
        case .unimplemented: 12
        case .internal: 13
        case .unavailable: 14
        case .dataLoss: 15
        case .unauthenticated: 16
        case .unrecognized(let number): number
        }
    }
}
