/// Why bytes are not a protobuf message, and where.
///
/// `at` counts bytes from the start of the outermost message, whatever the nesting, and names the first byte of the
/// thing that is wrong: the tag, the varint, the length or the text. Whatever was decoded before stays decoded in a
/// `merge`; an initialiser that throws yields nothing.
public enum WireError: Error, Equatable, Sendable {
    /// The bytes end within a tag, a number or a group.
    case truncated(at: Int)
    /// A varint is longer than ten bytes, or a tag or a length longer than five.
    case overlongVarint(at: Int)
    /// A field number is 0 or above 2²⁹−1.
    case invalidFieldNumber(at: Int)
    /// A wire type is 6 or 7, which mean nothing.
    case invalidWireType(at: Int)
    /// A length reaches past the end of what encloses it.
    case lengthPastEnd(at: Int)
    /// A field of type `string` is not UTF-8.
    case invalidUTF8(at: Int)
    /// The end of a group that was not begun, or was begun with another number.
    case unmatchedEndGroup(at: Int)
    /// Messages and groups are nested deeper than ``WireReader/depthMax``.
    case nestedTooDeep(at: Int)
}
