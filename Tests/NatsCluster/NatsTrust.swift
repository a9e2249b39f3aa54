// What NATS servers and their clients know each other by, made for tests: certificates by openssl; keys and JWTs as NATS's
// operators, accounts and users have them (docs.nats.io, "JWT"; github.com/nats-io/nkeys, "Encoding").

import Crypto
import Foundation

/// An authority of its own and a server's certificate by it.
public struct NatsCertificates: Sendable {
    /// The authority's certificate, PEM.
    public let authority: String
    /// The `tls` block of a server.
    public let configuration: String

    /// Made in a folder that is there; `names` is the certificate's subjectAltName.
    public init(in folder: String, names: String = "DNS:localhost,IP:127.0.0.1") throws {
        func file(_ name: String) -> String { "\(folder)/\(name).pem" }
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        authority = file("authority")
        try Self.openssl(
            ["req", "-x509"] + key + [
                "-keyout", file("authority-key"), "-out", authority, "-days", "2", "-subj", "/CN=An authority for tests",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            ])
        try Self.openssl(["req"] + key + ["-keyout", file("key"), "-out", file("request"), "-subj", "/CN=nats"])
        try "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=\(names)\n"
            .write(toFile: file("extensions"), atomically: true, encoding: .utf8)
        try Self.openssl([
            "x509", "-req", "-in", file("request"), "-CA", authority, "-CAkey", file("authority-key"), "-days", "2",
            "-extfile", file("extensions"), "-out", file("chain"),
        ])
        configuration = "tls { cert_file: \"\(file("chain"))\", key_file: \"\(file("key"))\" }\n"
    }

    private static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw NatsFailure(description: "openssl \(arguments.joined(separator: " ")) failed")
        }
    }
}

/// An operator with one account, and users of it.
public struct NatsOperator: Sendable {
    private let account: NatsKey
    /// What makes a server take this operator's users.
    public let configuration: String

    public init() throws {
        let issuer = try NatsKey(.operator)
        account = try NatsKey(.account)
        let system = try NatsKey(.account)
        let unlimited = """
            {"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":-1,"leaf":-1,\
            "mem_storage":-1,"disk_storage":-1,"streams":-1,"consumer":-1}
            """
        func describe(_ account: NatsKey, _ limits: String) throws -> String {
            let claims = #"{"limits":\#(limits),"default_permissions":{"pub":{},"sub":{}},"type":"account","version":2}"#
            return "\(account.name): \(try issuer.sign(claims, about: account))"
        }
        // The servers' own account keeps no streams.
        let lesser = unlimited.replacingOccurrences(of: "storage\":-1", with: "storage\":0")
        configuration = """
            operator: \(try issuer.sign(#"{"type":"operator","version":2}"#, about: issuer))
            system_account: \(system.name)
            resolver: MEMORY
            resolver_preload: {
              \(try describe(account, unlimited))
              \(try describe(system, lesser))
            }

            """
    }

    /// What a credentials file of a new user holds, who may publish and subscribe to these subjects alone.
    public func credentials(for subjects: [String]) throws -> String {
        let user = try NatsKey(.user)
        let allowed = "{\"allow\":[" + subjects.map { "\"\($0)\"" }.joined(separator: ",") + "]}"
        let claims = #"{"pub":\#(allowed),"sub":\#(allowed),"subs":-1,"data":-1,"payload":-1,"type":"user","version":2}"#
        return """
            -----BEGIN NATS USER JWT-----
            \(try account.sign(claims, about: user))
            ------END NATS USER JWT------

            -----BEGIN USER NKEY SEED-----
            \(user.seedText)
            ------END USER NKEY SEED------

            """
    }
}

/// An Ed25519 key in NATS's dress: base32 of a byte that says whose it is, the key, and a CRC-16.
private struct NatsKey: Sendable {
    enum Owner: UInt8 {
        case account = 0
        case `operator` = 112
        case user = 160
    }

    private let owner: Owner
    private let seed: [UInt8]
    private let key: Ed25519PrivateKey

    init(_ owner: Owner) throws {
        self.owner = owner
        seed = (0..<32).map { _ in .random(in: .min ... .max) }
        key = try Ed25519PrivateKey(seed: seed)
    }

    /// The public key.
    var name: String { Self.text([owner.rawValue] + key.publicKey.rawBytes) }

    /// A seed says so (144) in its first five bits, and whose it is in the next eight.
    var seedText: String { Self.text([144 | owner.rawValue >> 5, owner.rawValue << 3] + seed) }

    /// A JWT by this key: `claims` is NATS's own part of it.
    func sign(_ claims: String, about subject: NatsKey) throws -> String {
        let body = #"{"jti":"\#(UUID().uuidString)","iat":1,"iss":"\#(name)","sub":"\#(subject.name)","nats":\#(claims)}"#
        let parts = [#"{"typ":"JWT","alg":"ed25519-nkey"}"#, body].map { Base64URL.encode(Array($0.utf8)) }
        let signed = parts.joined(separator: ".")
        return signed + "." + Base64URL.encode(try key.sign(Array(signed.utf8)))
    }

    private static func text(_ bytes: [UInt8]) -> String {
        var crc: UInt16 = 0
        for byte in bytes {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var text = ""
        var bits = 0
        var count = 0
        for byte in bytes + [UInt8(crc & 255), UInt8(crc >> 8)] {
            bits = bits << 8 | Int(byte)
            count += 8
            while count >= 5 {
                count -= 5
                text.append(alphabet[bits >> count & 31])
            }
        }
        if count > 0 { text.append(alphabet[bits << (5 - count) & 31]) }
        return text
    }
}
