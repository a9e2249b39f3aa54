import Crypto
import UsherAPI
import Wire

/// What a queue token proves: a place, never admission.
struct QueueToken: Sendable, Hashable {
    var id: UInt64
    var user: Uuid
    var concert: String
    var joinNumber: UInt64
}

/// Signs and verifies queue tokens and passes: JWTs (RFC 7519) with Ed25519 (RFC 8037), told apart by their `typ`.
///
/// A queue token: `{"iss":"<the journal's epoch>","sub":"<user>","concert":"aurora","tid":17,"n":5,"iat":…,"exp":…}`, `typ` `usher-queue+jwt`.
/// A pass: `{"sub":"<user>","aud":"aurora","tid":17,"iat":…,"exp":…}`, `typ` `usher-pass+jwt`, for other backends to verify
/// against `/.well-known/jwks.json` without asking us.
///
/// Confined to one loop. A verification costs about 100 µs, so verified tokens are remembered until they expire, at most
/// `rememberedMax`, in two generations: when one is full the older is dropped whole.
final class QueueTokens {
    /// A queue token outlives any on-sale; a place may end before.
    static let tokenLifetimeMilliseconds: UInt64 = 30 * 86_400_000
    /// A pass is renewed by push long before it runs out.
    static let passLifetimeMilliseconds: UInt64 = 120_000
    static let passRenewalMilliseconds: UInt64 = 60_000
    static let rememberedMax = 65_536

    /// The journal's epoch: a place in another journal's line is none in this one's, though the key may be the same.
    private let epoch: Uuid
    private let tokenSigner: JWTSigner
    private let passSigner: JWTSigner
    private let rememberedMax: Int
    private var keys: JWKS
    private var recent: [[UInt8]: Remembered] = [:]
    private var older: [[UInt8]: Remembered] = [:]

    private struct Remembered {
        var token: QueueToken
        var expiresMilliseconds: UInt64
    }

    init(key: Ed25519PrivateKey, epoch: Uuid = .none, rememberedMax: Int = QueueTokens.rememberedMax) {
        self.epoch = epoch
        self.rememberedMax = rememberedMax
        tokenSigner = JWTSigner(key: key, type: "usher-queue+jwt")
        passSigner = JWTSigner(key: key, type: "usher-pass+jwt")
        keys = JWKS([JWK(key.publicKey)])
    }

    /// All public keys that sign for this sale, as `/.well-known/jwks.json` shows them.
    var published: String { keys.json }

    /// Verified tokens kept.
    var rememberedCount: Int { recent.count + older.count }

    /// Takes a key that an instance has journalled; anything but 32 bytes of a key is ignored.
    func trust(_ rawKey: [UInt8]) {
        if let key = try? Ed25519PublicKey(rawBytes: rawKey) { keys.insert(JWK(key)) }
    }

    func sign(_ token: QueueToken, now: UInt64) throws(CryptoError) -> String {
        let claims =
            #"{"iss":"\#(epoch)","sub":"\#(token.user)","concert":"\#(token.concert)","tid":\#(token.id),"n":\#(token.joinNumber),"iat":\#(now / 1000),"exp":\#((now + Self.tokenLifetimeMilliseconds) / 1000)}"#
        return try tokenSigner.signJWT(claims: Array(claims.utf8))
    }

    /// A proof of being active, until `expires` at most two minutes ahead.
    func signPass(_ token: QueueToken, now: UInt64) throws(CryptoError) -> (pass: String, expiresMilliseconds: UInt64) {
        let expires = now + Self.passLifetimeMilliseconds
        let claims =
            #"{"sub":"\#(token.user)","aud":"\#(token.concert)","tid":\#(token.id),"iat":\#(now / 1000),"exp":\#(expires / 1000)}"#
        return (try passSigner.signJWT(claims: Array(claims.utf8)), expires / 1000 * 1000)
    }

    /// The token in metadata `queue-token`.
    ///
    /// - Throws: `JWTError` for anything that this sale has not signed, or has run out.
    func verify(_ text: RawSpan, now: UInt64) throws(JWTError) -> QueueToken {
        let bytes = [UInt8](copying: text)
        if let known = recent[bytes] ?? older[bytes], now < known.expiresMilliseconds { return known.token }
        let policy = JWTPolicy(issuer: "\(epoch)", type: "usher-queue+jwt", algorithms: [.eddsa], requiresExpiry: true)
        let verified = try keys.verify(bytes, policy: policy, now: now)
        let claims = verified.claims
        guard let user = claims["sub"]?.string.flatMap(Uuid.init), let concert = claims["concert"]?.string,
            let id = claims["tid"]?.double, let number = claims["n"]?.double,
            let id = UInt64(exactly: id), let number = UInt64(exactly: number)
        else { throw JWTError(.malformed, "the claims of a queue token are missing") }
        let token = QueueToken(id: id, user: user, concert: concert, joinNumber: number)
        if recent.count >= rememberedMax / 2 {
            older = recent
            recent = [:]
        }
        recent[bytes] = Remembered(token: token, expiresMilliseconds: verified.expiresAtMilliseconds ?? 0)
        return token
    }
}
