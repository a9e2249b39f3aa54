import Crypto
import Foundation
import Testing

@Suite struct Ed25519Tests {
    struct Vector: Sendable {
        let seed, publicKey, message, signature: String
    }

    // RFC 8032 §7.1, tests 1 to 3.
    static let vectors = [
        Vector(
            seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
            signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        Vector(
            seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
            signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        Vector(
            seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
            signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ]

    @Test(arguments: vectors)
    func `keys and signatures are the RFC's`(vector: Vector) throws {
        let key = try Ed25519PrivateKey(seed: hex(vector.seed))
        #expect(key.publicKey.rawBytes == hex(vector.publicKey))
        #expect(try key.sign(hex(vector.message)) == hex(vector.signature))
        #expect(try Ed25519PublicKey(rawBytes: hex(vector.publicKey)).isValid(hex(vector.signature), for: hex(vector.message)))
    }

    @Test func `a signature with any bit changed, or over another message, is refused`() throws {
        let vector = Self.vectors[2]
        let key = try Ed25519PublicKey(rawBytes: hex(vector.publicKey))
        for bit in 0..<512 {
            var signature = hex(vector.signature)
            signature[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!key.isValid(signature, for: hex(vector.message)))
        }
        #expect(!key.isValid(hex(vector.signature), for: hex("af83")))
        #expect(!key.isValid(hex(vector.signature), for: []))
    }

    @Test(arguments: [0, 1, 63, 65, 128]) func `a signature of another length is refused`(count: Int) throws {
        let key = try Ed25519PrivateKey.generate()
        #expect(!key.publicKey.isValid([UInt8](repeating: 0, count: count), for: []))
    }

    @Test(arguments: [0, 31, 33]) func `a key of another length is an error`(count: Int) {
        #expect(throws: CryptoError.self) { try Ed25519PublicKey(rawBytes: [UInt8](repeating: 9, count: count)) }
        #expect(throws: CryptoError.self) { try Ed25519PrivateKey(seed: [UInt8](repeating: 9, count: count)) }
    }

    @Test func `generated keys differ`() throws {
        #expect(try Ed25519PrivateKey.generate().publicKey != Ed25519PrivateKey.generate().publicKey)
    }

    @Test func `a saved key is the same after loading, readable by its owner only, and never overwritten`() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/signing.pem"
            let key = try Ed25519PrivateKey.generate()
            try key.save(path)
            #expect(try mode(path) == 0o600)
            #expect(try Ed25519PrivateKey.load(path).publicKey == key.publicKey)
            #expect(throws: CryptoError.file(path: path, operation: "place", errno: EEXIST)) {
                try Ed25519PrivateKey.generate().save(path)
            }
            #expect(try Ed25519PrivateKey.load(path).publicKey == key.publicKey)
            // Nothing is left beside it.
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["signing.pem"])
        }
    }

    @Test func `a missing file and a file that is no key are told apart`() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/key.pem"
            #expect(throws: CryptoError.file(path: path, operation: "open", errno: ENOENT)) { try Ed25519PrivateKey.load(path) }
            try Data("no key".utf8).write(to: URL(fileURLWithPath: path))
            #expect { try Ed25519PrivateKey.load(path) } throws: { error in
                guard case .openSSL(let operation, let reason)? = error as? CryptoError else { return false }
                return operation == "PEM_read_bio_PrivateKey" && reason != "no reason given"
            }
            try Data(repeating: 0x41, count: 64 * 1024 + 1).write(to: URL(fileURLWithPath: path))
            #expect(throws: CryptoError.file(path: path, operation: "read", errno: EFBIG)) { try Ed25519PrivateKey.load(path) }
        }
    }

    @Test(.enabled(if: opensslPath != nil))
    func `the openssl command reads our key and finds the same public key`() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/signing.pem"
            let key = try Ed25519PrivateKey(seed: hex(Self.vectors[0].seed))
            try key.save(path)
            let (status, output) = try openssl("pkey", "-in", path, "-noout", "-text")
            #expect(status == 0)
            #expect(output.contains("ED25519 Private-Key"))
            let digits = output.split(separator: "pub:").last.map { $0.filter(\.isHexDigit) }
            #expect(digits == Self.vectors[0].publicKey)
        }
    }

    @Test(.enabled(if: opensslPath != nil))
    func `keys of another kind and encrypted keys are refused`() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/other.pem"
            #expect(try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path).status == 0)
            #expect(throws: CryptoError.invalidKey("not an Ed25519 key")) { try Ed25519PrivateKey.load(path) }
            let made = try openssl("genpkey", "-algorithm", "ED25519", "-aes256", "-pass", "pass:secret", "-out", path)
            #expect(made.status == 0)
            #expect(throws: CryptoError.self) { try Ed25519PrivateKey.load(path) }
        }
    }
}
