import UsherAPI

@testable import Crypto
@testable import Server

// Tokens: changed, forged, and signed over anything.
//
//   0  a token of ours with characters replaced, inserted or cut     refused, unless nothing was changed
//   1  any text as a token                                           refused
//   2  any header and any claims, rightly signed                     accepted only with EdDSA, our key, in time
//   3  any claims under our own header, as a queue token             names what the claims say
//   4  any text as a key set                                         what is read can be published and read again

extension FuzzTarget {
    static let jwt = FuzzTarget("jwt", bytesMax: 2048, dictionary: jwtWords) { bytes throws(Finding) in
        var script = Script(bytes)
        switch script.byte() % 5 {
        case 0: try checkChanged(&script)
        case 1: try checkText(script.remainder())
        case 2: try checkSigned(&script)
        case 3: try checkQueueToken(script.remainder())
        default: try checkKeySet(script.remainder())
        }
    }
}

private let jwtWords = [
    #"{"alg":"EdDSA"}"#, #""alg":"none""#, #""alg":"HS256""#, #""alg":"ES256""#, #""kid":""#, #""typ":"usher-queue+jwt""#,
    #""crit":[]"#, #""iss":""#, #""sub":"00000000-0000-0001-0000-000000000001""#, #""concert":"gig""#, #""tid":1"#, #""n":1"#,
    #""iat":1700000000"#, #""exp":1700000100"#, #""nbf":1699999900"#, #""aud":["a"]"#, "1e999", "1e12", "-1", "\\u0000",
    "\\ud800",
    #"{"keys":["#, #""kty":"OKP""#, #""crv":"Ed25519""#, #""x":""#, #""kty":"EC""#, #""crv":"P-256""#, #""y":""#,
    #""kty":"RSA""#,
    #""n":""#, #""e":"AQAB""#, #""use":"sig""#, #""key_ops":["verify"]"#,
]

private enum Ours {
    static let now: UInt64 = 1_700_000_000_000
    static let key = try! Ed25519PrivateKey(seed: [UInt8](repeating: 3, count: 32))
    static let signer = JWTSigner(key: key, type: "usher-queue+jwt")
    static let keys = JWKS([signer.jwk])
    static let epoch = Uuid(high: 7, low: 7)
    static let place = QueueToken(id: 5, user: Uuid(high: 1, low: 1), concert: "gig", joinNumber: 9)
    static let token = Array(try! QueueTokens(key: key, epoch: epoch).sign(place, now: now).utf8)

    static func verify(_ token: [UInt8]) -> Result<VerifiedJWT, JWTError> {
        Result { () throws(JWTError) in try keys.verify(token, policy: JWTPolicy(), now: now) }
    }
}

private func checkChanged(_ script: inout Script) throws(Finding) {
    var token = Ours.token
    while !script.isAtEnd {
        let place = script.word() % (token.count + 1)
        let piece = script.bytes(Int(script.byte() & 3))
        token.replaceSubrange(place..<min(token.count, place + Int(script.byte() & 3)), with: piece)
    }
    let verified = Ours.verify(token)
    guard case .success = verified else {
        try demand(token != Ours.token, "our own token is refused: \(verified)")
        return
    }
    try demand(token == Ours.token, "a changed token is accepted: \(String(decoding: token, as: UTF8.self))")
}

private func checkText(_ text: [UInt8]) throws(Finding) {
    if case .success = Ours.verify(text) {
        try demand(text == Ours.token, "nobody signed \(String(decoding: text, as: UTF8.self))")
    }
    let checker = IdentityChecker(operatorKey: "0123456789abcdef")
    let string = String(decoding: text, as: UTF8.self)
    guard let identity = try? checker.check(bearer: string, now: Ours.now) else { return }
    try demand(!identity.user.isNone, "nobody is recognised")
    try demandEqual(identity.isOperator, string == "operator:0123456789abcdef", "operator by \(string)")
}

private func checkSigned(_ script: inout Script) throws(Finding) {
    let header = script.piece()
    let claims = script.remainder()
    let signed = Base64URL.encode(header) + "." + Base64URL.encode(claims)
    let signature = try demanded("signing") { () throws(CryptoError) in try Ours.key.sign(Array(signed.utf8)) }
    let token = Array((signed + "." + Base64URL.encode(signature)).utf8)
    guard case .success(let verified) = Ours.verify(token) else { return }
    let head = BoundedJSON.decode(JSONValue.self, header)?.object
    try demandEqual(head?["alg"], .string("EdDSA"), "alg")
    try demand([nil, .string(Ours.signer.jwk.thumbprint)].contains(head?["kid"]), "kid \(String(describing: head?["kid"]))")
    try demand(head?["crit"] == nil, "crit was passed over")
    guard let expiry = verified.expiresAtMilliseconds else { throw Finding("accepted without exp") }
    try demand(expiry + 60_000 > Ours.now, "expired at \(expiry)")
    try demandEqual(verified.key.thumbprint, Ours.signer.jwk.thumbprint, "key")
}

private func checkQueueToken(_ claims: [UInt8]) throws(Finding) {
    guard claims.count <= JWKS.partByteCountMax else { return }
    let text = try demanded("signing") { () throws(CryptoError) in try Ours.signer.signJWT(claims: claims) }
    let tokens = QueueTokens(key: Ours.key, epoch: Ours.epoch)
    let first = Result { () throws(JWTError) in try tokens.verify(Array(text.utf8).rawSpan, now: Ours.now) }
    let second = Result { () throws(JWTError) in try tokens.verify(Array(text.utf8).rawSpan, now: Ours.now) }
    try demandEqual("\(first)", "\(second)", "verified and remembered")
    guard case .success(let token) = first else { return }
    let object = BoundedJSON.decode(JSONValue.self, claims)?.object
    try demandEqual(object?["iss"], .string("\(Ours.epoch)"), "iss")
    try demandEqual(object?["concert"], .string(token.concert), "concert")
    try demandEqual(object?["tid"]?.double, Double(token.id), "tid")
    try demandEqual(object?["sub"]?.string.flatMap(Uuid.init), token.user, "sub")
}

private func checkKeySet(_ text: [UInt8]) throws(Finding) {
    guard let set = try? JWKS(parsing: text) else { return }
    try demand(set.keys.count <= JWKS.keyCountMax, "\(set.keys.count) keys")
    let again = try demanded("our own key set") { () throws(JWTError) in try JWKS(parsing: Array(set.json.utf8)) }
    try demandEqual(again.keys.map(\.thumbprint), set.keys.map(\.thumbprint), "keys published and read")
    try demandEqual(again.ignoredCount, 0, "keys of ours that are ignored")
    if case .success = Result(catching: { () throws(JWTError) in try set.verify(Ours.token, policy: JWTPolicy(), now: Ours.now)
    }) {
        try demand(set.keys.contains { $0.thumbprint == Ours.signer.jwk.thumbprint }, "a stranger's key verifies")
    }
}
