import Crypto
import Testing

/// A signer with the key of RFC 8032's first test, and helpers to forge tokens.
private enum Ours {
    static let key = try! Ed25519PrivateKey(seed: hex(Ed25519Tests.vectors[0].seed))
    static let signer = JWTSigner(key: key)
    static let keys = JWKS([signer.jwk])
    static let now: UInt64 = 1_700_000_000_000
    static let claims =
        #"{"iss":"usher","sub":"u","aud":["pass","x"],"exp":1700000100,"nbf":1699999900,"iat":1699999900,"jti":"7"}"#

    static func token(_ claims: String = claims) throws -> String { try signer.signJWT(claims: Array(claims.utf8)) }

    /// A token with any header and claims, rightly signed.
    static func forged(header: String, claims: String = claims) throws -> String {
        let signed = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(claims.utf8))
        return signed + "." + Base64URL.encode(try key.sign(Array(signed.utf8)))
    }

    static func reason(_ token: String, _ policy: JWTPolicy = JWTPolicy(), now: UInt64 = now, keys: JWKS = keys) -> JWTError
        .Reason?
    {
        do throws(JWTError) {
            _ = try keys.verify(token, policy: policy, now: now)
            return nil
        } catch {
            return error.reason
        }
    }
}

@Suite struct JWTTests {
    @Test func `a token of ours verifies and gives its claims back`() throws {
        let policy = JWTPolicy(issuer: "usher", audience: "pass", type: "jwt", algorithms: [.eddsa])
        let verified = try Ours.keys.verify(Ours.token(), policy: policy, now: Ours.now)
        #expect(verified.issuer == "usher")
        #expect(verified.subject == "u")
        #expect(verified.claims["aud"]?.strings == ["pass", "x"])
        #expect(verified.claims["jti"]?.string == "7")
        #expect(verified.expiresAtMilliseconds == 1_700_000_100_000)
        #expect(verified.key.thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    }

    @Test func `appending a token leaves what stands before it`() throws {
        var bytes: [UInt8] = Array("before ".utf8)
        try Ours.signer.appendJWT(claims: Array(Ours.claims.utf8), to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "before " + (try Ours.token()))
    }

    @Test func `a token with any character changed is refused`() throws {
        let token = Array(try Ours.token().utf8)
        for index in token.indices {
            for replacement in [UInt8(ascii: "A"), UInt8(ascii: "b"), UInt8(ascii: "."), UInt8(ascii: "=")]
            where token[index] != replacement {
                var changed = token
                changed[index] = replacement
                #expect(Ours.reason(String(decoding: changed, as: UTF8.self)) != nil, "index \(index)")
            }
        }
        for count in 0..<token.count { #expect(Ours.reason(String(decoding: token[..<count], as: UTF8.self)) != nil) }
    }

    @Test(arguments: [
        (#"{"alg":"none"}"#, JWTError.Reason.unsupportedAlgorithm),
        (#"{"alg":"NONE"}"#, .unsupportedAlgorithm),
        (#"{"alg":"HS256"}"#, .unsupportedAlgorithm),
        (#"{"alg":"PS256"}"#, .unsupportedAlgorithm),
        (#"{"alg":"eddsa"}"#, .unsupportedAlgorithm),
        (#"{"alg":""}"#, .unsupportedAlgorithm),
        (#"{"alg":"ES256","kid":"KID"}"#, .algorithmMismatch),
        (#"{"alg":"RS256","kid":"KID"}"#, .algorithmMismatch),
        (#"{"alg":"ES256"}"#, .unknownKey),
        (#"{"alg":"EdDSA","kid":"other"}"#, .unknownKey),
        (#"{"alg":"EdDSA","kid":null}"#, .malformed),
        (#"{"alg":"EdDSA","kid":7}"#, .malformed),
        (#"{"alg":"EdDSA","typ":7}"#, .malformed),
        (#"{"alg":7}"#, .malformed),
        (#"{"alg":null}"#, .malformed),
        (#"{"kid":"KID"}"#, .malformed),
        (#"["EdDSA"]"#, .malformed),
        (#""EdDSA""#, .malformed),
        (#"{"alg":"EdDSA""#, .malformed),
        (#"{"alg":"EdDSA"} x"#, .malformed),
        ("", .malformed),
        (#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#, .criticalHeader),
        (#"{"alg":"EdDSA","crit":[]}"#, .criticalHeader),
        (#"{"alg":"EdDSA","x":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}"#, .malformed),
    ])
    func `a header we must not take is refused though its signature holds`(header: String, reason: JWTError.Reason) throws {
        let header = header.replacing("KID", with: Ours.signer.jwk.thumbprint)
        #expect(try Ours.reason(Ours.forged(header: header)) == reason)
    }

    @Test func `a header without kid or type will do when one key has the algorithm`() throws {
        let token = try Ours.forged(header: #"{"alg":"EdDSA"}"#)
        #expect(Ours.reason(token) == nil)
        #expect(Ours.reason(token, JWTPolicy(type: "JWT")) == .wrongType)
        let two = JWKS([Ours.signer.jwk, JWK(try Ed25519PrivateKey.generate().publicKey)])
        #expect(Ours.reason(token, keys: two) == .unknownKey)
        #expect(Ours.reason(try Ours.token(), keys: two) == nil)
    }

    @Test func `a key that the token brings along is not used`() throws {
        let stranger = try Ed25519PrivateKey.generate()
        let token = try JWTSigner(key: stranger).signJWT(claims: Array(Ours.claims.utf8))
        #expect(Ours.reason(token) == .unknownKey)
        // The stranger names our key: the signature is not ours.
        let header = Base64URL.encode(Array(#"{"alg":"EdDSA","kid":"\#(Ours.signer.jwk.thumbprint)"}"#.utf8))
        let signed = header + "." + Base64URL.encode(Array(Ours.claims.utf8))
        #expect(Ours.reason(signed + "." + Base64URL.encode(try stranger.sign(Array(signed.utf8)))) == .badSignature)
    }

    @Test(arguments: [
        ("", JWTError.Reason.malformed), (".", .malformed), ("..", .malformed), ("...", .malformed), ("a.b", .malformed),
        ("a.b.c.d", .malformed), (String(repeating: ".", count: 20), .malformed), ("e30.e30.", .malformed),
        ("e30=.e30.AA", .malformed),
    ])
    func `what is not three parts of base64url is malformed`(token: String, reason: JWTError.Reason) {
        #expect(Ours.reason(token) == reason)
    }

    @Test func `a signature cut off or empty is refused`() throws {
        let token = try Ours.token()
        let parts = token.split(separator: ".")
        #expect(Ours.reason("\(parts[0]).\(parts[1]).") == .badSignature)
        #expect(Ours.reason("\(parts[0]).\(parts[1])") == .malformed)
        #expect(Ours.reason(token + ".") == .malformed)
        #expect(Ours.reason(token + "AAAA") == .badSignature)
    }

    @Test func `claims of 8 KiB are taken and one byte more is too large`() throws {
        func claims(_ count: Int) -> String {
            let empty = #"{"exp":1700000100,"pad":""}"#
            return empty.replacing(#""""#, with: "\"" + String(repeating: "x", count: count - empty.utf8.count) + "\"")
        }
        let header = #"{"alg":"EdDSA"}"#
        #expect(try Ours.reason(Ours.token(claims(8192))) == nil)
        #expect(try Ours.reason(Ours.forged(header: header, claims: claims(8193))) == .tooLarge)
        #expect(Ours.reason(String(repeating: "A", count: 1_000_000)) == .tooLarge)
        let wide = #"{"alg":"EdDSA","x":"\#(String(repeating: "x", count: 8192))"}"#
        #expect(try Ours.reason(Ours.forged(header: wide)) == .tooLarge)
    }

    // now is 1,700,000,000 s; the leeway 60 s.
    @Test(
        arguments: [
            (#"{"exp":1699999941}"#, nil), (#"{"exp":1699999940}"#, JWTError.Reason.expired), (#"{"exp":1699999940.001}"#, nil),
            (#"{"exp":0}"#, .expired), (#"{}"#, .missingExpiry), (#"{"exp":null}"#, .malformed),
            (#"{"exp":"1700000100"}"#, .malformed),
            (#"{"exp":-1}"#, .malformed), (#"{"exp":1e13}"#, .malformed), (#"{"exp":1e400}"#, .malformed),
            (#"{"exp":true}"#, .malformed),
            (#"{"exp":1.7e9}"#, nil),
            (#"{"exp":1700000100,"nbf":1700000060}"#, nil), (#"{"exp":1700000100,"nbf":1700000061}"#, .notYetValid),
            (#"{"exp":1700000100,"nbf":"x"}"#, .malformed),
            (#"{"exp":1700000100,"iat":1700000060}"#, nil), (#"{"exp":1700000100,"iat":1700000061}"#, .issuedInFuture),
            ("[]", .malformed), ("", .malformed), ("7", .malformed), (#"{"exp":1700000100"#, .malformed),
            (#"{"exp":1700000100,"x":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"#, .malformed),
        ] as [(String, JWTError.Reason?)])
    func `times are checked to the second with leeway`(claims: String, reason: JWTError.Reason?) throws {
        #expect(try Ours.reason(Ours.token(claims)) == reason)
    }

    @Test func `an expiry is needed only where the policy says so, and any leeway is safe`() throws {
        #expect(try Ours.reason(Ours.token("{}"), JWTPolicy(requiresExpiry: false)) == nil)
        #expect(try Ours.reason(Ours.token(#"{"exp":1,"nbf":1800000000}"#), JWTPolicy(leewayMilliseconds: .max)) == nil)
        #expect(try Ours.reason(Ours.token(#"{"exp":1700000000}"#), JWTPolicy(leewayMilliseconds: 0)) == .expired)
        #expect(try Ours.reason(Ours.token(#"{"exp":1700000000}"#), JWTPolicy(leewayMilliseconds: 0), now: Ours.now - 1) == nil)
    }

    @Test(
        arguments: [
            (#""iss":"a","aud":"b""#, nil), (#""iss":"a","aud":["c","b"]"#, nil),
            (#""aud":"b""#, JWTError.Reason.wrongIssuer), (#""iss":"A","aud":"b""#, .wrongIssuer),
            (#""iss":["a"],"aud":"b""#, .wrongIssuer),
            (#""iss":"a""#, .wrongAudience), (#""iss":"a","aud":"bb""#, .wrongAudience),
            (#""iss":"a","aud":[]"#, .wrongAudience),
            (#""iss":"a","aud":["b",7]"#, .wrongAudience), (#""iss":"a","aud":{"b":"b"}"#, .wrongAudience),
        ] as [(String, JWTError.Reason?)])
    func `issuer and audience are checked where the policy names them`(claims: String, reason: JWTError.Reason?) throws {
        let token = try Ours.token(#"{"exp":1700000100,\#(claims)}"#)
        #expect(Ours.reason(token, JWTPolicy(issuer: "a", audience: "b")) == reason)
    }

    @Test func `tokens of one signer are told apart by type`() throws {
        let pass = try JWTSigner(key: Ours.key, type: "pass+jwt").signJWT(claims: Array(Ours.claims.utf8))
        #expect(Ours.reason(pass, JWTPolicy(type: "pass+jwt")) == nil)
        #expect(Ours.reason(pass, JWTPolicy(type: "token+jwt")) == .wrongType)
    }
}
