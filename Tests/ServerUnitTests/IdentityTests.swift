import Crypto
import Testing
import UsherAPI
import Wire

@testable import Server

private let now: UInt64 = 1_800_000_000_000

@Suite struct `queue tokens` {
    private let token = QueueToken(id: 17, user: Uuid(high: 1, low: 2), concert: "aurora", joinNumber: 5)

    private func tokens(seed: UInt8 = 1, rememberedMax: Int = QueueTokens.rememberedMax) throws -> QueueTokens {
        QueueTokens(key: try Ed25519PrivateKey(seed: Array(repeating: seed, count: 32)), rememberedMax: rememberedMax)
    }

    private func verify(_ text: String, with tokens: QueueTokens, now: UInt64 = now) throws(JWTError) -> QueueToken {
        let bytes = Array(text.utf8)
        return try tokens.verify(bytes.rawSpan, now: now)
    }

    @Test func `what was signed is verified, the first time and remembered`() throws {
        let tokens = try tokens()
        let text = try tokens.sign(token, now: now)
        #expect(try verify(text, with: tokens) == token)
        #expect(try verify(text, with: tokens) == token)
    }

    @Test func `a token of another key is refused until that key is trusted`() throws {
        let tokens = try tokens()
        let other = try self.tokens(seed: 2)
        let text = try other.sign(token, now: now)
        #expect(throws: JWTError.self) { try verify(text, with: tokens) }
        tokens.trust(try Ed25519PrivateKey(seed: Array(repeating: 2, count: 32)).publicKey.rawBytes)
        #expect(try verify(text, with: tokens) == token)
        tokens.trust([1, 2, 3])
        #expect(try JWKS(parsing: Array(tokens.published.utf8)).keys.count == 2)
    }

    @Test func `a pass is no queue token`() throws {
        let tokens = try tokens()
        let pass = try tokens.signPass(token, now: now)
        #expect(pass.expiresMilliseconds <= now + 120_000 && pass.expiresMilliseconds > now + 118_000)
        #expect(throws: JWTError.self) { try verify(pass.pass, with: tokens) }
        let verified = try JWKS(parsing: Array(tokens.published.utf8)).verify(
            pass.pass, policy: JWTPolicy(audience: "aurora", type: "usher-pass+jwt"), now: now)
        #expect(verified.subject == "\(token.user)")
    }

    @Test func `a changed or shortened token is refused`() throws {
        let tokens = try tokens()
        let text = try tokens.sign(token, now: now)
        #expect(throws: JWTError.self) { try verify(String(text.dropLast()), with: tokens) }
        #expect(throws: JWTError.self) { try verify("", with: tokens) }
        var changed = Array(text.utf8)
        let middle = text.utf8.count / 2
        changed[middle] = changed[middle] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        #expect(throws: JWTError.self) { try verify(String(decoding: changed, as: UTF8.self), with: tokens) }
    }

    @Test(arguments: [
        #"{"concert":"a","tid":1,"n":1,"exp":1900000000}"#, #"{"sub":"nobody","concert":"a","tid":1,"n":1,"exp":1900000000}"#,
        #"{"sub":"00000000-0000-0001-0000-000000000002","tid":1,"n":1,"exp":1900000000}"#,
        #"{"sub":"00000000-0000-0001-0000-000000000002","concert":"a","tid":-1,"n":1,"exp":1900000000}"#,
        #"{"sub":"00000000-0000-0001-0000-000000000002","concert":"a","tid":1.5,"n":1,"exp":1900000000}"#,
        #"{"sub":"00000000-0000-0001-0000-000000000002","concert":"a","tid":1,"exp":1900000000}"#,
        #"{"sub":"00000000-0000-0001-0000-000000000002","concert":"a","tid":1,"n":1}"#,
    ])
    func `claims that are no queue token's are refused, though signed`(claims: String) throws {
        let key = try Ed25519PrivateKey(seed: Array(repeating: 1, count: 32))
        let issued = claims.replacing("{", with: #"{"iss":"\#(Uuid.none)","#)
        let text = try JWTSigner(key: key, type: "usher-queue+jwt").signJWT(claims: Array(issued.utf8))
        let tokens = try tokens()
        #expect(throws: JWTError.self) { try verify(text, with: tokens) }
    }

    @Test func `a token of another journal is refused, though signed with the same key`() throws {
        let other = QueueTokens(key: try Ed25519PrivateKey(seed: Array(repeating: 1, count: 32)), epoch: Uuid(high: 1, low: 2))
        let text = try other.sign(token, now: now)
        #expect(try verify(text, with: other) == token)
        #expect(throws: JWTError.self) { try verify(text, with: self.tokens()) }
    }

    @Test func `a token that has run out is refused, also one that is remembered`() throws {
        let tokens = try tokens()
        let text = try tokens.sign(token, now: now)
        let past = now + QueueTokens.tokenLifetimeMilliseconds + 120_000
        #expect(try verify(text, with: tokens, now: now) == token)
        #expect(throws: JWTError.self) { try verify(text, with: tokens, now: past) }
        #expect(throws: JWTError.self) { try verify(text, with: self.tokens(), now: past) }
    }

    @Test func `no more than so many are remembered`() throws {
        let tokens = try tokens(rememberedMax: 8)
        for id in 1...30 as ClosedRange<UInt64> {
            var token = token
            token.id = id
            _ = try verify(try tokens.sign(token, now: now), with: tokens)
            #expect(tokens.rememberedCount <= 8)
        }
        #expect(tokens.rememberedCount >= 4)
    }

    @Test func `what is refused is not remembered`() throws {
        let tokens = try tokens()
        #expect(throws: JWTError.self) { try verify("a.b.c", with: tokens) }
        #expect(tokens.rememberedCount == 0)
    }
}

@Suite struct `a development server's identities` {
    private let checker = IdentityChecker(operatorKey: "s3cret")

    @Test func `are taken on trust`() throws {
        let user = Uuid(high: 4, low: 5)
        #expect(checker.isDevelopment)
        #expect(try checker.trust(user) == Identity(user: user, name: "\(user)"))
        #expect(try checker.check(bearer: "\(user)", now: now).user == user)
        #expect(try !checker.check(bearer: "\(user)", now: now).isOperator)
    }

    @Test func `the operator key makes an operator`() throws {
        let identity = try checker.check(bearer: "operator:s3cret", now: now)
        #expect(identity.isOperator && identity.user == .developmentOperator)
    }

    @Test(arguments: [
        "", "operator:", "operator", "operator:wrong", "operator:s3cret2", "operator:s3cre", "nobody",
        "00000000-0000-0000-0000-000000000000",
    ])
    func `anything else is refused`(bearer: String) {
        #expect(throws: IdentityError.self) { try checker.check(bearer: bearer, now: now) }
    }
}

@Suite struct `an identity provider's identities` {
    private let signer: JWTSigner
    private let checker: IdentityChecker

    init() throws {
        signer = JWTSigner(key: try Ed25519PrivateKey(seed: Array(repeating: 9, count: 32)))
        checker = IdentityChecker(
            keys: try JWKS(parsing: Array(#"{"keys":[\#(signer.jwk.json)]}"#.utf8)), issuer: "https://id.example",
            audience: "tickets",
            operatorClaim: ("role", "operator"), backendClaim: ("scope", "backend"))
    }

    private func check(_ claims: String, at time: UInt64 = now) throws -> Identity {
        try checker.check(bearer: signer.signJWT(claims: Array(claims.utf8)), now: time)
    }

    private static let good = #""iss":"https://id.example","aud":["tickets","other"],"exp":1800000600"#
    private static let user = Uuid(high: 0x0102, low: 0x0304)

    @Test(arguments: [(0, true), (59_999, true), (60_000, false), (3_600_000, false)] as [(UInt64, Bool)])
    func `an identity holds for as long as its JWT is accepted`(late: UInt64, holds: Bool) throws {
        let claims = #"{"sub":"\#(Self.user)",\#(Self.good)}"#
        let time = 1_800_000_600_000 + late
        #expect(try check(claims).isExpired(now: time) == !holds)
        #expect(((try? check(claims, at: time)) != nil) == holds)
    }

    @Test func `an identity that never expires is never expired`() {
        #expect(!Identity(user: Self.user, name: "x").isExpired(now: .max))
    }

    @Test func `a signed token names its user, until it expires`() throws {
        let identity = try check(#"{"sub":"\#(Self.user)",\#(Self.good)}"#)
        #expect(identity == Identity(user: Self.user, expiresMilliseconds: 1_800_000_600_000, name: "\(Self.user)"))
        #expect(!checker.isDevelopment)
    }

    @Test func `claims make operators and backends, as one value or among several`() throws {
        #expect(try check(#"{"sub":"x","role":"operator",\#(Self.good)}"#).isOperator)
        #expect(try check(#"{"sub":"x","role":["a","operator"],\#(Self.good)}"#).isOperator)
        #expect(try !check(#"{"sub":"x","role":"operators",\#(Self.good)}"#).isOperator)
        let backend = try check(#"{"sub":"x","scope":"backend",\#(Self.good)}"#)
        #expect(backend.isBackend && !backend.isOperator)
    }

    @Test func `a subject that is no UUID becomes one, always the same, other for other issuers`() throws {
        let identity = try check(#"{"sub":"ada@example","role":"x",\#(Self.good)}"#)
        #expect(identity.user == Uuid(namedBy: "ada@example", issuer: "https://id.example"))
        #expect(identity.user != Uuid(namedBy: "ada@example", issuer: "https://id2.example"))
        let text = Array("\(identity.user)")
        #expect(text[14] == "8" && "89ab".contains(text[19]), "version 8, variant 10")
    }

    @Test(arguments: [
        ("expired", #"{"sub":"x","iss":"https://id.example","aud":"tickets","exp":1799999000}"#),
        ("without expiry", #"{"sub":"x","iss":"https://id.example","aud":"tickets"}"#),
        ("for somebody else", #"{"sub":"x","iss":"https://id.example","aud":"elsewhere","exp":1800000600}"#),
        ("for nobody", #"{"sub":"x","iss":"https://id.example","exp":1800000600}"#),
        ("of another issuer", #"{"sub":"x","iss":"https://evil.example","aud":"tickets","exp":1800000600}"#),
        ("without subject", #"{"iss":"https://id.example","aud":"tickets","exp":1800000600}"#),
        (
            "of the nil UUID",
            #"{"sub":"00000000-0000-0000-0000-000000000000","iss":"https://id.example","aud":"tickets","exp":1800000600}"#
        ),
    ])
    func `a token that does not hold is refused`(why: String, claims: String) {
        #expect(throws: IdentityError.self) { try check(claims) }
    }

    @Test func `an expired token says so`() throws {
        #expect(throws: IdentityError.expired) { try check(#"{"sub":"x",\#(Self.good)}"#, at: 1_800_000_700_000) }
    }

    @Test func `a token of another key, and a UUID on trust, are refused`() throws {
        let other = JWTSigner(key: try Ed25519PrivateKey(seed: Array(repeating: 8, count: 32)))
        let text = try other.signJWT(claims: Array(#"{"sub":"x",\#(Self.good)}"#.utf8))
        #expect(throws: IdentityError.self) { try checker.check(bearer: text, now: now) }
        #expect(throws: IdentityError.untrusted) { try checker.trust(Self.user) }
        #expect(throws: IdentityError.self) { try checker.check(bearer: "\(Self.user)", now: now) }
        #expect(throws: IdentityError.self) { try checker.check(bearer: "operator:key", now: now) }
    }
}

@Suite struct `origins` {
    @Test(
        arguments: [
            (list: ["https://tickets.example"], origin: "https://tickets.example", allowed: true),
            (["https://tickets.example"], nil, true), ([], nil, true),
            (["https://tickets.example"], "https://TICKETS.example:443", true),
            (["HTTPS://Tickets.Example:443"], "https://tickets.example", true),
            (["https://tickets.example/"], "https://tickets.example", true),
            (["https://tickets.example:443/"], "https://tickets.example", true),
            (["http://localhost:80"], "http://localhost", true), (["https://tickets.example"], "http://tickets.example", false),
            (["https://tickets.example"], "https://tickets.example:8443", false),
            (["https://tickets.example"], "https://tickets.example.evil.net", false),
            (["https://tickets.example"], "https://eviltickets.example", false), (["https://tickets.example"], "null", false),
            (["https://tickets.example"], "https://host.example:8443", false), (["*"], "https://anything.example", true),
            (["*"], "null", true),
            ([], "https://host.example:8443", true), ([], "https://host.example", false),
            ([], "http://host.example:8443", false), ([], "null", false),
            ([], "", false),
        ] as [(list: [String], origin: String?, allowed: Bool)])
    func `are compared by scheme, host and port`(list: [String], origin: String?, allowed: Bool) {
        #expect(OriginList(list).allow(origin, host: "host.example:8443") == allowed)
    }

    @Test func `a host with the port that goes without saying is this server's own page`() {
        #expect(OriginList([]).allow("https://host.example", host: "host.example:443"))
        #expect(OriginList([]).allow("https://host.example", host: "Host.Example"))
    }
}
