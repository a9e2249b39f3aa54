import Crypto
import Testing

/// The examples of RFC 7515 appendix A and RFC 8037 appendix A.
private enum Published {
    static let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    static let now: UInt64 = 1_300_819_379_000

    // RFC 7515 A.2
    static let rsaModulus =
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs"
        + "D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV"
        + "MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    static let rsaKey = #"{"kty":"RSA","n":"\#(rsaModulus)","e":"AQAB"}"#
    static let rsaToken =
        "eyJhbGciOiJSUzI1NiJ9." + claims
        + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZ"
        + "cAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-e"
        + "OkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

    // RFC 7515 A.3
    static let ecX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    static let ecY = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    static let ecKey = #"{"kty":"EC","crv":"P-256","x":"\#(ecX)","y":"\#(ecY)"}"#
    static let ecToken =
        "eyJhbGciOiJFUzI1NiJ9." + claims
        + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

    // RFC 8037 A.2, A.3, A.4
    static let okpX = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    static let okpKey = #"{"kty":"OKP","crv":"Ed25519","x":"\#(okpX)"}"#

    static func set(_ keys: String...) throws -> JWKS {
        try JWKS(parsing: Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8))
    }
}

@Suite struct JWKSTests {
    @Test(arguments: [("RS256", Published.rsaToken), ("ES256", Published.ecToken)])
    func `the tokens of RFC 7515 verify against their keys`(name: String, token: String) throws {
        let keys = try Published.set(Published.rsaKey, Published.ecKey, Published.okpKey)
        let verified = try keys.verify(token, policy: JWTPolicy(issuer: "joe"), now: Published.now)
        #expect(verified.claims["http://example.com/is_root"] == .bool(true))
        #expect(verified.expiresAtMilliseconds == 1_300_819_380_000)
    }

    @Test(arguments: [Published.rsaToken, Published.ecToken])
    func `an identity provider's token with a signature bit changed is refused`(token: String) throws {
        let keys = try Published.set(Published.rsaKey, Published.ecKey)
        _ = try keys.verify(token, policy: JWTPolicy(), now: Published.now)
        let parts = token.split(separator: ".")
        let signature = try #require(Base64URL.decode(String(parts[2])))
        for bit in stride(from: 0, to: signature.count * 8, by: 7) {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let forged = "\(parts[0]).\(parts[1]).\(Base64URL.encode(changed))"
            #expect { try keys.verify(forged, policy: JWTPolicy(), now: Published.now) } throws: {
                ($0 as? JWTError)?.reason == .badSignature
            }
        }
        // All zero (CVE-2022-21449), a leading zero more, a byte less, DER instead of r and s.
        for wrong in [[UInt8](repeating: 0, count: signature.count), [0] + signature, Array(signature.dropLast()), []] {
            let forged = "\(parts[0]).\(parts[1]).\(Base64URL.encode(wrong))"
            #expect { try keys.verify(forged, policy: JWTPolicy(), now: Published.now) } throws: {
                ($0 as? JWTError)?.reason == .badSignature
            }
        }
    }

    @Test func `an algorithm the policy leaves out is refused`() throws {
        let keys = try Published.set(Published.rsaKey)
        let policy = JWTPolicy(algorithms: [.eddsa, .es256])
        #expect { try keys.verify(Published.rsaToken, policy: policy, now: Published.now) } throws: {
            ($0 as? JWTError)?.reason == .unsupportedAlgorithm
        }
    }

    @Test func `the signature of RFC 8037 verifies and is the one we make`() throws {
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
        let signature = try #require(
            Base64URL.decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"))
        let seed = try #require(Base64URL.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
        let key = try Ed25519PrivateKey(seed: seed)
        #expect(try key.sign(Array(signed.utf8)) == signature)
        let jwk = try #require(try Published.set(Published.okpKey).keys.first)
        #expect(jwk.material == .ed25519(x: key.publicKey.rawBytes))
    }

    // RFC 7638 §3.1 and RFC 8037 A.3.
    @Test(arguments: [
        (
            #"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        ),
        (Published.okpKey, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ])
    func `thumbprints are the RFC's`(key: String, thumbprint: String) throws {
        #expect(try Published.set(key).keys.first?.thumbprint == thumbprint)
    }

    @Test func `a printed set reads back as the same keys, named by thumbprint`() throws {
        let printed = JWKS([
            JWK(try Ed25519PrivateKey.generate().publicKey),
            try #require(try Published.set(Published.rsaKey).keys.first),
            try #require(try Published.set(Published.ecKey).keys.first),
        ])
        let read = try JWKS(parsing: Array(printed.json.utf8))
        #expect(read.ignoredCount == 0)
        #expect(read.keys.map(\.material) == printed.keys.map(\.material))
        #expect(read.keys.map(\.keyID) == printed.keys.map(\.thumbprint))
    }

    @Test func `our set is printed to the letter`() throws {
        let key = try Ed25519PublicKey(rawBytes: hex(Ed25519Tests.vectors[0].publicKey))
        #expect(
            JWKS([JWK(key)]).json
                == #"{"keys":[{"crv":"Ed25519","kty":"OKP","x":"\#(Published.okpX)","alg":"EdDSA","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","use":"sig"}]}"#
        )
        #expect(JWKS().json == #"{"keys":[]}"#)
    }

    @Test func `inserting a key twice keeps one`() throws {
        let key = JWK(try Ed25519PrivateKey.generate().publicKey)
        var keys = JWKS([key])
        keys.insert(key)
        #expect(keys.keys == [key])
    }

    @Test(arguments: [
        #"{"kty":"oct","k":"AAAA"}"#, #"{"kty":"OKP","crv":"X25519","x":"X"}"#, #"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#,
        #"{"kty":"OKP","crv":"Ed25519"}"#, #"{"kty":"OKP","crv":"Ed25519","x":7}"#, #"{"kty":"OKP","crv":"Ed25519","x":"X="}"#,
        #"{"kty":"OKP","crv":"Ed25519","x":"X","use":"enc"}"#, #"{"kty":"OKP","crv":"Ed25519","x":"X","alg":"ES256"}"#,
        #"{"kty":"OKP","crv":"Ed25519","x":"X","key_ops":["sign"]}"#, #"{"kty":"OKP","crv":"Ed25519","x":"X","d":"X"}"#,
        #"{"kty":"OKP","crv":"Ed25519","x":"X","kid":7}"#,
        #"{"kty":"EC","crv":"P-384","x":"X","y":"X"}"#, #"{"kty":"EC","crv":"P-256","x":"X","y":"X"}"#,
        #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
        #"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, #"{"kty":"RSA","n":"N","e":"AQ"}"#, #"{"kty":"RSA","n":"N","e":"AQAC"}"#,
        #"{"kty":"RSA","n":"N","e":""}"#, #"{"kty":"RSA","n":"N","e":"AQAAAAE"}"#, #"{"kty":"RSA","n":"","e":"AQAB"}"#,
        #"{"kty":"RSA","n":"AAN","e":"AQAB"}"#,
        #"{"kty":"RSA","n":"N","e":"AQAB","alg":"RS512"}"#, "7", "null", "{}", "[]",
    ])
    func `a member we don't understand or must not trust is ignored, the rest stays`(member: String) throws {
        let member = member.replacing(#""X"#, with: "\"" + Published.okpX).replacing(
            #"AAN""#, with: "AA" + Published.rsaModulus + "\""
        )
        .replacing(#""N""#, with: "\"" + Published.rsaModulus + "\"")
        let keys = try Published.set(member, Published.ecKey)
        #expect(keys.ignoredCount == 1)
        #expect(keys.keys.count == 1)
    }

    @Test(arguments: ["", "x", "[]", "{}", #"{"keys":{}}"#, #"{"keys":null}"#, #"{"keys":[]"#, "\u{FEFF}{\"keys\":[]} x"])
    func `what is no key set is refused`(text: String) {
        #expect { try JWKS(parsing: Array(text.utf8)) } throws: { ($0 as? JWTError)?.reason == .malformedKeySet }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: JWTError.self) { try JWKS(parsing: Array(#"{"keys":[],"x":""#.utf8) + [0xFF, 0x22, 0x7D]) }
        let utf16 = #"{"keys":[]}"#.utf8.flatMap { byte -> [UInt8] in [byte, 0] }
        #expect(throws: JWTError.self) { try JWKS(parsing: utf16) }
    }

    @Test func `256 members are read and one more is refused`() throws {
        func text(_ count: Int) -> [UInt8] {
            Array((#"{"keys":["# + Array(repeating: "{}", count: count).joined(separator: ",") + "]}").utf8)
        }
        #expect(try JWKS(parsing: text(256)).ignoredCount == 256)
        #expect(throws: JWTError.self) { try JWKS(parsing: text(257)) }
        let large = Array(#"{"keys":[]}"#.utf8) + [UInt8](repeating: 0x20, count: JWKS.byteCountMax - 11)
        #expect(try JWKS(parsing: large).keys.isEmpty)
        #expect(throws: JWTError.self) { try JWKS(parsing: large + [0x20]) }
    }
}
