/// Base64 of RFC 4648 section 4, as far as the handshake needs it.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for index in 0..<3 { bits = bits << 8 | (index < group.count ? UInt32(group[start + index]) : 0) }
            for index in 0..<4 {
                text.append(index <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether the text encodes 16 bytes. The four bits left over in the last character are not looked at:
    /// they carry nothing, and clients in the field set them.
    static func encodesSixteenBytes(_ text: String) -> Bool {
        let characters = Array(text.utf8)
        return characters.count == 24 && characters[..<22].allSatisfy(alphabet.contains)
            && characters[22...].elementsEqual("==".utf8)
    }
}
