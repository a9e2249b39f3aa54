import Crypto
import Testing

// SHA: FIPS 180-4 examples (csrc.nist.gov, "Examples with Intermediate Values").
@Suite struct HashTests {
    static let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (long, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    ])
    func `sha256 gives the standard's digests`(message: String, digest: String) {
        #expect(sha256(Array(message.utf8)) == hex(digest))
    }

    @Test func `a million letters hashed in uneven pieces give the standard's digest`() {
        var hasher = SHA256()
        var left = 1_000_000
        var size = 0
        while left > 0 {
            size = size % 4099 + 1
            let piece = min(size, left)
            hasher.update([UInt8](repeating: UInt8(ascii: "a"), count: piece))
            left -= piece
        }
        let digest = hasher.finalize()
        #expect(digest == hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"))
    }

    @Test func `every cut of a message gives the digest of the whole`() {
        let message = Array("the journal decides, memory answers, sockets push".utf8)
        for cut in 0...message.count {
            var hasher = SHA256()
            hasher.update(Array(message[..<cut]))
            hasher.update(Array(message[cut...]))
            let digest = hasher.finalize()
            #expect(digest == sha256(message))
        }
    }
}

@Suite struct BytesTests {
    @Test func `random bytes have the length asked for and differ`() {
        for count in [0, 1, 16, 1000] { #expect(randomBytes(count).count == count) }
        #expect(randomBytes(16) != randomBytes(16))
        // A byte that is never touched would stay zero in all 64 tries (chance 2^-512).
        let union = (0..<64).map { _ in randomBytes(33) }.reduce([UInt8](repeating: 0, count: 33)) {
            zip($0, $1).map { $0 | $1 }
        }
        #expect(!union.contains(0))
    }

    @Test(arguments: [
        ("", "", true), ("00", "00", true), ("00", "01", false), ("0102", "0103", false), ("0102", "0202", false),
        ("01", "0100", false), ("", "00", false),
    ])
    func `constant-time comparison is equality`(left: String, right: String, equal: Bool) {
        #expect(constantTimeEqual(hex(left), hex(right)) == equal)
    }
}

@Suite struct Base64URLTests {
    // RFC 4648 §10, without padding.
    @Test(arguments: [
        ("", ""), ("66", "Zg"), ("666f", "Zm8"), ("666f6f", "Zm9v"), ("666f6f62", "Zm9vYg"), ("666f6f6261", "Zm9vYmE"),
        ("666f6f626172", "Zm9vYmFy"), ("fbff", "-_8"), ("ffffff", "____"), ("03ecffe0c1", "A-z_4ME"),
    ])
    func `the table reads both ways`(bytes: String, text: String) {
        #expect(Base64URL.encode(hex(bytes)) == text)
        #expect(Base64URL.decode(text) == hex(bytes))
    }

    @Test(arguments: ["Z", "Zg==", "Zg=", "Zm8=", "=", "Zh", "Zm9", "+/8", "Zm 9v", "Zm9vY", "Zm9v\n", "Z.g", "é"])
    func `decoding refuses what no bytes encode to`(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test func `of all texts of two and three characters exactly the canonical ones decode`() {
        // 256 one-byte strings have a text of two characters, 65,536 two-byte strings one of three.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8.map { $0 }
        var two = 0, three = 0
        for a in alphabet {
            for b in alphabet {
                if Base64URL.decode([a, b]) != nil { two += 1 }
                for c in alphabet where Base64URL.decode([a, b, c]) != nil { three += 1 }
            }
        }
        #expect(two == 256)
        #expect(three == 65_536)
    }
}
