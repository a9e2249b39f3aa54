/// A proto3 enum: open, so every number has a value, known or not, and survives decoding and encoding.
public protocol WireEnum: Sendable, Hashable {
    /// The value of `rawValue`; numbers nobody has named give `unrecognized`.
    init(rawValue: Int32)
    /// The number on the wire. 0 is the default and is left out.
    var rawValue: Int32 { get }
}
