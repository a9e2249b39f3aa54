// Base 64 (RFC 4648): §4 with padding, §5 ("base64url") without, as JOSE wants it (RFC 7515 §2).
//
//   3 bytes  aaaaaaaa bbbbbbbb cccccccc
//   4 chars  aaaaaa aabbbb bbbbcc cccccc
//
// Decoding is strict, so that every byte string has exactly one text: no white space, no foreign characters, padding exactly
// where the variant has it, and the unused low bits of the last character are zero (§3.5). Otherwise a token could be
// changed without its bytes changing.

/// One of the two alphabets of RFC 4648, with its padding rule.
public struct Base64: Sendable {
    private let alphabet: [UInt8]
    /// The value of each byte as a digit; 0xFF: none.
    private let digits: [UInt8]
    private let pads: Bool

    /// `+` and `/`, padded with `=`.
    public static let standard = Base64(last: "+/", pads: true)
    /// `-` and `_`, never padded.
    public static let url = Base64(last: "-_", pads: false)

    private init(last: String, pads: Bool) {
        alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\(last)".utf8)
        var digits = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { digits[Int(character)] = UInt8(value) }
        self.digits = digits
        self.pads = pads
    }

    /// The text of the bytes.
    public func encode(_ bytes: RawSpan) -> String {
        var text: [UInt8] = []
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The text of the bytes.
    public func encode(_ bytes: [UInt8]) -> String { encode(bytes.rawSpan) }

    /// Appends the text of the bytes as ASCII.
    public func append(_ bytes: RawSpan, to text: inout [UInt8]) {
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
        if pads { for _ in left..<3 { text.append(UInt8(ascii: "=")) } }
    }

    /// The bytes of the text, or nil if the text is not exactly what encoding some bytes gives.
    public func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8)) }

    /// The bytes of the ASCII text, or nil if the text is not exactly what encoding some bytes gives.
    public func decode(_ text: [UInt8]) -> [UInt8]? { decode(text[...]) }

    /// The bytes of the ASCII text, or nil if the text is not exactly what encoding some bytes gives.
    public func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var body = text
        if pads {
            guard text.count % 4 == 0 else { return nil }
            // At most two: a third would leave one character, which no byte string gives.
            for _ in 0..<2 where body.last == UInt8(ascii: "=") { body.removeLast() }
        }
        guard body.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.count / 4 * 3 + 2)
        var pending: UInt32 = 0
        var pendingBits = 0
        for character in body {
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
