// UUIDs as text (RFC 9562, section 4): 32 hexadecimal digits in groups of 8-4-4-4-12, the `high` half first.

extension Uuid: Comparable, LosslessStringConvertible {
    /// The nil UUID, which stands for "none".
    public static let none = Uuid()

    /// Whether this is the nil UUID.
    public var isNone: Bool { high == 0 && low == 0 }

    /// The order of the sixteen bytes, which is also that of the text.
    public static func < (left: Uuid, right: Uuid) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// The 36 characters, in lower case.
    public var description: String {
        let digits: StaticString = "0123456789abcdef"
        var text: [UInt8] = []
        text.reserveCapacity(Uuid.textByteCount)
        for index in 0..<32 {
            if Uuid.startsGroup(index) { text.append(UInt8(ascii: "-")) }
            let half = index < 16 ? high : low
            let nibble = Int(half >> UInt64(60 - index % 16 * 4) & 0xF)
            // Safe: a static string is never freed, and a nibble is below its 16 digits.
            text.append(unsafe digits.utf8Start[nibble])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A UUID from its 36 characters, in either case; nil if `text` is anything else.
    public init?(_ text: String) {
        var halves: [UInt64] = [0, 0]
        var index = 0
        var dashExpected = false
        for byte in text.utf8 {
            if dashExpected {
                guard byte == UInt8(ascii: "-") else { return nil }
                dashExpected = false
                continue
            }
            guard index < 32, let nibble = Uuid.nibble(byte) else { return nil }
            halves[index / 16] = halves[index / 16] << 4 | nibble
            index += 1
            dashExpected = Uuid.startsGroup(index)
        }
        guard index == 32 else { return nil }
        self.init(high: halves[0], low: halves[1])
    }

    private static let textByteCount = 36

    /// Whether a dash stands before the digit of this index.
    private static func startsGroup(_ index: Int) -> Bool {
        index == 8 || index == 12 || index == 16 || index == 20
    }

    private static func nibble(_ digit: UInt8) -> UInt64? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(digit - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(digit - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
