// A set of JSON Web Keys (RFC 7517 §5): ours as we publish it, an identity provider's as we read it.

/// The keys that may have signed a token.
public struct JWKS: Sendable, Equatable {
    /// The keys, oldest first.
    public private(set) var keys: [JWK]
    /// How many members of the text read were of a kind, use or algorithm we don't verify, or malformed (RFC 7517 §5: ignored).
    public let ignoredCount: Int

    /// Largest text read.
    public static let byteCountMax = 256 * 1024
    /// Most members read.
    public static let keyCountMax = 256

    /// A set of these keys.
    public init(_ keys: [JWK] = []) {
        self.keys = keys
        ignoredCount = 0
    }

    /// Adds a key, unless it is in the set.
    public mutating func insert(_ key: JWK) {
        if !keys.contains(key) { keys.append(key) }
    }

    /// The keys of a JWK set's text.
    ///
    /// - Throws: `JWTError` with `malformedKeySet` when the text is too large, is no JSON object with an array `keys`, or has more
    ///   than ``keyCountMax`` members. A single odd member is ignored and counted.
    public init(parsing json: [UInt8]) throws(JWTError) {
        guard json.count <= Self.byteCountMax else {
            throw JWTError(.malformedKeySet, "\(json.count) bytes, at most \(Self.byteCountMax) allowed")
        }
        guard case .object(let set)? = BoundedJSON.decode(JSONValue.self, json), case .array(let members)? = set["keys"] else {
            throw JWTError(.malformedKeySet, "no JSON object with an array 'keys'")
        }
        guard members.count <= Self.keyCountMax else {
            throw JWTError(.malformedKeySet, "\(members.count) keys, at most \(Self.keyCountMax) allowed")
        }
        keys = members.compactMap(Self.key)
        ignoredCount = members.count - keys.count
    }

    /// The set as JSON, for `/.well-known/jwks.json`; each `kid` is the key's thumbprint.
    public var json: String { "{\"keys\":[" + keys.map(\.json).joined(separator: ",") + "]}" }

    private static func key(_ member: JSONValue) -> JWK? {
        guard let fields = member.object else { return nil }
        func text(_ name: String) -> String? { fields[name]?.string }
        func bytes(_ name: String) -> [UInt8]? { text(name).flatMap { Base64URL.decode($0) } }

        // A private or symmetric key in a public set is somebody's accident; nothing it signed can be trusted.
        guard fields["d"] == nil, fields["k"] == nil else { return nil }
        if let use = fields["use"], use != .string("sig") { return nil }
        if let operations = fields["key_ops"] {
            guard case .array(let list) = operations, list.contains(.string("verify")) else { return nil }
        }
        if let id = fields["kid"], id.string == nil { return nil }

        let material: JWK.Material
        switch (text("kty"), text("crv")) {
        case ("OKP", "Ed25519"):
            guard let x = bytes("x") else { return nil }
            material = .ed25519(x: x)
        case ("EC", "P-256"):
            guard let x = bytes("x"), let y = bytes("y") else { return nil }
            material = .p256(x: x, y: y)
        case ("RSA", _):
            guard let modulus = bytes("n"), let exponent = bytes("e") else { return nil }
            material = .rsa(modulus: modulus, exponent: exponent)
        default: return nil
        }
        guard let key = try? JWK(material, keyID: text("kid")) else { return nil }
        if let algorithm = fields["alg"], algorithm != .string(key.algorithm.rawValue) { return nil }
        return key
    }

    /// The one key that may have signed a token with this header.
    ///
    /// With a `kid`, the key of that name and algorithm; without, the only key of that algorithm. Never a search by trial: a token
    /// costs one verification at most.
    func key(id: String?, algorithm: JWTAlgorithm) throws(JWTError) -> JWK {
        guard let id else {
            let candidates = keys.filter { $0.algorithm == algorithm }
            guard candidates.count == 1 else {
                throw JWTError(.unknownKey, "no 'kid', and \(candidates.count) keys for \(algorithm.rawValue)")
            }
            return candidates[0]
        }
        let named = keys.filter { $0.keyID == id }
        guard let first = named.first else { throw JWTError(.unknownKey, "no key has the 'kid' given") }
        guard let key = named.first(where: { $0.algorithm == algorithm }) else {
            throw JWTError(.algorithmMismatch, "the key is for \(first.algorithm.rawValue), not \(algorithm.rawValue)")
        }
        return key
    }
}
