/// Names one call of a connection: chosen by the client, growing, never used twice on the connection, never 0.
public struct CallID: Hashable, Comparable, Sendable {
    /// The number in a frame's header.
    public let rawValue: UInt32

    /// The call of that number, which must not be 0: that names the connection itself.
    public init(_ rawValue: UInt32) {
        precondition(rawValue != 0, "call id 0 names the connection")
        self.rawValue = rawValue
    }

    /// In the order of opening.
    public static func < (left: CallID, right: CallID) -> Bool { left.rawValue < right.rawValue }
}
