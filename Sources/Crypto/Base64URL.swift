// Base 64 for URLs (RFC 4648 §5), without padding, as JOSE wants it (RFC 7515 §2).
//
//   3 bytes  aaaaaaaa bbbbbbbb cccccccc
//   4 chars  aaaaaa aabbbb bbbbcc cccccc
//
// Decoding is strict, so that every byte string has exactly one text: no white space, no foreign characters, no
// padding, and the unused low bits of the last character are zero (§3.5). Otherwise a token could be changed without its bytes
// changing.

/// Bytes as text for URLs and JSON.
public enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    /// The value of each byte as a digit; 0xFF: none.
    private static let digits = {
        var digits = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { digits[Int(character)] = UInt8(value) }
        return digits
    }()

    /// The text of the bytes.
    public static func encode(_ bytes: RawSpan) -> String {
        var text: [UInt8] = []
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The text of the bytes.
    public static func encode(_ bytes: [UInt8]) -> String { encode(bytes.rawSpan) }

    /// Appends the text of the bytes as ASCII.
    public static func append(_ bytes: RawSpan, to text: inout [UInt8]) {
        text.reserveCapacity(text.count + (bytes.byteCount + 2) / 3 * 4)
        func byte(_ offset: Int) -> UInt32 { UInt32(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) }
        var offset = 0
        while offset + 3 <= bytes.byteCount {
            let group = byte(offset) << 16 | byte(offset + 1) << 8 | byte(offset + 2)
            for shift in stride(from: 18, through: 0, by: -6) { text.append(alphabet[Int(group >> UInt32(shift) & 63)]) }
            offset += 3
        }
        let left = bytes.byteCount - offset
        guard left > 0 else { return }
        let group = byte(offset) << 16 | (left == 2 ? byte(offset + 1) << 8 : 0)
        for index in 0...left { text.append(alphabet[Int(group >> UInt32(18 - 6 * index) & 63)]) }
    }

    /// The bytes of the text, or nil if the text is not exactly what encoding some bytes gives.
    public static func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8)) }

    /// The bytes of the ASCII text, or nil if the text is not exactly what encoding some bytes gives.
    public static func decode(_ text: [UInt8]) -> [UInt8]? { decode(text[...]) }

    /// The bytes of the ASCII text, or nil if the text is not exactly what encoding some bytes gives.
    public static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 2)
        var pending: UInt32 = 0
        var pendingBits = 0
        for character in text {
            let digit = digits[Int(character)]
            guard digit != 0xFF else { return nil }
            pending = pending << 6 | UInt32(digit)
            pendingBits += 6
            if pendingBits >= 8 {
                pendingBits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(pendingBits)))
                pending &= 1 << UInt32(pendingBits) - 1
            }
        }
        return pending == 0 ? bytes : nil
    }
}
