// UTF-8 checked as it arrives, RFC 3629 section 4 (no overlong forms, no surrogates, nothing past U+10FFFF).
// A byte that cannot belong to any valid text is refused as soon as it is seen, though its character be
// split over frames or reads: RFC 6455 section 8.1 and the "fail fast" cases 6.4 of the Autobahn suite.
//
//   state        expects next                    then
//   start        00–7F | C2–DF | E0 | …          by lead byte
//   oneLeft      80–BF                           start
//   twoLeft      80–BF                           oneLeft
//   threeLeft    80–BF                           twoLeft
//   afterE0      A0–BF (80–9F were overlong)     oneLeft
//   afterED      80–9F (A0–BF were surrogates)   oneLeft
//   afterF0      90–BF (80–8F were overlong)     twoLeft
//   afterF4      80–8F (90–BF > U+10FFFF)        twoLeft

/// An incremental check of UTF-8 that keeps one byte between pieces.
struct UTF8Checker: Sendable {
    private enum State: UInt8 {
        case start, oneLeft, twoLeft, threeLeft, afterE0, afterED, afterF0, afterF4
    }

    private var state = State.start

    /// Whether the text so far ends with a whole character.
    var isComplete: Bool { state == .start }

    /// Whether `text` is UTF-8 as a whole.
    static func accepts(_ text: RawSpan) -> Bool {
        var checker = UTF8Checker()
        return checker.take(text) && checker.isComplete
    }

    /// Takes the next bytes of the text.
    ///
    /// - Returns: false if no continuation can make the text valid.
    mutating func take(_ text: RawSpan) -> Bool {
        // Safe: all offsets are below `count`; the wide load is an unaligned one of eight bytes inside it.
        unsafe text.withUnsafeBytes { bytes in
            let count = bytes.count
            var state = self.state
            var offset = 0
            while offset < count {
                if state == .start {
                    while offset + 8 <= count,
                        unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
                    {
                        offset += 8
                    }
                    if offset == count { break }
                }
                guard let next = Self.state(after: unsafe bytes[offset], in: state) else { return false }
                state = next
                offset += 1
            }
            self.state = state
            return true
        }
    }

    private static func state(after byte: UInt8, in state: State) -> State? {
        switch state {
        case .start:
            switch byte {
            case 0x00...0x7f: .start
            case 0xc2...0xdf: .oneLeft
            case 0xe0: .afterE0
            case 0xed: .afterED
            case 0xe1...0xef: .twoLeft
            case 0xf0: .afterF0
            case 0xf1...0xf3: .threeLeft
            case 0xf4: .afterF4
            default: nil
            }
        case .oneLeft: byte & 0xc0 == 0x80 ? .start : nil
        case .twoLeft: byte & 0xc0 == 0x80 ? .oneLeft : nil
        case .threeLeft: byte & 0xc0 == 0x80 ? .twoLeft : nil
        case .afterE0: byte & 0xe0 == 0xa0 ? .oneLeft : nil
        case .afterED: byte & 0xe0 == 0x80 ? .oneLeft : nil
        case .afterF0: (0x90...0xbf).contains(byte) ? .twoLeft : nil
        case .afterF4: byte & 0xf0 == 0x80 ? .twoLeft : nil
        }
    }
}
