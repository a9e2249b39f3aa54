// Masking of payloads, RFC 6455 section 5.3: byte i is XORed with byte i mod 4 of the key.
//
// A key is kept as the UInt32 whose *little-endian* bytes are the key's bytes in wire order, so that
// "the next byte's mask" is always the lowest byte and a payload that comes in pieces only rotates the key.

extension MutableRawSpan {
    /// Masks or unmasks `range` in place, eight bytes at a time.
    ///
    /// - Returns: the key with which the byte after `range` continues.
    mutating func mask(_ range: Range<Int>, with key: UInt32) -> UInt32 {
        guard key != 0 else { return 0 }
        // Safe: the loops stay inside `range`, which the precondition keeps inside the bytes; loads and
        // stores are unaligned ones.
        unsafe withUnsafeMutableBytes { bytes in
            precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
            guard range.count > 0, let base = bytes.baseAddress else { return }
            let start = unsafe base + range.lowerBound
            let wide = (UInt64(key) << 32 | UInt64(key)).littleEndian
            let wholeWords = range.count & ~7
            var offset = 0
            while offset < wholeWords {
                let word = unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                unsafe start.storeBytes(of: word ^ wide, toByteOffset: offset, as: UInt64.self)
                offset += 8
            }
            var rest = key
            while offset < range.count {
                let byte = unsafe start.load(fromByteOffset: offset, as: UInt8.self)
                unsafe start.storeBytes(of: byte ^ UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
                rest = rest.rotatedRight(by: 8)
                offset += 1
            }
        }
        return key.rotatedRight(by: UInt32(truncatingIfNeeded: range.count & 3) * 8)
    }
}

extension UInt32 {
    fileprivate func rotatedRight(by bits: UInt32) -> UInt32 {
        self &>> bits | self &<< (32 &- bits)
    }
}

/// The masking keys of one client connection: a keyed pseudo-random sequence.
///
/// RFC 6455 section 10.3 wants keys that whoever chooses the payload cannot foresee. This is SipHash-2-4
/// (Aumasson and Bernstein, 2012) of a counter under a secret key: unpredictable without that key,
/// repeatable with it, and without a system call for each frame.
struct MaskingKeys {
    private let low: UInt64
    private let high: UInt64
    private var counter: UInt64 = 0

    /// - Parameter secret: 128 bits from a strong source of randomness, used for one connection only.
    init(secret: (low: UInt64, high: UInt64)) {
        low = secret.low
        high = secret.high
    }

    mutating func next() -> UInt32 {
        defer { counter &+= 1 }
        return UInt32(truncatingIfNeeded: Self.sipHash(of: counter, low, high))
    }

    /// SipHash-2-4 of the eight little-endian bytes of `message`.
    static func sipHash(of message: UInt64, _ low: UInt64, _ high: UInt64) -> UInt64 {
        var v0 = low ^ 0x736f_6d65_7073_6575
        var v1 = high ^ 0x646f_7261_6e64_6f6d
        var v2 = low ^ 0x6c79_6765_6e65_7261
        var v3 = high ^ 0x7465_6462_7974_6573

        func rounds(_ count: Int) {
            for _ in 0..<count {
                v0 &+= v1; v1 = v1 << 13 | v1 >> 51; v1 ^= v0; v0 = v0 << 32 | v0 >> 32
                v2 &+= v3; v3 = v3 << 16 | v3 >> 48; v3 ^= v2
                v0 &+= v3; v3 = v3 << 21 | v3 >> 43; v3 ^= v0
                v2 &+= v1; v1 = v1 << 17 | v1 >> 47; v1 ^= v2; v2 = v2 << 32 | v2 >> 32
            }
        }

        func take(_ block: UInt64) {
            v3 ^= block
            rounds(2)
            v0 ^= block
        }

        take(message)
        take(8 << 56)  // the length of the message in the top byte
        v2 ^= 0xff
        rounds(4)
        return v0 ^ v1 ^ v2 ^ v3
    }
}
